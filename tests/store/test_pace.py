"""The budget's arithmetic: half the pace after a 429, back in steps; and clocks that are set back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kommo.store.pace import FAR, MARGIN, OLD, PATIENCE, SLOWEST, STARVING, YOUNG, Slots

NOON = 1_795_449_600.0
SLOTS = Slots(limit=6.0, now=NOON)


def slowed(pace: float, ago: float, **values: float) -> Slots:
    return replace(SLOTS, pace=pace, slowed_at=NOON - ago, **values)


def test_nothing_ever_happened_is_full_speed() -> None:
    assert (SLOTS.speed, SLOTS.full_at, SLOTS.begin, SLOTS.width) == (6.0, None, NOON, MARGIN / 6)
    assert (SLOTS.paused_until, SLOTS.stopped_until) == (0, 0)


@pytest.mark.parametrize(
    ("ago", "speed"),
    [(0, 3.0), (9.9, 3.0), (10, 3.5), (19.9, 3.5), (20, 4.0), (45, 5.0), (59.9, 5.5), (60, 6.0), (9e9, 6.0)],
)
def test_half_a_request_a_second_comes_back_every_ten_seconds(ago: float, speed: float) -> None:
    found = slowed(0.5, ago)
    assert found.speed == pytest.approx(speed)
    assert found.width == pytest.approx(MARGIN / speed)
    assert found.full_at == (None if speed == 6 else NOON - ago + 60)


@given(pace=st.floats(SLOWEST, 1), limit=st.floats(0.1, 7), ago=st.floats(0, 200))
def test_the_speed_comes_back_and_never_beyond_the_limit(pace: float, limit: float, ago: float) -> None:
    found = Slots(limit=limit, now=NOON, pace=pace, slowed_at=NOON - ago)
    assert pace * limit - 1e-6 <= found.speed <= limit
    assert Slots(limit=limit, now=NOON + 10, pace=pace, slowed_at=NOON - ago).speed >= found.speed
    if found.full_at is not None:
        assert replace(found, now=found.full_at + 0.01).full_at is None
        assert replace(found, now=found.full_at - 10.01).share < 1


def test_it_is_halved_again_and_again_down_to_an_eighth() -> None:
    found, paces = SLOTS, []
    for _ in range(5):
        pace = found.halved(sent=0.1)
        assert pace is not None
        paces.append(pace)
        found = replace(found, now=found.now + 1, pace=pace, slowed_at=found.now)
    assert paces == [0.5, 0.25, 0.125, 0.125, 0.125]


def test_what_came_back_is_halved_with_the_rest() -> None:
    assert slowed(0.5, 30).halved(sent=1.0) == pytest.approx((3.0 + 1.5) / 6 / 2)


@pytest.mark.parametrize(("sent", "counts"), [(0.5, True), (4.9, True), (5.1, False), (60, False)])
def test_a_request_that_was_under_way_does_not_halve_it_again(sent: float, counts: bool) -> None:
    assert (slowed(0.5, 5.0).halved(sent) is not None) == counts


def test_without_a_limit_only_pauses_are_waited_for() -> None:
    found = Slots(limit=0, now=NOON, pace=0.25, slowed_at=NOON)
    assert (found.speed, found.width, found.begin, found.too_early(0), found.full_at) == (0, 0, NOON, 0, None)
    assert replace(found, slow_until=NOON + 7).begin == NOON + 7


@pytest.mark.parametrize("back", [3600.0, 86_400.0, 40.0 * 365 * 86_400])
def test_a_clock_that_was_set_back_freezes_nothing(back: float) -> None:
    """Everything was noted by a clock that was ahead by so much: none of it holds any more."""
    ahead = NOON + back
    found = replace(
        SLOTS, next_at=ahead, slow_until=ahead + 30, blocked_until=ahead + 900, pace=0.125, slowed_at=ahead,
        sync_at=ahead,
    )  # fmt: skip
    assert (found.speed, found.begin, found.paused_until, found.stopped_until) == (6.0, NOON, 0, 0)
    assert found.too_early(0) == 0
    assert found.halved(sent=0.1) == 0.5


def test_a_clock_that_is_put_right_by_a_little_loses_nothing() -> None:
    found = slowed(0.5, -3.0, blocked_until=NOON + 903)
    assert (found.speed, found.stopped_until) == (3.0, NOON + 903)
    assert found.full_at == NOON + 63


def test_a_slot_very_far_ahead_is_believed_where_slots_are_wide() -> None:
    """At an eighth of one request in ten seconds, sixty who wait are nothing odd."""
    wide = Slots(limit=0.1, now=NOON, next_at=NOON + FAR + 590)
    assert wide.begin == wide.next_at
    assert replace(wide, next_at=NOON + FAR + 630).begin == NOON


def ahead(slots: float, since_sync: float = 0.0) -> Slots:
    """The next free slot begins so many slots ahead; the last one of a sync began so many slots ago."""
    return replace(SLOTS, next_at=NOON + slots * SLOTS.width, sync_at=NOON - since_sync * SLOTS.width)


@pytest.mark.parametrize(("slots", "early"), [(0.0, 0.0), (0.99 * YOUNG, 0.0), (YOUNG + 1, 1.0), (YOUNG + 5, 5.0)])
def test_a_sync_reserves_about_one_slot_ahead(slots: float, early: float) -> None:
    assert ahead(slots).too_early(0) == pytest.approx(early * SLOTS.width, abs=1e-5)


def test_who_has_waited_longer_may_reserve_sooner() -> None:
    waits = [ahead(3).too_early(slots * SLOTS.width) for slots in range(0, PATIENCE + 1, 4)]
    assert waits == sorted(waits, reverse=True)
    assert len(set(waits)) == len(waits)
    assert waits[-1] == pytest.approx((3 - OLD) * SLOTS.width, abs=1e-5)
    assert ahead(3).too_early(9e9) == pytest.approx(waits[-1])


def test_after_so_many_slots_of_others_a_sync_gets_one_though_people_wait() -> None:
    assert ahead(20, STARVING - 1).too_early(0) > 0
    assert ahead(20, STARVING).too_early(0) == 0
