"""P1, no gap: what is alive from a run's start to its end is in the copy, not older than the start; nothing else is.

People work in the account while its pages are read, so that rows move from page to page.
"""

import threading
from collections.abc import Callable, Iterator

import pytest

from kommo.sandbox import Server, World, make_world, serve
from kommo.services import Services
from kommo.store.progress import RunView
from kommo.sync import streams
from tests.conftest import make_settings
from tests.promises.churn import Churn
from tests.promises.soak import FAULTS, RUNS, SEEDS, note, often, some
from tests.promises.watch import prepared, watched
from tests.sync.accounts import at_once, connect, difference, listed, rows_of, run

pytestmark = pytest.mark.only_on("sqlite")  # the triggers and copies of files are SQLite's

PAGES = r"GET /api/v4/(contacts|leads)\?page=\d+&limit=250&order\[id\]=asc$"


@pytest.fixture
def busy() -> Iterator[Server]:
    """An account of nine and four pages: two bands and one."""
    with serve(make_world(contacts=2100, deals=800)) as server:
        yield server


@pytest.fixture
def copy(tmp_path) -> Iterator[Services]:
    """An installation whose database refuses a row that goes back (P4), too."""
    services = prepared(make_settings(tmp_path))
    watched(services.engine)
    yield services
    services.engine.dispose()


class Witness:
    """What the account held when a run began, to be compared with the copy as soon as the run is over."""

    def __init__(self, services: Services, account: int, world: World) -> None:
        self.services, self.account, self.world = services, account, world
        self.before = {spec: listed(world, spec) for spec in streams.ALL}

    def gaps(self, touched: set[tuple[str, int]]) -> list[str]:
        """Missing, stale and ghosts; `touched` were changed meanwhile, so that any state since the start is right."""
        found = []
        for spec in streams.ALL:
            before, now = self.before[spec], listed(self.world, spec)
            held = rows_of(self.services, self.account, spec.kind)
            found += [f"{spec.name} {key} missing" for key in set(before) & set(now) - set(held)]
            found += [f"{spec.name} {key} ghost" for key in set(held) - set(before) - set(now)
                      if (spec.remote.key, key) not in touched]  # fmt: skip
            for key in set(before) & set(now) & set(held):
                if (spec.remote.key, key) not in touched:
                    stale = held[key]["content_hash"] != now[key].content_hash
                else:
                    stale = held[key]["updated_at"] < before[key].values["updated_at"]
                found += [f"{spec.name} {key} stale"] if stale else []
        return found


@pytest.mark.parametrize("seed", range(often(2, 40)))
def test_rows_that_move_are_neither_lost_nor_stale_nor_ghosts(copy: Services, busy: Server, seed: int) -> None:
    """First load and later runs, each while 10 rows change, 3 go and 2 come with every page that is read."""
    account, world = connect(copy, busy), busy.world
    for sweep in (True, True, False):
        witness = Witness(copy, account, world)
        with Churn(world, seed) as churn:
            view = run(copy, account, sweep=sweep)
        assert view.state == "done"
        assert churn.pages > (20 if sweep else 3)
        assert witness.gaps(churn.touched) == []
    settled = run(copy, account)  # people have gone home
    assert settled.proved, settled.errors
    assert difference(copy, account, world) == []
    note(SEEDS)
    note(RUNS, 4)


@pytest.mark.parametrize("seed", range(often(1, 10)))
def test_restorations_one_a_page_are_not_lost(copy: Services, busy: Server, seed: int) -> None:
    """A record that comes back moves others into pages that were read already: a second pass reads those."""
    account, world = connect(copy, busy), busy.world
    world.bulk_delete("contacts", 200)
    witness = Witness(copy, account, world)
    with Churn(world, seed, updates=0, deletes=0, inserts=0, restores=1) as churn:
        first = run(copy, account)
    assert (first.state, first.stream("contacts").percent) == ("done", 100)
    assert witness.gaps(churn.touched) == []
    assert run(copy, account).proved
    assert difference(copy, account, world) == []


def test_a_second_pass_finds_what_came_back_in_front(copy: Services, busy: Server) -> None:
    """300 come back in the first pages when the last ones have been read: rows of the pages between move past us."""
    account, world = connect(copy, busy), busy.world
    gone = world.ids("contacts")[:300]
    world.delete("contacts", *gone)
    _once(world, at_page(world, "contacts", "page=5&"), lambda: world.restore("contacts", *gone))
    view = run(copy, account)
    assert view.proved, view.errors
    assert view.stream("contacts").pages > 9
    assert at_once(view)
    assert difference(copy, account, world) == []


