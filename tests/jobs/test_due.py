"""Schedules that are due: one run each, whoever looks, whatever was missed, and nothing lost between two moments."""

import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from kommo.db import now, reading, writing
from kommo.jobs.due import ask_for_due
from kommo.jobs.worker import Worker
from kommo.sandbox import Server
from kommo.services import Services
from kommo.store import schedules
from kommo.store.runs import AlreadyRunning
from kommo.store.schedules import ScheduleView
from kommo.store.tables import Connection, SyncRun
from kommo.store.tables.runs import SWEEP
from kommo.store.zones import zone_of
from tests import processes
from tests.conftest import make_services, make_settings
from tests.factories import ANA, BRUNO, make_account, make_run, make_schedule, schedule_of
from tests.jobs.conftest import Starter
from tests.sync.accounts import connect, run, run_view

WEEK = 7 * 86_400.0


@pytest.fixture
def bakery(services: Services) -> Connection:
    return make_account(services.engine)


def asked(services: Services) -> list[tuple[int, str, str | None, str]]:
    """All runs: account, who asked, mode, state."""
    with reading(services.engine) as session:
        statement = select(SyncRun.connection_id, SyncRun.trigger, SyncRun.mode, SyncRun.state).order_by(SyncRun.id)
        return [(*row,) for row in session.execute(statement)]


def shown(services: Services, account: Connection) -> ScheduleView:
    found = schedule_of(services.engine, account)
    assert found is not None
    return found


def change(services: Services, table: type, **values: Any) -> None:
    with writing(services.engine) as session:
        session.execute(update(table).values(**values))


def moment_of(services: Services) -> float:
    with reading(services.engine) as session:
        return now(session)


def quiet_now(services: Services, account: Connection) -> dict[str, int]:
    """Quiet hours around this minute, an hour each way."""
    local = datetime.fromtimestamp(moment_of(services), zone_of(account))
    minute = local.hour * 60 + local.minute
    return {"quiet_from": (minute - 60) % 1440, "quiet_to": (minute + 60) % 1440}


def test_what_is_due_is_asked_for_and_moved_on(services: Services, bakery: Connection) -> None:
    make_schedule(services.engine, bakery, -3)
    before = shown(services, bakery).next_at
    ask_for_due(services)
    assert asked(services) == [(bakery.id, "schedule", None, "queued")]
    after = shown(services, bakery).next_at
    assert before is not None
    assert after == before + 15 * 60
    ask_for_due(services)
    assert len(asked(services)) == 1


def test_what_is_not_due_is_left_alone(services: Services, bakery: Connection) -> None:
    make_schedule(services.engine, bakery, 60)
    make_schedule(services.engine, make_account(services.engine, BRUNO), paused=True)
    before = shown(services, bakery).next_at
    ask_for_due(services)
    assert asked(services) == []
    assert shown(services, bakery).next_at == before


def test_a_week_of_missed_moments_is_one_run(services: Services, bakery: Connection) -> None:
    make_schedule(services.engine, bakery, -WEEK, every=5, sweep_at=180, next_sweep_at=moment_of(services) - WEEK)
    ask_for_due(services)
    found = shown(services, bakery)
    assert asked(services) == [(bakery.id, "schedule", SWEEP, "queued")]
    assert found.next_at is not None
    assert found.next_sweep_at is not None
    assert found.now < found.next_at <= found.now + 300
    assert found.now < found.next_sweep_at <= found.now + 26 * 3600
    with writing(services.engine) as session:
        session.execute(update(SyncRun).values(state="done"))
    ask_for_due(services)
    assert len(asked(services)) == 1


def test_a_sweep_that_is_due_alone_leaves_the_interval_where_it_was(services: Services, bakery: Connection) -> None:
    make_schedule(services.engine, bakery, 300, sweep_at=180, next_sweep_at=moment_of(services) - 5)
    before = shown(services, bakery).next_at
    ask_for_due(services)
    assert asked(services) == [(bakery.id, "schedule", SWEEP, "queued")]
    assert shown(services, bakery).next_at == before


