"""Bodies and queries that make no sense get a 4xx and change nothing; none of them breaks the server."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from kommo.sandbox import World
from kommo.sandbox.app import App

from .conftest import Api

ODD: list[Any] = [
    None, True, 0, -1, 2**62, 2**63, 1e30, 1.5, "", "x", [], [[]], [None], {}, {"id": []}, [{"id": {}}], [{"id": 1}],
]  # fmt: skip
KEYS = {
    "contacts": ("id", "name", "first_name", "custom_fields_values", "_embedded", "tags_to_add", "responsible_user_id"),
    "leads": ("price", "status_id", "pipeline_id", "loss_reason_id", "closed_at", "_embedded", "tags_to_delete"),
    "companies": ("created_at", "updated_at", "created_by", "tags_to_add", "request_id"),
    "tasks": ("id", "text", "complete_till", "entity_id", "entity_type", "is_completed", "result"),
    "contacts/notes": ("id", "entity_id", "note_type", "params"),
    "leads/complex": ("name", "_embedded", "request_id"),
    "leads/tags": ("id", "name"),
    "leads/custom_fields": ("id", "name", "type", "enums"),
    "leads/pipelines": ("name", "sort", "_embedded"),
    "leads/pipelines/8400101/statuses": ("name", "sort"),
    "webhooks": ("destination", "settings"),
}
BASES = {"tasks": {"text": "x", "complete_till": 5}, "leads/custom_fields": {"name": "x", "type": "select"}}


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", KEYS)
def test_odd_values_of_every_key(api: Api, world: World, path: str, method: str) -> None:
    contact = world.ids("contacts")[0]
    for key, odd in product(KEYS[path], ODD):
        item = {"id": contact, **BASES.get(path, {}), key: odd}
        for body in (item, [item]):
            answer = api.ask(method, path, body)
            assert answer.status_code in (200, 201, 204, 400, 404, 405, 422), (key, odd, answer.text)
    assert api.query("contacts", "limit=250&with=leads").status_code == 200
    assert api.query("leads", "limit=250&with=contacts,loss_reason").status_code == 200


@pytest.mark.parametrize("kind", ["contacts", "leads"])
def test_odd_custom_field_values(api: Api, world: World, kind: str) -> None:
    one = world.ids(kind)[0]
    for field_type in ("multitext", "smart_address", "select"):
        (made,) = api.post(f"{kind}/custom_fields", [{"name": "x", "type": field_type}]).json()["_embedded"][
            "custom_fields"
        ]
        for enums in (None, []):
            api.patch(f"{kind}/custom_fields/{made['id']}", {"enums": enums})
            item = {"field_id": made["id"], "values": [{"value": "x"}]}
            assert api.patch(f"{kind}/{one}", {"custom_fields_values": [item]}).status_code in (200, 400)
    for definition in world.state.lists[f"{kind}/custom_fields"].values():
        for odd, key in product(ODD, ("value", "enum_id", "enum_code", "catalog_id")):
            item = {"field_id": definition["id"], "values": [{key: odd}]}
            answer = api.patch(f"{kind}/{one}", {"custom_fields_values": [item]})
            assert answer.status_code in (200, 400), (definition["type"], odd, answer.text)
    for odd in ODD:
        for item in ({"field_id": odd}, {"field_id": odd, "values": []}, {"field_code": odd, "values": odd}, odd):
            assert api.patch(f"{kind}/{one}", {"custom_fields_values": [item]}).status_code in (200, 400), item
    assert api.get(f"{kind}/{one}").status_code == 200


@pytest.mark.parametrize("verb", ["link", "unlink"])
def test_odd_links(api: Api, world: World, verb: str) -> None:
    deal = world.ids("leads")[0]
    for odd in ODD:
        for item in ({"to_entity_id": odd, "to_entity_type": "contacts"}, {"to_entity_id": 1, "to_entity_type": odd}):
            assert api.post(f"leads/{deal}/{verb}", [item]).status_code == 400, item


@pytest.mark.parametrize(
    "path", ["contacts", "leads", "tasks", "leads/notes", "events", "users", "leads/unsorted", "leads/tags"]
)
def test_odd_queries(api: Api, path: str) -> None:
    odd = ("", "x", "-1", "0", "--5", "9" * 30, "9" * 5000, "1.5", "٣", "²", "%00", "%ff", "a,b", ",", "[]", "1,2,3")
    keys = (
        "page", "limit", "with", "query", "filter", "order", "filter[id]", "filter[id][]", "filter[updated_at][from]",
        "filter[created_at]", "filter[price][to]", "filter[statuses][0]", "filter[statuses][0][status_id]", "page[]",
        "filter[entity_id]", "order[id]", "order[id][x]", "with[]", "query[]", "filter[name][x][y]", "filter[type]",
        "filter[custom_fields_values][x]", "filter[is_completed]", "order[complete_till]",
    )  # fmt: skip
    for key, value in product(keys, odd):
        assert api.query(path, f"{key}={value}").status_code in (200, 204, 400), (key, value)


@pytest.mark.parametrize(
    "path",
    [
        "contacts/{n}", "users/{n}", "leads/pipelines/{n}", "leads/pipelines/{n}/statuses",
        "leads/pipelines/{n}/statuses/{n}", "leads/pipelines/8400101/statuses/{n}", "leads/notes/{n}",
        "leads/{n}/notes", "leads/{n}/notes/{n}", "leads/notes/{n}/pin", "leads/{n}/notes/{n}/unpin", "leads/{n}/links",
        "leads/{n}/link", "tasks/{n}", "leads/custom_fields/{n}", "leads/loss_reasons/{n}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("digits", [19, 5000])
def test_numbers_in_the_path_that_no_id_has(api: Api, path: str, digits: int) -> None:
    for method, body in product(("GET", "POST", "PATCH", "DELETE"), ({"name": "x"}, [{"name": "x"}])):
        answer = api.ask(method, path.format(n="9" * digits), body)
        assert answer.status_code in (204, 400, 404, 405, 422), (method, answer.text)


def test_a_page_beyond_all_numbers_is_empty(api: Api) -> None:
    for page in ("1" * 18, "9" * 20, "9" * 5000):
        assert api.query("contacts", f"page={page}").status_code == 204
    assert api.query("contacts", f"limit={10**20}").status_code == 200


def test_two_minus_signs_are_no_number(api: Api) -> None:
    assert api.query("contacts", "page=--5&limit=--5").json()["_page"] == 1
    assert api.query("contacts", "filter[id][]=--5").status_code == 204


def test_a_fault_of_the_sandbox_looks_like_kommo_s(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(App, "_serve", lambda *_: 1 / 0)

    answer = api.get("contacts")

    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/html")
    assert "<center>nginx</center>" in answer.text
    assert "GET /api/v4/contacts" in caplog.text
