"""Who used how many requests: counted by the minute as they are reserved, read for people and programs, forgotten."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kommo.store.tables import RateUse
from kommo.store.upsert import insert_for

PURPOSES = ("sync", "page", "api")
HOUR, DAY, KEPT = 60, 1440, 2880  # minutes
LOT = 200  # minutes' rows forgotten at once; a minute leaves three at most


@dataclass(frozen=True, slots=True)
class Used:
    """Requests by purpose, and how many of all were answered 429."""

    sync: int = 0
    page: int = 0
    api: int = 0
    refused: int = 0

    @property
    def total(self) -> int:
        """All requests."""
        return self.sync + self.page + self.api


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute's requests; `at` is its beginning, Unix seconds."""

    at: int
    used: Used


@dataclass(frozen=True, slots=True)
class Use:
    """The requests of a scope: of this minute so far, of the last 60 and the last 1440 minutes, this one included.

    `minutes` are those 60, the oldest first, the quiet ones too.
    """

    minute: Used
    hour: Used
    day: Used
    minutes: list[Minute]


def note(session: Session, scope: str, moment: float, purpose: str, *, requests: int = 0, refused: int = 0) -> None:
    """Add to the minute of `moment`. A minute's first request also lets a lot of what is over 48 h old be forgotten."""
    table, minute = RateUse.__table__, int(moment // 60)
    statement = insert_for(session.get_bind().dialect.name, table)  # type: ignore[arg-type]
    statement = statement.on_conflict_do_update(
        index_elements=["scope", "minute", "purpose"],
        set_={name: table.c[name] + statement.excluded[name] for name in ("requests", "refused")},
    ).returning(table.c.requests)
    row = {"scope": scope, "minute": minute, "purpose": purpose, "requests": requests, "refused": refused}
    if session.connection().execute(statement, row).scalar_one() == 1 and requests:
        _forget(session, scope, minute - KEPT)


def used(session: Session, scope: str, moment: float) -> Use:
    """What a scope has used by `moment` (by the database's clock), in two short reads."""
    last = int(moment // 60)
    found: dict[int, list[Any]] = {}
    for row in session.execute(
        select(RateUse.minute, RateUse.purpose, RateUse.requests, RateUse.refused).where(
            RateUse.scope == scope, RateUse.minute > last - HOUR, RateUse.minute <= last
        )
    ):
        found.setdefault(row.minute, []).append(row)
    minutes = [Minute(60 * minute, _of(found.get(minute, ()))) for minute in range(last - HOUR + 1, last + 1)]
    hour = _of([row for rows in found.values() for row in rows])
    return Use(minutes[-1].used, hour, _day(session, scope, last), minutes)


def _day(session: Session, scope: str, last: int) -> Used:
    statement = (
        select(
            RateUse.purpose, func.sum(RateUse.requests).label("requests"), func.sum(RateUse.refused).label("refused")
        )
        .where(RateUse.scope == scope, RateUse.minute > last - DAY, RateUse.minute <= last)
        .group_by(RateUse.purpose)
    )
    return _of(session.execute(statement).all())


def _of(rows: Iterable[Any]) -> Used:
    sums = dict.fromkeys((*PURPOSES, "refused"), 0)
    for row in rows:
        sums[row.purpose] += row.requests
        sums["refused"] += row.refused
    return Used(**sums)


def _forget(session: Session, scope: str, before: int) -> None:
    old = (RateUse.scope == scope, RateUse.minute < before)
    oldest = select(RateUse.minute).where(*old).order_by(RateUse.minute).limit(LOT)
    session.execute(
        delete(RateUse).where(*old, RateUse.minute.in_(oldest)).execution_options(synchronize_session=False)
    )
