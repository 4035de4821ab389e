"""The numbers of the overview: what is in progress, what was won and lost by month, where the deals stand.

Won and lost are dated by `closed_at`, in months of the account's calendar. All of it is read from one index.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from kommo.store.lists import live
from kommo.store.months import Month, last_months, same_moment_before
from kommo.store.names import LOST, WON, Name, Names, loss_reasons, names
from kommo.store.tables import Connection, Pipeline, Wallet
from kommo.store.tables.wallet import DEAL
from kommo.store.zones import zone_of

MONTHS = 12
CLOSED = (WON, LOST)


@dataclass(frozen=True, slots=True)
class Sum:
    """A number of deals and their value in the account's currency."""

    count: int = 0
    value: float = 0.0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.count + other.count, self.value + other.value)


@dataclass(frozen=True, slots=True)
class MonthSums:
    """What was won and lost in one month; `current` for the month that is not over."""

    month: Month
    won: Sum
    lost: Sum
    current: bool


@dataclass(frozen=True, slots=True)
class StageSums:
    """The deals that stand in one stage."""

    stage: Name
    sums: Sum


@dataclass(frozen=True, slots=True)
class PipelineSums:
    """A pipeline with its stages in order: those in progress, then all that was ever won and lost there."""

    pipeline: Name
    archived: bool
    stages: list[StageSums]
    won: StageSums
    lost: StageSums

    @property
    def in_progress(self) -> Sum:
        """What is in progress in this pipeline."""
        return sum((stage.sums for stage in self.stages), Sum())


@dataclass(frozen=True, slots=True)
class Overview:
    """The overview of one account. `before` are the sums from the first of the month before to its same day and time.

    `by_person` is what each responsible person won this month, the highest value first; `undated` the closed deals
    that stand in no month, since Kommo gives no closing time for them.
    """

    in_progress: Sum
    months: list[MonthSums]
    before: MonthSums
    median_won: float | None
    top_loss_reason: Name | None
    by_person: list[tuple[Name | None, Sum]]
    pipelines: list[PipelineSums]
    undated: int
    names: Names = field(repr=False)

    @property
    def this_month(self) -> MonthSums:
        """The month that is not over."""
        return self.months[-1]


def overview(session: Session, connection: Connection, now: float) -> Overview:
    """The numbers of one account at `now` (Unix seconds)."""
    zone = zone_of(connection)
    known = names(session, connection.id)
    stages = _by_stage(session, connection)
    months = last_months(now, zone, MONTHS)
    this, before = months[-1], months[-2]
    until = Month(before.year, before.month, before.start, same_moment_before(now, zone))
    closed = _by_month(session, connection, months)
    month_before = _by_month(session, connection, [until])
    persons, reasons = _of_month(session, connection, this)
    return Overview(
        in_progress=_total(sums for (_, stage), sums in stages.items() if stage not in CLOSED),
        months=[_month_sums(month, closed, index, month is this) for index, month in enumerate(months)],
        before=_month_sums(until, month_before, 0, current=False),
        median_won=_median(session, connection, this),
        top_loss_reason=_top_reason(session, connection, reasons),
        by_person=[(known.user(person), sums) for person, sums in persons],
        pipelines=_pipelines(session, connection, known, stages),
        undated=_undated(session, connection),
        names=known,
    )


def _by_stage(session: Session, connection: Connection) -> dict[tuple[int, int], Sum]:
    statement = (
        select(Wallet.pipeline_id, Wallet.stage_id, func.count(), func.sum(Wallet.balance))
        .where(*live(connection, DEAL))
        .group_by(Wallet.pipeline_id, Wallet.stage_id)
    )
    found: dict[tuple[int, int], Sum] = {}
    for pipeline, stage, number, value in session.execute(statement):
        key = (pipeline or 0, stage or 0)
        found[key] = found.get(key, Sum()) + Sum(number, value)
    return found


def _by_month(session: Session, connection: Connection, months: list[Month]) -> dict[tuple[int, int], Sum]:
    """What was closed in each of these adjoining months, by (the month's index, stage)."""
    index = case(*[(Wallet.closed_at >= months[i].start, i) for i in reversed(range(len(months)))]).label("month")
    statement = (
        select(index, Wallet.stage_id, func.count(), func.sum(Wallet.balance))
        .where(*_closed_in(connection, months[0].start, months[-1].end))
        .group_by(index, Wallet.stage_id)
    )
    return {(month, stage): Sum(number, value) for month, stage, number, value in session.execute(statement)}


