"""The form of a schedule: what stands in it, what a person typed, what is wrong with that."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kommo.store import schedule_words
from kommo.store.timetable import LONGEST, SHORTEST, Timetable, clock_time, minute_of

CHOICES = (5, 10, 15, 30, 60, 120, 180, 240, 360, 480, 720, 1440)  # minutes
SUGGESTED = Timetable(15, sweep_at=180)
_EVERY = "Escolha um intervalo de 5 minutos a 1 dia."
_TIME = "Escreva a hora como 22:00."
_BOTH = "Preencha as duas horas do silêncio, ou deixe as duas vazias."


@dataclass(frozen=True, slots=True)
class ScheduleForm:
    """The fields as text; `plan` is what they say, None where `errors` has a sentence for some of them (by name)."""

    every: str
    quiet_from: str
    quiet_to: str
    sweeps: bool
    sweep_at: str
    plan: Timetable | None = None
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Value and words of each interval to choose from; one of another door's, such as 17 minutes, is kept."""
        minutes = sorted({*CHOICES, _every(self.every) or CHOICES[0]})
        return [(str(every), schedule_words.every(every)) for every in minutes]


def filled(plan: Timetable) -> ScheduleForm:
    """The form as a timetable fills it; a time for the sweep stands ready where there is none."""
    return ScheduleForm(
        str(plan.every),
        clock_time(plan.quiet_from) or "",
        clock_time(plan.quiet_to) or "",
        plan.sweep_at is not None,
        clock_time(SUGGESTED.sweep_at if plan.sweep_at is None else plan.sweep_at) or "",
        plan,
    )


def read(given: Mapping[str, str]) -> ScheduleForm:
    """What was sent, as it was typed, with the timetable it says or what is wrong."""
    texts = {name: given.get(name, "").strip() for name in ("intervalo", "silencio_de", "silencio_ate", "leitura_as")}
    sweeps = given.get("leitura") == "1"
    minutes: dict[str, int | None] = {}
    errors: dict[str, str] = {}
    for name in ("silencio_de", "silencio_ate", "leitura_as"):
        try:
            wanted = texts[name] and (sweeps or name != "leitura_as")
            minutes[name] = minute_of(texts[name]) if wanted else None
        except ValueError:
            errors[name] = _TIME
    every = _every(texts["intervalo"])
    if every is None:
        errors["intervalo"] = _EVERY
    if bool(texts["silencio_de"]) != bool(texts["silencio_ate"]):
        errors.setdefault("silencio_ate" if texts["silencio_de"] else "silencio_de", _BOTH)
    if sweeps and not texts["leitura_as"]:
        errors["leitura_as"] = _TIME
    plan = None if errors or every is None else Timetable(every, *minutes.values())
    return ScheduleForm(
        texts["intervalo"], texts["silencio_de"], texts["silencio_ate"], sweeps, texts["leitura_as"], plan, errors
    )


def _every(text: str) -> int | None:
    """The interval in minutes; None where the text is none, or out of range."""
    found = int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0
    return found if SHORTEST <= found <= LONGEST else None