def test_in_the_quiet_hours_a_missed_run_waits_for_their_end(services: Services, bakery: Connection) -> None:
    make_schedule(services.engine, bakery, -7200, **quiet_now(services, bakery))
    ask_for_due(services)
    found = shown(services, bakery)
    assert asked(services) == []
    assert found.next_at is not None
    assert 58 * 60 < found.next_at - found.now <= 60 * 60  # owed at once when they are over, not an interval later


def test_the_sweep_runs_in_the_quiet_hours(services: Services, bakery: Connection) -> None:
    quiet = quiet_now(services, bakery)
    make_schedule(services.engine, bakery, -5, sweep_at=180, next_sweep_at=moment_of(services) - 5, **quiet)
    ask_for_due(services)
    assert asked(services) == [(bakery.id, "schedule", SWEEP, "queued")]
    found = shown(services, bakery)
    assert found.next_at is not None
    assert found.next_at > found.now + 58 * 60


@pytest.mark.parametrize("state", ["queued", "running", "paused"])
def test_while_a_run_is_not_over_the_next_one_stays_owed(services: Services, bakery: Connection, state: str) -> None:
    run_id = make_run(services.engine, bakery, state)
    make_schedule(services.engine, bakery, -3)
    before = shown(services, bakery).next_at
    for _ in range(3):
        ask_for_due(services)
    assert (len(asked(services)), shown(services, bakery).next_at) == (1, before)
    with writing(services.engine) as session:
        session.execute(update(SyncRun).where(SyncRun.id == run_id).values(state="done"))
    ask_for_due(services)
    assert [row[1:] for row in asked(services)] == [("page", None, "done"), ("schedule", None, "queued")]


def test_a_run_that_is_asked_for_in_between_leaves_the_schedule_due(services: Services, bakery: Connection) -> None:
    """Somebody clicks after the tick has looked: the whole transaction is undone."""
    make_schedule(services.engine, bakery, -3)
    before = shown(services, bakery).next_at
    make_run(services.engine, bakery, "queued")
    with pytest.raises(AlreadyRunning), writing(services.engine) as session:
        schedules.take(session, bakery.id, services.vault)
    assert shown(services, bakery).next_at == before


def test_a_worker_that_dies_in_between_has_done_neither(services: Services, bakery: Connection) -> None:
    make_schedule(services.engine, bakery, -3)
    before = shown(services, bakery).next_at
    with pytest.raises(KeyboardInterrupt), writing(services.engine) as session:
        assert schedules.take(session, bakery.id, services.vault) is not None
        raise KeyboardInterrupt
    assert (asked(services), shown(services, bakery).next_at) == ([], before)
    ask_for_due(services)
    assert len(asked(services)) == 1


def test_many_who_look_at_once_make_one_run_each(services: Services, bakery: Connection) -> None:
    accounts = [
        bakery,
        make_account(services.engine, ANA, "Oficina Norte", 30002000),
        make_account(services.engine, BRUNO),
    ]
    for account in accounts:
        make_schedule(services.engine, account, -3)
    gate = threading.Barrier(6)
    failures: list[BaseException] = []

    def look() -> None:
        try:
            gate.wait()
            ask_for_due(services)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(asked(services)) == sorted((account.id, "schedule", None, "queued") for account in accounts)


def test_where_very_many_are_due_the_longest_due_come_first_and_none_is_forgotten(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "LOT", 2)
    accounts = [make_account(services.engine, account_id=30_001_000 + number) for number in range(5)]
    for number, account in enumerate(accounts):
        make_schedule(services.engine, account, -100 - number)
    for seen in ([4, 3], [4, 3, 2, 1], [4, 3, 2, 1, 0]):
        ask_for_due(services)
        assert [row[0] for row in asked(services)] == [accounts[number].id for number in seen]


def test_who_comes_second_undoes_nothing(services: Services, bakery: Connection) -> None:
    """The row was taken between the look and the transaction, and its run is over already."""
    make_schedule(services.engine, bakery, -3)
    ask_for_due(services)
    with writing(services.engine) as session:
        session.execute(update(SyncRun).values(state="done"))
    moved = shown(services, bakery).next_at
    with writing(services.engine) as session:
        assert schedules.take(session, bakery.id, services.vault) is None
    assert (len(asked(services)), shown(services, bakery).next_at) == (1, moved)


