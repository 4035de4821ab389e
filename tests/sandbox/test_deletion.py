"""The trash, merges, purges, and pages that shift while somebody reads them."""

from __future__ import annotations

import pytest

from kommo.sandbox import MovableClock, World

from .conftest import NOW, Api

KINDS = ["contacts", "leads", "companies"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_trashed_record_is_nowhere_but_in_the_trash(api: Api, world: World, clock: MovableClock, kind: str) -> None:
    one = world.ids(kind)[3]
    clock.advance(50)
    world.delete(kind, one)

    assert one not in api.ids(kind, "limit=250")
    assert api.ids(kind, f"filter[id][]={one}") == []
    assert api.get(f"{kind}/{one}").status_code == 204
    (row,) = api.rows(kind, "with=only_deleted")
    assert row == {"id": one, "updated_at": NOW + 50, "updated_by": 7001, "is_deleted": True}
    assert world.ids(kind, deleted=True) == [one]


@pytest.mark.parametrize("kind", KINDS)
def test_a_restored_record_comes_back_under_its_id(api: Api, world: World, clock: MovableClock, kind: str) -> None:
    one = world.ids(kind)[3]
    before = world.record(kind, one)
    world.delete(kind, one)
    clock.advance(50)
    world.restore(kind, one)

    after = api.get(f"{kind}/{one}").json()
    assert after == {**before, "updated_at": NOW + 50, "updated_by": 7001}
    assert api.query(kind, "with=only_deleted").status_code == 204


def test_the_trash_is_filtered_like_any_list(api: Api, world: World, clock: MovableClock) -> None:
    first, second = world.ids("leads")[:2]
    world.delete("leads", first)
    clock.advance(100)
    world.delete("leads", second)

    assert api.ids("leads", f"with=only_deleted&filter[updated_at][from]={NOW + 100}") == [second]
    assert api.ids("leads", "with=only_deleted&order[updated_at]=desc") == [second, first]


def test_deleting_and_restoring_twice_is_an_error(world: World) -> None:
    one = world.ids("leads")[0]
    with pytest.raises(KeyError):
        world.restore("leads", one)
    world.delete("leads", one)
    with pytest.raises(KeyError):
        world.delete("leads", one)


def test_a_purged_record_is_told_of_by_nobody(api: Api, world: World, clock: MovableClock) -> None:
    clock.advance(10)
    deal = world.add("leads", name="x")
    ana = world.add("contacts", name="Ana")
    world.link("leads", deal, "contacts", ana)
    events = len(world.state.events)
    world.purge("contacts", ana)

    assert api.query("contacts", "with=only_deleted").status_code == 204
    assert api.query(f"leads/{deal}", "with=contacts").json()["_embedded"]["contacts"] == []
    assert len(world.state.events) == events


def test_a_purged_company_leaves_its_people(api: Api, world: World) -> None:
    cafe, ana = world.add("companies", name="Café"), world.add("contacts", name="Ana")
    world.link("companies", cafe, "contacts", ana)
    world.purge("companies", cafe)

    assert api.get(f"contacts/{ana}").json()["_embedded"]["companies"] == []


def test_links_to_a_trashed_record_are_hidden_until_it_is_back(api: Api, world: World) -> None:
    deal, ana = world.add("leads", name="x"), world.add("contacts", name="Ana")
    world.link("leads", deal, "contacts", ana)

    def linked() -> list[int]:
        return [one["id"] for one in api.query(f"leads/{deal}", "with=contacts").json()["_embedded"]["contacts"]]

    assert linked() == [ana]
    world.delete("contacts", ana)
    assert linked() == []
    assert api.get(f"leads/{deal}/links").json()["_total_items"] == 0
    world.restore("contacts", ana)
    assert linked() == [ana]


def test_a_merge_moves_the_links_and_the_loser_vanishes(api: Api, world: World, clock: MovableClock) -> None:
    ana, also_ana, bruno = (world.add("contacts", name=name) for name in ("Ana", "Ana L.", "Bruno"))
    shared, own = world.add("leads", name="dos dois"), world.add("leads", name="só da outra")
    for deal, contact in ((shared, ana), (shared, also_ana), (shared, bruno), (own, also_ana)):
        world.link("leads", deal, "contacts", contact)
    clock.advance(30)
    world.merge("contacts", ana, also_ana)

    assert world.contacts_of(own) == [ana]
    assert sorted(world.contacts_of(shared)) == [ana, bruno]
    assert api.get(f"contacts/{also_ana}").status_code == 204
    assert api.query("contacts", "with=only_deleted").status_code == 204
    assert world.record("contacts", ana)["updated_at"] == NOW + 30
    assert {one["id"] for one in api.query(f"contacts/{ana}", "with=leads").json()["_embedded"]["leads"]} == {
        shared,
        own,
    }


def test_deals_and_companies_merge_too(world: World) -> None:
    one, two, ana = world.add("leads", name="1"), world.add("leads", name="2"), world.add("contacts", name="Ana")
    cafe, also = world.add("companies", name="Café"), world.add("companies", name="Cafe")
    world.link("leads", two, "contacts", ana)
    world.link("contacts", ana, "companies", also)

    world.merge("leads", one, two)
    world.merge("companies", cafe, also)

    assert world.contacts_of(one) == [ana]
    assert world.record("contacts", ana)["_embedded"]["companies"][0]["id"] == cafe
    with pytest.raises(KeyError):
        world.merge("leads", one, two)


def test_many_at_once(api: Api, world: World) -> None:
    before = world.ids("contacts")

    gone = world.bulk_delete("contacts", 25)

    assert len(gone) == 25
    assert api.ids("contacts", "limit=250") == [one for one in before if one not in gone]
    assert sorted(api.ids("contacts", "with=only_deleted&limit=250")) == gone
    assert (world.count("contacts"), len(world.bulk_delete("contacts", 1000))) == (35, 35)


def test_reading_forwards_skips_rows_when_earlier_ones_go(api: Api, world: World) -> None:
    """Why a sweep reads from the last page to the first: real offsets over live data."""
    everything = world.ids("contacts")
    first = api.ids("contacts", "order[id]=asc&limit=20&page=1")
    world.delete("contacts", *everything[:5])
    second = api.ids("contacts", "order[id]=asc&limit=20&page=2")

    assert first == everything[:20]
    assert second == everything[25:45]


def test_reading_backwards_repeats_rows_instead(api: Api, world: World) -> None:
    everything = world.ids("contacts")
    last = api.ids("contacts", "order[id]=asc&limit=20&page=3")
    world.delete("contacts", *everything[:5])
    middle = api.ids("contacts", "order[id]=asc&limit=20&page=2")

    assert last == everything[40:]
    assert middle == everything[25:45]


def test_a_changed_row_jumps_to_the_end_of_its_list(api: Api, world: World, clock: MovableClock) -> None:
    order = api.ids("contacts", "order[updated_at]=asc&limit=250")
    clock.advance(10)
    world.update("contacts", order[0], name="Mudou")

    assert api.ids("contacts", "order[updated_at]=asc&limit=250") == [*order[1:], order[0]]


def test_churn_between_two_pages_by_a_hook(api: Api, world: World) -> None:
    """`before_request` runs under no lock: it may change the world, through the world or over HTTP."""
    asked: list[tuple[str, str, str]] = []

    def churn(method: str, path: str, query: str) -> None:
        asked.append((method, path, query))
        world.delete("contacts", world.ids("contacts")[0])

    world.before_request = churn
    api.query("contacts", "page=1&limit=5")
    api.query("contacts", "page=2&limit=5")

    assert asked == [("GET", "/api/v4/contacts", "page=1&limit=5"), ("GET", "/api/v4/contacts", "page=2&limit=5")]
    assert len(world.ids("contacts", deleted=True)) == 2


def test_directories_lose_entries_that_records_still_speak_of(api: Api, world: World) -> None:
    deal = world.record("leads", world.add("leads", name="x", responsible_user_id=7004))
    world.remove_stage(deal["pipeline_id"], deal["status_id"])
    world.remove_item("users", 7004)

    found = api.get(f"leads/{deal['id']}").json()
    stages = [one["id"] for one in api.rows(f"leads/pipelines/{deal['pipeline_id']}/statuses")]
    assert found["status_id"] == deal["status_id"]
    assert deal["status_id"] not in stages
    assert api.get("users/7004").status_code == 404
    assert found["responsible_user_id"] == 7004


def test_directories_grow_and_change_names(api: Api, world: World) -> None:
    pipeline = world.add_item("pipelines", "Eventos", stages=("Novo",))
    stage = world.add_stage(pipeline, "Segundo")
    world.change_item("pipelines", pipeline, name="Festas")
    world.change_stage(pipeline, stage, name="Último")
    user = world.add_item("users", "Iara Lopes", is_active=True)
    field = world.add_item("contacts/custom_fields", "Time", type="select", enums=("A", "B"))
    reason = world.add_item("loss_reasons", "Sumiu")

    body = api.get(f"leads/pipelines/{pipeline}").json()
    assert body["name"] == "Festas"
    assert [one["name"] for one in body["_embedded"]["statuses"]] == [
        "Leads de entrada", "Novo", "Último", "Fechado - ganho", "Fechado - perdido",
    ]  # fmt: skip
    assert api.get(f"users/{user}").json()["name"] == "Iara Lopes"
    assert [one["value"] for one in api.get(f"contacts/custom_fields/{field}").json()["enums"]] == ["A", "B"]
    assert api.get(f"leads/loss_reasons/{reason}").json()["name"] == "Sumiu"


def test_keys_can_be_spoilt_or_taken_away(api: Api, world: World) -> None:
    one = world.add("contacts", name=None, custom_fields_values=..., updated_at=None)

    found = api.get(f"contacts/{one}").json()

    assert (found["name"], found["updated_at"]) == (None, None)
    assert "custom_fields_values" not in found


def test_several_changes_are_seen_all_or_none(api: Api, world: World) -> None:
    version = world.state.version
    with world.changing():
        world.add("contacts", name="Ana")
        world.add("contacts", name="Bruno")

    assert world.state.version == version + 1
    assert [row["name"] for row in api.rows("contacts", "order[id]=desc&limit=2")] == ["Bruno", "Ana"]
