"""What a person sees of a run: how far each stream is, what it waits for, what came of it. Reads only.

A page polls this every second, so it costs three small reads and never a write.
"""

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kommo.db import now
from kommo.store.tables import SyncMissing, SyncRun, SyncStream
from kommo.store.tables.runs import ACTIVE
from kommo.text import duration

CATALOGUES = "catalogues"
UNANSWERED = 10.0  # seconds a run may stay queued before that is said
_AFTER_CATALOGUES = ("contacts", "deals", "companies", "settling", "proof", "over")


@dataclass(frozen=True, slots=True)
class StreamView:
    """One stream of a run. `percent` is 0 to 100; `rate` rows a second; `seconds_left` None while unknown."""

    stream: str
    state: str
    rows: int = 0
    pages: int = 0
    total: int | None = None
    pages_total: int | None = None
    percent: float = 0.0
    rate: float = 0.0
    seconds_left: float | None = None
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    malformed: int = 0
    remote_count: int | None = None
    local_count: int | None = None
    erased: int = 0
    sampled: int = 0
    differed: int = 0
    proof_requests: int = 0
    proved_at: float | None = None

    @property
    def proved(self) -> bool:
        """Whether Kommo's count was found to be ours, and no record looked at a second time was held otherwise.

        Ours are those held, and those that were erased here at a person's wish.
        """
        if self.remote_count is None or self.local_count is None:
            return False
        return self.remote_count == self.local_count + self.erased and not self.differed


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as people see it. Times are Unix seconds; `seconds` is how long it has taken so far or took.

    `mode` is "sweep" or "delta", None before a worker decided. `cancel` tells that a person asked it to
    end, `silent` that its worker gives no sign.
    """

    id: int
    connection_id: int
    state: str
    phase: str
    trigger: str
    mode: str | None
    requested_at: float
    started_at: float | None
    finished_at: float | None
    seconds: float
    requests: int
    waiting: str | None
    resume_at: float | None
    errors: list[str]
    warnings: list[str]
    streams: list[StreamView]
    guarded: dict[str, int] = field(default_factory=dict)
    cancel: bool = False
    silent: bool = False

    @property
    def active(self) -> bool:
        """Whether the run still has work to do."""
        return self.state in ACTIVE

    @property
    def standing(self) -> str:
        """How the run stands: its state, or "cancelling" while its worker still has to notice the wish to end.

        A run that no worker holds ends at once, or could be asked again: a wish alone does not hide its state.
        """
        return "cancelling" if self.state == "running" and self.cancel else self.state

    @property
    def proved(self) -> bool:
        """Whether the run ended well and every stream's count was found equal."""
        return self.state == "done" and not self.errors and all(view.proved for view in self.streams[1:])

    def stream(self, name: str) -> StreamView:
        """One stream by its name."""
        return next(view for view in self.streams if view.stream == name)


def run_view(session: Session, connection_id: int, run_id: int | None = None) -> RunView | None:
    """One run of an account, else its newest one; None where there is none. A foreign run looks unknown."""
    statement = select(SyncRun).where(SyncRun.connection_id == connection_id).order_by(SyncRun.id.desc()).limit(1)
    if run_id is not None:
        statement = statement.where(SyncRun.id == run_id)
    run = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    return _views(session, [run])[0] if run else None


def history(session: Session, connection_id: int, limit: int = 20) -> list[RunView]:
    """The newest runs of an account, newest first."""
    statement = select(SyncRun).where(SyncRun.connection_id == connection_id).order_by(SyncRun.id.desc()).limit(limit)
    return _views(session, list(session.scalars(statement.execution_options(populate_existing=True))))


def _views(session: Session, runs: list[SyncRun]) -> list[RunView]:
    ids = [run.id for run in runs]
    rows: dict[int, list[SyncStream]] = {key: [] for key in ids}
    streams = select(SyncStream).where(SyncStream.run_id.in_(ids)).order_by(SyncStream.stream)
    for row in session.scalars(streams.execution_options(populate_existing=True)):
        rows[row.run_id].append(row)
    guarded = _guarded(session, runs[0].connection_id) if runs else []
    moment = now(session)
    return [_run(run, rows[run.id], _asked_by(run, guarded), moment) for run in runs]


