"""The database's clock, and how tests move it."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from kommo.db import clock, now, reading, writing
from kommo.services import Services
from kommo.store import runs
from kommo.store.tables import SyncRun
from tests.clocks import clock_moved
from tests.conftest import make_services, make_settings
from tests.factories import make_account, make_run


def told(services: Services) -> float:
    with reading(services.engine) as session:
        return now(session)


def test_it_is_moved_for_as_long_as_asked_and_moves_add_up(services: Services) -> None:
    before = told(services)
    with clock_moved(services.engine, 3600):
        assert told(services) == pytest.approx(before + 3600, abs=60)
        with clock_moved(services.engine, -7200.5):
            assert told(services) == pytest.approx(before - 3600.5, abs=60)
        assert told(services) == pytest.approx(before + 3600, abs=60)
    assert told(services) == pytest.approx(before, abs=60)


def test_every_statement_sees_it_also_one_that_was_made_before(services: Services) -> None:
    """Writes and conditions alike, though both statements are in the cache already."""
    run_id = make_run(services.engine, make_account(services.engine), "running")
    lease = update(SyncRun).where(SyncRun.id == run_id).values(lease_until=clock() + 60)
    with writing(services.engine) as session:
        session.execute(lease)
    with reading(services.engine) as session:
        assert run_id not in runs.due_ids(session)
    with clock_moved(services.engine, 3600), reading(services.engine) as session:
        assert run_id in runs.due_ids(session)
    with clock_moved(services.engine, 7200), writing(services.engine) as session:
        session.execute(lease)
    with clock_moved(services.engine, 3600), reading(services.engine) as session:
        left = session.execute(select(SyncRun.lease_until - clock())).scalar_one()
        assert left == pytest.approx(3660, abs=60)
        assert run_id not in runs.due_ids(session)


def test_another_database_keeps_its_time(services: Services, tmp_path: Path) -> None:
    other = make_services(make_settings(tmp_path / "other"))
    with clock_moved(services.engine, 3600):
        assert told(services) - told(other) == pytest.approx(3600, abs=60)
