"""What pipelines, stages, custom fields, webhooks and notes may not be, and what a new name does."""

from __future__ import annotations

from typing import Any

import pytest

from kommo.sandbox import World

from .conftest import NOW, Api, errors


@pytest.mark.parametrize(
    ("path", "item", "wrong", "code"),
    [
        ("leads/custom_fields", {"name": "x", "type": "banana"}, "type", "NotSupportedChoice"),
        ("contacts/custom_fields", {"name": "x", "type": "chained_list"}, "type", "NotSupportedChoice"),
        ("leads/custom_fields", {"name": " ", "type": "text"}, "name", "FieldMissing"),
        ("leads/custom_fields", {"name": "x", "type": "text", "sort": 2**63}, "sort", "InvalidType"),
        ("leads/pipelines", {"name": ""}, "name", "FieldMissing"),
        ("leads/pipelines", {"name": "x", "sort": 1e30}, "sort", "InvalidType"),
        (
            "leads/pipelines",
            {"name": "x", "_embedded": {"statuses": [{"name": "a"}, {"name": "b", "color": "banana"}]}},
            "_embedded.statuses.1.color",
            "NotSupportedChoice",
        ),
        ("leads/pipelines/8400101/statuses", {"name": "x", "color": "banana"}, "color", "NotSupportedChoice"),
        ("leads/pipelines/8400101/statuses", {"name": ""}, "name", "FieldMissing"),
    ],
)
def test_what_a_new_one_may_not_be(api: Api, path: str, item: Any, wrong: str, code: str) -> None:
    before = api.get(path).content

    assert errors(api.post(path, [{"name": "boa", "type": "text"}, item])) == [("1", wrong, code)]
    assert api.get(path).content == before


@pytest.mark.parametrize(
    ("path", "item", "wrong"),
    [
        ("leads/pipelines/8400101", {"name": ""}, "name"),
        ("leads/pipelines/8400101/statuses/142", {"color": "banana"}, "color"),
        ("leads/pipelines/8400101/statuses/142", {"name": " "}, "name"),
    ],
)
def test_what_a_change_may_not_be(api: Api, path: str, item: Any, wrong: str) -> None:
    assert [one[1] for one in errors(api.patch(path, item))] == [wrong]


@pytest.mark.parametrize(
    ("settings", "wrong"), [(["add_lead", "banana"], "settings.1"), ([["a"]], "settings.0"), ("add_lead", "settings")]
)
def test_a_webhook_names_events_that_there_are(api: Api, settings: Any, wrong: str) -> None:
    answer = api.post("webhooks", {"destination": "https://x.example", "settings": settings})

    assert [one[:2] for one in errors(answer)] == [("0", wrong)]
    assert api.get("webhooks").status_code == 204


def test_a_new_pipeline_s_stages_are_as_sent(api: Api) -> None:
    stages = [
        {"name": "Novo", "sort": 55, "color": "#ffcc66"}, {"name": "Antes", "sort": 15}, {"id": 142, "name": "Ganho"},
    ]  # fmt: skip

    answer = api.post("leads/pipelines", [{"name": "Eventos", "_embedded": {"statuses": stages}}])

    (made,) = answer.json()["_embedded"]["pipelines"]
    shown = [(one["name"], one["sort"]) for one in made["_embedded"]["statuses"]]
    assert shown[1:4] == [("Antes", 15), ("Novo", 55), ("Ganho", 10000)]
    assert made["_embedded"]["statuses"][2]["color"] == "#ffcc66"


def test_a_changed_stage_comes_back_with_its_address(api: Api) -> None:
    body = api.patch("leads/pipelines/8400101/statuses/142", {"name": "Vendido"}).json()

    assert body["_links"]["self"]["href"].endswith("/leads/pipelines/8400101/statuses/142")
    assert api.get("leads/pipelines/8400101/statuses/142").json() == body


def _new_field(api: Api, **values: str) -> Any:
    (made,) = api.post("contacts/custom_fields", [values]).json()["_embedded"]["custom_fields"]
    return made


