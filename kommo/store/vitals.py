"""What can be told of the installation in numbers, for whoever watches it: counts and ages, nothing of the CRM's."""

from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from kommo.db import now, sqlite_file
from kommo.store.records import live_count
from kommo.store.runs import FAR
from kommo.store.tables import Connection, RateSlot, RateUse, SyncRun
from kommo.store.tables.wallet import CONTACT, DEAL
from kommo.store.use import HOUR, PURPOSES
from kommo.store.workers import Seen, seen_lately

STATES = ("queued", "running", "paused", "done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Vitals:
    """The installation at one moment. Ages and waits are in seconds, sizes in bytes.

    `runs` counts the history by state, `rows` the copies' live rows by kind; `accounts` have a token or had one.
    `requested` counts requests to Kommo since the beginning, `last_hour` those of the last 60 minutes by purpose, of
    which `refused` met a 429. `oldest_queued` waits for a worker, `lease_overdue` is how long the lease of the worst
    running one is over. `blocked` tells that Kommo blocks us. `log_size` is None where the database has no -wal file.
    """

    accounts: int
    rows: dict[str, int]
    runs: dict[str, int]
    oldest_queued: float
    lease_overdue: float
    requested: int
    last_hour: dict[str, int]
    refused: int
    blocked: bool
    workers: list[Seen]
    size: int
    log_size: int | None


def vitals(session: Session, database: str) -> Vitals:
    """Count in one snapshot; `database` is its address."""
    moment = now(session)
    connections = list(session.scalars(select(Connection.id)))
    last_hour, refused = _use(session, moment)
    size, log_size = _sizes(session, database)
    return Vitals(
        accounts=len(connections),
        rows={kind: sum(live_count(session, each, kind) for each in connections) for kind in (CONTACT, DEAL)},
        runs=_runs(session),
        oldest_queued=_age(
            moment, session.scalar(select(func.min(SyncRun.requested_at)).where(SyncRun.state == "queued"))
        ),
        lease_overdue=_age(
            moment, session.scalar(select(func.min(SyncRun.lease_until)).where(SyncRun.state == "running"))
        ),
        requested=session.scalar(select(func.coalesce(func.sum(RateSlot.requests), 0))) or 0,
        last_hour=last_hour,
        refused=refused,
        blocked=bool(session.scalar(select(func.count()).where(RateSlot.blocked_until.between(moment, moment + FAR)))),
        workers=seen_lately(session),
        size=size,
        log_size=log_size,
    )


def _age(moment: float, since: float | None) -> float:
    return 0.0 if since is None else max(moment - since, 0.0)


def _runs(session: Session) -> dict[str, int]:
    found = session.execute(select(SyncRun.state, func.count().label("number")).group_by(SyncRun.state))
    return dict.fromkeys(STATES, 0) | {row.state: row.number for row in found}


def _use(session: Session, moment: float) -> tuple[dict[str, int], int]:
    statement = (
        select(RateUse.purpose, func.sum(RateUse.requests), func.sum(RateUse.refused))
        .where(RateUse.minute > int(moment // 60) - HOUR)
        .group_by(RateUse.purpose)
    )
    rows = session.execute(statement).all()
    used = dict.fromkeys(PURPOSES, 0) | {purpose: int(requests) for purpose, requests, _ in rows}
    return used, sum(int(refused) for _, _, refused in rows)


def _sizes(session: Session, database: str) -> tuple[int, int | None]:
    file = sqlite_file(database)
    if file is None:
        found = session.scalar(select(func.pg_database_size(text("current_database()"))))
        return int(found or 0), None
    sizes = [path.stat().st_size if path.exists() else 0 for path in (file, file.with_name(f"{file.name}-wal"))]
    return sizes[0], sizes[1]
