"""POST and PATCH of contacts, deals and companies: checked whole, then carried out whole."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

from kommo.sandbox import fields, records
from kommo.sandbox.answers import Answer, hal, nothing
from kommo.sandbox.directory import add
from kommo.sandbox.records import LOST
from kommo.sandbox.requests import Request
from kommo.sandbox.rows import Record, Row
from kommo.sandbox.shapes import (
    MISSING,
    NOT_A_CHOICE,
    NOT_EXPECTED,
    WRONG_TYPE,
    Invalid,
    Problem,
    Types,
    fits,
    known,
    objects,
    refuse,
    request_id,
)
from kommo.sandbox.state import State

_COMMON: Types = {
    "name": (str,), "responsible_user_id": (int,), "created_by": (int,), "updated_by": (int,), "created_at": (int,),
    "updated_at": (int,),
}  # fmt: skip
_NAMES: Types = {"first_name": (str,), "last_name": (str,)}
_DEAL: Types = {
    "price": (int, float), "status_id": (int,), "pipeline_id": (int,), "loss_reason_id": (int, type(None)),
    "closed_at": (int, type(None)), "visitor_uid": (str,),
}  # fmt: skip
_PLAIN = {"contacts": _COMMON | _NAMES, "leads": _COMMON | _DEAL, "companies": _COMMON}
_SPECIAL = {"id", "request_id", "custom_fields_values", "_embedded", "tags_to_add", "tags_to_delete"}
_READ_ONLY = {
    "group_id", "closest_task_at", "is_deleted", "is_unsorted", "account_id", "score", "labor_cost",
    "is_price_computed", "price_with_minor_units", "_links",
}  # fmt: skip
_USERS = ("responsible_user_id", "created_by", "updated_by")


class Laid(NamedTuple):
    """A record with an item laid over it, and what is wrong with the item."""

    record: Record
    problems: list[Problem]


def signer(state: State, request: Request) -> int:
    """Who a write is signed by: 0, or the token's user."""
    return int(request.claims["sub"]) if state.switches.acts_as_user else 0


def post(state: State, request: Request) -> Answer:
    """Create records from an array. Raises Refused (400) with what is wrong in which of them."""
    kind = request.args[0]
    by = signer(state, request)
    items = request.many(strict_type=state.switches.strict_content_type)
    laid = [_lay(state, kind, item, records.blank(state, kind, 0, by)) for item in items]
    good = _sound(state, items, laid)
    with state.changing():
        rows = [_create(state, kind, items[place], laid[place].record, by) for place in good]
    _refuse(items, laid)
    shown = [
        _shown(kind, row, request_id(items[place], place), new=True) for row, place in zip(rows, good, strict=True)
    ]
    return hal({"_links": {"self": {"href": state.url(kind)}}, "_embedded": {kind: shown}})


def _create(state: State, kind: str, item: Record, record: Record, by: int) -> Row:
    record["id"] = state.take_id(kind)
    record["_links"] = {"self": {"href": state.url(f"{kind}/{record['id']}")}}
    if kind == "leads" and "name" not in item:
        record["name"] = f"Lead #{record['id']}"
    _tag(state, kind, item, record)
    embedded = item.get("_embedded") or {}
    row = records.create(state, kind, record, by)
    for ref in (embedded.get("companies") or ())[:1] if kind != "companies" else ():
        records.link(state, (kind, row.id), ("companies", ref["id"]), by)
    for ref in embedded.get("contacts") or () if kind == "leads" else ():
        ends = ("leads", row.id), ("contacts", ref["id"])
        records.link(state, *ends, by, is_main=bool(ref.get("is_main")))
    return row


def problems(state: State, kind: str, item: Record) -> list[Problem]:
    """Why this could not be created; nothing if it can."""
    return _lay(state, kind, item, records.blank(state, kind, 0, 0)).problems


def create_sound(state: State, kind: str, item: Record, by: int) -> int:
    """Create one record from what was sent and has no `problems`, inside a change that is under way."""
    return _create(state, kind, item, _lay(state, kind, item, records.blank(state, kind, 0, by)).record, by).id


def patch_many(state: State, request: Request) -> Answer:
    """Change records from an array, each with its `id`. Raises Refused (400)."""
    kind = request.args[0]
    rows = _patch(state, request, kind, request.many(strict_type=state.switches.strict_content_type))
    return hal({"_links": {"self": {"href": state.url(kind)}}, "_embedded": {kind: rows}})


