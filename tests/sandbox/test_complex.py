"""POST of deals together with one contact and one company each."""

from __future__ import annotations

from typing import Any

import pytest

from kommo.sandbox import World

from .conftest import Api, errors

KINDS = ["contacts", "leads", "companies"]


def test_complex_makes_deal_contact_and_company_in_one(api: Api, world: World) -> None:
    embedded = {"contacts": [{"first_name": "Ana"}], "companies": [{"name": "Café"}], "tags": [{"name": "vip"}]}

    answer = api.post("leads/complex", [{"name": "Tudo", "price": 5, "_embedded": embedded, "request_id": "l-1"}])

    (row,) = answer.json()
    assert row["request_id"] == ["l-1"]
    assert row["merged"] is False
    assert world.record("contacts", row["contact_id"])["name"] == "Ana"
    assert world.record("companies", row["company_id"])["name"] == "Café"
    assert world.contacts_of(row["id"]) == [row["contact_id"]]
    assert world.record("leads", row["id"])["_embedded"]["companies"][0]["id"] == row["company_id"]


def test_complex_takes_what_exists(api: Api, world: World) -> None:
    ana = world.ids("contacts")[0]

    (row,) = api.post("leads/complex", [{"name": "x", "_embedded": {"contacts": [{"id": ana}]}}]).json()

    assert (row["contact_id"], row["company_id"], row["request_id"]) == (ana, None, ["0"])


def test_complex_takes_one_contact_and_fifty_deals(api: Api) -> None:
    two = [{"name": "x", "_embedded": {"contacts": [{"first_name": "A"}, {"first_name": "B"}]}}]

    assert api.post("leads/complex", two).status_code == 400
    assert api.post("leads/complex", [{"name": "x"}] * 51).status_code == 400


@pytest.mark.parametrize(
    "bad",
    [{"name": 7}, {"name": "x", "_embedded": {"contacts": [{"id": 1}]}}, {"_embedded": {"companies": [{"n": 1}]}}],
)
def test_complex_makes_nothing_when_a_part_is_wrong(api: Api, world: World, bad: dict[str, Any]) -> None:
    before = [world.count(kind) for kind in KINDS]

    assert (
        api.post("leads/complex", [{"name": "x", "_embedded": {"contacts": [{"first_name": "A"}]}}, bad]).status_code
        == 400
    )

    assert [world.count(kind) for kind in KINDS] == before


def test_complaints_name_the_item_and_all_that_is_wrong_in_it(api: Api) -> None:
    two = [{"name": "A"}, {"name": "B"}]
    body = [
        {"name": "boa"},
        {"name": 7, "_embedded": {"contacts": [{"name": 8}], "companies": [{"id": 1}]}, "request_id": "b"},
        {"name": "x", "_embedded": {"contacts": two}},
        {"name": "x", "_embedded": []},
        {"name": "x", "_embedded": {"contacts": [{"custom_fields_values": [{"field_id": 1, "values": None}]}]}},
    ]

    assert errors(api.post("leads/complex", body)) == [
        ("b", "name", "InvalidType"),
        ("b", "_embedded.contacts.0.name", "InvalidType"),
        ("b", "_embedded.companies.0.id", "NotSupportedChoice"),
        ("2", "_embedded.contacts.1", "FieldNotExpected"),
        ("4", "_embedded.contacts.0.custom_fields_values.0.field_id", "NotSupportedChoice"),
    ]
