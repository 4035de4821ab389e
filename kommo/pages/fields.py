"""Custom fields for a record's page: every filled one in human form, in the account's order, under its present name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kommo.crm.fields import custom_fields
from kommo.crm.human import HumanValue, human_values
from kommo.pages.context import currency, zone
from kommo.store.fields import Definition
from kommo.store.names import visible

_FIRST = ("PHONE", "EMAIL")  # what people look for first


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field with its values; `gone` when the account no longer has this field."""

    label: str
    values: list[HumanValue]
    gone: bool


@dataclass(frozen=True, slots=True)
class ShownFields:
    """A record's custom fields: phones and e-mails, the others, and the names of those without a value."""

    ways: list[ShownField]
    others: list[ShownField]
    empty: list[str]


def shown_fields(record: Mapping[str, Any], defined: Mapping[int, Definition]) -> ShownFields:
    """The custom fields of one of Kommo's records, as stored."""
    places = {key: place for place, key in enumerate(defined)}
    found = sorted(custom_fields(record), key=lambda field: places.get(field["id"], len(places)))
    shown = [(field, _shown(field, defined.get(field["id"]))) for field in found]
    filled = [(field, each) for field, each in shown if each.values]
    keys = {field["id"] for field, _ in filled}
    return ShownFields(
        ways=[each for code in _FIRST for field, each in filled if field["code"] == code],
        others=[each for field, each in filled if field["code"] not in _FIRST],
        empty=[definition.name for key, definition in defined.items() if key not in keys and not definition.gone],
    )


def _shown(field: Mapping[str, Any], definition: Definition | None) -> ShownField:
    label = definition.name if definition else visible(field["name"], f"Campo {field['id'] or ''}".strip())
    money = (definition.currency if definition else None) or currency()
    return ShownField(label, human_values(field, zone(), currency=money), bool(definition and definition.gone))
