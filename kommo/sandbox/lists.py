"""GET of contacts, deals, companies, tasks and notes: one and many, put together from bytes that lie ready."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from kommo.sandbox.answers import Answer, Refused, not_found, nothing
from kommo.sandbox.query import page_links, paging
from kommo.sandbox.requests import Request
from kommo.sandbox.rows import Row, Table
from kommo.sandbox.select import select
from kommo.sandbox.state import State

Extra = Callable[[State, Row], bytes]
EXPANDS = {
    "contacts": {"leads", "catalog_elements", "customers", "social_profiles", "only_deleted"},
    "companies": {"leads", "contacts", "catalog_elements", "customers", "only_deleted"},
    "leads": {
        "contacts", "catalog_elements", "loss_reason", "is_price_modified_by_robot", "source_id", "source",
        "only_deleted",
    },
}  # fmt: skip


def list_answer(state: State, request: Request, kind: str, table: Table) -> Answer:
    """A page of `table` as HAL; 204 when there is nothing on it. Raises Refused for what the query may not ask."""
    switches = state.switches
    expand = _expand(state, request, kind)
    deleted = "only_deleted" in expand and (switches.only_deleted == "all" or switches.only_deleted == kind)
    at = paging(request.tree, switches)
    ids = select(state, kind, table, request.tree, deleted=deleted)
    if switches.if_modified_since and _unmodified(request, table, ids):
        return Answer(304)
    shown = ids[at.start : at.start + at.limit]
    if not shown:
        return nothing()
    rows = [table.rows[one] for one in shown]
    more = len(ids) > at.start + at.limit - switches.eager_next
    links = page_links(base(state, request), request.tree, at, more=more)
    name = kind.rpartition("/")[2].encode()
    start = b'{"_page":%d,"_links":%b,"_embedded":{"%b":[' % (at.page, orjson.dumps(links), name)
    parts = [b"," + thin(row) for row in rows] if deleted else render(state, kind, rows, expand)
    # Every part begins with the comma that parts it from the one before; the first has none.
    parts[0] = parts[0][1:]
    return Answer(200, b"".join((start, *parts, b"]}}")))


def one_answer(state: State, request: Request, kind: str, table: Table) -> Answer:
    """One record; 204 where there is none (a trashed one: as the switch says)."""
    row = table.rows.get(request.number)
    expand = _expand(state, request, kind)
    if row is None:
        return nothing()
    if row.deleted:
        gone = {"204": nothing(), "thin": Answer(200, thin(row)), "404": not_found()}
        return gone[state.switches.trashed_get]
    return Answer(200, b"".join(render(state, kind, [row], expand))[1:])


def base(state: State, request: Request) -> str:
    """The address that links of this answer begin with."""
    if state.switches.link_host == "account":
        return f"https://{state.profile.subdomain}.kommo.com{request.path}"
    return f"http://{request.host}{request.path}"


def thin(row: Row) -> bytes:
    """What is shown of a record in the trash."""
    record = row.record()
    return orjson.dumps({key: record[key] for key in ("id", "updated_at", "updated_by", "is_deleted")})


def _expand(state: State, request: Request, kind: str) -> set[str]:
    wanted, known = request.with_values(), EXPANDS.get(kind, {"is_pinned"})
    if wanted - known and state.switches.unknown_with == "400":
        raise Refused(400, f"with: {', '.join(sorted(wanted - known))} is not supported")
    return wanted & known


def _unmodified(request: Request, table: Table, ids: list[int]) -> bool:
    try:
        since = parsedate_to_datetime(request.headers.get("HTTP_IF_MODIFIED_SINCE", "")).timestamp()
    except ValueError:
        return False
    return all(table.rows[one].updated_at <= since for one in ids)


def render(state: State, kind: str, rows: Iterable[Row], expand: set[str]) -> list[bytes]:
    """The rows as pieces of JSON, to be joined; a comma goes before each row."""
    inner = [_ready(state, kind, name) for name in _INNER.get(kind, {}) if name in expand]
    outer = b"".join(text for name, text in _OUTER.get(kind, {}).items() if name in expand)
    shape = _pin_shaper(expand) if "/" in kind else _shaper(kind, state.switches)
    parts: list[bytes] = []
    for row in rows:
        parts += (b",", row.head if shape is None else shape(row))
        for extra in inner:
            parts.append(extra(row))
        parts.append(row.tail if not outer else b"}" + outer + b"}")
    return parts


def _ready(state: State, kind: str, name: str) -> Callable[[Row], bytes]:
    """What `with=<name>` adds to a row, made once and kept until something it depends on changes."""
    make = _INNER[kind][name]
    kept = state.embedded.setdefault(f"{kind} {name} {state.switches.loss_reason_shape}", {})

    def extra(row: Row) -> bytes:
        found = kept.get(row.id)
        if found is None:
            found = kept[row.id] = make(state, row)
        return found

    return extra


def make_ready(state: State) -> None:
    """Make what `with=` adds to contacts and deals ahead of the first question."""
    for kind, names in (("contacts", ("leads",)), ("leads", ("contacts", "loss_reason"))):
        for extra in [_ready(state, kind, name) for name in names]:
            for row in state.tables[kind]:
                extra(row)


def _shaper(kind: str, switches: Any) -> Callable[[Row], bytes] | None:
    """A rewriting of records for the switches that change their shape; None while these are as the rows are stored."""
    if kind == "tasks" or (switches.minor_units and switches.no_custom_fields == "null"):
        return None

    def shape(row: Row) -> bytes:
        record = row.record()
        if not switches.minor_units:
            record.pop("price_with_minor_units", None)
        if record.get("custom_fields_values", 0) is None:
            if switches.no_custom_fields == "absent":
                del record["custom_fields_values"]
            elif switches.no_custom_fields == "list":
                record["custom_fields_values"] = []
        return orjson.dumps(record)[: -len(row.tail)]

    return shape


def _pin_shaper(expand: set[str]) -> Callable[[Row], bytes]:
    """A rewriting of notes: `is_pinned` is shown where `with=` asks for it, and nowhere else."""

    def shape(row: Row) -> bytes:
        if not expand and b'"is_pinned":' not in row.head:
            return row.head
        record = row.record()
        pinned = record.pop("is_pinned", False)
        return orjson.dumps(record | {"is_pinned": pinned} if expand else record)[: -len(row.tail)]

    return shape


def _refs(state: State, kind: str, ids: Iterable[int]) -> bytes:
    rows, start = state.tables[kind].rows, state.url(kind)
    return b",".join(
        b'{"id":%d,"_links":{"self":{"href":"%b/%d"}}}' % (one, start.encode(), one)
        for one in sorted(ids)
        if one in rows and not rows[one].deleted
    )


def _lead_contacts(state: State, row: Row) -> bytes:
    rows, start = state.tables["contacts"].rows, state.url("contacts").encode()
    refs = b",".join(
        b'{"id":%d,"is_main":%b,"_links":{"self":{"href":"%b/%d"}}}'
        % (one, b"true" if is_main else b"false", start, one)
        for one, is_main in sorted(state.links.contacts_of.get(row.id, {}).items(), key=_main_first)
        if one in rows and not rows[one].deleted
    )
    return b',"contacts":[%b]' % refs


def _main_first(pair: tuple[int, bool]) -> tuple[bool, int]:
    return not pair[1], pair[0]


def _loss_reason(state: State, row: Row) -> bytes:
    reason = state.lists["loss_reasons"].get(row.record().get("loss_reason_id") or 0)
    if state.switches.loss_reason_shape == "object":
        return b',"loss_reason":%b' % (orjson.dumps(reason) if reason else b"null")
    return b',"loss_reason":%b' % orjson.dumps([reason] if reason else [])


def _constant(text: bytes) -> Extra:
    return lambda _state, _row: text


def _members(kind: str) -> Extra:
    return lambda state, row: (
        b',"%b":[%b]'
        % (
            kind.encode(),
            _refs(state, kind, state.links.members_of.get((kind, row.id), ())),
        )
    )


_NO_ELEMENTS = _constant(b',"catalog_elements":[]')
_INNER: dict[str, dict[str, Extra]] = {
    "contacts": {
        "leads": lambda state, row: b',"leads":[%b]' % _refs(state, "leads", state.links.leads_of.get(row.id, ())),
        "catalog_elements": _NO_ELEMENTS,
        "customers": _constant(b',"customers":[]'),
        "social_profiles": _constant(b',"social_profiles":[]'),
    },
    "companies": {
        "leads": _members("leads"),
        "contacts": _members("contacts"),
        "catalog_elements": _NO_ELEMENTS,
        "customers": _constant(b',"customers":[]'),
    },
    "leads": {
        "contacts": _lead_contacts,
        "catalog_elements": _NO_ELEMENTS,
        "loss_reason": _loss_reason,
        "source": _constant(b',"source":null'),
    },
}
_OUTER = {
    "leads": {
        "is_price_modified_by_robot": b',"is_price_modified_by_robot":false',
        "source_id": b',"source_id":null',
    }
}
