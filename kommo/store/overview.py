"""The numbers of the overview: what is in progress, what was won and lost by month, where the deals stand.

Won and lost are dated by `closed_at`, in months of the account's calendar. All of it is read from one index.
"""

from collections.abc import Iterable
from dataclasses import dataclass

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
_EARLY = -1  # stands for the part of the month before that is compared with the current one


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

    @property
    def this_month(self) -> MonthSums:
        """The month that is not over."""
        return self.months[-1]


def overview(session: Session, connection: Connection, now: float) -> Overview:
    """The numbers of one account at `now` (Unix seconds)."""
    zone = zone_of(connection)
    known = names(session, connection.id)
    stages, undated = _by_stage(session, connection)
    months = last_months(now, zone, MONTHS)
    closed = _by_span(session, connection, months, same_moment_before(now, zone))
    persons, reasons = _of_month(session, connection, months[-1])
    return Overview(
        in_progress=_total(sums for (_, stage), sums in stages.items() if stage not in CLOSED),
        months=_months(months, closed),
        before=_before(months, closed),
        median_won=_median(session, connection, months[-1], sum(number.count for _, number in persons)),
        top_loss_reason=_top_reason(session, connection, reasons),
        by_person=[(known.user(person), sums) for person, sums in persons],
        pipelines=_pipelines(session, connection, known, stages),
        undated=undated,
    )


def _by_stage(session: Session, connection: Connection) -> tuple[dict[tuple[int, int], Sum], int]:
    """What stands in each (pipeline, stage), 0 for an unknown one; and how many closed deals have no closing time."""
    counts = (func.count(), func.sum(Wallet.balance), func.count(Wallet.closed_at))
    statement = (
        select(Wallet.pipeline_id, Wallet.stage_id, *counts)
        .where(*live(connection, DEAL))
        .group_by(Wallet.pipeline_id, Wallet.stage_id)
    )
    found: dict[tuple[int, int], Sum] = {}
    undated = 0
    for pipeline, stage, number, value, dated in session.execute(statement):
        key = (pipeline or 0, stage or 0)
        found[key] = found.get(key, Sum()) + Sum(number, value)
        undated += number - dated if stage in CLOSED else 0
    return found, undated


def _by_span(session: Session, connection: Connection, months: list[Month], cut: float) -> dict[tuple[int, int], Sum]:
    """What was closed in each month, by (the month's index, stage).

    The month before the current one is cut in two: what lies before `cut` stands under _EARLY instead.
    """
    bounds = [(index, month.start) for index, month in enumerate(months)]
    bounds.insert(-1, (len(months) - 2, cut))
    bounds[-3] = (_EARLY, months[-2].start)
    span = case(*[(Wallet.closed_at >= start, index) for index, start in reversed(bounds)]).label("span")
    statement = (
        select(span, Wallet.stage_id, func.count(), func.sum(Wallet.balance))
        .where(*_closed_in(connection, months[0].start, months[-1].end))
        .group_by(span, Wallet.stage_id)
    )
    return {(index, stage): Sum(number, value) for index, stage, number, value in session.execute(statement)}


def _closed_in(connection: Connection, start: float, end: float) -> list[ColumnElement[bool]]:
    return [*live(connection, DEAL), Wallet.stage_id.in_(CLOSED), Wallet.closed_at >= start, Wallet.closed_at < end]


def _months(months: list[Month], closed: dict[tuple[int, int], Sum]) -> list[MonthSums]:
    last = len(months) - 1
    return [
        MonthSums(month, _closed(closed, WON, last, index), _closed(closed, LOST, last, index), index == last)
        for index, month in enumerate(months)
    ]


def _closed(closed: dict[tuple[int, int], Sum], stage: int, last: int, index: int) -> Sum:
    whole = closed.get((index, stage), Sum())
    return whole + closed.get((_EARLY, stage), Sum()) if index == last - 1 else whole


def _before(months: list[Month], closed: dict[tuple[int, int], Sum]) -> MonthSums:
    return MonthSums(months[-2], closed.get((_EARLY, WON), Sum()), closed.get((_EARLY, LOST), Sum()), False)


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


def _median(session: Session, connection: Connection, month: Month, number: int) -> float | None:
    """The value in the middle of the `number` deals won in a month (the mean of two where they are even)."""
    won = [*_closed_in(connection, month.start, month.end), Wallet.stage_id == WON]
    # Sorted by an expression: by the column itself SQLite would walk the index of values, and visit row after row.
    middle = select(Wallet.balance).where(*won).order_by(Wallet.balance + 0.0)
    values = session.scalars(middle.offset(max(number - 1, 0) // 2).limit(2 - number % 2)).all() if number else ()
    return sum(values) / len(values) if values else None


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
