"""Records of every odd shape become typed contacts and deals; only one without a usable id is none."""

import copy
import json
import math
from typing import Any

import orjson
import pytest

from kommo.crm.records import Contact, Deal, contact_from, deal_from, documented
from tests.crm.shapes import LINK, contact, field, lead, phone


def test_a_contact() -> None:
    made = contact_from(contact())
    assert made == Contact(
        id=501,
        name="Ana Lima",
        first_name="Ana",
        last_name="Lima",
        responsible_user_id=7001,
        created_at=1759000000,
        updated_at=1760000000,
        is_deleted=False,
        phones=["+55 11 99999-0000"],
        emails=["ana@padaria.example"],
        company_id=801,
        raw=made.raw,
    )


def test_a_deal() -> None:
    made = deal_from(lead())
    assert made == Deal(
        id=6001,
        name="Bolo de casamento",
        price=1200.0,
        responsible_user_id=7001,
        pipeline_id=4401,
        status_id=55501,
        created_at=1759000100,
        updated_at=1760000100,
        closed_at=None,
        loss_reason_id=None,
        is_deleted=False,
        company_id=None,
        contacts=[(501, True), (502, False)],
        raw=made.raw,
    )


def test_the_raw_record_has_no_links_anywhere() -> None:
    embedded = {
        "contacts": [{"id": 501, "_links": LINK}],
        "loss_reason": [{"id": 1, "name": "Preço", "_links": LINK}],
        "source": {"id": 3, "_links": LINK, "deep": [{"_links": LINK, "x": 1}]},
        "tags": [],
    }
    made = deal_from(lead(_embedded=embedded))
    assert "_links" not in json.dumps(made.raw)
    assert made.raw["_embedded"] == {
        "contacts": [{"id": 501}],
        "loss_reason": [{"id": 1, "name": "Preço"}],
        "source": {"id": 3, "deep": [{"x": 1}]},
        "tags": [],
    }


def test_the_raw_record_keeps_all_else_in_its_order() -> None:
    given = contact(unknown={"a": [1, None]}, custom_fields_values=None)
    made = contact_from(given)
    assert list(made.raw) == [key for key in given if key != "_links"]
    assert {key: made.raw[key] for key in given if key not in ("_links", "_embedded")} == {
        key: given[key] for key in given if key not in ("_links", "_embedded")
    }


@pytest.mark.parametrize("given", [contact(), lead(), contact(_embedded=[]), contact(_links=..., _embedded=...)])
def test_the_given_record_is_left_as_it_was(given: dict[str, Any]) -> None:
    before = copy.deepcopy(given)
    contact_from(given)
    deal_from(given)
    assert given == before


def test_a_stored_record_gives_the_same_again() -> None:
    for make, given in ((contact_from, contact()), (deal_from, lead())):
        first = make(given)
        assert make(orjson.loads(orjson.dumps(first.raw))) == first


@pytest.mark.parametrize("usable", [1, 501, "501", 2**63 - 1, str(2**63 - 1)])
def test_a_usable_id(usable: Any) -> None:
    assert contact_from(contact(id=usable)).id == deal_from(lead(id=usable)).id == int(usable)


UNUSABLE = [
    ...,
    None,
    0,
    -1,
    2**63,
    2**70,
    2.0**70,
    501.0,
    math.nan,
    True,
    "",
    "abc",
    "501abc",
    "5e2",
    " 501",
    "0",
    "-5",
    "9" * 30,
    "٥٠١",
    [],
    [501],
    {},
    {"id": 501},
]


@pytest.mark.parametrize("unusable", UNUSABLE, ids=repr)
def test_a_record_without_a_usable_id_is_none(unusable: Any) -> None:
    with pytest.raises(ValueError, match="id"):
        contact_from(contact(id=unusable))
    with pytest.raises(ValueError, match="id"):
        deal_from(lead(id=unusable))


