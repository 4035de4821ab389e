"""A later run costs what changed, and the copy is exact after it for all that Kommo reports."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select, update

from kommo.connect import flow
from kommo.connect.access import Access
from kommo.crm.token import read_token
from kommo.db import reading, writing
from kommo.sandbox import MovableClock, Server, World, make_world, serve
from kommo.services import Services
from kommo.store import marks
from kommo.store.progress import RunView
from kommo.store.tables import Company, CustomField, KommoUser, LossReason, Pipeline, Stage, SyncEvent, Wallet
from tests.sync.accounts import at_once, connect, difference, run

QUIET = 10  # requests of a run that finds nothing, the proof included


@pytest.fixture
def clock() -> MovableClock:
    """Kommo's clock, which a test can move."""
    return MovableClock()


@pytest.fixture
def shop(clock: MovableClock) -> Iterator[Server]:
    """An account of three and two pages: the proof does not see all of it, and nothing is cheap by being small."""
    with serve(make_world(contacts=600, deals=300, clock=clock)) as server:
        yield server


@pytest.fixture
def large() -> Iterator[Server]:
    """An account of twelve and ten pages: more than a run of what changed would read by the way."""
    with serve(make_world(contacts=3000, deals=2500)) as server:
        yield server


def cost(services: Services, account: int, world: World) -> tuple[RunView, int]:
    """A later run, and how many requests Kommo counted."""
    world.reset()
    view = run(services, account)
    assert view.mode == "delta"
    return view, world.requests


def versions(services: Services) -> dict[int, int]:
    """When each row of the copy was last written."""
    with reading(services.engine) as session:
        return {row.id: row.version for row in session.execute(select(Wallet.id, Wallet.version))}


@pytest.mark.parametrize("turned", [{}, {"events": "402"}, {"events": "403", "only_deleted": "none"}])
def test_a_quiet_account_costs_a_handful_and_writes_nothing(services: Services, shop: Server, turned: dict) -> None:
    """However little the plan gives; every catalogue has its turn in these runs."""
    shop.world.turn(**turned)
    account = connect(services, shop)
    first = run(services, account)
    assert (first.mode, first.proved) == ("sweep", True)
    before = versions(services)
    for _ in range(8):
        view, requests = cost(services, account, shop.world)
        assert view.proved, view.errors
        assert requests <= QUIET
        assert view.requests == requests
    assert versions(services) == before
    assert difference(services, account, shop.world) == []


def test_what_changed_in_one_second_is_not_read_for_ever(services: Services, shop: Server, clock: MovableClock) -> None:
    """800 rows of one second are read again while the overlap covers them; on a quiet account it moves on."""
    account = connect(services, shop)
    run(services, account)
    moment = int(clock()) - 5
    with shop.world.changing():
        for key in shop.world.ids("contacts"):
            shop.world.update("contacts", key, name="Importado", updated_at=moment)
    view, requests = cost(services, account, shop.world)
    assert view.stream("contacts").updated == 600
    assert requests > QUIET
    move(services, account, clock, 1000)
    run(services, account)
    move(services, account, clock, 1000)
    assert cost(services, account, shop.world)[1] <= QUIET
    assert difference(services, account, shop.world) == []


def move(services: Services, account: int, clock: MovableClock, seconds: float) -> None:
    """Let time pass at Kommo and here: here, by having marked it so much earlier."""
    clock.advance(seconds)
    with writing(services.engine) as session:
        mark = marks.mark_of(session, account, marks.RECORDS)
        assert mark is not None
        assert mark.marked_at is not None
        mark.marked_at -= seconds


def _restore_bumpless(world: World) -> None:
    world.turn(restore_bumps=False)
    world.restore("contacts", world.ids("contacts", deleted=True)[0])


def _delete_company(world: World) -> None:
    contact = next(key for key in world.ids("contacts") if world.record("contacts", key)["_embedded"]["companies"])
    world.delete("companies", world.record("contacts", contact)["_embedded"]["companies"][0]["id"])


def _merge_companies(world: World) -> None:
    world.merge("companies", *world.ids("companies")[:2])


def _link_company(world: World) -> None:
    world.link("contacts", world.ids("contacts")[9], "companies", world.ids("companies")[-1])


def _tag(world: World) -> None:
    world.turn(tag_bumps=False)
    world.update("leads", world.ids("leads")[4], _embedded={"tags": [{"id": 991, "name": "campanha", "color": None}]})