def test_a_new_address_field_has_its_six_parts(api: Api, world: World) -> None:
    made = _new_field(api, name="Casa", type="smart_address")
    assert [(one["id"], one["code"]) for one in made["enums"]] == [
        (1, "address_line_1"), (2, "address_line_2"), (3, "city"), (4, "state"), (5, "zip"), (6, "country"),
    ]  # fmt: skip

    one = world.ids("contacts")[0]
    item = {"field_id": made["id"], "values": [{"value": "Santos", "enum_code": "city"}]}
    assert api.patch(f"contacts/{one}", {"custom_fields_values": [item]}).status_code == 200
    stored = [item for item in world.record("contacts", one)["custom_fields_values"] if item["field_id"] == made["id"]]
    assert stored[0]["values"] == [{"value": "Santos", "enum_id": 3, "enum_code": "city"}]


def test_a_new_multitext_field_takes_values(api: Api, world: World) -> None:
    item = {"field_id": _new_field(api, name="Rádio", type="multitext")["id"], "values": [{"value": "123"}]}

    assert api.patch(f"contacts/{world.ids('contacts')[0]}", {"custom_fields_values": [item]}).status_code == 200


@pytest.mark.parametrize("door", ["http", "world"])
def test_a_new_name_of_a_field_and_of_an_option_reaches_the_records(api: Api, world: World, door: str) -> None:
    origin = next(one for one in api.rows("contacts/custom_fields", "limit=250") if one["name"] == "Origem")
    option = origin["enums"][0]
    ana = world.add("contacts", name="Ana", updated_at=NOW - 9)
    item = {"field_id": origin["id"], "values": [{"enum_id": option["id"]}]}
    api.patch(f"contacts/{ana}", {"custom_fields_values": [item]})
    before, told = world.record("contacts", ana), len(world.state.events)
    enums = [{**one, "value": "Insta"} if one["id"] == option["id"] else one for one in origin["enums"]]

    if door == "http":
        assert api.patch(f"contacts/custom_fields/{origin['id']}", {"name": "Fonte", "enums": enums}).status_code == 200
    else:
        world.change_item("contacts/custom_fields", origin["id"], name="Fonte", enums=enums)

    shown = api.get(f"contacts/{ana}").json()
    assert (shown["custom_fields_values"][0]["field_name"], shown["updated_at"]) == ("Fonte", before["updated_at"])
    assert shown["custom_fields_values"][0]["values"][0]["value"] == "Insta"
    assert len(world.state.events) == told


@pytest.mark.parametrize(
    ("item", "wrong"),
    [
        ({}, ["note_type", "params"]),
        ({"params": {"text": "b"}}, ["note_type"]),
        ({"note_type": "common", "params": {}}, ["params.text"]),
        ({"note_type": "common", "params": {"text": " "}}, ["params.text"]),
        ({"note_type": "poema", "params": {"text": "b"}}, ["note_type"]),
    ],
)
def test_a_change_cannot_empty_a_note(api: Api, world: World, item: Any, wrong: list[str]) -> None:
    deal = world.ids("leads")[0]
    text = {"note_type": "common", "params": {"text": "a"}}
    note = api.post(f"leads/{deal}/notes", [text]).json()["_embedded"]["notes"][0]["id"]

    assert [one[1] for one in errors(api.patch(f"leads/notes/{note}", item))] == wrong
    assert api.get(f"leads/notes/{note}").json()["params"] == {"text": "a"}


def test_a_change_of_many_notes_names_their_records(api: Api, world: World) -> None:
    deal = world.ids("leads")[0]
    text = {"note_type": "common", "params": {"text": "a"}}
    note = api.post(f"leads/{deal}/notes", [text]).json()["_embedded"]["notes"][0]["id"]
    item = {"id": note, "params": {"text": "b"}}

    assert errors(api.patch("leads/notes", [item])) == [("0", "entity_id", "FieldMissing")]
    assert errors(api.patch("leads/notes", [item | {"entity_id": 1}])) == [("0", "entity_id", "NotSupportedChoice")]
    assert api.patch("leads/notes", [item | {"entity_id": deal}]).status_code == 200


def test_notes_show_whether_they_are_pinned_where_that_is_asked(api: Api, world: World) -> None:
    deal = world.ids("leads")[0]
    body = [{"note_type": "common", "params": {"text": text}} for text in "ab"]
    one, two = (made["id"] for made in api.post(f"leads/{deal}/notes", body).json()["_embedded"]["notes"])
    api.ask("POST", f"leads/notes/{two}/pin")

    query = f"filter[id][]={one}&filter[id][]={two}"
    assert [row["is_pinned"] for row in api.rows("leads/notes", f"{query}&with=is_pinned")] == [False, True]
    assert all("is_pinned" not in row for row in api.rows("leads/notes", query))
