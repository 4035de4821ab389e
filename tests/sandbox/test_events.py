"""The events feed tells of every change."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from kommo.sandbox import MovableClock, World

from .conftest import NOW, Api


@pytest.fixture
def late(clock: MovableClock) -> int:
    """A time after everything the seed tells of."""
    clock.advance(1000)
    return NOW + 1000


def _told(api: Api, since: int, query: str = "") -> list[tuple[str, int]]:
    rows = api.rows("events", f"filter[created_at][from]={since}&limit=100&{query}")
    return [(row["type"], row["entity_id"]) for row in reversed(rows)]


def test_an_event_looks_like_the_documented_one(api: Api, world: World, late: int) -> None:
    contact = world.ids("contacts")[0]
    world.delete("contacts", contact)

    (row,) = api.rows("events", "filter[type]=contact_deleted")

    assert list(row) == [
        "id", "type", "entity_id", "entity_type", "created_by", "created_at", "value_after", "value_before",
        "account_id", "_links", "_embedded",
    ]  # fmt: skip
    assert len(row["id"]) == 26
    assert row["id"].islower() or row["id"].isdigit()
    assert (row["entity_type"], row["created_by"], row["created_at"]) == ("contact", 7001, late)
    assert (row["value_after"], row["value_before"]) == ([], [])
    assert row["_embedded"]["entity"]["id"] == contact
    assert api.get(f"events/{row['id']}").json() == row
    assert api.get(f"events/{'0' * 26}").status_code == 404


@pytest.mark.parametrize(("kind", "one"), [("contacts", "contact"), ("leads", "lead"), ("companies", "company")])
def test_coming_going_and_coming_back(api: Api, world: World, late: int, kind: str, one: str) -> None:
    made = world.add(kind, name="Novo")
    world.delete(kind, made)
    world.restore(kind, made)

    assert _told(api, late) == [(f"{one}_added", made), (f"{one}_deleted", made), (f"{one}_restored", made)]


def test_every_kind_of_change_of_a_deal(api: Api, world: World, late: int) -> None:
    deal = world.add("leads", name="Antes", price=5)
    reference = next(one for one in world.state.lists["leads/custom_fields"].values() if one["name"] == "Referência")
    item = {"field_id": reference["id"], "values": [{"value": "x"}]}
    changes: list[tuple[dict[str, Any], str]] = [
        ({"name": "Depois"}, "name_field_changed"),
        ({"price": 9}, "sale_field_changed"),
        ({"responsible_user_id": 7003}, "entity_responsible_changed"),
        ({"status_id": 142}, "lead_status_changed"),
        ({"tags_to_add": [{"name": "vip"}]}, "entity_tag_added"),
        ({"tags_to_delete": [{"name": "vip"}]}, "entity_tag_deleted"),
        ({"custom_fields_values": [item]}, f"custom_field_{reference['id']}_value_changed"),
    ]

    for sent, _ in changes:
        assert api.patch(f"leads/{deal}", sent).status_code == 200

    assert _told(api, late) == [("lead_added", deal), *((name, deal) for _, name in changes)]


def test_what_the_values_say(api: Api, world: World, late: int) -> None:
    deal = world.add("leads", name="Antes", price=5)
    stage = world.record("leads", deal)["status_id"]
    api.patch(f"leads/{deal}", {"name": "Depois", "status_id": 143, "price": 7})

    rows = {row["type"]: row for row in api.rows("events", f"filter[created_at][from]={late}")}

    pipeline = 8400101
    status = rows["lead_status_changed"]
    assert status["value_before"] == [{"lead_status": {"id": stage, "pipeline_id": pipeline}}]
    assert status["value_after"] == [{"lead_status": {"id": 143, "pipeline_id": pipeline}}]
    assert rows["sale_field_changed"]["value_after"] == [{"sale_field_value": {"sale": 7}}]
    assert rows["name_field_changed"]["value_before"] == [{"name_field_value": {"name": "Antes"}}]


def test_what_a_field_event_says(api: Api, world: World, late: int) -> None:
    contact = world.add("contacts", name="Ana")
    origin = next(one for one in world.state.lists["contacts/custom_fields"].values() if one["name"] == "Origem")
    enum = origin["enums"][2]
    item = {"field_id": origin["id"], "values": [{"enum_id": enum["id"]}]}
    api.patch(f"contacts/{contact}", {"custom_fields_values": [item]})

    (row,) = api.rows("events", f"filter[created_at][from]={late}&filter[type]=custom_field_value_changed")

    assert row["type"] == f"custom_field_{origin['id']}_value_changed"
    value = {"field_id": origin["id"], "field_type": 4, "enum_id": enum["id"], "text": enum["value"]}
    assert (row["value_before"], row["value_after"]) == ([], [{"custom_field_value": value}])


def test_links_are_told_on_both_sides(api: Api, world: World, late: int) -> None:
    deal, ana = world.ids("leads")[0], world.add("contacts", name="Ana")
    world.link("leads", deal, "contacts", ana)
    world.unlink("contacts", ana, "leads", deal)

    assert _told(api, late)[1:] == [
        ("contact_linked", deal), ("lead_linked", ana), ("lead_unlinked", ana), ("contact_unlinked", deal),
    ]  # fmt: skip
    (row,) = api.rows("events", f"filter[created_at][from]={late}&filter[type]=contact_linked")
    assert row["value_after"] == [{"link": {"entity": {"type": "contact", "id": ana}}}]


def test_a_merge_is_told_of_the_survivor(api: Api, world: World, late: int) -> None:
    one, two = world.ids("contacts")[:2]
    world.merge("contacts", one, two)

    assert _told(api, late) == [("entity_merged", one)]


def test_notes_and_tasks_are_told(api: Api, world: World, late: int) -> None:
    deal = world.ids("leads")[0]
    api.post(f"leads/{deal}/notes", [{"note_type": "common", "params": {"text": "a"}}])
    body = [{"text": "x", "complete_till": NOW, "entity_id": deal, "entity_type": "leads"}]
    task = api.post("tasks", body).json()["_embedded"]["tasks"][0]["id"]
    api.patch(f"tasks/{task}", {"is_completed": True})

    assert _told(api, late) == [("common_note_added", deal), ("task_added", task), ("task_completed", task)]
    assert _told(api, late, "filter[entity]=task&filter[type]=task_completed") == [("task_completed", task)]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("filter[type]=contact_added,lead_added", ["contact_added", "lead_added"]),
        ("filter[type][]=lead_added", ["lead_added"]),
        ("filter[entity]=contact", ["contact_added"]),
        ("filter[entity]=contact,company", ["contact_added", "company_added"]),
        ("filter[created_by]=7001", ["contact_added", "lead_added", "company_added"]),
        ("filter[created_by][]=0", []),
    ],
)
def test_filters_separated_by_commas(api: Api, world: World, late: int, query: str, names: list[str]) -> None:
    for kind in ("contacts", "leads", "companies"):
        world.add(kind, name="Novo")

    assert [name for name, _ in _told(api, late, query)] == names


def test_by_entity_and_by_id(api: Api, world: World, late: int) -> None:
    one, two = (world.add("contacts", name=name) for name in ("Ana", "Bruno"))
    (row,) = api.rows("events", f"filter[entity]=contact&filter[entity_id]={two}")

    assert api.rows("events", f"filter[id]={row['id']}") == [row]
    assert _told(api, late, f"filter[entity]=contact&filter[entity_id][]={one}") == [("contact_added", one)]


@pytest.mark.parametrize(
    "query",
    [
        f"filter[created_by]={','.join(map(str, range(11)))}",
        f"filter[entity]=lead&filter[entity_id]={','.join(map(str, range(11)))}",
        "filter[entity]=lead,contact&filter[entity_id]=5",
    ],
)
def test_too_many_values_are_refused(api: Api, query: str) -> None:
    assert api.query("events", query).status_code == 400


def test_a_range_of_time_both_ways_of_writing_it(api: Api, world: World, clock: MovableClock) -> None:
    made = []
    for _ in range(3):
        clock.advance(100)
        made.append(world.add("contacts", name="Ana"))

    for query in (
        f"filter[created_at][from]={NOW + 200}&filter[created_at][to]={NOW + 250}",
        f"filter[created_at]={NOW + 200},{NOW + 250}",
    ):
        assert api.query("events", query).json()["_embedded"]["events"][0]["entity_id"] == made[1]
        assert len(api.rows("events", query)) == 1


def test_a_hundred_a_page_and_newest_first(api: Api, world: World, late: int) -> None:
    for _ in range(130):
        world.add("contacts", name="Ana")

    body = api.query("events", f"filter[created_at][from]={late}&limit=250").json()

    ids = [row["id"] for row in body["_embedded"]["events"]]
    assert len(ids) == 100
    assert "next" in body["_links"]
    assert body["_embedded"]["events"][0]["entity_id"] == world.ids("contacts")[-1]
    assert len(api.rows("events", f"filter[created_at][from]={late}&limit=250&page=2")) == 30
    assert api.query("events", "page=100000").status_code == 204


def test_ids_sort_by_time(api: Api, world: World, clock: MovableClock) -> None:
    for _ in range(5):
        clock.advance(1)
        world.add("contacts", name="Ana")

    ids = api.ids("events", "limit=5")

    assert ids == sorted(ids, reverse=True)


def test_names_on_request(api: Api, world: World, late: int) -> None:
    world.add("contacts", name="Ana")
    query = f"filter[created_at][from]={late}"

    assert "name" not in api.rows("events", query)[0]["_embedded"]["entity"]
    assert api.rows("events", f"{query}&with=contact_name")[0]["_embedded"]["entity"]["name"] == "Ana"


def test_the_types(api: Api) -> None:
    body = api.get("events/types").json()

    keys = {one["key"] for one in body["_embedded"]["events_types"]}
    assert body["_total_items"] == len(keys)
    assert {"lead_deleted", "contact_restored", "entity_merged", "lead_status_changed"} <= keys


def test_the_seed_tells_how_each_deal_got_where_it_is(api: Api, world: World) -> None:
    deal = next(row.record() for row in world.state.tables["leads"] if row.record()["status_id"] == 142)

    types = "filter[type]=lead_added,lead_status_changed"

    rows = api.rows("events", f"filter[entity]=lead&filter[entity_id]={deal['id']}&{types}")[::-1]

    assert rows[0]["type"] == "lead_added"
    assert rows[0]["created_at"] == deal["created_at"]
    assert rows[-1]["value_after"] == [{"lead_status": {"id": 142, "pipeline_id": deal["pipeline_id"]}}]
    for before, after in pairwise(rows[1:]):
        assert before["value_after"] == after["value_before"]
        assert before["created_at"] <= after["created_at"] <= deal["closed_at"]


@pytest.mark.parametrize(
    ("note_type", "told"),
    [
        ("call_in", "incoming_call"), ("call_out", "outgoing_call"), ("sms_in", "incoming_sms"),
        ("sms_out", "outgoing_sms"), ("service_message", "service_note_added"),
        ("extended_service_message", "service_note_added"), ("geolocation", "geo_note_added"),
        ("attachment", "attachment_note_added"),
    ],
)  # fmt: skip
def test_each_type_of_note_has_its_event(api: Api, world: World, late: int, note_type: str, told: str) -> None:
    deal = world.ids("leads")[0]
    body = [{"note_type": note_type, "params": {"text": "a"}}]
    note = api.post(f"leads/{deal}/notes", body).json()["_embedded"]["notes"][0]["id"]

    (row,) = api.rows("events", f"filter[created_at][from]={late}&filter[type]={told}")

    assert (row["entity_id"], row["value_after"]) == (deal, [{"note": {"id": note}}])


def test_what_changed_in_a_task_is_told(api: Api, late: int) -> None:
    task = api.post("tasks", [{"text": "x", "complete_till": 5}]).json()["_embedded"]["tasks"][0]["id"]
    api.patch(f"tasks/{task}", {"text": "y", "complete_till": 6, "task_type_id": 2, "responsible_user_id": 7003})
    api.patch(f"tasks/{task}", {"text": "y"})
    api.patch(f"tasks/{task}", {"is_completed": True, "result": {"text": "feito"}})

    rows = api.rows("events", f"filter[created_at][from]={late}")[::-1]

    assert [(row["type"], row["value_before"], row["value_after"]) for row in rows] == [
        ("task_added", [], []),
        ("task_text_changed", [{"task": {"text": "x"}}], [{"task": {"text": "y"}}]),
        ("task_deadline_changed", [{"task_deadline": {"timestamp": 5}}], [{"task_deadline": {"timestamp": 6}}]),
        ("task_type_changed", [{"task_type": {"id": 1}}], [{"task_type": {"id": 2}}]),
        ("entity_responsible_changed", [{"responsible_user": {"id": 7001}}], [{"responsible_user": {"id": 7003}}]),
        ("task_result_added", [], []),
        ("task_completed", [], []),
    ]


def test_by_the_stage_before_and_after(api: Api, world: World, late: int) -> None:
    first, second = (world.add("leads", name=name) for name in ("Um", "Dois"))
    stage = world.record("leads", first)["status_id"]
    api.patch(f"leads/{first}", {"status_id": 142})
    api.patch(f"leads/{second}", {"status_id": 143, "responsible_user_id": 7003})

    def at(end: str, pipeline: int, status: int) -> str:
        start = f"filter[{end}][leads_statuses][0]"
        return f"{start}[pipeline_id]={pipeline}&{start}[status_id]={status}"

    moved = [("lead_status_changed", first), ("lead_status_changed", second)]
    left = at("value_before", 8400101, stage)
    assert _told(api, late, left) == moved
    assert _told(api, late, f"{left}&{at('value_after', 8400101, 142)}") == moved[:1]
    assert _told(api, late, at("value_before", 8400102, stage)) == []
    assert _told(api, late, "filter[value_after][responsible_user_id]=7003") == [("entity_responsible_changed", second)]


def test_the_seed_tells_of_notes_tasks_tags_and_links(world: World) -> None:
    kinds = {event.type for event in world.state.events}

    assert {
        "common_note_added", "incoming_call", "task_added", "task_completed", "entity_tag_added", "contact_linked",
    } <= kinds  # fmt: skip
    times = [event.created_at for event in world.state.events]
    assert times == sorted(times)
    assert times[-1] <= NOW
