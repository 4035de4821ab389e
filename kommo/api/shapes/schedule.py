"""The schedule of an account as calls tell it."""

from pydantic import Field

from kommo.api.shapes.base import ClockTime, Good, Id, Shape, Time
from kommo.store.timetable import LONGEST, SHORTEST


class Schedule(Shape):
    """When an account synchronises by itself."""

    accountId: Id
    everyMinutes: int = Field(ge=SHORTEST, le=LONGEST, description="Minutos entre duas sincronizações.")
    quietFrom: ClockTime | None = Field(description="Começo das horas de silêncio.")
    quietTo: ClockTime | None = Field(description="Fim das horas de silêncio.")
    sweepAt: ClockTime | None = Field(description="Hora da leitura completa.")
    paused: bool
    nextRun: Time | None = Field(description="Quando é a próxima sincronização; null em pausa.")
    nextSweep: Time | None = Field(description="Quando é a próxima leitura completa; null sem ela, ou em pausa.")
    waiting: str | None = Field(description="Por que nada começa, numa frase, ou null.")
    timezone: str = Field(description="O fuso em que as horas contam.")


class ScheduleSet(Good):
    """The schedule that holds now."""

    data: Schedule


class ScheduleKnown(Good):
    """The schedule, if there is one."""

    data: Schedule | None = Field(description="null sem agenda.")


class ScheduleOff(Good):
    """There is no schedule any more."""

    data: None