@pytest.mark.parametrize(
    "trouble", [{"token": None}, {"token_refused": True}, {"expires_at": 1}, {"erasing": True}], ids=str
)
def test_an_account_that_cannot_be_read_waits_and_goes_on_by_itself(
    services: Services, bakery: Connection, trouble: dict[str, Any]
) -> None:
    make_schedule(services.engine, bakery, -3)
    change(services, Connection, **trouble)
    for _ in range(3):
        ask_for_due(services)
        with writing(services.engine) as session:
            assert schedules.take(session, bakery.id, services.vault) is None
    assert asked(services) == []
    make_account(services.engine)  # connected again
    ask_for_due(services)
    assert asked(services) == [(bakery.id, "schedule", None, "queued")]


@pytest.mark.parametrize(("every", "away"), [(5, 3 * 3600), (5, 4000), (60, 400 * 86_400), (1440, 3 * 86_400)])
def test_a_clock_that_is_set_back_does_not_stop_it(
    services: Services, bakery: Connection, every: int, away: float
) -> None:
    moment = moment_of(services)
    make_schedule(services.engine, bakery, away, every=every, sweep_at=180, next_sweep_at=moment + 30 * 86_400)
    ask_for_due(services)
    found = shown(services, bakery)
    assert asked(services) == []
    assert found.next_at is not None
    assert found.next_sweep_at is not None
    assert found.now < found.next_at <= found.now + every * 60
    assert found.now < found.next_sweep_at <= found.now + 26 * 3600


def test_a_long_night_is_no_clock_that_was_set_back(services: Services, bakery: Connection) -> None:
    quiet = quiet_now(services, bakery)
    quiet["quiet_to"] = (quiet["quiet_from"] + 1439) % 1440
    make_schedule(services.engine, bakery, -3, every=1440, **quiet)
    ask_for_due(services)
    before = shown(services, bakery).next_at
    with reading(services.engine) as session:
        assert schedules.due_ids(session, services.vault) == []
    ask_for_due(services)
    assert shown(services, bakery).next_at == before


def test_a_tick_asks_and_rings_in_one_go(tmp_path: Path) -> None:
    services = make_services(make_settings(tmp_path))
    make_schedule(services.engine, make_account(services.engine), -3)
    worker = Worker(services)
    rung: list[tuple[str, int]] = []
    worker.ring = lambda kind, number: rung.append((kind, number))
    worker.tick()
    assert rung == [("sync", 1)]


def test_a_refused_token_ends_the_asking(services: Services, padaria: Server) -> None:
    """The run that meets the refusal is the last one; a new token lets the schedule go on."""
    account = connect(services, padaria)
    padaria.world.revoke(padaria.token)
    assert run(services, account).state == "failed"
    with reading(services.engine) as session:
        connection = session.get_one(Connection, account)
    make_schedule(services.engine, connection, -3)
    ask_for_due(services)
    assert len(asked(services)) == 1
    assert (shown(services, connection).waiting or "").startswith("O Kommo recusou o token")


def test_two_workers_run_what_is_due_once(tmp_path: Path, padaria: Server, start_worker: Starter) -> None:
    """Real processes, started together after a week off, one of them killed as soon as it may have begun."""
    services = make_services(make_settings(tmp_path, lease=1.0))
    account = connect(services, padaria)
    with reading(services.engine) as session:
        connection = session.get_one(Connection, account)
    make_schedule(services.engine, connection, -WEEK, every=1440)
    first, second = start_worker("first.log"), start_worker("second.log")
    processes.wait_for(lambda: asked(services))
    first.kill()
    processes.wait_for(lambda: not run_view(services, account).active)
    assert run_view(services, account).proved
    assert run_view(services, account).trigger == "schedule"
    assert len(asked(services)) == 1
    assert (shown(services, connection).next_at or 0) > moment_of(services)
    assert processes.end(second) == 0
