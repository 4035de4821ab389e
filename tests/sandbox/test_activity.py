"""Notes, tasks and links."""

from __future__ import annotations

from typing import Any

import pytest

from kommo.sandbox import MovableClock, World

from .conftest import NOW, Api, errors


@pytest.fixture
def deal(world: World) -> int:
    return world.add("leads", name="Bolo", updated_at=NOW - 1000, created_at=NOW - 1000)


def test_a_note_on_any_of_a_kind(api: Api, world: World, deal: int, clock: MovableClock) -> None:
    sent = {"entity_id": deal, "note_type": "common", "params": {"text": "ligou"}, "request_id": "n1"}

    (made,) = api.post("leads/notes", [sent]).json()["_embedded"]["notes"]

    assert (made["entity_id"], made["request_id"]) == (deal, "n1")
    note = api.get(f"leads/notes/{made['id']}").json()
    assert list(note) == [
        "id", "entity_id", "created_by", "updated_by", "created_at", "updated_at", "responsible_user_id", "group_id",
        "note_type", "params", "account_id", "_links",
    ]  # fmt: skip
    assert (note["params"], note["created_at"]) == ({"text": "ligou"}, NOW)
    assert world.record("leads", deal)["updated_at"] == NOW - 1000


def test_a_note_on_one_record_needs_no_id_in_the_body(api: Api, deal: int) -> None:
    (made,) = api.post(f"leads/{deal}/notes", [{"note_type": "common", "params": {"text": "a"}}]).json()["_embedded"][
        "notes"
    ]

    assert api.ids(f"leads/{deal}/notes") == [made["id"]]
    assert api.get(f"leads/{deal}/notes/{made['id']}").json()["entity_id"] == deal
    assert api.get(f"leads/{deal + 1}/notes/{made['id']}").status_code == 404
    assert made["id"] in api.ids("leads/notes", "order[id]=desc&limit=1")
    assert made["id"] not in api.ids("contacts/notes", "limit=250")


def test_notes_by_type_entity_and_time(api: Api, world: World, deal: int, clock: MovableClock) -> None:
    clock.advance(100)
    params = {"uniq": "u", "duration": 5, "source": "s", "link": "", "phone": "1"}
    body = [
        {"entity_id": deal, "note_type": "common", "params": {"text": "a"}},
        {"entity_id": deal, "note_type": "call_in", "params": params},
    ]
    text, call = [one["id"] for one in api.post("leads/notes", body).json()["_embedded"]["notes"]]

    assert api.ids("leads/notes", f"filter[updated_at][from]={NOW + 100}") == [text, call]
    assert api.ids("leads/notes", f"filter[note_type][]=call_in&filter[entity_id][]={deal}") == [call]
    assert api.ids("leads/notes", f"filter[id][]={text}") == [text]
    assert api.ids(f"leads/{deal}/notes", "filter[note_type]=common") == [text]
    assert api.query(f"leads/{deal}/notes", "page=9").status_code == 204


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"note_type": "common", "params": {"text": "x"}, "entity_id": 1}, "entity_id"),
        ({"note_type": "poema", "params": {}}, "note_type"),
        ({"note_type": "common", "params": {}}, "params.text"),
        ({"note_type": "common"}, "params.text"),
    ],
)
def test_a_note_that_is_refused(api: Api, deal: int, item: dict[str, Any], path: str) -> None:
    assert ("0", path) in [one[:2] for one in errors(api.post("leads/notes", [{"entity_id": deal, **item}]))]
    assert api.ids(f"leads/{deal}/notes") == []


def test_a_note_is_changed_and_pinned(api: Api, deal: int, clock: MovableClock) -> None:
    note = api.post(f"leads/{deal}/notes", [{"note_type": "common", "params": {"text": "a"}}]).json()["_embedded"][
        "notes"
    ][0]["id"]
    clock.advance(9)

    one = api.patch(f"leads/{deal}/notes/{note}", {"note_type": "common", "params": {"text": "b"}}).json()
    many = api.patch("leads/notes", [{"id": note, "entity_id": deal, "params": {"text": "c"}}]).json()

    assert one["updated_at"] == NOW + 9
    assert many["_embedded"]["notes"][0]["request_id"] == "0"
    assert api.get(f"leads/notes/{note}").json()["params"] == {"text": "c"}
    assert api.ask("POST", f"leads/{deal}/notes/{note}/pin").status_code == 204
    assert api.get(f"leads/notes/{note}", **{"with": "is_pinned"}).json()["is_pinned"] is True
    assert api.ask("POST", f"leads/notes/{note}/unpin").status_code == 204
    assert api.get(f"leads/notes/{note}", **{"with": "is_pinned"}).json()["is_pinned"] is False
    assert "is_pinned" not in api.get(f"leads/notes/{note}").json()
    assert api.ask("POST", "leads/notes/1/pin").status_code == 404
    assert api.patch("leads/notes/1", {"params": {}}).status_code == 404
    assert errors(api.patch("leads/notes", [{"id": 1}])) == [("0", "id", "NotSupportedChoice")]


