"""The record that the JSON contract documents, field by field."""

from typing import Any

import orjson
import pytest

from kommo.crm.fields import custom_fields
from kommo.crm.records import contact_from, deal_from, documented
from tests.crm.shapes import contact, field, lead, phone


def test_a_contact_of_the_document() -> None:
    made = documented(contact_from(contact()))
    assert list(made)[:9] == [
        "id",
        "name",
        "first_name",
        "last_name",
        "responsible_user_id",
        "group_id",
        "created_at",
        "updated_at",
        "custom_fields",
    ]
    assert {key: made[key] for key in list(made)[:8]} == {
        "id": 501,
        "name": "Ana Lima",
        "first_name": "Ana",
        "last_name": "Lima",
        "responsible_user_id": 7001,
        "group_id": 0,
        "created_at": 1759000000,
        "updated_at": 1760000000,
    }
    assert made["tags"] == [{"id": 31, "name": "vip"}]
    assert made["company"] == {"id": 801}
    assert (made["phones"], made["emails"]) == (["+55 11 99999-0000"], ["ana@padaria.example"])
    assert (made["is_deleted"], made["is_unsorted"], made["closest_task_at"]) == (False, False, None)


def test_a_deal_of_the_document() -> None:
    made = documented(
        deal_from(lead(status_id=143, loss_reason_id=5, closed_at=1760000000, price_with_minor_units=1199.5))
    )
    assert list(made)[:10] == [
        "id",
        "name",
        "price",
        "responsible_user_id",
        "group_id",
        "pipeline_id",
        "status_id",
        "created_at",
        "updated_at",
        "custom_fields",
    ]
    assert made["price"] == 1199.5
    assert (made["pipeline_id"], made["status_id"]) == (4401, 143)
    assert (made["closed_at"], made["loss_reason_id"]) == (1760000000, 5)
    assert made["contacts"] == [{"id": 501, "is_main": True}, {"id": 502, "is_main": False}]
    assert (made["company"], made["tags"], made["custom_fields"]) == (None, [], [])


@pytest.mark.parametrize("wire", ["custom_fields_values", "_links", "_embedded", "price_with_minor_units", "status"])
def test_no_name_of_the_wire_is_shown(wire: str) -> None:
    assert wire not in documented(contact_from(contact())) and wire not in documented(
        deal_from(lead(price_with_minor_units=1.5))
    )


def test_live_and_stored_are_written_alike() -> None:
    person, deal = contact_from(contact()), deal_from(lead())
    assert documented(contact_from(orjson.loads(orjson.dumps(person.raw)))) == documented(person)
    assert documented(deal_from(orjson.loads(orjson.dumps(deal.raw)))) == documented(deal)


@pytest.mark.parametrize(
    "given",
    [{"id": 1}, contact(**dict.fromkeys(contact().keys() - {"id"})), lead(**dict.fromkeys(lead().keys() - {"id"}))],
)
def test_a_poor_record_has_every_name_and_can_be_written(given: dict[str, Any]) -> None:
    for rich, poor in (
        (documented(contact_from(contact())), documented(contact_from(given))),
        (documented(deal_from(lead())), documented(deal_from(given))),
    ):
        assert list(poor) == list(rich)
        orjson.dumps(poor)


@pytest.mark.parametrize("value", [None, [], ..., {}, "", 5], ids=repr)
def test_absent_null_and_empty_are_all_empty(value: Any) -> None:
    assert custom_fields(contact(custom_fields_values=value)) == []


def test_the_documented_shape_with_what_was_added() -> None:
    assert custom_fields(contact(custom_fields_values=[phone("+55 11 1", enum="MOB")])) == [
        {
            "id": 9001,
            "name": "Telefone",
            "code": "PHONE",
            "type": "multitext",
            "values": [{"value": "+55 11 1", "enum": 88001, "enum_code": "MOB"}],
        }
    ]


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ({"value": "texto"}, {"value": "texto"}),
        ({"value": 1759300000}, {"value": 1759300000}),
        ({"value": True}, {"value": True}),
        ({"value": None}, {"value": None}),
        ({"value": "Ouro", "enum_id": 1, "enum_code": None}, {"value": "Ouro", "enum": 1}),
        ({"value": "Ouro", "enum_id": "1"}, {"value": "Ouro", "enum": 1}),
        ({"value": "Ouro", "enum_id": None}, {"value": "Ouro"}),
        ({"value": "1", "enum": "WORK"}, {"value": "1", "enum_code": "WORK"}),
        ({"value": "Lisboa", "enum_id": 3, "enum_code": "city"}, {"value": "Lisboa", "enum": 3, "enum_code": "city"}),
        ({"value": {"name": "Ltda", "vat_id": "1"}}, {"value": {"name": "Ltda", "vat_id": "1"}}),
        ({"catalog_id": 1001, "catalog_element_id": 12}, {"value": {"catalog_id": 1001, "catalog_element_id": 12}}),
        ("solto", {"value": "solto"}),
        (None, {"value": None}),
        ([1], {"value": [1]}),
    ],
)
def test_each_kind_of_value(element: Any, value: dict[str, Any]) -> None:
    assert custom_fields(contact(custom_fields_values=[field("x", element)]))[0]["values"] == [value]


@pytest.mark.parametrize(
    ("values", "count"),
    [(None, 0), ([], 0), (..., 0), ({"value": 1}, 1), (1759300000, 1), ([{"value": 1}, {"value": 2}], 2)],
)
def test_values_that_are_no_list(values: Any, count: int) -> None:
    item = field("x", values=values)
    if values is ...:
        del item["values"]
    assert len(custom_fields(contact(custom_fields_values=[item]))[0]["values"]) == count


def test_a_field_without_an_id_or_a_name() -> None:
    (made,) = custom_fields({"custom_fields_values": [{"values": [{"value": 1}]}]})
    assert made == {"id": None, "name": "", "code": None, "type": "", "values": [{"value": 1}]}
