"""What is older than it may be goes, and nothing else: runs, log, disconnected copies, backups."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from kommo.connect import flow
from kommo.db import now, reading, writing
from kommo.jobs.keeping import EVERY, Keeper
from kommo.privacy import keeping
from kommo.services import Services
from kommo.store import audit, copy_state, erase
from kommo.store.audit import Actor
from kommo.store.tables import Audit, Connection, SyncRun, Wallet
from tests.factories import ANA, contact_record, make_account, make_run, store_contacts

DAY = 86_400.0
BY = Actor("shell", "marta")


def moment(services: Services) -> float:
    with reading(services.engine) as session:
        return now(session)


def set_terms(services: Services, **days: int | None) -> None:
    with writing(services.engine) as session:
        keeping.save(session, days, BY)


def count(services: Services, table: type) -> int:
    with reading(services.engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_by_itself_copies_are_kept_and_the_rest_has_a_term(services: Services) -> None:
    with reading(services.engine) as session:
        assert keeping.terms(session) == {"runs": 365, "audit": 1825, "copies": None, "backups": 180}


def test_a_change_is_kept_and_logged_once(services: Services) -> None:
    set_terms(services, runs=30, audit=None)
    set_terms(services, runs=30)
    with reading(services.engine) as session:
        assert keeping.terms(session)["runs"] == 30
        assert keeping.terms(session)["audit"] is None
        rows = list(session.scalars(select(Audit)))
    assert [(row.action, row.details) for row in rows] == [("retention.changed", {"runs": 30, "audit": None})]


@pytest.mark.parametrize("given", [{"runs": 0}, {"runs": -1}, {"runs": keeping.LONGEST + 1}, {"other": 5}])
def test_what_is_no_term_is_refused(services: Services, given: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="no such term"):
        set_terms(services, **given)


def test_old_runs_go_but_the_newest_and_the_proved_one(services: Services) -> None:
    account, today = make_account(services.engine), moment(services)
    proved = make_run(services.engine, account, contacts=(0, 0), deals=(0, 0), finished_at=today - 90 * DAY)
    old = [make_run(services.engine, account, "failed", finished_at=today - 80 * DAY) for _ in range(3)]
    newest = make_run(services.engine, account, "failed", finished_at=today - 70 * DAY)
    other = make_account(services.engine, name="Outra", account_id=30002000)
    alone = make_run(services.engine, other, "failed", finished_at=today - 400 * DAY)
    set_terms(services, runs=60)
    assert keeping.apply(services)["runs"] == len(old)
    with reading(services.engine) as session:
        assert set(session.scalars(select(SyncRun.id))) == {proved, newest, alone}
        assert copy_state.proved_by(session, account.id) == proved


def test_runs_within_their_term_and_those_that_go_on_stay(services: Services) -> None:
    account, today = make_account(services.engine), moment(services)
    for days in (1, 59):
        make_run(services.engine, account, finished_at=today - days * DAY)
    make_run(services.engine, account, "running", finished_at=today - 100 * DAY)
    set_terms(services, runs=60)
    assert keeping.apply(services) == {}
    assert count(services, SyncRun) == 3


def test_without_a_term_nothing_goes(services: Services) -> None:
    account = make_account(services.engine)
    make_run(services.engine, account, finished_at=1.0)
    make_run(services.engine, account, finished_at=2.0)
    set_terms(services, runs=None, audit=None, copies=None, backups=None)
    _log(services, 3, days=4000)
    assert keeping.apply(services) == {}


def test_old_entries_of_the_log_go_in_short_transactions(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "LOT", 10)
    _log(services, 35, days=40)
    _log(services, 4, days=20)
    set_terms(services, audit=30)
    with _transactions(monkeypatch) as seen:
        assert keeping.apply(services)["audit"] == 35
    assert len(seen) >= 4
    with reading(services.engine) as session:
        actions = list(session.scalars(select(Audit.action).order_by(Audit.id)))
    assert actions == ["login.ok"] * 4 + ["retention.changed", "retention.applied"]


def test_more_than_one_turn_takes_waits_for_the_next(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "LOT", 10)
    monkeypatch.setattr(keeping, "LOTS", 2)
    _log(services, 35, days=40)
    set_terms(services, audit=30)
    assert [keeping.apply(services)["audit"] for _ in range(2)] == [20, 15]


def test_the_copy_of_an_account_that_was_disconnected_long_ago_goes(services: Services) -> None:
    gone, kept = make_account(services.engine), make_account(services.engine, name="Outra", account_id=30002000)
    connected = make_account(services.engine, name="Terceira", account_id=30003000)
    for each in (gone, kept, connected):
        store_contacts(services.engine, each, [contact_record(1)])
    for each in (gone, kept):
        flow.disconnect(services, ANA, each.id, with_copy=False)
    with writing(services.engine) as session:
        session.get_one(Connection, gone.id).disconnected_at = now(session) - 31 * DAY
    set_terms(services, copies=30)
    assert keeping.apply(services)["copies"] == 1
    erase.erase(services.engine, gone.id)
    with reading(services.engine) as session:
        assert set(session.scalars(select(Connection.id))) == {kept.id, connected.id}
        assert set(session.scalars(select(Wallet.connection_id))) == {kept.id, connected.id}
        row = session.scalars(select(Audit).where(Audit.action == "account.copy_erased")).one()
        assert (row.actor_kind, row.owner, row.account_id) == ("system", ANA, gone.account_id)


def test_connecting_again_ends_the_term(services: Services) -> None:
    account = make_account(services.engine)
    flow.disconnect(services, ANA, account.id, with_copy=False)
    with writing(services.engine) as session:
        session.get_one(Connection, account.id).disconnected_at = now(session) - 99 * DAY
    make_account(services.engine)
    set_terms(services, copies=30)
    assert keeping.apply(services) == {}


def test_old_backups_go_but_the_newest(services: Services) -> None:
    folder = services.settings.instance / "backups"
    folder.mkdir(exist_ok=True)
    for days in (10, 40, 50):
        _backup(folder, days)
    set_terms(services, backups=30)
    assert keeping.apply(services)["backups"] == 2
    assert [path.name for path in folder.iterdir()] == ["copia-10.sqlite3"]


def test_a_lone_old_backup_stays(services: Services) -> None:
    folder = services.settings.instance / "backups"
    folder.mkdir(exist_ok=True)
    _backup(folder, 400)
    (folder / "leia-me.txt").write_text("x")
    set_terms(services, backups=30)
    assert keeping.apply(services) == {}


def test_a_worker_looks_now_and_then(services: Services) -> None:
    keeper = Keeper(services)
    _log(services, 1, days=40)
    set_terms(services, audit=30)
    keeper.turn(1000.0)
    assert _left(services) == 0
    _log(services, 1, days=40)
    keeper.turn(1000.0 + EVERY - 1)
    assert _left(services) == 1
    keeper.turn(1000.0 + EVERY)
    assert _left(services) == 0


def _left(services: Services) -> int:
    with reading(services.engine) as session:
        return session.scalar(select(func.count()).where(Audit.action == "login.ok")) or 0


def _log(services: Services, number: int, days: float) -> None:
    with writing(services.engine) as session:
        for _ in range(number):
            audit.note(session, BY, "login.ok")
        for row in session.scalars(select(Audit).order_by(Audit.id.desc()).limit(number)):
            row.at = now(session) - days * DAY


def _backup(folder: Path, days: int) -> None:
    path = folder / f"copia-{days}.sqlite3"
    path.write_bytes(b"x")
    then = time.time() - days * DAY
    os.utime(path, (then, then))


@contextmanager
def _transactions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """What was opened for writing meanwhile."""
    seen: list[object] = []

    def counted(engine: object) -> object:
        seen.append(engine)
        return writing(engine)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(keeping, "writing", counted)
        yield seen
