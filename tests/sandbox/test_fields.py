"""Custom field values: what each type takes, how it is read back, what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from kommo.sandbox import World

from .conftest import Api, errors

CITY = {"value": "Santos", "enum_id": 3, "enum_code": "city"}
ELEMENT = {"catalog_id": 1001, "catalog_element_id": 12}
MIDNIGHT = 1_795_402_800  # 2026-11-23 00:00 in São Paulo


def _field(world: World, kind: str, name: str) -> dict[str, Any]:
    found = world.state.lists[f"{kind}/custom_fields"].values()
    return next(one for one in found if name in (one["name"], one["code"]))


def _write(api: Api, world: World, kind: str, name: str, *values: Any) -> Any:
    item = {"field_id": _field(world, kind, name)["id"], "values": list(values)}
    return api.post(kind, [{"name": "x", "custom_fields_values": [item]}])


def _read(api: Api, world: World, kind: str, name: str, *values: Any) -> list[Any]:
    answer = _write(api, world, kind, name, *values)
    assert answer.status_code == 200, answer.text
    record = world.record(kind, answer.json()["_embedded"][kind][0]["id"])
    (item,) = record["custom_fields_values"]
    found: list[Any] = item["values"]
    return found


@pytest.mark.parametrize(
    ("kind", "name", "sent", "stored"),
    [
        ("contacts", "Cargo", {"value": "Dona"}, {"value": "Dona"}),
        ("contacts", "Observações", {"value": "a\nb"}, {"value": "a\nb"}),
        ("contacts", "Site", {"value": "https://x.example"}, {"value": "https://x.example"}),
        ("contacts", "Ponto de referência", {"value": "Rua A, 1"}, {"value": "Rua A, 1"}),
        ("contacts", "Pontos", {"value": 1.5}, {"value": "1.5"}),
        ("contacts", "Pontos", {"value": "17"}, {"value": "17"}),
        ("contacts", "Limite de crédito", {"value": "99.90"}, {"value": "99.90"}),
        ("contacts", "Aceita mensagens", {"value": False}, {"value": False}),
        ("contacts", "Primeira compra", {"value": MIDNIGHT}, {"value": MIDNIGHT}),
        ("contacts", "Primeira compra", {"value": "2026-11-23T00:00:00-03:00"}, {"value": MIDNIGHT}),
        ("contacts", "Último contato", {"value": "2026-11-23T03:00:00Z"}, {"value": MIDNIGHT}),
        ("contacts", "Aniversário", {"value": -86400 * 365}, {"value": -86400 * 365}),
        ("contacts", "Endereço", {"value": "Santos", "enum_id": 3}, CITY),
        ("contacts", "Endereço", {"value": "Santos", "enum_code": "city"}, CITY),
        ("contacts", "Dados fiscais", {"value": {"name": "X Ltda."}}, {"value": {"name": "X Ltda."}}),
        ("contacts", "Documento", {"value": {"file_uuid": "u"}}, {"value": {"file_uuid": "u"}}),
        ("leads", "UTM_SOURCE", {"value": "google"}, {"value": "google"}),
        ("leads", "Produto", ELEMENT, ELEMENT),
        ("leads", "Previsão", {"value": {"score": 1}, "extra": 2}, {"value": {"score": 1}, "extra": 2}),
    ],
)  # fmt: skip
def test_a_value_is_stored_as_its_type_says(
    api: Api, world: World, kind: str, name: str, sent: dict[str, Any], stored: dict[str, Any]
) -> None:
    assert _read(api, world, kind, name, sent) == [stored]


@pytest.mark.parametrize("by", ["value", "enum_id"])
def test_an_option_is_named_by_text_or_id(api: Api, world: World, by: str) -> None:
    enum = _field(world, "leads", "Tipo de pedido")["enums"][1]
    sent = {"value": enum["value"]} if by == "value" else {"enum_id": enum["id"]}

    wanted = {"value": enum["value"], "enum_id": enum["id"], "enum_code": None}
    assert _read(api, world, "leads", "Tipo de pedido", sent) == [wanted]


def test_several_options(api: Api, world: World) -> None:
    one, two, *_ = _field(world, "leads", "Itens")["enums"]

    found = _read(api, world, "leads", "Itens", {"enum_id": one["id"]}, {"value": two["value"]})

    assert [value["enum_id"] for value in found] == [one["id"], two["id"]]


def test_phones_take_a_kind_by_code_or_id_or_the_first(api: Api, world: World) -> None:
    enums = {enum["code"]: enum["id"] for enum in _field(world, "contacts", "PHONE")["enums"]}

    found = _read(
        api, world, "contacts", "PHONE",
        {"value": "1", "enum_code": "MOB"}, {"value": "2", "enum_id": enums["HOME"]}, {"value": "3"},
    )  # fmt: skip

    assert [(value["value"], value["enum_code"]) for value in found] == [("1", "MOB"), ("2", "HOME"), ("3", "WORK")]


@pytest.mark.parametrize(
    ("kind", "name", "sent", "path", "code"),
    [
        ("contacts", "Cargo", {"value": {}}, ".value", "InvalidType"),
        ("contacts", "Cargo", {"value": True}, ".value", "InvalidType"),
        ("contacts", "Cargo", {"value": "x", "enum_code": None}, ".enum_code", "FieldNotExpected"),
        ("contacts", "Cargo", "x", "", "InvalidType"),
        ("contacts", "Pontos", {"value": "dez"}, ".value", "InvalidType"),
        ("contacts", "Aceita mensagens", {"value": "sim"}, ".value", "InvalidType"),
        ("contacts", "Primeira compra", {"value": "ontem"}, ".value", "InvalidType"),
        ("contacts", "Primeira compra", {"value": MIDNIGHT * 1000}, ".value", "InvalidType"),
        ("contacts", "Primeira compra", {"value": 1.5}, ".value", "InvalidType"),
        ("contacts", "Origem", {"value": "Marte"}, ".value", "NotSupportedChoice"),
        ("contacts", "Origem", {"enum_id": 1}, ".enum_id", "NotSupportedChoice"),
        ("contacts", "Origem", {"value": "Google", "enum_code": None}, ".enum_code", "FieldNotExpected"),
        ("contacts", "Origem", {}, ".value", "FieldMissing"),
        ("contacts", "PHONE", {"value": 11999990000}, ".value", "InvalidType"),
        ("contacts", "PHONE", {"value": "1", "enum_code": "PRIV"}, ".enum_code", "NotSupportedChoice"),
        ("contacts", "Endereço", {"value": "x", "enum_id": 9}, ".enum_id", "NotSupportedChoice"),
        ("contacts", "Dados fiscais", {"value": {"vat_id": "1"}}, ".value.name", "FieldMissing"),
        ("contacts", "Dados fiscais", {"value": "X"}, ".value", "InvalidType"),
        ("leads", "Produto", {"catalog_id": 1}, ".catalog_element_id", "FieldMissing"),
        ("leads", "Produto", {"value": 1}, ".value", "FieldNotExpected"),
    ],
)
def test_a_value_that_its_type_refuses(
    api: Api, world: World, kind: str, name: str, sent: Any, path: str, code: str
) -> None:
    before = world.count(kind)

    assert errors(_write(api, world, kind, name, sent)) == [("0", f"custom_fields_values.0.values.0{path}", code)]
    assert world.count(kind) == before


@pytest.mark.parametrize(
    ("item", "path", "code"),
    [
        ({"field_id": 1, "values": [{"value": "x"}]}, "field_id", "NotSupportedChoice"),
        ({"field_code": "NADA", "values": [{"value": "x"}]}, "field_code", "NotSupportedChoice"),
        ({"values": [{"value": "x"}]}, "field_id", "NotSupportedChoice"),
        ({"field_code": "POSITION"}, "values", "FieldMissing"),
        ({"field_code": "POSITION", "values": {}}, "values", "InvalidType"),
        ({"field_code": "POSITION", "values": [], "field_type": "text"}, "field_type", "FieldNotExpected"),
        ({"field_code": "POSITION", "values": [], "is_computed": False}, "is_computed", "FieldNotExpected"),
    ],
)
def test_an_item_that_is_refused(api: Api, item: dict[str, Any], path: str, code: str) -> None:
    answer = api.post("contacts", [{"name": "x", "custom_fields_values": [item]}])

    assert errors(answer) == [("0", f"custom_fields_values.0.{path}", code)]


def test_a_read_item_with_its_name_is_taken_without_its_type_only(api: Api, world: World) -> None:
    contact = world.add("contacts", name="Ana")
    item = {"field_code": "POSITION", "field_name": "Cargo", "values": [{"value": "Dona"}]}
    api.patch(f"contacts/{contact}", {"custom_fields_values": [item]})

    read = world.record("contacts", contact)["custom_fields_values"]

    assert api.patch(f"contacts/{contact}", {"custom_fields_values": read}).status_code == 400
    stripped = [{"field_id": one["field_id"], "values": one["values"]} for one in read]
    assert api.patch(f"contacts/{contact}", {"custom_fields_values": stripped}).status_code == 200


def test_one_bad_field_loses_all_the_good_ones(api: Api, world: World) -> None:
    contact = world.add("contacts", name="Ana")
    items = [{"field_code": "POSITION", "values": [{"value": "Dona"}]}, {"field_id": 1, "values": None}]

    found = errors(api.patch(f"contacts/{contact}", {"name": "Outra", "custom_fields_values": items}))

    assert found == [("0", "custom_fields_values.1.field_id", "NotSupportedChoice")]
    assert (world.record("contacts", contact)["name"], world.record("contacts", contact)["custom_fields_values"]) == (
        "Ana",
        None,
    )


def test_a_sent_field_is_replaced_whole_and_others_stay(api: Api, world: World) -> None:
    contact = world.add("contacts", name="Ana")
    phone = {"field_code": "PHONE", "values": [{"value": "1"}, {"value": "2"}]}
    job = {"field_code": "POSITION", "values": [{"value": "Dona"}]}
    api.patch(f"contacts/{contact}", {"custom_fields_values": [phone, job]})

    api.patch(f"contacts/{contact}", {"custom_fields_values": [{"field_code": "PHONE", "values": [{"value": "3"}]}]})

    stored = {one["field_code"]: one["values"] for one in world.record("contacts", contact)["custom_fields_values"]}
    assert [value["value"] for value in stored["PHONE"]] == ["3"]
    assert stored["POSITION"] == [{"value": "Dona"}]


@pytest.mark.parametrize("empty", [None, []])
def test_null_and_an_empty_list_clear_a_field(api: Api, world: World, empty: Any) -> None:
    contact = world.add("contacts", name="Ana")
    api.patch(f"contacts/{contact}", {"custom_fields_values": [{"field_code": "PHONE", "values": [{"value": "1"}]}]})

    api.patch(f"contacts/{contact}", {"custom_fields_values": [{"field_code": "PHONE", "values": empty}]})

    assert api.get(f"contacts/{contact}").json()["custom_fields_values"] is None


def test_null_for_all_custom_fields_changes_none(api: Api, world: World) -> None:
    contact = world.add("contacts", name="Ana")
    api.patch(f"contacts/{contact}", {"custom_fields_values": [{"field_code": "PHONE", "values": [{"value": "1"}]}]})

    assert api.patch(f"contacts/{contact}", {"custom_fields_values": None}).status_code == 200
    assert len(world.record("contacts", contact)["custom_fields_values"]) == 1


def test_only_deals_say_whether_a_field_is_computed(api: Api, world: World) -> None:
    _write(api, world, "leads", "Referência", {"value": "x"})
    _write(api, world, "contacts", "Cargo", {"value": "x"})

    deal, contact = world.record("leads", world.ids("leads")[-1]), world.record("contacts", world.ids("contacts")[-1])
    assert deal["custom_fields_values"][0]["is_computed"] is False
    assert set(contact["custom_fields_values"][0]) == {"field_id", "field_name", "field_code", "field_type", "values"}