def _unlink(world: World) -> None:
    deal = next(key for key in world.ids("leads") if world.contacts_of(key))
    world.unlink("leads", deal, "contacts", world.contacts_of(deal)[0])


CHANGES: dict[str, Callable[[World], object]] = {
    "a contact": lambda world: world.update("contacts", world.ids("contacts")[300], name="Outra"),
    "a deal": lambda world: world.update("leads", world.ids("leads")[150], price=4321),
    "a new contact": lambda world: world.add("contacts", name="Novo"),
    "a new deal": lambda world: world.add("leads", name="Nova"),
    "a contact in a deal, deleted": lambda world: world.delete("contacts", _linked(world)),
    "a deal, deleted": lambda world: world.delete("leads", world.ids("leads")[7]),
    "a contact, deleted for good": lambda world: world.purge("contacts", world.ids("contacts")[7]),
    "a contact, back": lambda world: world.restore("contacts", world.ids("contacts", deleted=True)[0]),
    "a contact, back without a new time": _restore_bumpless,
    "contacts, merged": lambda world: world.merge("contacts", *reversed(world.ids("contacts")[20:22])),
    "deals, merged": lambda world: world.merge("leads", *world.ids("leads")[20:22]),
    "companies, merged": _merge_companies,
    "a company, deleted": _delete_company,
    "a company's name": lambda world: world.update("companies", world.ids("companies")[0], name="Razão nova"),
    "a link to a company": _link_company,
    "a link": lambda world: world.link("leads", world.ids("leads")[1], "contacts", world.ids("contacts")[1]),
    "a link, undone": _unlink,
    "a tag": _tag,
}


def _linked(world: World) -> int:
    alive = set(world.ids("contacts"))
    return next(key for deal in world.ids("leads") for key in world.contacts_of(deal) if key in alive)


@pytest.mark.parametrize("told", ["winner", "loser"])
@pytest.mark.parametrize("change", CHANGES)
def test_every_change_that_kommo_reports_is_found(services: Services, shop: Server, change: str, told: str) -> None:
    """By its time, by an event, or by the count; and it is not found a second time."""
    world = shop.world
    world.turn(merged_event_on=told)
    world.delete("contacts", _linked(world))  # something to bring back
    account = connect(services, shop)
    run(services, account)
    CHANGES[change](world)
    view, requests = cost(services, account, world)
    assert view.proved, view.errors
    assert difference(services, account, world) == []
    only_counted = "for good" in change or (told == "winner" and change in ("contacts, merged", "deals, merged"))
    assert at_once(view) or only_counted
    assert requests <= 40
    before = versions(services)
    assert cost(services, account, world)[1] <= QUIET
    assert versions(services) == before


def test_names_follow_within_a_few_runs(services: Services, shop: Server) -> None:
    """Pipelines, stages and users at once, the rest in turn: no run reads more than three catalogues."""
    world, account = shop.world, connect(services, shop)
    run(services, account)
    pipeline = min(world.state.lists["pipelines"])
    stage = world.state.lists["pipelines"][pipeline]["statuses"][1]["id"]
    user, reason = min(world.state.lists["users"]), min(world.state.lists["loss_reasons"])
    world.change_item("pipelines", pipeline, name="Funil novo")
    world.change_stage(pipeline, stage, name="Etapa nova")
    world.change_item("users", user, name="Pessoa nova")
    world.change_item("loss_reasons", reason, name="Motivo novo")
    company = world.ids("companies")[0]
    world.update("companies", company, name="Empresa nova")
    assert cost(services, account, world)[1] <= QUIET
    assert {name(services, Pipeline, pipeline), name(services, Stage, stage), name(services, KommoUser, user)} == {
        "Funil novo", "Etapa nova", "Pessoa nova",
    }  # fmt: skip
    for _ in range(5):
        assert cost(services, account, world)[1] <= QUIET
    assert name(services, LossReason, reason) == "Motivo novo"
    assert name(services, Company, company) == "Empresa nova"


def test_a_field_s_new_name_is_in_every_record_that_has_it(services: Services, shop: Server) -> None:
    """No record says that it changed: the stream is read whole once the field's definition is seen to be another."""
    world, account = shop.world, connect(services, shop)
    run(services, account)
    field = min(world.state.lists["leads/custom_fields"])
    world.change_item("leads/custom_fields", field, name="Campo novo")
    views = [run(services, account) for _ in range(6)]
    assert {view.mode for view in views} == {"delta"}
    assert [view.stream("contacts").pages for view in views] == [0] * 6
    assert 1 <= sum(view.stream("deals").pages > 0 for view in views) <= 2  # the second look may see it first
    assert name(services, CustomField, field) == "Campo novo"
    assert difference(services, account, world) == []


