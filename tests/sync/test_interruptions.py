"""What cuts into a run or its bookkeeping: other clocks, a new token, a dead worker, a half-done erasing."""

import threading
import time

import pytest
from sqlalchemy import func, select, update

from kommo.connect import flow
from kommo.connect.access import Access
from kommo.crm.token import read_token
from kommo.db import clock, reading, writing
from kommo.sandbox import Server, make_world, serve
from kommo.services import Services
from kommo.store import erase, runs
from kommo.store.tables import Connection, KommoUser, Pipeline, SyncRun, Wallet
from kommo.sync import control, engine
from tests.conftest import make_services, make_settings
from tests.sync.accounts import connect, difference, run, run_view


def test_a_token_replaced_during_a_run_is_gone_on_with(services: Services, padaria: Server) -> None:
    """The old one is revoked in the middle: the new one is not blamed, and the run goes on with it."""
    world, account = padaria.world, connect(services, padaria)
    run_id = control.start(services, account, "page")

    def replace(_method: str, path: str, query: str) -> None:
        if path == "/api/v4/leads" and "limit=250" in query:
            world.before_request = None
            token = world.token(lifetime=777_777)
            access = Access(token, read_token(token), padaria.address)
            flow.keep(services, "1", access, flow.test(services, access, full=False))
            world.revoke(padaria.token)

    world.before_request = replace
    assert engine.run_one(services, run_id, "test", threading.Event())
    assert run_view(services, account).state == "queued"
    assert engine.run_one(services, run_id, "test", threading.Event())
    assert run_view(services, account).proved
    with reading(services.engine) as session:
        assert session.get_one(Connection, account).token_refused is False
    assert difference(services, account, world) == []


@pytest.mark.parametrize("skew", [3600, -3600])
def test_the_date_header_may_be_of_another_clock(services: Services, busy_world: Server, skew: int) -> None:
    """As many contacts go as come, so that counts say nothing: what changed has to be found by the records' clock."""
    world = busy_world.world
    world.turn(clock_skew=skew)
    account = connect(services, busy_world)
    run(services, account)

    def stir(_method: str, path: str, query: str) -> None:
        if path == "/api/v4/leads" and "limit=250" in query:
            world.before_request = None
            world.delete("contacts", *world.ids("contacts")[3:6])
            world.update("contacts", world.ids("contacts")[50], name="Mudou")
            for number in range(3):
                world.add("contacts", name=f"Novo {number}")

    world.before_request = stir
    assert run(services, account).proved
    assert difference(services, account, world) == []


@pytest.fixture
def busy_world() -> Server:
    with serve(make_world(contacts=600, deals=300)) as server:
        yield server


def test_a_run_taken_up_while_settling_reads_all_events(services: Services, busy_world: Server) -> None:
    """One contact goes and another comes back, told by events alone; the worker ends just then."""
    world = busy_world.world
    world.turn(restore_bumps=False, delete_bumps=False)
    back = world.ids("contacts")[5]
    world.delete("contacts", back)
    account = connect(services, busy_world)
    run(services, account)
    with world.changing():  # what went before is older than what is read twice
        world.state.events[:] = [one._replace(created_at=one.created_at - 5000) for one in world.state.events]
    run_id, stopping = control.start(services, account, "page"), threading.Event()

    def stir(_method: str, path: str, query: str) -> None:
        if path == "/api/v4/leads" and "limit=250" in query and "filter" not in query:
            time.sleep(2.1)  # events have whole seconds: these are clearly after the run's start
            world.before_request = stop
            world.delete("contacts", world.ids("contacts")[10])
            world.restore("contacts", back)

    def stop(_method: str, _path: str, query: str) -> None:
        if "filter" in query:
            world.before_request = None
            stopping.set()

    world.before_request = stir
    engine.run_one(services, run_id, "first", stopping)
    assert run_view(services, account).state == "queued"
    engine.run_one(services, run_id, "second", threading.Event())
    assert run_view(services, account).proved
    assert difference(services, account, world) == []


def test_a_list_out_of_order_is_read_in_one_go(services: Services, busy_world: Server) -> None:
    """600 changes over an hour, and `order` is ignored: not a request for every second of it."""
    world, account = busy_world.world, connect(services, busy_world)
    world.turn(order_ignored=True, default_order="id_desc")
    run(services, account)
    world.reset()
    begin = int(time.time()) - 3600
    run_id = control.start(services, account, "page")
    with writing(services.engine) as session:
        session.execute(update(SyncRun).where(SyncRun.id == run_id).values(server_started_at=begin))
    with world.changing():
        for place, key in enumerate(world.ids("contacts")):
            world.update("contacts", key, name="Mudou", updated_at=begin + 6 * place)
    engine.run_one(services, run_id, "test", threading.Event())
    assert run_view(services, account).proved
    assert world.requests < 80
    assert difference(services, account, world) == []


@pytest.mark.parametrize(("path", "table"), [("leads/pipelines", Pipeline), ("users", KommoUser)])
def test_an_empty_catalogue_is_not_believed(
    services: Services, padaria: Server, path: str, table: type[Pipeline | KommoUser]
) -> None:
    account = connect(services, padaria)
    run(services, account)
    padaria.world.fail(f"GET /api/v4/{path}", times=1, how="204")
    assert run(services, account).proved
    with reading(services.engine) as session:
        gone = select(func.count()).select_from(table).where(table.gone_at.is_not(None))
        assert session.execute(gone).scalar_one() == 0


def test_a_long_retry_after_is_heeded(tmp_path, padaria: Server) -> None:
    services = make_services(make_settings(tmp_path, retry_attempts=0))
    account = connect(services, padaria)
    padaria.world.fail(r"GET /api/v4/leads\?page", times=None, how="429_json", seconds=1800)
    view = run(services, account)
    assert view.state == "paused"
    with reading(services.engine) as session:
        left = session.execute(select(SyncRun.resume_at - clock()).where(SyncRun.id == view.id)).scalar_one()
    assert 1700 < left <= 1800


def test_a_lease_given_before_the_clock_went_back_is_over(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    run_id = control.start(services, account, "page")
    with writing(services.engine) as session:
        claim = runs.claim(session, run_id, "gone", 60.0)
        assert claim is not None
        assert runs.due_ids(session) == []
        session.execute(update(SyncRun).values(lease_until=SyncRun.lease_until + 7200))
    with writing(services.engine) as session:
        assert runs.due_ids(session) == [run_id]


def test_a_dead_workers_run_can_be_cancelled_at_once(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    run_id = control.start(services, account, "page")
    with writing(services.engine) as session:
        runs.claim(session, run_id, "a" * 200, 60.0)
        session.execute(update(SyncRun).values(lease_until=1.0))
    control.cancel(services, account, run_id)
    assert run_view(services, account).state == "cancelled"
    assert run(services, account).proved


def test_an_account_connected_again_while_it_is_erased_is_copied_anew(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    run(services, account)
    flow.disconnect(services, "1", account, with_copy=True)
    with writing(services.engine) as session:  # the eraser came this far
        session.execute(Wallet.__table__.delete().where(Wallet.__table__.c.connection_id == account))
    assert connect(services, padaria) == account
    erase.erase(services.engine, account)  # a late message: nothing is to be erased any more
    assert run(services, account).proved
    assert difference(services, account, padaria.world) == []
