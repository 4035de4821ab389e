"""One budget for whoever asks Kommo: real runs and real tests of a token, counted against what the server saw."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kommo.connect.client import SharedBudget, budget_for, open_kommo
from kommo.crm.budget import NotYet
from kommo.crm.errors import Blocked, RateLimited
from kommo.crm.pages import Stream
from kommo.db import now, reading
from kommo.sandbox import Server, make_world, serve
from kommo.services import Services
from kommo.store import use
from kommo.store.budget import INSTALLATION
from kommo.store.tables import Connection
from kommo.store.use import Used
from tests.clocks import clock_moved
from tests.conftest import make_services, make_settings
from tests.sync.accounts import connect, run

LIMIT = 7.0


@pytest.fixture(params=["installation", "account"])
def scope(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def installation(tmp_path: Path, scope: str) -> Iterator[Services]:
    """An installation with a limit, under each scope."""
    services = make_services(make_settings(tmp_path, rate_limit=LIMIT, rate_scope=scope))
    yield services
    services.engine.dispose()


def used(services: Services, scope: str) -> Used:
    with reading(services.engine) as session:
        return use.used(session, scope, now(session)).day


def connection_of(services: Services, number: int) -> Connection:
    with reading(services.engine) as session:
        return session.get_one(Connection, number)


def budget(services: Services, number: int) -> SharedBudget:
    found = connection_of(services, number)
    return budget_for(services, found.account_id, is_demo=found.is_demo)


def test_every_request_is_counted_by_who_made_it(installation: Services, scope: str, padaria: Server) -> None:
    """A test at a page, then a run: the numbers are those that the server counted."""
    account = connect(installation, padaria)
    tested = padaria.world.requests
    assert run(installation, account).proved
    rows = budget(installation, account).rows
    assert rows.scope == (INSTALLATION if scope == "installation" else "account:30001000")
    assert used(installation, rows.scope) == Used(page=tested, sync=padaria.world.requests - tested)
    assert padaria.world.rejected_429 == 0


def test_accounts_share_the_limit_or_have_their_own(
    installation: Services, scope: str, padaria: Server, oficina: Server
) -> None:
    one, other = connect(installation, padaria), connect(installation, oficina)
    budget(installation, one).slow_down(30, "sync", 0.1)
    budget(installation, one).block(900)
    found = budget(installation, other).rows.slots()
    if scope == "account":
        assert (found.speed, found.stopped_until) == (LIMIT, 0)
        assert budget(installation, other).slot("page") < 1
    else:
        assert found.speed == LIMIT / 2
        with pytest.raises(Blocked) as blocked:
            budget(installation, other).slot("page")
        assert 600 < (blocked.value.retry_after or 0) <= 900
    demo = budget_for(installation, 30001000, is_demo=True)
    assert demo.slot("page") < 1


def test_several_429s_at_once_slow_everybody_down_once(installation: Services) -> None:
    """Three requests are under way when Kommo answers the first; with the next one, sent since, it is halved again."""
    with serve(make_world(contacts=60, deals=30), latency_ms=2500) as slow:
        account = connection_of(installation, connect(installation, slow))
        rows = budget(installation, account.id).rows
        slow.world.fail("GET /api/v4/contacts", times=3, how="429")

        def ask(_: int) -> None:
            with (
                open_kommo(installation, account, purpose="api", attempts=0) as kommo,
                pytest.raises(RateLimited),
            ):
                kommo.page(Stream.CONTACTS, 1)

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(ask, range(3)))
        assert (used(installation, rows.scope).refused, rows.slots().pace) == (3, 0.5)
        slow.world.fail("GET /api/v4/contacts", times=1, how="429")
        with open_kommo(installation, account, purpose="api", attempts=1) as kommo:
            assert len(kommo.page(Stream.CONTACTS, 1).records) == 60
        assert rows.slots().pace == pytest.approx(0.25, abs=0.1)


def test_after_a_429_the_run_goes_on_and_the_speed_comes_back(installation: Services, padaria: Server) -> None:
    account = connect(installation, padaria)
    padaria.world.fail("GET /api/v4/leads", times=1, how="429")
    assert run(installation, account).proved
    rows = budget(installation, account).rows
    with clock_moved(installation.engine, -rows.slots().now + rows.slots().slowed_at):
        assert rows.slots().speed == LIMIT / 2
    with clock_moved(installation.engine, 120):
        assert (rows.slots().speed, rows.slots().full_at) == (LIMIT, None)
    assert used(installation, rows.scope).refused == 1


def test_the_client_is_told_in_its_own_words(installation: Services) -> None:
    shared = budget_for(installation, 1)
    shared.slot("sync")
    with pytest.raises(NotYet) as early:
        for _ in range(9):
            shared.slot("sync")
    assert 0 < early.value.seconds < 1
    shared.slow_down(60, "page", 0.1)
    assert shared.held()
    with pytest.raises(RateLimited) as full:
        shared.slot("page", max_wait=15.0)
    assert 30 < (full.value.retry_after or 0) <= 60.5


def test_a_person_arrives_while_twelve_threads_of_syncs_wait(installation: Services, padaria: Server) -> None:
    """In real time: each waits for its turn to read a page; the person's request stands among the next ones."""
    account = connection_of(installation, connect(installation, padaria))
    with ThreadPoolExecutor(12) as pool, open_kommo(installation, account) as kommo:
        before = len(padaria.world.log)
        readings = [pool.submit(kommo.page, Stream.CONTACTS, 1, limit=3) for _ in range(24)]
        while len(padaria.world.log) < before + 6:
            assert any(not done.done() for done in readings)
        with open_kommo(installation, account, purpose="page") as person:
            reserved = len(padaria.world.log)
            person.account()
        place = [seen.path for seen in list(padaria.world.log)].index("/api/v4/account", reserved)
        assert place - reserved <= 12  # of the 18 that were still to come; in slots it is held by tests/store
        for done in readings:
            assert len(done.result().records) == 3
