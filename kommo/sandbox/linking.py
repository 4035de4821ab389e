"""Links between records: reading them, linking, unlinking."""

from __future__ import annotations

from kommo.sandbox import records
from kommo.sandbox.answers import Answer, hal, not_found, nothing
from kommo.sandbox.query import values
from kommo.sandbox.requests import Request
from kommo.sandbox.rows import Record
from kommo.sandbox.shapes import NOT_A_CHOICE, WRONG_TYPE, Problem, refuse
from kommo.sandbox.state import KINDS, State
from kommo.sandbox.writes import signer


def links(state: State, request: Request) -> Answer:
    """What a record is linked with; 404 where there is no such record."""
    kind, entity = request.args[0], request.number
    if state.tables[kind].get(entity) is None:
        return not_found()
    filters = request.tree.get("filter")
    filters = filters if isinstance(filters, dict) else {}
    kinds, ids = set(values(filters.get("to_entity_type"))), set(values(filters.get("to_entity_id")))
    found = [
        {"to_entity_id": to_id, "to_entity_type": to_kind, "metadata": metadata}
        for to_kind, to_id, metadata in _linked(state, kind, entity)
        if (not kinds or to_kind in kinds) and (not ids or str(to_id) in ids)
    ]
    start = {"self": {"href": state.url(f"{kind}/{entity}/links")}}
    return hal({"_total_items": len(found), "_links": start, "_embedded": {"links": found}})


def _linked(state: State, kind: str, entity: int) -> list[tuple[str, int, Record | None]]:
    links_ = state.links
    found: list[tuple[str, int, Record | None]] = []
    if kind == "leads":
        pairs = sorted(links_.contacts_of.get(entity, {}).items())
        found = [("contacts", one, {"main_contact": is_main}) for one, is_main in pairs]
    if kind == "contacts":
        found = [("leads", one, None) for one in sorted(links_.leads_of.get(entity, ()))]
    if kind == "companies":
        for to_kind in ("contacts", "leads"):
            found += [(to_kind, one, None) for one in sorted(links_.members_of.get((to_kind, entity), ()))]
    elif (kind, entity) in links_.company_of:
        found.append(("companies", links_.company_of[kind, entity], None))
    return [one for one in found if state.tables[one[0]].get(one[1]) is not None]


def link(state: State, request: Request) -> Answer:
    """Link a record with others; gives its links. Raises Refused (400)."""
    kind, entity = request.args[0], request.number
    if state.tables[kind].get(entity) is None:
        return not_found()
    items, by = _wanted(state, request, kind), signer(state, request)
    with state.changing():
        for item in items:
            is_main = bool((item.get("metadata") or {}).get("is_main"))
            ends = (kind, entity), (item["to_entity_type"], item["to_entity_id"])
            records.link(state, *ends, by, is_main=is_main)
    asked = {(item["to_entity_type"], item["to_entity_id"]) for item in items}
    shown = [
        {"entity_id": entity, "entity_type": kind, "to_entity_id": to_id, "to_entity_type": to_kind, "metadata": extra}
        for to_kind, to_id, extra in _linked(state, kind, entity)
        if (to_kind, to_id) in asked
    ]
    start = {"self": {"href": state.url(f"{kind}/{entity}/links")}}
    return hal({"_total_items": len(shown), "_links": start, "_embedded": {"links": shown}})


def unlink(state: State, request: Request) -> Answer:
    """Unlink a record from others: 204. Raises Refused (400)."""
    kind, entity = request.args[0], request.number
    if state.tables[kind].get(entity) is None:
        return not_found()
    items, by = _wanted(state, request, kind), signer(state, request)
    with state.changing():
        for item in items:
            records.unlink(state, (kind, entity), (item["to_entity_type"], item["to_entity_id"]), by)
    return nothing()


def _wanted(state: State, request: Request, kind: str) -> list[Record]:
    items = request.many(strict_type=state.switches.strict_content_type)
    refuse(items, [_problems(state, kind, item) for item in items])
    return items


def _problems(state: State, kind: str, item: Record) -> list[Problem]:
    to_kind, to_id = item.get("to_entity_type"), item.get("to_entity_id")
    if not isinstance(item.get("metadata"), dict | None):
        return [("metadata", WRONG_TYPE)]
    if to_kind in KINDS and to_kind != kind and type(to_id) is int and state.tables[to_kind].get(to_id):
        return []
    return [("to_entity_id", NOT_A_CHOICE)]
