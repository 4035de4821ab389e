"""Months of an account's calendar as bounds in Unix seconds: each from its first midnight to the next one's."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month: `start` and `end` (not in it any more) in Unix seconds."""

    year: int
    month: int
    start: float
    end: float


def last_months(now: float, zone: tzinfo, count: int) -> list[Month]:
    """The `count` months up to the one `now` is in, oldest first."""
    today = datetime.fromtimestamp(now, zone)
    here = today.year * 12 + today.month - 1
    return [_month(number, zone) for number in range(here - count + 1, here + 1)]


def same_moment_before(now: float, zone: tzinfo) -> float:
    """The same day and time of the month before; that month's end where it has no such day."""
    today = datetime.fromtimestamp(now, zone)
    year, month = _split(today.year * 12 + today.month - 2)
    if today.day > monthrange(year, month)[1]:
        return _first(today.year * 12 + today.month - 1, zone)
    return (today.replace(tzinfo=None) - timedelta(days=monthrange(year, month)[1])).replace(tzinfo=zone).timestamp()


def _month(number: int, zone: tzinfo) -> Month:
    year, month = _split(number)
    return Month(year, month, _first(number, zone), _first(number + 1, zone))


def _first(number: int, zone: tzinfo) -> float:
    year, month = _split(number)
    return datetime(year, month, 1, tzinfo=zone).timestamp()


def _split(number: int) -> tuple[int, int]:
    """A count of months as year and month (1 to 12)."""
    return number // 12, number % 12 + 1
