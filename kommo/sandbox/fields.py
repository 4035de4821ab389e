"""What a write may put into custom fields, and how it is stored: the rules of each field type."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from kommo.sandbox.directory import ADDRESS_PARTS
from kommo.sandbox.rows import Record
from kommo.sandbox.shapes import MISSING, NOT_A_CHOICE, NOT_EXPECTED, WRONG_TYPE, Invalid, Problem, known
from kommo.sandbox.state import State

_ITEM_KEYS = {"field_id", "field_code", "field_name", "values"}
_CHOICE_KEYS = {"value", "enum_id"}


def apply(state: State, kind: str, record: Record, items: Any) -> Iterator[Problem]:
    """Put the sent `custom_fields_values` into `record`; what is wrong with them comes out, and is not put in."""
    if items is None:
        return
    if not isinstance(items, list):
        yield "custom_fields_values", WRONG_TYPE
        return
    stored = {item["field_id"]: item for item in record.get("custom_fields_values") or ()}
    for place, item in enumerate(items):
        path = f"custom_fields_values.{place}"
        try:
            definition = _definition(state, kind, item, path)
            values = _values(state, definition, item, path)
        except Invalid as invalid:
            yield invalid.problem
            continue
        stored.pop(definition["id"], None)
        if values:
            stored[definition["id"]] = stored_item(definition, values)
    record["custom_fields_values"] = list(stored.values()) or None


def stored_item(definition: Record, values: list[Any]) -> Record:
    """An item of `custom_fields_values` as it is read."""
    item = {
        "field_id": definition["id"], "field_name": definition["name"], "field_code": definition["code"],
        "field_type": definition["type"], "values": values,
    }  # fmt: skip
    return item | {"is_computed": False} if definition["entity_type"] == "leads" else item


def _definition(state: State, kind: str, item: Any, path: str) -> Record:
    if not isinstance(item, dict):
        raise Invalid(path, WRONG_TYPE)
    for key in item:
        if key not in _ITEM_KEYS:
            raise Invalid(f"{path}.{key}", NOT_EXPECTED)
    definitions = state.lists[f"{kind}/custom_fields"]
    if item.get("field_id") is not None:
        if not known(definitions, item["field_id"]):
            raise Invalid(f"{path}.field_id", NOT_A_CHOICE)
        return definitions[item["field_id"]]
    for definition in definitions.values():
        if definition["code"] is not None and definition["code"] == item.get("field_code"):
            return definition
    raise Invalid(f"{path}.field_code" if "field_code" in item else f"{path}.field_id", NOT_A_CHOICE)


def _values(state: State, definition: Record, item: Record, path: str) -> list[Any]:
    values = item.get("values", ...)
    if values is ...:
        raise Invalid(f"{path}.values", MISSING)
    if values is None or (values == [] and state.switches.empty_values_clears):
        return []
    if not isinstance(values, list) or not values:
        raise Invalid(f"{path}.values", WRONG_TYPE)
    read = _READERS.get(definition["type"], _anything)
    stored = []
    for place, value in enumerate(values):
        where = f"{path}.values.{place}"
        if not isinstance(value, dict):
            raise Invalid(where, WRONG_TYPE)
        stored.append(read(definition, value, where))
    return stored


def _only(value: Record, keys: set[str], path: str) -> None:
    for key in value:
        if key not in keys:
            raise Invalid(f"{path}.{key}", NOT_EXPECTED)


def _anything(_definition: Record, value: Record, _path: str) -> Record:
    return value


def _text(_definition: Record, value: Record, path: str) -> Record:
    _only(value, {"value"}, path)
    if isinstance(value.get("value"), bool) or not isinstance(value.get("value"), str | int | float):
        raise Invalid(f"{path}.value", WRONG_TYPE)
    return {"value": str(value["value"])}


def _number(definition: Record, value: Record, path: str) -> Record:
    text = _text(definition, value, path)
    try:
        finite = math.isfinite(float(text["value"]))
    except ValueError:
        finite = False
    if not finite:
        raise Invalid(f"{path}.value", WRONG_TYPE)
    return text


def _flag(_definition: Record, value: Record, path: str) -> Record:
    _only(value, {"value"}, path)
    if not isinstance(value.get("value"), bool):
        raise Invalid(f"{path}.value", WRONG_TYPE)
    return {"value": value["value"]}


def _moment(_definition: Record, value: Record, path: str) -> Record:
    _only(value, {"value"}, path)
    given = value.get("value")
    if isinstance(given, int) and not isinstance(given, bool) and abs(given) < 2**33:
        return {"value": given}
    if isinstance(given, str):
        try:
            at = datetime.fromisoformat(given)
        except ValueError:
            raise Invalid(f"{path}.value", WRONG_TYPE) from None
        return {"value": int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())}
    raise Invalid(f"{path}.value", WRONG_TYPE)


def _find(definition: Record, value: Record, keys: tuple[str, ...], path: str) -> Record:
    """The option that a value names by any of `keys` (of the value: of the option)."""
    names = {"enum_id": "id", "enum_code": "code", "value": "value"}
    for key in keys:
        if value.get(key) is not None:
            for enum in definition["enums"] or ():
                if enum[names[key]] == value[key]:
                    return dict(enum)
            raise Invalid(f"{path}.{key}", NOT_A_CHOICE)
    raise Invalid(f"{path}.value", MISSING)


def _choice(definition: Record, value: Record, path: str) -> Record:
    codes = any(enum["code"] for enum in definition["enums"] or ())
    _only(value, _CHOICE_KEYS | {"enum_code"} if codes else _CHOICE_KEYS, path)
    enum = _find(definition, value, ("enum_id", "enum_code", "value"), path)
    return {"value": enum["value"], "enum_id": enum["id"], "enum_code": enum["code"]}


def _several(definition: Record, value: Record, path: str) -> Record:
    """A text of some kind: phone and e-mail; the first kind if none is named."""
    _only(value, {"value", "enum_id", "enum_code"}, path)
    if not isinstance(value.get("value"), str):
        raise Invalid(f"{path}.value", WRONG_TYPE)
    named = value.get("enum_id") is not None or value.get("enum_code") is not None
    if not named and not definition["enums"]:
        return {"value": value["value"], "enum_id": None, "enum_code": None}
    enum = _find(definition, value, ("enum_id", "enum_code"), path) if named else definition["enums"][0]
    return {"value": value["value"], "enum_id": enum["id"], "enum_code": enum["code"]}


def _address(_definition: Record, value: Record, path: str) -> Record:
    _only(value, {"value", "enum_id", "enum_code"}, path)
    code = value.get("enum_code")
    number = value.get("enum_id", ADDRESS_PARTS.index(code) + 1 if code in ADDRESS_PARTS else 0)
    if not known(range(1, len(ADDRESS_PARTS) + 1), number):
        raise Invalid(f"{path}.enum_id", NOT_A_CHOICE)
    return {"value": str(value.get("value", "")), "enum_id": number, "enum_code": ADDRESS_PARTS[number - 1]}


def _object(_definition: Record, value: Record, path: str) -> Record:
    _only(value, {"value"}, path)
    if not isinstance(value.get("value"), dict):
        raise Invalid(f"{path}.value", WRONG_TYPE)
    return {"value": value["value"]}


def _legal(definition: Record, value: Record, path: str) -> Record:
    found = _object(definition, value, path)
    if not found["value"].get("name"):
        raise Invalid(f"{path}.value.name", MISSING)
    return found


def _element(_definition: Record, value: Record, path: str) -> Record:
    keys = ("catalog_id", "catalog_element_id")
    _only(value, set(keys), path)
    for key in keys:
        if not isinstance(value.get(key), int):
            raise Invalid(f"{path}.{key}", MISSING)
    return {key: value[key] for key in keys}


_READERS: dict[str, Callable[[Record, Record, str], Record]] = {
    **dict.fromkeys(("text", "textarea", "url", "streetaddress", "tracking_data"), _text),
    **dict.fromkeys(("numeric", "monetary"), _number),
    **dict.fromkeys(("date", "date_time", "birthday"), _moment),
    **dict.fromkeys(("select", "multiselect", "radiobutton"), _choice),
    "checkbox": _flag,
    "multitext": _several,
    "smart_address": _address,
    "legal_entity": _legal,
    "chained_list": _element,
    "file": _object,
}
WRITABLE = frozenset(_READERS)
"""The types that a custom field made through the API can have."""