def test_notes_of_a_record_that_is_not_there(api: Api) -> None:
    assert api.get("contacts/1/notes").status_code == 404
    assert api.get("contacts/notes/1").status_code == 404


def test_a_task_from_start_to_end(api: Api, world: World, deal: int, clock: MovableClock) -> None:
    due = NOW + 3600
    sent = {
        "text": "Ligar", "complete_till": due, "task_type_id": 1, "entity_id": deal, "entity_type": "leads",
        "responsible_user_id": 7002,
    }  # fmt: skip

    (made,) = api.post("tasks", [sent]).json()["_embedded"]["tasks"]

    assert made["request_id"] == "0"
    stored = api.get(f"tasks/{made['id']}").json()
    assert list(stored) == [
        "id", "created_by", "updated_by", "created_at", "updated_at", "responsible_user_id", "group_id", "entity_id",
        "entity_type", "duration", "is_completed", "task_type_id", "text", "result", "complete_till", "account_id",
        "_links",
    ]  # fmt: skip
    assert (stored["is_completed"], stored["result"]) == (False, [])
    assert world.record("leads", deal)["closest_task_at"] == due
    assert world.record("leads", deal)["updated_at"] == NOW - 1000

    clock.advance(60)
    body = api.patch(f"tasks/{made['id']}", {"is_completed": True, "result": {"text": "feito"}}).json()
    assert (body["id"], body["updated_at"]) == (made["id"], NOW + 60)
    assert api.get(f"tasks/{made['id']}").json()["result"] == {"text": "feito"}
    assert world.record("leads", deal)["closest_task_at"] is None


def test_the_closest_of_several_tasks(api: Api, world: World, deal: int) -> None:
    body = [
        {"text": "x", "complete_till": NOW + seconds, "entity_id": deal, "entity_type": "leads"}
        for seconds in (900, 300, 600)
    ]
    ids = [one["id"] for one in api.post("tasks", body).json()["_embedded"]["tasks"]]
    assert world.record("leads", deal)["closest_task_at"] == NOW + 300

    api.patch("tasks", [{"id": ids[1], "is_completed": True}])

    assert world.record("leads", deal)["closest_task_at"] == NOW + 600


def test_tasks_by_state_person_kind_and_record(api: Api, world: World, deal: int) -> None:
    contact = world.ids("contacts")[0]
    body = [
        {"text": "a", "complete_till": NOW + 5, "entity_id": deal, "entity_type": "leads", "task_type_id": 2},
        {"text": "b", "complete_till": NOW + 1, "entity_id": contact, "entity_type": "contacts", "is_completed": True},
    ]
    a, b = [one["id"] for one in api.post("tasks", body).json()["_embedded"]["tasks"]]

    def some(query: str) -> list[Any]:
        return [one for one in api.ids("tasks", f"{query}&limit=250") if one in (a, b)]

    assert some("filter[is_completed]=1") == [b]
    assert some("filter[is_completed][]=0") == [a]
    assert some("filter[task_type][]=2") == [a]
    assert some("filter[task_type_id]=1") == [b]
    assert some(f"filter[entity_type]=contacts&filter[entity_id][]={contact}") == [b]
    assert some("filter[responsible_user_id]=7001") == [a, b]
    assert some(f"filter[updated_at][from]={NOW}") == [a, b]
    order = [one for one in api.ids("tasks", "order[complete_till]=asc&limit=250") if one in (a, b)]
    assert order == [b, a]


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"text": "x"}, "complete_till"),
        ({"complete_till": 5}, "text"),
        ({"text": "x", "complete_till": 5, "entity_type": "lead", "entity_id": 1}, "entity_type"),
        ({"text": "x", "complete_till": 5, "entity_type": "leads", "entity_id": 1}, "entity_id"),
        ({"text": "x", "complete_till": 5, "responsible_user_id": 1}, "responsible_user_id"),
        ({"text": "x", "complete_till": 5, "cor": 1}, "cor"),
    ],
)
def test_a_task_that_is_refused(api: Api, item: dict[str, Any], path: str) -> None:
    before = len(api.ids("tasks", "limit=250"))

    assert [one[1] for one in errors(api.post("tasks", [item]))] == [path]
    assert len(api.ids("tasks", "limit=250")) == before