def name(services: Services, model: type, key: int) -> str:
    """What a catalogue has as the name of an id."""
    with reading(services.engine) as session:
        return session.scalars(select(model.name).where(model.id == key)).first()


@pytest.mark.parametrize("sweep", [True, False])
def test_a_name_that_came_into_being_while_records_were_read_is_asked_for(
    services: Services, shop: Server, sweep: bool
) -> None:
    """A user, a stage and a loss reason made after the catalogues, and a deal that has all three."""
    world, account = shop.world, connect(services, shop)
    run(services, account)
    made: dict[type, int] = {}

    def make(_method: str, path: str, query: str) -> None:
        if path != "/api/v4/leads" or "limit=250" not in query:
            return
        world.before_request = None
        made[KommoUser] = world.add_item("users", "Chegou Agora")
        made[LossReason] = world.add_item("loss_reasons", "Motivo de agora")
        pipeline = world.add_item("pipelines", "Funil de agora")
        made[Pipeline] = pipeline
        stage = world.state.lists["pipelines"][pipeline]["statuses"][-1]["id"]
        world.update(
            "leads", world.ids("leads")[0], responsible_user_id=made[KommoUser], pipeline_id=pipeline,
            status_id=stage, loss_reason_id=made[LossReason],
        )  # fmt: skip

    world.before_request = make
    assert run(services, account, sweep=sweep).proved
    names = {model: name(services, model, key) for model, key in made.items()}
    assert names == {KommoUser: "Chegou Agora", LossReason: "Motivo de agora", Pipeline: "Funil de agora"}
    assert difference(services, account, world) == []