@pytest.mark.parametrize("number", some(range(1, 10), 4))
@pytest.mark.parametrize("sweep", [True, False], ids=["sweep", "delta"])
def test_300_deleted_at_once_hide_nobody(copy: Services, busy: Server, number: int, sweep: bool) -> None:
    """Whatever page is being read just then."""
    account, world = connect(copy, busy), busy.world
    if not sweep:
        run(copy, account)
    witness = Witness(copy, account, world)
    gone: set[tuple[str, int]] = set()
    where = at_page(world, "contacts", f"page={number}&") if sweep else lambda _m, path, _q: path.endswith("contacts")
    _once(world, where, lambda: gone.update(("contacts", key) for key in world.bulk_delete("contacts", 300)))
    view = run(copy, account)
    assert len(gone) == 300
    assert view.proved, view.errors
    assert in_one_go(view) or not sweep
    deals = {("leads", key) for key in listed(world, streams.DEALS)}  # those of the gone have lost a link
    assert witness.gaps(gone | deals) == []
    assert difference(copy, account, world) == []


@pytest.mark.parametrize("seed", range(often(1, 10)))
@pytest.mark.parametrize("how", ["500_after", "truncated"])
def test_a_page_that_is_asked_for_again_hides_nobody(copy: Services, busy: Server, how: str, seed: int) -> None:
    """Every second page fails once, when Kommo has worked; rows move on between the two requests."""
    account, world = connect(copy, busy), busy.world
    for skip in range(6):
        world.fail(PAGES, times=1, how=how, skip=skip)
    for sweep in (True, True):
        witness = Witness(copy, account, world)
        with Churn(world, seed) as churn:
            assert run(copy, account, sweep=sweep).state == "done"
        assert witness.gaps(churn.touched) == []
    note(FAULTS, 6)
    assert run(copy, account).proved
    assert difference(copy, account, world) == []


@pytest.mark.parametrize("number", [2, 3, 4])
def test_bands_that_meet_leave_nobody_between_them(copy: Services, busy: Server, number: int) -> None:
    """The upper band comes late to the border; the lower one had begun, and rows have moved down past it since."""
    account, world = connect(copy, busy), busy.world
    late = PAGES.replace(r"(contacts|leads)\?page=\d+", r"contacts\?page=[6789]")
    world.fail(late, times=None, how="slow", seconds=0.3)
    front = world.ids("contacts")[:40]
    _once(world, at_page(world, "contacts", f"page={number}&"), lambda: world.delete("contacts", *front))
    view = run(copy, account)
    assert view.proved, view.errors
    assert in_one_go(view)
    assert difference(copy, account, world) == []


def test_a_whole_page_in_one_second_is_read_to_its_end(services: Services, busy: Server) -> None:
    """800 rows change in the same second after their pages were read: the keyset must go through that second."""
    account, world = connect(services, busy), busy.world

    def change() -> None:
        moment = int(world.state.clock())
        with world.changing():
            for key in world.ids("contacts")[:800]:
                world.update("contacts", key, name="No mesmo segundo", updated_at=moment)

    _once(world, at_page(world, "leads", "page="), change)  # contacts are read by now
    view = run(services, account)
    assert view.proved, view.errors
    assert in_one_go(view)
    assert difference(services, account, world) == []


@pytest.mark.parametrize("order", ["id_desc", "updated_desc"])
def test_an_ignored_order_is_noticed(copy: Services, busy: Server, order: str) -> None:
    """Kommo ignores `order` without a word: then there are no bands, and every page is read twice."""
    busy.world.turn(order_ignored=True, default_order=order)
    account = connect(copy, busy)
    assert run(copy, account).proved
    assert difference(copy, account, busy.world) == []
    for sweep in (True, False):
        with Churn(busy.world, 1):
            run(copy, account, sweep=sweep)
        assert run(copy, account).proved
    assert difference(copy, account, busy.world) == []


def in_one_go(view: RunView) -> bool:
    """Whether one pass of nine pages was enough: a gap that the proof finds and a second pass mends is a gap still."""
    contacts = view.stream("contacts")
    return contacts.pages <= 9 and at_once(view)


Where = Callable[[str, str, str], bool]


def at_page(_world: World, kind: str, page: str) -> Where:
    """Whether a request is for that page of a whole list."""
    return lambda _method, path, query: (
        path == f"/api/v4/{kind}" and query.startswith(page) and "limit=250" in query and "filter" not in query
    )


def _once(world: World, where: Where, what: Callable[[], object]) -> None:
    """Let something happen at the first request of that kind, and at no other."""
    lock = threading.Lock()

    def hook(method: str, path: str, query: str) -> None:
        if where(method, path, query) and lock.acquire(blocking=False):
            what()

    world.before_request = hook