def test_a_task_that_is_not_there(api: Api) -> None:
    assert api.get("tasks/1").status_code == 204
    assert api.patch("tasks/1", {"text": "x"}).status_code == 404
    assert errors(api.patch("tasks", [{"id": 1, "text": "x"}])) == [("0", "id", "NotSupportedChoice")]


def test_linking_and_unlinking(api: Api, world: World, deal: int) -> None:
    ana, bruno, cafe = world.add("contacts", name="Ana"), world.add("contacts", name="Bruno"), world.ids("companies")[0]
    wanted = [
        {"to_entity_id": ana, "to_entity_type": "contacts"},
        {"to_entity_id": bruno, "to_entity_type": "contacts", "metadata": {"is_main": True}},
        {"to_entity_id": cafe, "to_entity_type": "companies"},
    ]

    body = api.post(f"leads/{deal}/link", wanted).json()

    shown = {one["to_entity_id"]: one["metadata"] for one in body["_embedded"]["links"]}
    assert shown == {ana: {"main_contact": False}, bruno: {"main_contact": True}, cafe: None}
    assert body["_embedded"]["links"][0]["entity_id"] == deal
    assert api.get(f"leads/{deal}/links").json()["_total_items"] == 3
    assert [one["to_entity_id"] for one in api.rows(f"contacts/{ana}/links")] == [deal]
    assert deal in [one["to_entity_id"] for one in api.rows(f"companies/{cafe}/links", "filter[to_entity_type]=leads")]
    assert api.rows(f"leads/{deal}/links", f"filter[to_entity_type]=contacts&filter[to_entity_id]={ana}")[0]["metadata"]
    assert world.record("leads", deal)["updated_at"] == NOW - 1000

    assert api.post(f"leads/{deal}/unlink", wanted[1:]).status_code == 204
    assert [one["to_entity_id"] for one in api.rows(f"leads/{deal}/links")] == [ana]
    assert world.record("leads", deal)["_embedded"]["companies"] == []


def test_a_record_without_links_has_an_empty_list(api: Api, deal: int) -> None:
    body = api.get(f"leads/{deal}/links").json()

    assert (body["_total_items"], body["_embedded"]["links"]) == (0, [])


def test_a_contact_has_one_company_at_most(api: Api, world: World) -> None:
    ana, (one, two) = world.add("contacts", name="Ana"), world.ids("companies")[:2]

    for company in (one, two):
        api.post(f"contacts/{ana}/link", [{"to_entity_id": company, "to_entity_type": "companies"}])

    assert [ref["id"] for ref in world.record("contacts", ana)["_embedded"]["companies"]] == [two]
    assert ana not in [one["to_entity_id"] for one in api.rows(f"companies/{one}/links")]


@pytest.mark.parametrize(
    "item",
    [
        {"to_entity_id": 1, "to_entity_type": "contacts"},
        {"to_entity_id": 1, "to_entity_type": "leads"},
        {"to_entity_id": "x", "to_entity_type": "contacts"},
        {"to_entity_type": "contacts"},
        {},
    ],
)
def test_a_link_that_is_refused(api: Api, deal: int, item: dict[str, Any]) -> None:
    assert errors(api.post(f"leads/{deal}/link", [item])) == [("0", "to_entity_id", "NotSupportedChoice")]
    assert api.get(f"leads/{deal}/links").json()["_total_items"] == 0


@pytest.mark.parametrize("verb", ["link", "unlink"])
def test_links_of_a_record_that_is_not_there(api: Api, world: World, verb: str) -> None:
    item = {"to_entity_id": world.ids("contacts")[0], "to_entity_type": "contacts"}

    assert api.post(f"leads/1/{verb}", [item]).status_code == 404
    assert api.get("leads/1/links").status_code == 404
