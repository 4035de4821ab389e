"""The request budget as calls tell it."""

from typing import Literal

from pydantic import Field

from kommo.api.shapes.base import Good, Id, Number, Shape, Time


class Used(Shape):
    """Requests of a stretch of time, by who made them."""

    sync: Number = Field(description="Sincronizações.")
    page: Number = Field(description="Páginas.")
    api: Number = Field(description="Chamadas da API.")
    total: Number
    refused: Number = Field(description="As que o Kommo respondeu com 429.")


class UsedInMinute(Used):
    """Requests of one minute."""

    at: Time


class UsedLately(Shape):
    """Requests of this minute, of the last 60 and of the last 1,440."""

    minute: Used
    hour: Used
    day: Used


class Budget(Shape):
    """How many requests may go to Kommo, and who used them."""

    scope: Literal["installation", "account", "demo"] = Field(description="De quem é o limite.")
    accountId: Id | None
    state: Literal["full", "slowed", "blocked"] = Field(
        description="full: velocidade plena; slowed: depois de um 429; blocked: o Kommo bloqueou este servidor."
    )
    limit: float | None = Field(description="Requisições por segundo; null sem limite.")
    speed: float | None = Field(description="Requisições por segundo neste momento; null sem limite.")
    pausedUntil: Time | None
    fullSpeedAt: Time | None = Field(description="Quando a velocidade volta a ser plena.")
    blockedUntil: Time | None
    supportText: str | None = Field(description="O texto a mandar ao suporte do Kommo.")
    used: UsedLately
    minutes: list[UsedInMinute] = Field(description="Os últimos 60 minutos, o mais antigo primeiro.")


class BudgetKnown(Good):
    """The budget of the account in question."""

    data: Budget
