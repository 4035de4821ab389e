"""A custom field's new name, or its option's, in the records that hold it: Kommo shows what it is called now."""

from __future__ import annotations

from kommo.sandbox.rows import Record, make_row
from kommo.sandbox.state import State

_CHOICES = ("select", "multiselect", "radiobutton")


def set_field(state: State, kind: str, definition: Record) -> None:
    """Store a changed definition of `kind` (plural) and rename in its records. `updated_at` stays, nothing is told."""
    what = f"{kind}/custom_fields"
    before = state.lists[what][definition["id"]]
    state.set_item(what, definition)
    if all(before[key] == definition[key] for key in ("name", "enums")):
        return
    mark = b'"field_id":%d,' % definition["id"]
    for row in [row for row in state.tables[kind] if mark in row.head]:
        record = row.record()
        for item in record["custom_fields_values"]:
            if item["field_id"] == definition["id"]:
                _rename(item, definition)
        state.put(kind, make_row(record, deleted=row.deleted, unsorted=row.unsorted))


def _rename(item: Record, definition: Record) -> None:
    item["field_name"] = definition["name"]
    options = {enum["id"]: enum["value"] for enum in definition["enums"] or ()}
    for value in item["values"] if definition["type"] in _CHOICES else ():
        value["value"] = options.get(value["enum_id"], value["value"])