@pytest.mark.parametrize("kind", ["contacts", "leads"])
@pytest.mark.parametrize("count", [1, 2])
def test_what_nobody_tells_is_found_by_rank(services: Services, large: Server, kind: str, count: int) -> None:
    """Records gone for good without a word: the count is off, and halving finds the pages, without reading all."""
    world, account = large.world, connect(services, large)
    run(services, account)
    ids = world.ids(kind)
    world.purge(kind, *(ids[len(ids) * number // 4 + 7] for number in range(count)))
    view, requests = cost(services, account, world)
    assert view.proved, view.errors
    assert difference(services, account, world) == []
    assert requests < 50
    assert view.stream("contacts" if kind == "contacts" else "deals").pages == 0  # nothing was read whole


def test_what_is_back_without_a_word_is_found_by_rank(services: Services, large: Server) -> None:
    world = large.world
    world.turn(delete_events=False, only_deleted="none", restore_bumps=False, delete_bumps=False)
    gone = world.ids("contacts")[1500]
    world.delete("contacts", gone)
    account = connect(services, large)
    run(services, account)
    world.restore("contacts", gone)
    view, _ = cost(services, account, world)
    assert (view.proved, view.stream("contacts").created, view.stream("contacts").pages) == (True, 1, 0)
    assert difference(services, account, world) == []


def test_more_differences_than_that_are_found_by_reading_all(services: Services, large: Server) -> None:
    world, account = large.world, connect(services, large)
    run(services, account)
    world.purge("contacts", *world.ids("contacts")[::100])
    view, _ = cost(services, account, world)
    assert (view.proved, view.stream("contacts").deleted) == (True, 30)
    assert view.stream("contacts").pages > 10
    assert difference(services, account, world) == []


def test_a_record_that_is_held_otherwise_brings_a_reading_of_all(services: Services, shop: Server) -> None:
    """Nothing changed at Kommo, yet what is held differs: the second look sees it, and does not stop at it."""
    world, account = shop.world, connect(services, shop)
    run(services, account)
    last, other = world.ids("contacts")[-1], world.ids("contacts")[100]
    with writing(services.engine) as session:
        session.execute(update(Wallet).where(Wallet.remote_id.in_((last, other))).values(title="Estragado"))
        session.execute(update(Wallet).where(Wallet.remote_id == other).values(content_hash=b"?"))
    assert difference(services, account, world) != []
    view, _ = cost(services, account, world)
    assert view.proved, view.errors
    assert view.stream("contacts").pages > 0
    assert difference(services, account, world) == []


@pytest.mark.parametrize("skew", [3600, -3600])
def test_later_runs_go_by_the_clock_of_the_records(services: Services, shop: Server, skew: int) -> None:
    """The `Date` header is an hour off: what changes is found all the same, run after run."""
    world, account = shop.world, connect(services, shop)
    world.turn(clock_skew=skew)
    run(services, account)
    for number in range(3):
        world.update("contacts", world.ids("contacts")[10 + number], name=f"Mudou {number}")
        world.add("leads", name=f"Nova {number}")
        assert cost(services, account, world)[0].proved
        assert difference(services, account, world) == []


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
def test_a_clock_that_jumps_at_kommo_loses_nothing(
    services: Services, shop: Server, clock: MovableClock, seconds: float
) -> None:
    world, account = shop.world, connect(services, shop)
    run(services, account)
    for jump in (seconds, -seconds):
        clock.advance(jump)
        world.update("contacts", world.ids("contacts")[40], name=f"Depois de {jump}")
        world.delete("leads", world.ids("leads")[3])
        assert cost(services, account, world)[0].proved
        assert difference(services, account, world) == []


def test_a_record_from_the_future_hides_nothing(services: Services, shop: Server) -> None:
    """A writer set a change into the year 2100: the watermark stays where Kommo's clock is."""
    world, account = shop.world, connect(services, shop)
    run(services, account)
    world.update("contacts", world.ids("contacts")[0], name="Do futuro", updated_at=4_102_444_800)
    assert cost(services, account, world)[0].proved
    world.update("contacts", world.ids("contacts")[1], name="De hoje")
    view, requests = cost(services, account, world)
    assert (view.proved, requests <= QUIET) == (True, True)
    assert difference(services, account, world) == []


def test_an_event_that_shows_late_is_not_missed(services: Services, shop: Server, clock: MovableClock) -> None:
    """Kommo shows an event ten minutes after it happened; counts are as they were."""
    world, account = shop.world, connect(services, shop)
    run(services, account)
    world.turn(events_lag=600, delete_bumps=False)
    world.link("leads", world.ids("leads")[1], "contacts", world.ids("contacts")[1])
    run(services, account)
    move(services, account, clock, 650)
    assert cost(services, account, world)[0].proved
    assert difference(services, account, world) == []


def test_events_acted_upon_are_forgotten_in_time(services: Services, shop: Server, clock: MovableClock) -> None:
    world, account = shop.world, connect(services, shop)
    run(services, account)
    world.link("leads", world.ids("leads")[1], "contacts", world.ids("contacts")[1])
    run(services, account)
    assert kept(services) == 2
    for _ in range(3):
        move(services, account, clock, 1000)
        run(services, account)
    assert kept(services) == 0


def kept(services: Services) -> int:
    """How many events are remembered."""
    with reading(services.engine) as session:
        return len(list(session.scalars(select(SyncEvent.event_id))))


def test_another_token_means_a_sweep(services: Services, shop: Server) -> None:
    """It may see more, or less, than the one before; the same one again means nothing."""
    account = connect(services, shop)
    run(services, account)
    connect(services, shop)
    assert run(services, account).mode == "delta"
    token = shop.world.token(lifetime=777_777)
    access = Access(token, read_token(token), shop.address)
    flow.keep(services, "1", access, flow.test(services, access, full=False))
    assert run(services, account).mode == "sweep"


def test_a_sweep_comes_by_itself_once_a_week(services: Services, shop: Server) -> None:
    """What Kommo does not tell is not to stay unseen for ever."""
    account = connect(services, shop)
    run(services, account)
    with writing(services.engine) as session:
        mark = marks.mark_of(session, account, marks.RECORDS)
        assert mark is not None
        assert mark.swept_at is not None
        mark.swept_at -= 8 * 86_400
    assert run(services, account).mode == "sweep"
    assert run(services, account).mode == "delta"


@pytest.mark.parametrize("path", ["contacts", "leads", "events", r"leads\?.*filter\[id\].*"])
def test_a_later_run_that_fails_leaves_the_watermark(services: Services, shop: Server, path: str) -> None:
    """What it would have read is read by the next one."""
    world, account = shop.world, connect(services, shop)
    run(services, account)
    world.update("contacts", world.ids("contacts")[0], name="Não se perde")
    world.link("leads", world.ids("leads")[1], "contacts", world.ids("contacts")[1])
    world.fail(rf"GET /api/v4/{path}", times=None, how="truncated")
    assert run(services, account).state == "failed"
    world.heal()
    view, _ = cost(services, account, world)
    assert (view.proved, at_once(view)) == (True, True)
    assert difference(services, account, world) == []