def patch_one(state: State, request: Request) -> Answer:
    """Change one record from an object; 204 where there is none. Raises Refused (400)."""
    kind = request.args[0]
    if state.tables[kind].get(request.number) is None:
        return nothing()
    item = request.one(strict_type=state.switches.strict_content_type) | {"id": request.number}
    rows = _patch(state, request, kind, [item])
    if state.switches.single_patch == "wrapped":
        return hal({"_links": {"self": {"href": state.url(kind)}}, "_embedded": {kind: rows}})
    return hal({key: value for key, value in rows[0].items() if key != "request_id"})


def _patch(state: State, request: Request, kind: str, items: list[Record]) -> list[Record]:
    by = signer(state, request)
    laid = _lay_in_turn(state, kind, items)
    good = _sound(state, items, laid)
    shown = []
    with state.changing():
        for place in good:
            item = items[place]
            # Once more over what is stored now: an item before may be about the same record.
            record = _lay(state, kind, item, state.tables[kind].rows[item["id"]].record(), new=False).record
            _tag(state, kind, item, record)
            given = {}
            if "updated_at" in item and state.switches.sent_updated_at == "stored":
                given = {"updated_at": item["updated_at"]}
            row = records.rewrite(state, kind, record, by, **given)
            shown.append(_shown(kind, row, request_id(item, place), new=False))
    _refuse(items, laid)
    if not state.switches.patch_request_id:
        shown = [{key: value for key, value in row.items() if key != "request_id"} for row in shown]
    return shown


def _lay_in_turn(state: State, kind: str, items: list[Record]) -> list[Laid]:
    """Each item laid over its record as the items before it leave it; nothing is stored."""
    table, latest, laid = state.tables[kind], dict[int, Record](), []
    for item in items:
        row = table.get(item["id"]) if known(table.rows, item.get("id")) else None
        if row is None:
            laid.append(Laid({}, [("id", NOT_A_CHOICE if "id" in item else MISSING)]))
            continue
        one = _lay(state, kind, item, deepcopy(latest[row.id]) if row.id in latest else row.record(), new=False)
        laid.append(one)
        if not one.problems:
            latest[row.id] = one.record
    return laid


def _shown(kind: str, row: Row, request_id: str, *, new: bool) -> Record:
    record = row.record()
    shown = {"id": row.id}
    if kind == "contacts":
        shown |= {} if new else {"name": record["name"]}
        shown |= {"is_deleted": False, "is_unsorted": record["is_unsorted"]}
    if not new:
        shown["updated_at"] = record["updated_at"]
    return shown | {"request_id": request_id, "_links": record["_links"]}


def _lay(state: State, kind: str, item: Record, record: Record, *, new: bool = True) -> Laid:
    """`item` laid over `record`, which is changed, and what is wrong with it."""
    return Laid(record, list(_lay_over(state, kind, item, record, new=new)))


def _sound(state: State, items: list[Record], laid: list[Laid]) -> list[int]:
    """Places of the items without problems. Raises Refused if one has some and batches are atomic, or if all have."""
    good = [place for place, one in enumerate(laid) if not one.problems]
    if state.switches.batch_atomic or not good:
        _refuse(items, laid)
    return good


def _refuse(items: list[Record], laid: list[Laid]) -> None:
    """Raise Refused (400) if any item has problems. With batches that are not atomic the good ones have landed."""
    refuse(items, [one.problems for one in laid])


def _lay_over(state: State, kind: str, item: Record, record: Record, *, new: bool) -> Iterator[Problem]:
    for key, value in item.items():
        wanted = _PLAIN[kind].get(key)
        if wanted is not None:
            problem = _wrong(state, key, value, wanted)
            if problem is not None:
                yield key, problem
            elif _is_stored(state, key, new=new):
                record[key] = value
        elif key not in _SPECIAL and key not in _READ_ONLY:
            yield key, NOT_EXPECTED
    if kind == "contacts" and ("first_name" in item or "last_name" in item):
        record["name"] = item.get("name") or f"{record['first_name']} {record['last_name']}".strip()
    if kind == "leads":
        yield from _deal_rules(state, item, record)
    yield from fields.apply(state, kind, record, item.get("custom_fields_values"))
    yield from _embedded_rules(state, kind, item)


