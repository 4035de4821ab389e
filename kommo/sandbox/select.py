"""Which rows of a table a list shows, and in which order."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from kommo.sandbox.answers import Refused
from kommo.sandbox.query import numbers, texts, values
from kommo.sandbox.rows import Record, Row, Table
from kommo.sandbox.state import State

Test = Callable[[Record], bool]
Quick = Callable[[Row], bool]
ORDERS = {
    "leads": ("created_at", "updated_at", "id"),
    "contacts": ("updated_at", "id"),
    "companies": ("updated_at", "id"),
    "tasks": ("created_at", "complete_till", "id"),
    "notes": ("updated_at", "id"),
}
_DEFAULT_ORDERS = {
    "id_asc": ("id", False), "id_desc": ("id", True),
    "updated_desc": ("updated_at", True), "created_desc": ("created_at", True),
}  # fmt: skip
_PEOPLE = ("created_by", "updated_by", "responsible_user_id")
_EXACT = {
    "leads": ("name", *_PEOPLE, "pipeline_id"),
    "contacts": ("name", *_PEOPLE),
    "companies": ("name", *_PEOPLE),
    "tasks": ("responsible_user_id", "task_type_id", "entity_type", "entity_id"),
    "notes": ("note_type", "entity_id"),
}
_RANGES = {
    "leads": ("price", "closed_at", "closest_task_at"),
    "contacts": ("closest_task_at",),
    "companies": ("closest_task_at",),
    "tasks": (),
    "notes": (),
}
_TIMES = {
    "leads": ("created_at", "updated_at"),
    "contacts": ("created_at", "updated_at"),
    "companies": ("created_at", "updated_at"),
    "tasks": ("updated_at",),
    "notes": ("updated_at",),
}


def folded(text: str) -> str:
    """Text without case and accents, as search compares it."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


def select(state: State, kind: str, table: Table, tree: dict[str, Any], *, deleted: bool = False) -> list[int]:
    """Ids of the rows that a list with the query `tree` shows, in its order, all pages together."""
    asked = repr([tree.get(key) for key in ("filter", "order", "query")])
    name = (deleted, asked, *vars(state.switches).values())
    kept = table.picked(name)
    if kept is not None and state.switches.stable_ties:
        return kept
    what = "notes" if kind.endswith("/notes") else kind
    filters = tree.get("filter")
    filters = filters if isinstance(filters, dict) else {}
    key, backwards = _order(state, what, tree.get("order"))
    ids = _narrow(state, what, table, filters, key)
    rows = table.rows
    chosen: Iterable[Row] = (rows[one] for one in ids if rows[one].deleted == deleted)
    if not state.switches.list_unsorted:
        chosen = (row for row in chosen if not row.unsorted)
    for quick in _time_tests(state, what, filters):
        chosen = filter(quick, chosen)
    tests = list(_tests(state, what, filters))
    if tests:
        chosen = _passing(chosen, tests)
    if isinstance(tree.get("query"), str) and tree["query"].strip():
        chosen = _matching(state, what, chosen, tree["query"])
    found = _sorted(state, [row.id for row in chosen], table, key, backwards)
    table.keep(name, found)
    return found


def _order(state: State, what: str, wanted: Any) -> tuple[str, bool]:
    default = _DEFAULT_ORDERS[state.switches.default_order]
    if state.switches.order_ignored or not isinstance(wanted, dict):
        return default
    for key, direction in wanted.items():
        if key in ORDERS[what]:
            return key, str(direction).lower() == "desc"
        if state.switches.unknown_order == "400":
            raise Refused(400, f"order: {key} is not supported")
    return default


def _narrow(state: State, what: str, table: Table, filters: dict[str, Any], key: str) -> list[int]:
    if "id" in filters:
        return sorted({one for one in numbers(filters["id"]) if one in table.rows})
    for time in _times(state, what):
        if time in filters:
            bounds = limits(state, filters[time])
            return table.between(time, *bounds) if bounds != (None, None) else table.ordered(key)[1]
    return table.ordered(key if key in ("updated_at", "created_at") else "id")[1]


def _times(state: State, what: str) -> tuple[str, ...]:
    ignored = set()
    if what == "contacts" and not state.switches.filter_contacts_created:
        ignored.add("created_at")
    if not state.switches.filter_updated:
        ignored.add("updated_at")
    return tuple(time for time in _TIMES[what] if time not in ignored)


def limits(state: State, node: Any) -> tuple[int | None, int | None]:
    """The inclusive bounds of a range filter; a bare value is a range of that one value, `from,to` is one too."""
    if isinstance(node, dict) and ("from" in node or "to" in node):
        low, high = (numbers(node.get(end)) for end in ("from", "to"))
        start = low[0] + (not state.switches.from_inclusive) if low else None
        stop = high[0] - (not state.switches.to_inclusive) if high else None
        return start, stop
    exact = numbers(node)
    return (exact[0], exact[-1]) if exact else (None, None)