def _closed_in(connection: Connection, start: float, end: float) -> list[ColumnElement[bool]]:
    return [*live(connection, DEAL), Wallet.stage_id.in_(CLOSED), Wallet.closed_at >= start, Wallet.closed_at < end]


def _month_sums(month: Month, found: dict[tuple[int, int], Sum], index: int, current: bool) -> MonthSums:
    return MonthSums(month, found.get((index, WON), Sum()), found.get((index, LOST), Sum()), current)


def _of_month(
    session: Session, connection: Connection, month: Month
) -> tuple[list[tuple[int | None, Sum]], dict[int, int]]:
    """Who won how much in a month, the most first, and how often each reason of loss was given."""
    statement = (
        select(
            Wallet.stage_id, Wallet.responsible_user_id, Wallet.loss_reason_id, func.count(), func.sum(Wallet.balance)
        )
        .where(*_closed_in(connection, month.start, month.end))
        .group_by(Wallet.stage_id, Wallet.responsible_user_id, Wallet.loss_reason_id)
    )
    persons: dict[int | None, Sum] = {}
    reasons: dict[int, int] = {}
    for stage, person, reason, number, value in session.execute(statement):
        if stage == WON:
            persons[person] = persons.get(person, Sum()) + Sum(number, value)
        elif reason:
            reasons[reason] = reasons.get(reason, 0) + number
    return sorted(persons.items(), key=lambda item: (-item[1].value, -item[1].count, item[0] or 0)), reasons


def _top_reason(session: Session, connection: Connection, reasons: dict[int, int]) -> Name | None:
    if not reasons:
        return None
    top = min(reasons, key=lambda reason: (-reasons[reason], reason))
    return loss_reasons(session, connection.id, [top])[top]


def _median(session: Session, connection: Connection, month: Month) -> float | None:
    """The value in the middle of the deals won in a month (the mean of two where they are even)."""
    won = [*_closed_in(connection, month.start, month.end), Wallet.stage_id == WON]
    number = session.execute(select(func.count()).select_from(Wallet).where(*won)).scalar_one()
    middle = select(Wallet.balance).where(*won).order_by(Wallet.balance)
    values = session.scalars(middle.offset(max(number - 1, 0) // 2).limit(2 - number % 2)).all()
    return sum(values) / len(values) if values else None


def _undated(session: Session, connection: Connection) -> int:
    statement = select(func.count()).where(
        *live(connection, DEAL), Wallet.stage_id.in_(CLOSED), Wallet.closed_at.is_(None)
    )
    return session.execute(statement).scalar_one()


def _pipelines(
    session: Session, connection: Connection, known: Names, stages: dict[tuple[int, int], Sum]
) -> list[PipelineSums]:
    """The pipelines in Kommo's order, the main one first; archived and gone ones only where they hold deals."""
    rows = select(Pipeline).where(Pipeline.connection_id == connection.id)
    found = sorted(session.scalars(rows), key=_place)
    held = {pipeline for pipeline, _ in stages}
    shown = [row for row in found if row.id in held or not (row.is_archive or row.gone_at)]
    listed = [_pipeline(known, stages, row.id, row.is_archive) for row in shown]
    unknown = sorted(held - {row.id for row in found})
    return listed + [_pipeline(known, stages, pipeline, False) for pipeline in unknown]


def _place(row: Pipeline) -> tuple[bool, bool, bool, int, int]:
    return row.gone_at is not None, row.is_archive, not row.is_main, row.sort, row.id


def _pipeline(known: Names, stages: dict[tuple[int, int], Sum], pipeline: int, archived: bool) -> PipelineSums:
    ordered = [key for key in known.stages if key[0] == pipeline]
    ordered += sorted(key for key in stages if key[0] == pipeline and key not in known.stages)
    in_progress = [key for key in ordered if key[1] not in CLOSED and (key in stages or not _is_gone(known, key))]
    return PipelineSums(
        pipeline=known.pipeline(pipeline) or Name(0, "Sem funil"),
        archived=archived,
        stages=[_stage(known, stages, key) for key in in_progress],
        won=_stage(known, stages, (pipeline, WON)),
        lost=_stage(known, stages, (pipeline, LOST)),
    )


def _is_gone(known: Names, key: tuple[int, int]) -> bool:
    return key in known.stages and bool(known.stages[key].note)


def _stage(known: Names, stages: dict[tuple[int, int], Sum], key: tuple[int, int]) -> StageSums:
    return StageSums(known.stage(*key) or Name(0, "Sem etapa"), stages.get(key, Sum()))


def _total(sums: Iterable[Sum]) -> Sum:
    return sum(sums, Sum())
