"""P4, monotone rows: a row is never replaced by an earlier reading, in whatever order readings come to be written."""

import itertools
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from kommo.crm.records import contact_from
from kommo.db import reading, writing
from kommo.services import Services
from kommo.store.records import Target, bury, write_page
from kommo.store.tables import Connection, Wallet
from kommo.store.tables.wallet import CONTACT
from kommo.sync import control, engine
from kommo.sync.rows import contact_row
from tests import factories
from tests.conftest import make_services, make_settings
from tests.promises.soak import often
from tests.sync.accounts import connect, run

BURIED = "-"
TIMES = {"Ana": 30, "Bia": 20, "Clara": 10}  # when Kommo says that each came about: it has no say
_keys = itertools.count(70_000_000)


def _target(account: Connection) -> Target:
    return Target(account.user_id, account.id, CONTACT, 1, "contacts")


def _write(services: Services, account: Connection, key: int, version: int, name: str) -> bool:
    """Write a reading; gives whether the store says that the row is another one now."""
    with writing(services.engine) as session:
        if name == BURIED:
            return bool(bury(session, _target(account), [key], version))
        record = contact_from(factories.contact_record(key, name, updated_at=factories.NOON + TIMES[name]))
        return bool(write_page(session, _target(account), [contact_row(record)], version).changed)


def _held(services: Services, account: Connection, key: int) -> tuple[int, str] | None:
    statement = select(Wallet.version, Wallet.title, Wallet.deleted_at).where(
        Wallet.connection_id == account.id, Wallet.remote_id == key
    )
    with reading(services.engine) as session:
        row = session.execute(statement).one_or_none()
    return None if row is None else (row.version, BURIED if row.deleted_at else row.title)


@pytest.fixture
def held(tmp_path) -> tuple[Services, Connection]:
    services = make_services(make_settings(tmp_path))
    account = factories.make_account(services.engine)
    factories.make_run(services.engine, account)
    return services, account


READINGS = st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["Ana", "Bia", "Clara", BURIED])), max_size=7,
                    unique_by=lambda one: one[0])  # fmt: skip


@pytest.mark.only_on("sqlite")
@settings(max_examples=often(60, 1500), deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(readings=READINGS)
def test_the_latest_reading_is_held_whatever_came_last(
    held: tuple[Services, Connection], readings: list[tuple[int, str]]
) -> None:
    """Writings and burials in any order. One that finds the row as it has it leaves no trace, and is none."""
    services, account = held
    key = next(_keys)
    row: tuple[int, str] | None = None
    for version, name in readings:
        before, row = row, _after(row, version, name)
        assert _write(services, account, key, version, name) is (row != before)
        assert _held(services, account, key) == row


def _after(row: tuple[int, str] | None, version: int, name: str) -> tuple[int, str] | None:
    """What has to be held after one more reading: a burial buries what is there, and the earlier never wins."""
    if row is None:
        return None if name == BURIED else (version, name)
    return (version, name) if version > row[0] and name != row[1] else row


@pytest.mark.only_on("postgresql")
def test_two_readings_that_are_written_at_once_leave_the_later_one(tmp_path) -> None:
    """PostgreSQL lets two writers work side by side: the earlier reading had looked before the later one was there."""
    services, other = make_services(make_settings(tmp_path)), make_services(make_settings(tmp_path))
    account = factories.make_account(services.engine)
    factories.make_run(services.engine, account)
    _write(services, account, 1, 1, "Ana")
    once = threading.Lock()

    def between(_connection, _cursor, statement: str, *_rest) -> None:
        if statement.startswith('INSERT INTO "Wallet"') and once.acquire(blocking=False):
            _write(other, account, 1, 9, "Clara")

    event.listen(services.engine, "before_cursor_execute", between)
    _write(services, account, 1, 5, "Bia")
    assert not once.acquire(blocking=False)
    assert _held(services, account, 1) == (9, "Clara")


def test_every_claim_starts_above_all_readings_before_it(services: Services, padaria) -> None:
    """Also where the earlier run never ended, and where nothing was read in between."""
    account = connect(services, padaria)
    highest = -1
    for _ in range(3):
        run(services, account, sweep=True)
        padaria.world.update("contacts", padaria.world.ids("contacts")[0], name=f"Mudou {highest}")
        run_id = control.start(services, account, "shell")
        engine.run_one(services, run_id, "test", threading.Event())
        with reading(services.engine) as session:
            now = max(session.scalars(select(Wallet.version)))
        assert now > highest
        highest = now