def _wrong(state: State, key: str, value: Any, wanted: tuple[type, ...]) -> tuple[str, str] | None:
    if not fits(value, wanted):
        return WRONG_TYPE
    if key in _USERS and value not in state.lists["users"] and (value or key == "responsible_user_id"):
        return NOT_A_CHOICE
    if key == "updated_at" and state.switches.sent_updated_at == "refused":
        return NOT_EXPECTED
    return None


def _is_stored(state: State, key: str, *, new: bool) -> bool:
    if key == "updated_at":
        return state.switches.sent_updated_at == "stored"
    return new or key != "created_at" or state.switches.sent_created_at == "stored"


def _deal_rules(state: State, item: Record, record: Record) -> Iterator[Problem]:
    if "price" in item and fits(item["price"], (int, float)):
        record["price"], record["price_with_minor_units"] = int(item["price"]), item["price"]
    pipelines = state.lists["pipelines"]
    if not record["pipeline_id"]:
        record["pipeline_id"] = min(pipelines, key=lambda one: pipelines[one]["sort"])
    pipeline = pipelines.get(record["pipeline_id"])
    if pipeline is None:
        yield "pipeline_id", NOT_A_CHOICE
        return
    stages = [stage["id"] for stage in pipeline["statuses"]]
    if not record["status_id"] or ("pipeline_id" in item and "status_id" not in item):
        record["status_id"] = record["status_id"] if record["status_id"] in stages else stages[1]
    if ("status_id" in item or "pipeline_id" in item) and record["status_id"] not in stages:
        yield "status_id", NOT_A_CHOICE
    reason = item.get("loss_reason_id")
    if reason is not None and (not known(state.lists["loss_reasons"], reason) or record["status_id"] != LOST):
        yield "loss_reason_id", NOT_A_CHOICE


def _embedded_rules(state: State, kind: str, item: Record) -> Iterator[Problem]:
    embedded = item.get("_embedded") or {}
    if not isinstance(embedded, dict):
        yield "_embedded", WRONG_TYPE
        return
    try:
        tags = [pair for key in ("tags_to_add", "tags_to_delete") for pair in objects(item.get(key), key)]
        tags += objects(embedded.get("tags"), "_embedded.tags")
        refs = [
            (key, *pair) for key in ("contacts", "companies") for pair in objects(embedded.get(key), f"_embedded.{key}")
        ]
    except Invalid as invalid:
        yield invalid.problem
        return
    for path, tag in tags:
        if tag.get("id") is not None and not known(state.lists[f"{kind}/tags"], tag["id"]):
            yield f"{path}.id", NOT_A_CHOICE
        elif tag.get("id") is None and not (isinstance(tag.get("name"), str) and tag["name"]):
            yield f"{path}.name", MISSING
    for key, path, ref in refs:
        if not known(state.tables[key].rows, ref.get("id")) or state.tables[key].get(ref["id"]) is None:
            yield f"{path}.id", NOT_A_CHOICE


def _tag(state: State, kind: str, item: Record, record: Record) -> None:
    """`_embedded.tags` replaces all tags (null: none), `tags_to_add` and `tags_to_delete` change some."""
    current = {tag["id"]: tag for tag in record["_embedded"]["tags"]}
    embedded = item.get("_embedded") or {}
    if "tags" in embedded:
        current = {tag["id"]: tag for tag in (_resolve(state, kind, one) for one in embedded["tags"] or ())}
    for one in item.get("tags_to_add") or ():
        tag = _resolve(state, kind, one)
        current[tag["id"]] = tag
    for one in item.get("tags_to_delete") or ():
        gone = [key for key, tag in current.items() if one.get("id") == key or one.get("name") == tag["name"]]
        for key in gone:
            del current[key]
    record["_embedded"]["tags"] = list(current.values())


def _resolve(state: State, kind: str, one: Record) -> Record:
    """A tag by id or name; a new name makes a new tag."""
    tags = state.lists[f"{kind}/tags"]
    if one.get("id") is not None:
        return tags[one["id"]]
    for tag in tags.values():
        if tag["name"] == one["name"]:
            return tag
    return tags[add(state, f"{kind}/tags", one["name"], {})]
