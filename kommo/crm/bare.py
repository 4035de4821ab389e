"""What is left of a record of Kommo when a person is erased: numbers, ids, stages and dates, and no text."""

from collections.abc import Collection
from typing import Any

from kommo.crm.records import Contact, Deal, contact_from, deal_from
from kommo.crm.values import identifier, mapping, number, objects

_STAY = ("select", "multiselect", "radiobutton", "checkbox", "date", "date_time", "monetary")  # types without free text
_NUMBERS = ("price", "price_with_minor_units")  # however they are written
_LINKED = ("companies", "contacts", "loss_reason")


def bare_contact(contact: Contact) -> Contact:
    """The contact as nothing but its number."""
    return contact_from({"id": contact.id})


def bare_deal(deal: Deal, erased: Collection[int]) -> Deal:
    """The deal without its texts and without its links to the contacts that are `erased`."""
    plain = (item for item in deal.raw.items() if not isinstance(item[1], str | list | dict))
    raw = dict(plain) | {key: number(deal.raw[key]) for key in _NUMBERS if key in deal.raw}
    embedded = mapping(deal.raw.get("_embedded"))
    raw["_embedded"] = {name: _ids(embedded.get(name), erased if name == "contacts" else ()) for name in _LINKED}
    raw["custom_fields_values"] = [
        field for field in objects(deal.raw.get("custom_fields_values")) if field.get("field_type") in _STAY
    ]
    return deal_from(raw)


def texts(value: Any) -> list[str]:
    """Every text and number in a record, as text, wherever it stands."""
    if isinstance(value, dict):
        return [found for each in value.values() for found in texts(each)]
    if isinstance(value, list):
        return [found for each in value for found in texts(each)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


def _ids(value: Any, but: Collection[int]) -> list[dict[str, Any]]:
    """Links with their number and whether they are the main one, nothing else."""
    found = ((identifier(each.get("id")), each) for each in objects(value))
    return [
        {"id": key} | ({"is_main": each["is_main"]} if isinstance(each.get("is_main"), bool) else {})
        for key, each in found
        if key is not None and key not in but
    ]
