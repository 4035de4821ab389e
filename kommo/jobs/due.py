"""The runs that schedules ask for, found by every worker's tick."""

import structlog
from sqlalchemy.exc import SQLAlchemyError

from kommo.db import reading, writing
from kommo.services import Services
from kommo.store import schedules
from kommo.store.runs import AlreadyRunning

log = structlog.get_logger()


def ask_for_due(services: Services) -> None:
    """Ask for a run for each schedule that is due: each in a transaction of its own, which is whole or not there.

    One that fails, or whose account has a run by now, stays due for the next tick. Raises SQLAlchemyError where the
    schedules cannot be read.
    """
    with reading(services.engine) as session:
        due = schedules.due_ids(session, services.vault)
    for connection_id in due:
        try:
            with writing(services.engine) as session:
                run_id = schedules.take(session, connection_id, services.vault)
        except AlreadyRunning:
            continue
        except SQLAlchemyError:
            log.warning("schedule_failed", connection=connection_id)
            continue
        if run_id is not None:
            log.info("sync_scheduled", run=run_id, connection=connection_id)