@pytest.mark.parametrize("given", [None, 1, "x", [], [contact()], True], ids=repr)
def test_what_is_no_object_is_no_record(given: Any) -> None:
    with pytest.raises(ValueError, match="object"):
        contact_from(given)
    with pytest.raises(ValueError, match="object"):
        deal_from(given)


def test_a_thin_row_of_the_trash() -> None:
    made = deal_from({"id": 6001, "updated_at": 1760000100, "updated_by": 0, "is_deleted": True})
    assert (made.id, made.is_deleted, made.updated_at, made.name, made.price) == (6001, True, 1760000100, "", 0.0)
    assert made.contacts == [] and documented(made)["custom_fields"] == []


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("5", 5),
        (0, None),
        (None, None),
        ("", None),
        (-3, None),
        (True, None),
        (5.5, None),
        ([5], None),
        ({}, None),
        (2**63, None),
        ("cinco", None),
    ],
)
@pytest.mark.parametrize("name", ["responsible_user_id", "pipeline_id", "status_id", "loss_reason_id", "closed_at"])
def test_numbers_that_are_none(name: str, value: Any, number: int | None) -> None:
    assert getattr(deal_from(lead(**{name: value})), name) == number
    assert documented(deal_from(lead(closest_task_at=value)))["closest_task_at"] == number


@pytest.mark.parametrize(
    ("value", "number"), [(0, 0), ("0", 0), (1759000000, 1759000000), (-86400, -86400), (None, None), ("x", None)]
)
@pytest.mark.parametrize("name", ["group_id", "created_at", "updated_at"])
def test_numbers_that_may_be_nought(name: str, value: Any, number: int | None) -> None:
    assert documented(contact_from(contact(**{name: value})))[name] == number
    assert documented(deal_from(lead(**{name: value})))[name] == number


@pytest.mark.parametrize(
    ("value", "shown"),
    [("Ana", "Ana"), ("", ""), (None, ""), (..., ""), (15, "15"), (1.5, "1.5"), (True, ""), ([], ""), ({"a": 1}, "")],
)
@pytest.mark.parametrize("name", ["name", "first_name", "last_name"])
def test_names_are_text(name: str, value: Any, shown: str) -> None:
    assert getattr(contact_from(contact(**{name: value})), name) == shown


@pytest.mark.parametrize(
    ("value", "truth"), [(True, True), (False, False), (None, False), (..., False), (1, False), ("true", False)]
)
def test_flags_are_booleans(value: Any, truth: bool) -> None:
    assert contact_from(contact(is_deleted=value)).is_deleted is truth
    assert contact_from(contact(is_unsorted=value)).is_unsorted is truth


@pytest.mark.parametrize(
    ("price", "exact", "expected"),
    [
        (1200, ..., 1200.0),
        (1200, None, 1200.0),
        (1200, 1199.9, 1199.9),
        (1200, 0, 0.0),
        (0, 0.5, 0.5),
        (None, 10, 10.0),
        ("1200", ..., 1200.0),
        ("1200", "1199.90", 1199.9),
        (None, ..., 0.0),
        (..., ..., 0.0),
        ("", "", 0.0),
        (1200, "x", 1200.0),
        (math.nan, ..., 0.0),
        (math.inf, -math.inf, 0.0),
        (-50, ..., -50.0),
        (True, False, 0.0),
        (10**400, ..., 0.0),
        ([1], {}, 0.0),
    ],
)
def test_the_exact_price_goes_before_the_rounded_one(price: Any, exact: Any, expected: float) -> None:
    made = deal_from(lead(price=price, price_with_minor_units=exact))
    assert made.price == expected and type(made.price) is float


@pytest.mark.parametrize("value", [None, [], ..., {}, "", 0, "texto", [None], [[]], [1, "a"], [{}]], ids=repr)
def test_no_custom_fields(value: Any) -> None:
    made = contact_from(contact(custom_fields_values=value))
    assert made.phones == [] and made.emails == []


