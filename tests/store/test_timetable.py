"""When the next run is: intervals, quiet hours, the nightly sweep, and nights in which the clocks change."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kommo.store.timetable import (
    DAY,
    LONGEST,
    SHORTEST,
    Timetable,
    after_quiet,
    clock_time,
    is_quiet,
    minute_of,
    next_run,
    next_sweep,
)

SAO_PAULO, NEW_YORK, LISBON = ZoneInfo("America/Sao_Paulo"), ZoneInfo("America/New_York"), ZoneInfo("Europe/Lisbon")
# Half an hour of daylight saving; a change at midnight; no whole hour off; months of their own; no changes.
ZONES = ["Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu", "Africa/Casablanca", "America/Sao_Paulo",
         "America/New_York", "Europe/Lisbon", "UTC"]  # fmt: skip
zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.floats(1_000_000_000, 2_200_000_000)  # 2001 to 2039: Brazil had daylight saving until 2019
minutes = st.integers(0, DAY - 1)
plans = st.builds(
    Timetable, st.integers(SHORTEST, LONGEST), st.none() | minutes, st.none() | minutes, st.none() | minutes
)


def at(text: str, zone: ZoneInfo = SAO_PAULO, fold: int = 0) -> float:
    """A local time such as "2026-11-25 14:20:30" as Unix seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def said(moment: float | None, zone: ZoneInfo = SAO_PAULO) -> str:
    """Unix seconds as a local time with its distance from UTC."""
    assert moment is not None
    return datetime.fromtimestamp(moment, zone).isoformat(" ", "minutes")


NIGHT = Timetable(15, 22 * 60, 6 * 60, 3 * 60)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-11-25 14:20:00", "2026-11-25 14:35-03:00"),
        ("2026-11-25 14:20:59", "2026-11-25 14:35-03:00"),  # whole minutes
        ("2026-11-25 21:44:00", "2026-11-25 21:59-03:00"),
        ("2026-11-25 21:45:00", "2026-11-26 06:00-03:00"),  # 22:00 is quiet
        ("2026-11-25 23:59:59", "2026-11-26 06:00-03:00"),
        ("2026-11-26 00:00:00", "2026-11-26 06:00-03:00"),
        ("2026-11-26 05:45:00", "2026-11-26 06:00-03:00"),
        ("2026-11-26 05:50:00", "2026-11-26 06:05-03:00"),
        ("2026-12-31 23:00:00", "2027-01-01 06:00-03:00"),
    ],
)
def test_the_next_run_waits_for_the_end_of_the_night(now: str, then: str) -> None:
    assert said(next_run(NIGHT, at(now), SAO_PAULO)) == then


def test_quiet_hours_may_lie_within_a_day() -> None:
    lunch = Timetable(30, 12 * 60, 14 * 60)
    assert said(next_run(lunch, at("2026-11-25 11:20"), SAO_PAULO)) == "2026-11-25 11:50-03:00"
    assert said(next_run(lunch, at("2026-11-25 11:30"), SAO_PAULO)) == "2026-11-25 14:00-03:00"
    assert said(next_run(lunch, at("2026-11-25 13:40"), SAO_PAULO)) == "2026-11-25 14:10-03:00"


@pytest.mark.parametrize("quiet", [(None, None), (600, None), (None, 600), (600, 600), (0, 0)])
def test_from_and_to_being_the_same_means_none(quiet: tuple[int | None, int | None]) -> None:
    plan = Timetable(60, *quiet)
    assert plan.quiet is None
    assert not any(is_quiet(plan, at(f"2026-11-25 {hour:02}:00"), SAO_PAULO) for hour in range(24))


def test_slots_stay_where_they_are_and_missed_ones_are_passed_over() -> None:
    hourly, slot = Timetable(60), at("2026-11-18 09:05")
    assert said(next_run(hourly, at("2026-11-18 09:05:04"), SAO_PAULO, slot)) == "2026-11-18 10:05-03:00"
    assert said(next_run(hourly, at("2026-11-25 14:20"), SAO_PAULO, slot)) == "2026-11-25 15:05-03:00"  # a week off


def test_a_slot_that_lies_ahead_is_not_counted_from() -> None:
    """It is of a clock that was set back."""
    assert said(next_run(NIGHT, at("2026-11-25 14:20"), SAO_PAULO, at("2027-01-01 09:07"))) == "2026-11-25 14:35-03:00"


def test_the_sweep_is_the_next_one_of_its_time_of_day_also_in_the_quiet_hours() -> None:
    assert said(next_sweep(NIGHT, at("2026-11-25 02:59:59"), SAO_PAULO)) == "2026-11-25 03:00-03:00"
    assert said(next_sweep(NIGHT, at("2026-11-25 03:00:00"), SAO_PAULO)) == "2026-11-26 03:00-03:00"
    assert is_quiet(NIGHT, at("2026-11-26 03:00"), SAO_PAULO)
    assert next_sweep(Timetable(15), at("2026-11-25 03:00"), SAO_PAULO) is None


