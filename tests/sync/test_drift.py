"""P1 and P2: rows that come, go and change while pages are read are neither lost nor stale nor ghosts."""

from collections.abc import Iterator

import pytest

from kommo.sandbox import Server, make_world, serve
from kommo.services import Services
from tests.conftest import make_services, make_settings
from tests.promises.churn import Churn
from tests.sync.accounts import connect, difference, run


@pytest.fixture
def busy() -> Iterator[Server]:
    """An account of ten and six pages."""
    with serve(make_world(contacts=2500, deals=1500)) as server:
        yield server


@pytest.mark.parametrize("seed", range(4))
def test_a_busy_account_is_copied_exactly(tmp_path, busy: Server, seed: int) -> None:
    """First load and later runs, each while 10 rows change, 3 go and 2 come with every page."""
    services = make_services(make_settings(tmp_path))
    account = connect(services, busy)
    for sweep in (True, True, False):
        with Churn(busy.world, seed) as churn:
            view = run(services, account, sweep=sweep)
        assert churn.pages > (20 if sweep else 3)
        assert view.state == "done"
    settled = run(services, account)  # people have gone home
    assert settled.proved, settled.errors
    assert difference(services, account, busy.world) == []


@pytest.mark.parametrize("seed", range(2))
def test_restorations_bring_a_second_pass(tmp_path, busy: Server, seed: int) -> None:
    """A record that comes back moves others into pages that were read already."""
    services = make_services(make_settings(tmp_path))
    account = connect(services, busy)
    busy.world.bulk_delete("contacts", 200)
    with Churn(busy.world, seed, updates=0, deletes=0, inserts=0, restores=2):
        first = run(services, account)
    assert first.state == "done"
    assert first.stream("contacts").percent == 100
    assert run(services, account).proved
    assert difference(services, account, busy.world) == []


def test_a_whole_page_in_one_second_is_read_to_its_end(services: Services, busy: Server) -> None:
    """800 rows change in the same second after their pages were read: the keyset must go through that second."""
    account = connect(services, busy)
    world = busy.world

    def change(_method: str, path: str, query: str) -> None:
        if path == "/api/v4/leads":  # contacts are read by now
            world.before_request = None
            moment = int(world.state.clock())
            with world.changing():
                for key in world.ids("contacts")[:800]:
                    world.update("contacts", key, name="No mesmo segundo", updated_at=moment)

    world.before_request = change
    view = run(services, account)
    assert view.proved, view.errors
    assert difference(services, account, world) == []


@pytest.mark.parametrize("sweep", [True, False])
def test_nothing_changes_twice(services: Services, padaria: Server, sweep: bool) -> None:
    """P3: a second run on a quiet account rewrites no row, whatever it reads."""
    account = connect(services, padaria)
    run(services, account)
    view = run(services, account, sweep=sweep)
    for stream in ("contacts", "deals"):
        found = view.stream(stream)
        assert (found.created, found.updated, found.deleted) == (0, 0, 0)
        assert found.unchanged == found.local_count == found.remote_count


@pytest.mark.parametrize("order", ["id_desc", "updated_desc"])
def test_an_ignored_order_is_noticed(tmp_path, busy: Server, order: str) -> None:
    """Kommo ignores `order` without a word: then there are no bands, and every page is read twice."""
    busy.world.turn(order_ignored=True, default_order=order)
    services = make_services(make_settings(tmp_path))
    account = connect(services, busy)
    assert run(services, account).proved
    assert difference(services, account, busy.world) == []
    for sweep in (True, False):
        with Churn(busy.world, 1):
            run(services, account, sweep=sweep)
        assert run(services, account).proved
    assert difference(services, account, busy.world) == []