def _tests(state: State, what: str, filters: dict[str, Any]) -> Iterable[Test]:
    for key in _RANGES[what]:
        if key in filters:
            yield _within(key, *limits(state, filters[key]))
    for key in _EXACT[what]:
        if key in filters:
            yield _one_of(key, filters[key])
    yield from _special_tests(what, filters)
    fields = filters.get("custom_fields_values")
    if isinstance(fields, dict) and state.switches.custom_field_filters:
        for field_id, wanted in fields.items():
            yield _with_field(field_id, wanted)


def _special_tests(what: str, filters: dict[str, Any]) -> Iterable[Test]:
    if what == "leads" and isinstance(filters.get("statuses"), dict):
        yield _in_stages(filters["statuses"])
    if what == "tasks" and "is_completed" in filters:
        yield _one_of_flags(filters["is_completed"])
    if what == "tasks" and "task_type" in filters:
        yield _one_of("task_type_id", filters["task_type"])


def _passing(rows: Iterable[Row], tests: list[Test]) -> Iterable[Row]:
    for row in rows:
        record = row.record()
        if all(test(record) for test in tests):
            yield row


def _time_tests(state: State, what: str, filters: dict[str, Any]) -> Iterable[Quick]:
    for key in _times(state, what):
        if key in filters:
            yield _at_between(key, *limits(state, filters[key]))


def _at_between(key: str, low: int | None, high: int | None) -> Quick:
    low, high = -(2**63) if low is None else low, 2**63 if high is None else high
    return lambda row: low <= getattr(row, key) <= high


def _within(key: str, low: int | None, high: int | None) -> Test:
    def test(record: Record) -> bool:
        value = record.get(key)
        return isinstance(value, int | float) and (low is None or value >= low) and (high is None or value <= high)

    return test


def _one_of(key: str, node: Any) -> Test:
    wanted = {*values(node), *texts(node)}
    return lambda record: str(record.get(key)) in wanted


def _one_of_flags(node: Any) -> Test:
    wanted = {text in ("1", "true") for text in values(node)}
    return lambda record: record.get("is_completed") in wanted


def _in_stages(node: dict[str, Any]) -> Test:
    pairs = set()
    for one in node.values():
        if isinstance(one, dict) and "pipeline_id" in one and "status_id" in one:
            pairs |= {(p, s) for p in numbers(one["pipeline_id"]) for s in numbers(one["status_id"])}
    return lambda record: not pairs or (record.get("pipeline_id"), record.get("status_id")) in pairs


def _with_field(field_id: str, node: Any) -> Test:
    wanted = set(values(node))

    def test(record: Record) -> bool:
        for item in record.get("custom_fields_values") or ():
            if str(item["field_id"]) == field_id:
                found = {str(value.get(key)) for value in item["values"] for key in ("value", "enum_id")}
                return bool(found & wanted)
        return False

    return test


def _matching(state: State, what: str, rows: Iterable[Row], query: str) -> Iterable[Row]:
    words = folded(query).split()
    digits = "".join(c for c in query if c.isdecimal())
    by_digits = len(digits) >= 4 and not any(c.isalpha() for c in query)
    tags = what == "leads" and state.switches.query_finds_tags
    for row in rows:
        if row.folded is None:
            row.folded = _search_text(row.record())
        text, tag_text, numbers_text = row.folded.split("\0")
        text = text + tag_text if tags else text
        if all(word in text for word in words) or (by_digits and digits in numbers_text):
            yield row


def _search_text(record: Record) -> str:
    parts = [str(record.get("name") or ""), str(record.get("text") or "")]
    for item in record.get("custom_fields_values") or ():
        parts += [str(value.get("value", "")) for value in item["values"]]
    plain = folded(" ".join(parts)).replace("\0", "")
    tags = folded(" ".join([""] + [tag["name"] for tag in record.get("_embedded", {}).get("tags", ())])).replace(
        "\0", ""
    )
    return "\0".join((plain, tags, " ".join("".join(c for c in part if c.isdecimal()) for part in parts)))


def _sorted(state: State, ids: list[int], table: Table, key: str, backwards: bool) -> list[int]:
    rows = table.rows
    if key == "complete_till":
        return sorted(ids, key=lambda one: (rows[one].record()["complete_till"], one), reverse=backwards)
    if not state.switches.stable_ties:
        state.rng.shuffle(ids)
        return sorted(ids, key=lambda one: getattr(rows[one], key), reverse=backwards)
    return sorted(ids, key=lambda one: (getattr(rows[one], key), one), reverse=backwards)