def test_a_night_with_an_hour_less() -> None:
    """New York, 8 March 2026: 02:00 becomes 03:00. Elapsed time counts; a skipped sweep comes an hour later."""
    plan = Timetable(60, 23 * 60, 2 * 60 + 30, 2 * 60 + 15)
    assert (
        said(next_run(Timetable(60), at("2026-03-08 01:30", NEW_YORK), NEW_YORK), NEW_YORK) == "2026-03-08 03:30-04:00"
    )
    assert said(next_run(plan, at("2026-03-07 22:30", NEW_YORK), NEW_YORK), NEW_YORK) == "2026-03-08 03:00-04:00"
    assert said(next_sweep(plan, at("2026-03-08 01:00", NEW_YORK), NEW_YORK), NEW_YORK) == "2026-03-08 03:15-04:00"
    assert said(next_sweep(plan, at("2026-03-08 03:15", NEW_YORK), NEW_YORK), NEW_YORK) == "2026-03-09 02:15-04:00"


def test_a_night_with_an_hour_more() -> None:
    """Lisbon, 25 October 2026: 02:00 becomes 01:00. The sweep is once; what is quiet is quiet in both hours."""
    plan = Timetable(60, 23 * 60, 90, 90)
    assert said(next_sweep(plan, at("2026-10-25 00:00", LISBON), LISBON), LISBON) == "2026-10-25 01:30+01:00"
    assert said(next_sweep(plan, at("2026-10-25 01:30", LISBON), LISBON), LISBON) == "2026-10-26 01:30+00:00"
    assert said(after_quiet(plan, at("2026-10-25 01:10", LISBON), LISBON), LISBON) == "2026-10-25 01:30+01:00"
    assert said(after_quiet(plan, at("2026-10-25 01:10", LISBON, 1), LISBON), LISBON) == "2026-10-25 01:30+00:00"
    assert said(next_run(Timetable(60), at("2026-10-25 01:30", LISBON), LISBON), LISBON) == "2026-10-25 01:30+00:00"


def test_a_midnight_that_is_not_there() -> None:
    """São Paulo, 4 November 2018: 00:00 became 01:00."""
    plan = Timetable(60, 22 * 60, 0, 0)
    assert said(next_run(plan, at("2018-11-03 21:30"), SAO_PAULO)) == "2018-11-04 01:00-02:00"
    assert said(next_sweep(plan, at("2018-11-03 21:30"), SAO_PAULO)) == "2018-11-04 01:00-02:00"


@settings(max_examples=300, deadline=None)
@given(plans, moments, zones, st.none() | st.floats(0, 40 * 86_400))
def test_the_next_run_is_ahead_and_never_in_the_quiet_hours(
    plan: Timetable, now: float, zone: ZoneInfo, ago: float | None
) -> None:
    found = next_run(plan, now, zone, None if ago is None else now - ago)
    assert found > now
    assert not is_quiet(plan, found, zone)
    if plan.quiet is None:
        assert found <= now + plan.every * 60
    else:
        assert found <= after_quiet(plan, now + plan.every * 60, zone)


@settings(max_examples=300, deadline=None)
@given(plans, moments, st.lists(st.floats(0, 3 * 86_400), min_size=2, max_size=6), zones, st.booleans())
def test_time_that_goes_on_never_brings_the_next_run_nearer(
    plan: Timetable, start: float, steps: list[float], zone: ZoneInfo, from_slot: bool
) -> None:
    later = sorted(start + step for step in steps)
    found = [next_run(plan, moment, zone, start if from_slot else None) for moment in later]
    assert all(one <= two for one, two in pairwise(found))
    sweeps = [next_sweep(plan, moment, zone) for moment in later]
    assert all(one <= two for one, two in pairwise(sweeps) if one is not None and two is not None)


@settings(max_examples=300, deadline=None)
@given(minutes, moments, zones)
def test_the_sweep_comes_once_a_day(minute: int, now: float, zone: ZoneInfo) -> None:
    plan = Timetable(60, sweep_at=minute)
    first = next_sweep(plan, now, zone)
    assert first is not None
    second = next_sweep(plan, first, zone)
    assert second is not None
    assert now < first <= now + 26 * 3600
    assert 22 * 3600 <= second - first <= 26 * 3600
    days = [datetime.fromtimestamp(moment, zone).date() for moment in (first, second)]
    assert (days[1] - days[0]).days == 1


@given(minutes)
def test_a_time_is_written_as_it_is_read(minute: int) -> None:
    assert minute_of(clock_time(minute) or "") == minute


@pytest.mark.parametrize(
    "text", ["", "24:00", "7:00", "07:60", "07:00:00", "0700", "07h00", " 07:00", "٠٧:٠٠", "07:00\n"]
)
def test_another_text_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        minute_of(text)


def test_no_time_stays_none() -> None:
    assert clock_time(None) is None