@pytest.mark.parametrize(
    ("fields", "phones"),
    [
        ([phone("+55 11 1", "+55 11 2")], ["+55 11 1", "+55 11 2"]),
        ([phone("1"), phone("2")], ["1", "2"]),
        ([phone("1", "1")], ["1"]),
        ([phone(" 1 ", "", "  ")], ["1"]),
        ([phone("1", code=None)], []),
        ([phone("1", code="TELEFONE")], []),
        ([phone()], []),
        ([phone() | {"values": None}], []),
        ([phone() | {"values": {"value": "1"}}], ["1"]),
        ([phone() | {"values": [None, "1", {"value": None}, {"value": 551199}, {}, {"value": ["1"]}]}], ["551199"]),
        ({"0": phone("1")}, []),
        ([None, 5, phone("1")], ["1"]),
        (phone("1"), ["1"]),
    ],
)
def test_phones_as_they_were_typed(fields: Any, phones: list[str]) -> None:
    assert contact_from(contact(custom_fields_values=fields)).phones == phones


EMBEDDED: list[Any] = [
    None,
    [],
    {},
    ...,
    "x",
    0,
    {"tags": None},
    {"tags": {}, "companies": {}, "contacts": {}},
    {"tags": [None, 1, "vip", []]},
]


@pytest.mark.parametrize("value", EMBEDDED, ids=repr)
def test_nothing_embedded(value: Any) -> None:
    person, deal = contact_from(contact(_embedded=value)), deal_from(lead(_embedded=value))
    assert (documented(person)["tags"], person.company_id) == ([], None)
    assert (documented(deal)["tags"], deal.company_id, deal.contacts) == ([], None, [])


@pytest.mark.parametrize(
    ("value", "company"),
    [
        ([{"id": 801}], 801),
        ([{"id": 801}, {"id": 802}], 801),
        ([{}, {"id": 802}], 802),
        ({"id": 801}, 801),
        ([{"id": "801"}], 801),
        ([{"id": 0}], None),
    ],
)
def test_the_company(value: Any, company: int | None) -> None:
    assert contact_from(contact(_embedded={"companies": value})).company_id == company


@pytest.mark.parametrize(
    ("value", "contacts"),
    [
        ([{"id": 501}], [(501, False)]),
        ([{"id": 502, "is_main": True}, {"id": 501, "is_main": False}], [(502, True), (501, False)]),
        ([{"id": 501, "is_main": False}, {"id": 501, "is_main": True}], [(501, True)]),
        ([{"id": 501, "is_main": 1}], [(501, False)]),
        ([{"id": None}, {"name": "x"}, None, {"id": "501", "is_main": True}], [(501, True)]),
        ([{"id": number} for number in range(1, 5001)], [(number, False) for number in range(1, 5001)]),
    ],
)
def test_a_deals_contacts(value: Any, contacts: list[tuple[int, bool]]) -> None:
    assert deal_from(lead(_embedded={"contacts": value})).contacts == contacts


def test_tags_are_names() -> None:
    tags = [{"id": 1, "name": "vip"}, {"id": 2, "name": ""}, {"id": 3}, {"name": "só nome"}, {"id": 4, "name": 2026}]
    assert [tag["name"] for tag in documented(contact_from(contact(_embedded={"tags": tags})))["tags"]] == [
        "vip",
        "",
        "",
        "só nome",
        "2026",
    ]


def test_an_unknown_field_type_is_kept() -> None:
    made = contact_from(contact(custom_fields_values=[field("ai_forecast", {"value": {"score": 4}})]))
    assert made.raw["custom_fields_values"][0]["field_type"] == "ai_forecast"
    assert documented(made)["custom_fields"][0]["values"] == [{"value": {"score": 4}}]


UGLY = [
    "<script>alert(1)</script>",
    "\u202eoiráid",
    "a" * 1_000_000,
    "🍞" * 500,
    "   ",
    "=HYPERLINK(1)",
    "Z̷̢̛a̴l̵g̶o̷",
    "\u200b",
]


@pytest.mark.parametrize("name", UGLY, ids=range(len(UGLY)))
def test_a_name_is_not_changed(name: str) -> None:
    assert contact_from(contact(name=name)).name == deal_from(lead(name=name)).name == name
