"""A schedule in words, for the page and the shell alike."""

from kommo.store.schedules import ScheduleView
from kommo.store.timetable import LONGEST, Timetable
from kommo.text import ahead, duration, plural


def every(minutes: int) -> str:
    """An interval: "a cada 15 minutos", "a cada hora", "a cada 1 h 30 min", "uma vez por dia"."""
    if minutes == LONGEST:
        return "uma vez por dia"
    if minutes == 60:
        return "a cada hora"
    if minutes < 60:
        return f"a cada {plural(minutes, 'minuto', 'minutos')}"
    return f"a cada {minutes // 60} horas" if minutes % 60 == 0 else f"a cada {duration(minutes * 60)}"


def rule(plan: Timetable) -> str:
    """The whole timetable: "A cada 15 minutos, das 6h às 22h; leitura completa às 3h"."""
    hours = f", {_hours('d', plan.quiet[1])} {_hours('', plan.quiet[0])}" if plan.quiet else ""
    sweep = f"; leitura completa {_hours('', plan.sweep_at)}" if plan.sweep_at is not None else ""
    return f"{every(plan.every).capitalize()}{hours}{sweep}."


def outlook(shown: ScheduleView) -> str:
    """What comes next, or why nothing does: "Próxima: hoje às 14:35."."""
    if shown.waiting or shown.soonest is None:
        return shown.waiting or ""
    when = ahead(shown.soonest, shown.now, shown.zone)
    whole = "" if shown.soonest == shown.next_at else " (leitura completa)"
    return f"Próxima: {'hoje ' if when.startswith('às') else ''}{when}{whole}."


def _hours(of: str, minute: int) -> str:
    """A time with its article: "às 22h", "à 1h30"; with `of` "d": "das 6h", "da 1h"."""
    hour, rest = divmod(minute, 60)
    article = ("da" if of else "à") + ("s" if hour > 1 else "")
    return f"{article} {hour}h{f'{rest:02}' if rest else ''}"
