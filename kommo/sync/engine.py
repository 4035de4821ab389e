"""One run from claim to end, in a worker: what it may meet and how it ends."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from sqlalchemy.exc import DatabaseError, DBAPIError, InternalError, OperationalError, SQLAlchemyError

from kommo import logs
from kommo.connect.client import open_kommo
from kommo.crm.check import expired_instead
from kommo.crm.errors import Cancelled as Interrupted
from kommo.crm.errors import KommoError, TokenRefused, Verdict
from kommo.crm.token import Claims
from kommo.db import write_back, writing
from kommo.services import SYNC, Services
from kommo.store import candidates, connections, runs, trouble
from kommo.store.runs import LostLease
from kommo.store.tables import Connection
from kommo.sync.run import Cancelled, Heartbeat, Run, Stopping
from kommo.sync.steps import carry_out
from kommo.vault import KeyMissing, VaultError

PAUSES = (60.0, 120.0, 300.0, 600.0, 900.0)  # seconds; the last one repeats
LONGEST_PAUSE = 3600.0  # seconds; a longer Retry-After is not heeded
SEEN_LOT = 5000
BROKEN = (
    "A sincronização parou por um erro do programa; o que já foi lido está guardado. "
    "O registro do servidor tem os detalhes."
)
DAMAGED = (
    "O arquivo do banco de dados está danificado e não se grava mais nada nele: restaure a última cópia de segurança "
    "(docs/operation.md) e sincronize de novo."
)
log = structlog.get_logger()


def run_one(services: Services, run_id: int, worker: str, stopping: threading.Event) -> bool:
    """Take up a run and do it; gives whether it was ours to do. Nothing it meets leaves the process in pieces."""
    with writing(services.engine) as session:
        claim = runs.claim(session, run_id, worker, services.settings.lease)
        connection = runs.connection_of(session, run_id) if claim else None
    if claim is None or connection is None:
        return False
    with logs.bound(run=run_id, account=connection.account_id):
        _carry(Run(services, claim, connection.user_id, stopping), connection)
    return True


def _carry(run: Run, connection: Connection) -> None:
    """Do a claimed run and tidy up behind it."""
    log.info("sync_taken", connection=connection.id, fence=run.claim.fence)
    try:
        with Heartbeat(run):
            _work(run, connection)
        _tidy(run.services, run.claim.connection_id)
    except LostLease:
        log.warning("sync_lost_lease")
    except DatabaseError as error:  # it takes not even a sentence: once the lease is over the page says so
        log.warning("sync_left", cause=type(error.orig).__name__)
    finally:
        write_back(run.services.engine)


def _work(run: Run, connection: Connection) -> None:
    """Do the run and note how it ended. Raises LostLease only."""
    try:
        with open_kommo(
            run.services, connection, should_stop=run.should_stop, on_request=run.count_request, on_wait=_teller(run)
        ) as run.kommo:
            errors = carry_out(run)
        _end(run, "done", errors)
    except (Cancelled, Interrupted, Stopping):
        _interrupted(run)
    except KeyMissing as error:  # it opens again when the key is back: the run waits for that
        _pause(run, 0.0, str(error))
    except VaultError as error:
        _end(run, "failed", [str(error)])
    except KommoError as error:
        _refused(run, connection, error)
    except (OperationalError, InternalError) as error:  # the latter: PostgreSQL ended a transaction left open
        _in_trouble(run, error)
    except LostLease:
        raise
    except Exception as error:
        log.exception("sync_broke")
        _end(run, "failed", [DAMAGED if _is_damaged(error) else BROKEN])


def _interrupted(run: Run) -> None:
    try:
        run.check()
    except Cancelled:
        _end(run, "cancelled", [])
    except Stopping:
        with writing(run.services.engine) as session:
            runs.release(session, run.claim, "O servidor está reiniciando; continua em seguida.")


def _refused(run: Run, connection: Connection, error: KommoError) -> None:
    """Passing troubles pause the run; nonsense and refusals end it. What is stored stays."""
    log.warning("sync_refused", code=error.code)
    if error.verdict is Verdict.RETRY:
        sentence = f"{error.sentence} A sincronização continua sozinha daqui a pouco."
        _pause(run, min(error.retry_after or 0.0, LONGEST_PAUSE), sentence)
        return
    if isinstance(error, TokenRefused):
        error = expired_instead(error, Claims(expires_at=connection.expires_at), time.time())
        if not _mark_refused(run, connection):
            return
    _end(run, "failed", [f"{error.sentence} {error.advice}".strip()])


def _in_trouble(run: Run, error: DBAPIError) -> None:
    """A database that is full, held or away is waited for; one whose file is damaged takes nothing any more."""
    if _is_damaged(error):
        _end(run, "failed", [DAMAGED])
    else:
        _pause(run, 0.0, _sentence(error, "O banco de dados não respondeu"))


def _mark_refused(run: Run, connection: Connection) -> bool:
    """Note that the token is refused; False where it has been replaced meanwhile: the run goes on with the new one."""
    with writing(run.services.engine) as session:
        if connections.mark_refused(session, connection):
            return True
        runs.release(session, run.claim, "O token foi trocado; continua em seguida.")
    run.services.ring(SYNC, run.claim.run_id)
    return False


def _pause(run: Run, at_least: float, sentence: str) -> None:
    """Let the run rest, longer each time, and for `at_least` so many seconds."""
    with writing(run.services.engine) as session:
        number = runs.pauses(session, run.claim.run_id)
        runs.pause(session, run.claim, max(at_least, PAUSES[min(number, len(PAUSES) - 1)]), sentence)


def _end(run: Run, state: str, errors: list[str]) -> None:
    with run.transaction() as session:
        runs.add_sentences(session, run.claim, "errors", errors)
        runs.finish(session, run.claim, state)
    log.info("sync_over", state=state, errors=len(errors))


def _teller(run: Run) -> Callable[[str, float], None]:
    """Says on the run's row what it waits for, when that is long enough for a person to wonder."""

    def tell(sentence: str, seconds: float) -> None:
        if seconds >= 1:
            run.note(waiting=sentence)

    return tell


def nobody_called(services: Services, run_id: int, error: Exception) -> None:
    """The queue takes no message for a run: its row says why, if the database takes that."""
    with suppress(SQLAlchemyError):
        if trouble.of(error) is trouble.FULL:
            write_back(services.engine, give_back=True)
        with writing(services.engine) as session:
            runs.tell(session, run_id, _sentence(error, "A fila de trabalho não respondeu"))


def _sentence(error: Exception, otherwise: str) -> str:
    if trouble.of(error) in (trouble.FULL, trouble.DISK):
        otherwise = "Sem espaço ou sem acesso ao disco do servidor"
    return f"{otherwise}: a sincronização espera e continua sozinha."


def _is_damaged(error: Exception) -> bool:
    """Whether the database found bytes in its files that it did not write."""
    return trouble.of(error) is trouble.DAMAGED


def _tidy(services: Services, connection_id: int) -> None:
    """Drop the bookkeeping of an account's runs that are over, in short transactions."""
    while True:
        with writing(services.engine) as session:
            if candidates.forget_lot(session, connection_id, SEEN_LOT) == 0:
                return
