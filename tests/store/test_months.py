"""Months of a calendar in a zone: where they begin, and the same moment of the month before."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from kommo.store.months import last_months, same_moment_before

SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def at(text: str, zone: ZoneInfo = SAO_PAULO) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def test_twelve_months_end_with_the_present_one_and_leave_no_gap() -> None:
    months = last_months(at("2026-02-10T12:00"), SAO_PAULO, 12)
    assert [(each.year, each.month) for each in months] == [(2025, number) for number in range(3, 13)] + [
        (2026, 1),
        (2026, 2),
    ]
    assert months[-1].start == at("2026-02-01T00:00")
    assert months[-1].end == at("2026-03-01T00:00")
    assert all(earlier.end == later.start for earlier, later in pairwise(months))


def test_a_month_is_that_of_the_account_not_of_greenwich() -> None:
    moment = datetime(2026, 12, 1, 1, tzinfo=UTC).timestamp()
    [month] = last_months(moment, SAO_PAULO, 1)
    assert (month.year, month.month) == (2026, 11)
    assert last_months(moment, ZoneInfo("UTC"), 1)[0].month == 12


def test_months_begin_at_local_midnight_across_a_change_of_the_clock() -> None:
    lisbon = ZoneInfo("Europe/Lisbon")
    months = last_months(at("2026-04-15T12:00", lisbon), lisbon, 3)
    assert [datetime.fromtimestamp(each.start, lisbon).isoformat() for each in months] == [
        "2026-02-01T00:00:00+00:00",
        "2026-03-01T00:00:00+00:00",
        "2026-04-01T00:00:00+01:00",
    ]


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ("2026-11-25T12:00", "2026-10-25T12:00"),
        ("2026-01-31T09:30", "2025-12-31T09:30"),
        ("2026-03-28T23:59", "2026-02-28T23:59"),
        ("2026-03-29T10:00", "2026-03-01T00:00"),
        ("2026-03-31T10:00", "2026-03-01T00:00"),
        ("2024-03-29T10:00", "2024-02-29T10:00"),
        ("2026-05-31T10:00", "2026-05-01T00:00"),
        ("2026-12-01T00:00", "2026-11-01T00:00"),
    ],
)
def test_the_same_moment_of_the_month_before(now: str, before: str) -> None:
    assert same_moment_before(at(now), SAO_PAULO) == at(before)
