"""When an account is synchronised by itself: slots, quiet hours, the daily sweep. Pure arithmetic.

Slots lie whole intervals apart in elapsed time, so that a change of daylight saving neither doubles nor skips one. The
quiet hours and the sweep go by the account's wall clock. The sweep may lie in the quiet hours: that is what nights are
for, and whoever wants none then does not set one.
"""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

SHORTEST, LONGEST = 5, 1440  # minutes between two runs
DAY = 1440  # minutes
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Timetable:
    """How often, and when not. `every` is in minutes (5 to 1440), the rest minutes after midnight, None for none."""

    every: int
    quiet_from: int | None = None
    quiet_to: int | None = None
    sweep_at: int | None = None

    @property
    def quiet(self) -> tuple[int, int] | None:
        """The quiet hours, if there are any: from and to being the same means none."""
        if self.quiet_from is None or self.quiet_to is None or self.quiet_from == self.quiet_to:
            return None
        return self.quiet_from, self.quiet_to


def is_quiet(plan: Timetable, moment: float, zone: tzinfo) -> bool:
    """Whether `moment` (Unix seconds) lies in the quiet hours, which may go over midnight; their end is not in them."""
    if plan.quiet is None:
        return False
    begin, end = plan.quiet
    local = datetime.fromtimestamp(moment, zone)
    minute = local.hour * 60 + local.minute
    return begin <= minute < end if begin < end else minute >= begin or minute < end


def after_quiet(plan: Timetable, moment: float, zone: tzinfo) -> float:
    """`moment`, or the end of the quiet hours it lies in.

    Walked minute by minute, at most a day: whatever the clocks do that night, no other way is simpler and exact.
    """
    while is_quiet(plan, moment, zone):
        moment += 60 - moment % 60
    return moment


def next_run(plan: Timetable, moment: float, zone: tzinfo, slot: float | None = None) -> float:
    """The first slot after `moment`, moved out of the quiet hours.

    Slots are counted from `slot`, one that is past, else from the minute of `moment`: missed ones are passed over.
    """
    step = plan.every * 60
    begin = slot if slot is not None and slot <= moment else moment - moment % 60
    return after_quiet(plan, begin + ((moment - begin) // step + 1) * step, zone)


def next_sweep(plan: Timetable, moment: float, zone: tzinfo) -> float | None:
    """The first daily sweep after `moment`; None where there is none.

    A time that the clocks skip is taken an hour later, one they show twice the first time.
    """
    if plan.sweep_at is None:
        return None
    today, at = datetime.fromtimestamp(moment, zone).date(), time(*divmod(plan.sweep_at, 60))
    days = (today + timedelta(days=days) for days in (-1, 0, 1, 2))
    sweeps = (datetime.combine(day, at, zone).timestamp() for day in days)
    return min(sweep for sweep in sweeps if sweep > moment)


def minute_of(text: str) -> int:
    """ "22:30" as minutes after midnight. Raises ValueError for any other text."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return int(found[1]) * 60 + int(found[2])


def clock_time(minute: int | None) -> str | None:
    """Minutes after midnight as "22:30"; None stays None."""
    return None if minute is None else f"{minute // 60:02}:{minute % 60:02}"
