"""P2, convergence: when people have stopped working, two runs are enough, however those before have ended."""

import threading
from collections.abc import Callable, Iterator

import pytest

from kommo.sandbox import Server, make_world, serve
from kommo.services import Services
from kommo.sync import control, engine
from kommo.sync.streams import CONTACTS, DEALS
from tests.conftest import make_settings
from tests.promises.life import REPORTED, UNTOLD, Stir
from tests.promises.mortal import lapse
from tests.promises.soak import RUNS, note, often, some
from tests.promises.watch import prepared, watched
from tests.sync.accounts import at_once, connect, difference, listed, run, run_view

pytestmark = pytest.mark.only_on("sqlite")  # the triggers and copies of files are SQLite's


@pytest.fixture
def shop() -> Iterator[Server]:
    """An account of three and two pages: the proof does not see all of it."""
    with serve(make_world(contacts=600, deals=300)) as server:
        yield server


@pytest.fixture
def copy(tmp_path) -> Iterator[Services]:
    services = prepared(make_settings(tmp_path, retry_attempts=1))
    watched(services.engine)
    yield services
    services.engine.dispose()


@pytest.mark.parametrize("sweep", [True, False], ids=["sweep", "delta"])
@pytest.mark.parametrize("how", ["truncated", "500", "402", "stopped", "cancelled"])
def test_a_run_that_ended_badly_costs_nothing_but_itself(copy: Services, shop: Server, how: str, sweep: bool) -> None:
    """It ends in the middle while people work, after its first rows were written."""
    account, world = connect(copy, shop), shop.world
    run(copy, account)
    _work(shop, 1)
    run_id, stopping, stir = control.start(copy, account, "shell", sweep=sweep), threading.Event(), Stir(world, 2)

    def hook(method: str, path: str, query: str) -> None:
        stir(method, path, query)
        if path == "/api/v4/leads" and "limit=250" in query:
            if how == "cancelled":
                control.cancel(copy, account, run_id)
            elif how == "stopped":
                stopping.set()

    world.before_request = hook
    if how not in ("stopped", "cancelled"):
        world.fail(r"GET /api/v4/leads\?.*limit=250", times=None, how=how)
    engine.run_one(copy, run_id, "test", stopping)
    assert run_view(copy, account).state != "done"
    world.before_request = None
    world.heal()
    if run_view(copy, account).active:
        lapse(copy, run_id)
        engine.run_one(copy, run_id, "test", threading.Event())
    assert run(copy, account).proved
    assert difference(copy, account, world) == []


@pytest.mark.parametrize("seed", range(often(3, 40)))
def test_whatever_is_reported_arrives_with_the_next_run(copy: Services, shop: Server, seed: int) -> None:
    """Forty deeds of every kind at a time, in one account, run after run of what changed."""
    account, world = connect(copy, shop), shop.world
    run(copy, account)
    for round_ in range(3):
        _work(shop, 100 * seed + round_)
        view = run(copy, account)
        assert difference(copy, account, world) == []
        assert (view.mode, view.proved) == ("delta", True), view.errors
        note(RUNS)


def _work(server: Server, seed: int) -> None:
    told = tuple(deed for deed in REPORTED if not deed.startswith("purge"))
    stir = Stir(server.world, seed, at_most=40, deeds=told)
    for _ in range(80):
        stir("", "", "")


def test_a_change_that_shows_late_is_read_by_the_next_run(copy: Services, shop: Server) -> None:
    """Stamped a hundred seconds before the last run, seen only after it: the overlap brings it, not the proof."""
    account, world = connect(copy, shop), shop.world
    now = int(world.state.clock())
    world.update("contacts", world.ids("contacts")[20], name="Há pouco", updated_at=now)  # the watermark is there
    run(copy, account)
    world.update("contacts", world.ids("contacts")[10], name="Tarde", updated_at=now - 100)
    view = run(copy, account)
    assert difference(copy, account, world) == []
    assert (view.proved, view.stream("contacts").pages, view.stream("contacts").updated) == (True, 0, 1)
    assert at_once(view)


@pytest.mark.parametrize("deed", UNTOLD)
def test_a_sweep_finds_what_nobody_tells(copy: Services, shop: Server, deed: str) -> None:
    account, world = connect(copy, shop), shop.world
    run(copy, account)
    UNTOLD[deed](world, 7)
    view = run(copy, account, sweep=True)
    assert view.proved, view.errors
    assert difference(copy, account, world) == []


CHANGES: dict[str, Callable[[Server, int], None]] = {
    "its contacts": lambda server, deal: server.world.link("leads", deal, "contacts", server.world.ids("contacts")[-1]),
    "its main contact": lambda server, deal: server.world.link(
        "leads", deal, "contacts", server.world.contacts_of(deal)[-1], is_main=True
    ),
    "a tag": lambda server, deal: server.world.update(
        "leads", deal, updated_at=1_700_000_000, _embedded={"tags": [{"id": 9, "name": "x", "color": None}]}
    ),
    "its price": lambda server, deal: server.world.update("leads", deal, price=4711, updated_at=1_700_000_000),
}


@pytest.mark.parametrize("what", CHANGES)
def test_nothing_of_a_deal_is_left_out_of_what_tells_two_of_them_apart(shop: Server, what: str) -> None:
    """What differs in anything has another hash: by it alone a row is known to be as it was."""
    deal = next(key for key in shop.world.ids("leads") if len(shop.world.contacts_of(key)) > 1)
    before = listed(shop.world, DEALS)[deal]
    CHANGES[what](shop, deal)
    after = listed(shop.world, DEALS)[deal]
    assert before.content_hash != after.content_hash
    assert listed(shop.world, CONTACTS)


@pytest.mark.parametrize("number", some(range(24), 3))
def test_a_deal_that_changed_while_others_were_asked_for_is_not_forgotten(
    copy: Services, shop: Server, number: int
) -> None:
    """Each request of a run in turn is followed by a change that is older than the run's last look at the clock."""
    account, world = connect(copy, shop), shop.world
    run(copy, account)
    world.delete("contacts", *world.ids("contacts")[:2])
    left = [number]

    def hook(_method: str, _path: str, _query: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            world.before_request = None
            world.update("leads", world.ids("leads")[40], price=999)
            world.update("contacts", world.ids("contacts")[300], name="No meio")

    world.before_request = hook
    run(copy, account, sweep=True)
    world.before_request = None
    assert run(copy, account).mode == "delta"
    assert difference(copy, account, world) == []
