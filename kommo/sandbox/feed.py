"""GET of `/events` and its types."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from kommo.sandbox.answers import Answer, Refused, hal, not_found, nothing
from kommo.sandbox.catalog import directory
from kommo.sandbox.events import TYPES
from kommo.sandbox.lists import base
from kommo.sandbox.query import numbers, page_links, paging, values
from kommo.sandbox.requests import Request
from kommo.sandbox.rows import Record
from kommo.sandbox.select import limits
from kommo.sandbox.state import Event, State

_PLURALS = {"lead": "leads", "contact": "contacts", "company": "companies", "task": "tasks"}


def events(state: State, request: Request) -> Answer:
    """A page of the feed; 204 when there is nothing on it."""
    _allowed(state)
    at = paging(request.tree, state.switches, state.switches.events_page_size)
    filters = request.tree.get("filter")
    found = list(_chosen(state, filters if isinstance(filters, dict) else {}))
    if state.switches.events_order == "desc":
        found.reverse()
    shown = found[at.start : at.start + at.limit]
    if not shown:
        return nothing()
    links = page_links(base(state, request), request.tree, at, more=len(found) > at.start + at.limit)
    body = {"_page": at.page, "_links": links, "_embedded": {"events": [_shown(state, one, request) for one in shown]}}
    return hal(body)


def event(state: State, request: Request) -> Answer:
    """One event by its id."""
    _allowed(state)
    for one in reversed(state.events):
        if one.id == request.args[-1]:
            return hal(_shown(state, one, request))
    return not_found()


def event_types(state: State, request: Request) -> Answer:
    """The names of the events that can turn up."""
    items = [{"key": name, "type": 1, "lang": name.replace("_", " ").capitalize()} for name in TYPES]
    return directory(state, request, "events_types", items, paged=False)


def _allowed(state: State) -> None:
    if state.switches.events != "on":
        raise Refused(int(state.switches.events), "Events are not available")


def _chosen(state: State, filters: dict[str, Any]) -> Iterable[Event]:
    low, high = limits(state, filters.get("created_at"))
    kinds, types = set(values(filters.get("type"))), set(values(filters.get("entity")))
    people, ids = set(numbers(filters.get("created_by"))), set(values(filters.get("id")))
    entities = set(numbers(filters.get("entity_id")))
    if len(people) > 10 or len(entities) > 10 or (entities and len(types) > 1):
        raise Refused(400, "filter: too many values")
    latest = state.clock() - state.switches.events_lag
    tests = [test for end in ("value_before", "value_after") for test in _value_tests(end, filters.get(end))]
    for one in state.events:
        if (low is not None and one.created_at < low) or (high is not None and one.created_at > high):
            continue
        if state.switches.events_lag and one.created_at > latest:
            continue
        if kinds and one.type not in kinds and not (_any_field(one.type) and "custom_field_value_changed" in kinds):
            continue
        if (types and one.entity_type not in types) or (entities and one.entity_id not in entities):
            continue
        if (not people or one.created_by in people) and (not ids or one.id in ids) and all(t(one) for t in tests):
            yield one


def _value_tests(end: str, node: Any) -> Iterable[Callable[[Event], bool]]:
    """Tests of one end of a change: the stages (`leads_statuses`) or the people (`responsible_user_id`) it names."""
    if not isinstance(node, dict):
        return
    stages = node.get("leads_statuses")
    if isinstance(stages, dict):
        pairs = [
            (set(numbers(one.get("pipeline_id"))), set(numbers(one.get("status_id"))))
            for one in stages.values() if isinstance(one, dict)
        ]  # fmt: skip
        yield lambda event: any(
            (not pipelines or value.get("pipeline_id") in pipelines) and (not ids or value.get("id") in ids)
            for value in _values(event, end, "lead_status")
            for pipelines, ids in pairs
        )
    if "responsible_user_id" in node:
        people = set(numbers(node["responsible_user_id"]))
        yield lambda event: any(value.get("id") in people for value in _values(event, end, "responsible_user"))


def _values(event: Event, end: str, wrapper: str) -> list[Record]:
    """What an event holds under `wrapper` in `value_before` or `value_after`."""
    found = orjson.loads(event.before if end == "value_before" else event.after)
    return [one[wrapper] for one in found if wrapper in one]


def _any_field(name: str) -> bool:
    return name.startswith("custom_field_")


def _shown(state: State, one: Event, request: Request) -> Record:
    kind = _PLURALS[one.entity_type]
    entity: Record = {"id": one.entity_id, "_links": {"self": {"href": state.url(f"{kind}/{one.entity_id}")}}}
    row = state.tables[kind].rows.get(one.entity_id)
    if f"{one.entity_type}_name" in request.with_values() and row is not None:
        entity["name"] = row.record().get("name")
    return {
        "id": one.id,
        "type": one.type,
        "entity_id": one.entity_id,
        "entity_type": one.entity_type,
        "created_by": one.created_by,
        "created_at": one.created_at,
        "value_after": orjson.loads(one.after),
        "value_before": orjson.loads(one.before),
        "account_id": state.profile.account_id,
        "_links": {"self": {"href": state.url(f"events/{one.id}")}},
        "_embedded": {"entity": entity},
    }