def _asked_by(run: SyncRun, guarded: list[tuple[int, str, int]]) -> dict[str, int]:
    """What still waits for a person's word of all that was known to be missing at the end of a run, by stream."""
    found: dict[str, int] = {}
    for run_id, stream, number in guarded:
        if run_id <= run.id:
            found[stream] = found.get(stream, 0) + number
    return found


def _guarded(session: Session, connection_id: int) -> list[tuple[int, str, int]]:
    """What waits for a person's word: by which run it was found, in which stream, how many records."""
    statement = (
        select(SyncMissing.run_id, SyncMissing.stream, func.count())
        .where(SyncMissing.connection_id == connection_id)
        .group_by(SyncMissing.run_id, SyncMissing.stream)
        .order_by(SyncMissing.stream)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(statement)]


def _run(run: SyncRun, rows: list[SyncStream], guarded: dict[str, int], moment: float) -> RunView:
    begin = run.started_at or run.requested_at
    return RunView(
        id=run.id,
        connection_id=run.connection_id,
        state=run.state,
        phase=run.phase,
        trigger=run.trigger,
        mode=run.mode,
        requested_at=run.requested_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        seconds=max((run.finished_at or moment) - begin, 0.0),
        requests=run.requests,
        waiting=_waiting(run, moment),
        resume_at=run.resume_at,
        errors=list(run.errors),
        warnings=list(run.warnings),
        streams=[_catalogues(run), *(_stream(row, run, moment) for row in rows)],
        guarded=guarded,
        cancel=run.cancel,
        silent=_silence(run, moment) > 0,
    )


def _silence(run: SyncRun, moment: float) -> float:
    """Seconds for which a running run's worker has given no sign; 0 while it does."""
    return max(moment - run.lease_until, 0.0) if run.state == "running" else 0.0


def _waiting(run: SyncRun, moment: float) -> str | None:
    """What a run waits for: what its worker says, else that no worker says anything."""
    if silence := _silence(run, moment):
        then = "para" if run.cancel else "continua"
        return (
            f"O trabalhador não dá sinal há {duration(silence)}; a sincronização {then} assim que ele voltar. "
            "Se demorar, veja se há espaço em disco e o que diz o registro do servidor."
        )
    if run.state == "queued" and not run.waiting and moment - run.requested_at > UNANSWERED:
        return "Nenhum trabalhador respondeu ainda: ele pode estar ocupado com outra conta, ou parado."
    return run.waiting


def _catalogues(run: SyncRun) -> StreamView:
    cut_short = run.state in ("failed", "cancelled") and run.server_started_at is None  # noted right behind them
    if run.phase in _AFTER_CATALOGUES and not cut_short:
        return StreamView(CATALOGUES, "done", percent=100.0)
    return StreamView(CATALOGUES, "reading" if run.phase == CATALOGUES else "waiting")


def _stream(row: SyncStream, run: SyncRun, moment: float) -> StreamView:
    elapsed = max((row.finished_at or moment) - row.started_at, 0.001) if row.started_at else 0.0
    rate = row.rows / elapsed if elapsed else 0.0
    left = max((row.total or 0) - row.rows, 0)
    reading = row.state == "reading" and run.state == "running"
    return StreamView(
        stream=row.stream,
        state=row.state,
        rows=row.rows,
        pages=row.pages,
        total=row.total,
        pages_total=row.pages_total,
        percent=_percent(row),
        rate=rate,
        seconds_left=left / rate if reading and rate and row.total else None,
        created=row.created,
        updated=row.updated,
        unchanged=row.unchanged,
        deleted=row.deleted,
        malformed=row.malformed,
        remote_count=row.remote_count,
        local_count=row.local_count,
        erased=row.erased,
        sampled=row.sampled,
        differed=row.differed,
        proof_requests=row.proof_requests,
        proved_at=row.proved_at,
    )


def _percent(row: SyncStream) -> float:
    if row.state in ("read", "done") or row.read_pass > 1:  # a second pass never takes the bar back
        return 100.0
    return min(100.0 * row.rows / row.total, 99.0) if row.total else 0.0
