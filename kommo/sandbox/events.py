"""The events feed: what happened to whom, with ids that sort by time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import orjson

from kommo.sandbox.rows import Record
from kommo.sandbox.state import SINGULAR, Event, State

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
FIELD_TYPES = {
    "text": 1, "numeric": 2, "checkbox": 3, "select": 4, "multiselect": 5, "date": 6, "url": 7, "multitext": 8,
    "textarea": 9, "radiobutton": 10, "streetaddress": 11, "smart_address": 13, "birthday": 14, "legal_entity": 15,
    "date_time": 19, "monetary": 20, "chained_list": 22, "tracking_data": 23, "file": 26,
}  # fmt: skip
NOTES = {
    "common": "common_note_added", "call_in": "incoming_call", "call_out": "outgoing_call", "sms_in": "incoming_sms",
    "sms_out": "outgoing_sms", "geolocation": "geo_note_added", "attachment": "attachment_note_added",
    "service_message": "service_note_added", "extended_service_message": "service_note_added",
    "message_cashier": "service_note_added",
}  # fmt: skip
"""The event that a new note of each type makes."""
TYPES = (
    *(f"{one}_{done}" for one in ("lead", "contact", "company") for done in ("added", "deleted", "restored")),
    *(f"{one}_{done}" for one in ("lead", "contact", "company") for done in ("linked", "unlinked")),
    "lead_status_changed", "entity_responsible_changed", "entity_tag_added", "entity_tag_deleted",
    "entity_merged", "sale_field_changed", "name_field_changed", "custom_field_value_changed",
    *dict.fromkeys(NOTES.values()), "task_added", "task_completed", "task_result_added", "task_text_changed",
    "task_deadline_changed", "task_type_changed",
)  # fmt: skip
Change = tuple[str, list[Any], list[Any]]


def ulid(at: float, rng: random.Random) -> str:
    """A 26 character lower-case ULID of the moment `at` (Unix seconds)."""
    number = (int(at * 1000) << 80) | rng.getrandbits(80)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def make_event(rng: random.Random, at: float, by: int, kind: str, entity_id: int, change: Change) -> Event:
    """An event of `kind` (plural) that happened at `at`."""
    name, before, after = change
    values = (orjson.dumps(before), orjson.dumps(after))
    return Event(ulid(at, rng), name, SINGULAR[kind], entity_id, by, int(at), *values)


def tell(state: State, kind: str, entity_id: int, by: int, *changes: Change) -> None:
    """Add what happened just now to the feed."""
    at = state.clock()
    state.events.extend(make_event(state.rng, at, by, kind, entity_id, change) for change in changes)


def differences(kind: str, before: Record, after: Record) -> Iterator[Change]:
    """The events that tell how a record got from `before` to `after`."""
    singular = {"name": ("name_field_changed", "name_field_value", "name")}
    if kind == "leads":
        singular["price"] = ("sale_field_changed", "sale_field_value", "sale")
    singular["responsible_user_id"] = ("entity_responsible_changed", "responsible_user", "id")
    for key, (event, wrapper, inner) in singular.items():
        if before.get(key) != after.get(key):
            yield event, [{wrapper: {inner: before.get(key)}}], [{wrapper: {inner: after.get(key)}}]
    if kind == "leads" and _stage(before) != _stage(after):
        yield "lead_status_changed", [{"lead_status": _stage(before)}], [{"lead_status": _stage(after)}]
    yield from _tag_changes(before, after)
    yield from _field_changes(before, after)


def task_differences(before: Record, after: Record) -> Iterator[Change]:
    """The events that tell how a task got from `before` to `after`."""
    told = {
        "text": ("task_text_changed", "task", "text"),
        "complete_till": ("task_deadline_changed", "task_deadline", "timestamp"),
        "task_type_id": ("task_type_changed", "task_type", "id"),
        "responsible_user_id": ("entity_responsible_changed", "responsible_user", "id"),
    }
    for key, (event, wrapper, inner) in told.items():
        if before[key] != after[key]:
            yield event, [{wrapper: {inner: before[key]}}], [{wrapper: {inner: after[key]}}]
    if after["result"] and before["result"] != after["result"]:
        yield "task_result_added", [], []
    if after["is_completed"] and not before["is_completed"]:
        yield "task_completed", [], []


def _stage(record: Record) -> dict[str, Any]:
    return {"id": record.get("status_id"), "pipeline_id": record.get("pipeline_id")}


def _tag_changes(before: Record, after: Record) -> Iterator[Change]:
    old = {tag["id"]: tag["name"] for tag in before["_embedded"]["tags"]}
    new = {tag["id"]: tag["name"] for tag in after["_embedded"]["tags"]}
    added = [{"tag": {"id": key, "name": name}} for key, name in new.items() if key not in old]
    gone = [{"tag": {"id": key, "name": name}} for key, name in old.items() if key not in new]
    if added:
        yield "entity_tag_added", [], added
    if gone:
        yield "entity_tag_deleted", gone, []


def _field_changes(before: Record, after: Record) -> Iterator[Change]:
    old = {item["field_id"]: item for item in before.get("custom_fields_values") or ()}
    new = {item["field_id"]: item for item in after.get("custom_fields_values") or ()}
    for field_id in {**old, **new}:
        if old.get(field_id) != new.get(field_id):
            name = f"custom_field_{field_id}_value_changed"
            yield name, _field_value(old.get(field_id)), _field_value(new.get(field_id))


def _field_value(item: Record | None) -> list[Any]:
    if item is None:
        return []
    kind = FIELD_TYPES.get(item["field_type"], 0)
    return [
        {"custom_field_value": {
            "field_id": item["field_id"], "field_type": kind, "enum_id": value.get("enum_id"),
            "text": str(value.get("value", "")),
        }}
        for value in item["values"]
    ]  # fmt: skip
