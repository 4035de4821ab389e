"""Custom field values: from Kommo's shape to that of the JSON contract."""

from collections.abc import Mapping
from typing import Any

from kommo.crm.values import identifier, objects, text


def custom_fields(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The record's custom fields as the contract writes them: [{id, name, code, type, values: [{value, enum?}]}].

    `field_id` becomes `id` and `enum_id` becomes `enum`; `enum_code` is added where Kommo gives one. An element
    without `value` (chained lists) stands as a whole in `value`. Absent, null and [] all become [].
    """
    return [_field(item) for item in objects(raw.get("custom_fields_values"))]


def _field(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": identifier(item.get("field_id")),
        "name": text(item.get("field_name")),
        "code": text(item.get("field_code")) or None,
        "type": text(item.get("field_type")),
        "values": [_value(element) for element in elements(item)],
    }


def _value(element: Any) -> dict[str, Any]:
    if not isinstance(element, dict) or "value" not in element:
        return {"value": element}
    made = {"value": element["value"]}
    enum = identifier(element.get("enum_id"))
    # One old example of Kommo's pages has the code in `enum` (reference, 4.1).
    code = text(element.get("enum_code")) or text(element.get("enum"))
    if enum is not None:
        made["enum"] = enum
    if code:
        made["enum_code"] = code
    return made


def elements(item: Mapping[str, Any]) -> list[Any]:
    """The elements of a field's `values`, whatever they are; a lone one counts as a list of one."""
    found = item.get("values")
    if isinstance(found, list):
        return found
    return [] if found is None else [found]


def texts_of(raw: Mapping[str, Any], *codes: str) -> list[list[str]]:
    """The texts of the fields with each code (PHONE, EMAIL), as they were typed, each once, in Kommo's order."""
    found: dict[str, dict[str, None]] = {code: {} for code in codes}
    for item in objects(raw.get("custom_fields_values")):
        code = item.get("field_code")
        if isinstance(code, str) and code in found:
            for element in objects(item.get("values")):
                value = text(element.get("value")).strip()
                if value:
                    found[code][value] = None
    return [list(texts) for texts in found.values()]
