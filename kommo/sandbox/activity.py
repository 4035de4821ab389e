"""Notes and tasks: reading and writing what hangs on a record."""

from __future__ import annotations

from typing import Any

from kommo.sandbox import events, records
from kommo.sandbox.answers import Answer, hal, not_found, nothing
from kommo.sandbox.lists import list_answer, one_answer
from kommo.sandbox.requests import Request
from kommo.sandbox.rows import Record, Row, Table, make_row
from kommo.sandbox.seed_life import note, task
from kommo.sandbox.shapes import (
    MISSING,
    NOT_A_CHOICE,
    NOT_EXPECTED,
    Problem,
    Types,
    known,
    refuse,
    request_id,
    wrong_types,
)
from kommo.sandbox.state import KINDS, State
from kommo.sandbox.writes import signer

_TASK_TYPES: Types = {
    "text": (str,), "complete_till": (int,), "duration": (int,), "task_type_id": (int,), "is_completed": (bool,),
    "result": (dict, list), "created_at": (int,), "updated_at": (int,), "created_by": (int,), "updated_by": (int,),
}  # fmt: skip
_TASK_KEYS = {*_TASK_TYPES, "responsible_user_id", "entity_id", "entity_type", "request_id", "id"}


def _alive(state: State, kind: str, value: Any) -> bool:
    return known(state.tables[kind].rows, value) and not state.tables[kind].rows[value].deleted


def notes(state: State, request: Request) -> Answer:
    """Notes of all records of a kind, or of one record."""
    kind = f"{request.args[0]}/notes"
    table = state.tables[kind]
    if len(request.args) > 1:
        if state.tables[request.args[0]].get(request.number) is None:
            return not_found()
        table = Table()
        table.fill(row for row in state.tables[kind] if row.record()["entity_id"] == request.number)
    return list_answer(state, request, kind, table)


def one_note(state: State, request: Request) -> Answer:
    """One note; 404 where there is none."""
    kind = f"{request.args[0]}/notes"
    return one_answer(state, request, kind, state.tables[kind]) if _note(state, request) else not_found()


def _note(state: State, request: Request) -> Row | None:
    row = state.tables[f"{request.args[0]}/notes"].get(request.number)
    if row is not None and len(request.args) > 2 and str(row.record()["entity_id"]) != request.args[1]:
        return None
    return row


def post_notes(state: State, request: Request) -> Answer:
    """New notes; the record is named in each, or in the path. Raises Refused (400)."""
    kind, by = request.args[0], signer(state, request)
    items = request.many(strict_type=state.switches.strict_content_type)
    if len(request.args) > 1:
        items = [{**item, "entity_id": request.number} for item in items]
    refuse(items, [_note_problems(state, kind, item) for item in items])
    shown = []
    with state.changing():
        for place, item in enumerate(items):
            values = {"note_type": item["note_type"], "params": item.get("params", {})}
            row = note(state, kind, item["entity_id"], by, state.now(), values)
            state.put(f"{kind}/notes", row)
            records.touch(state, kind, item["entity_id"], by, bump=state.switches.note_bumps)
            told: events.Change = (events.NOTES[item["note_type"]], [], [{"note": {"id": row.id}}])
            events.tell(state, kind, item["entity_id"], by, told)
            shown.append({"id": row.id, "entity_id": item["entity_id"], **_echo(item, place, row)})
    return hal({"_links": {"self": {"href": state.url(f"{kind}/notes")}}, "_embedded": {"notes": shown}})


def _note_problems(state: State, kind: str, item: Record) -> list[Problem]:
    found: list[Problem] = []
    if not _alive(state, kind, item.get("entity_id")):
        found.append(("entity_id", NOT_A_CHOICE))
    return found + _content_problems(item, str(item.get("note_type")))


def _content_problems(item: Record, note_type: str) -> list[Problem]:
    """What is wrong with a note's type and its `params`; a common note cannot be without a text."""
    found: list[Problem] = [] if note_type in events.NOTES else [("note_type", NOT_A_CHOICE)]
    params = item.get("params")
    if not isinstance(params, dict) or (note_type == "common" and not _is_text(params.get("text"))):
        found.append(("params.text", MISSING))
    return found


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _edit_problems(table: Table, item: Record, needed: tuple[str, ...]) -> list[Problem]:
    row = table.get(item["id"]) if known(table.rows, item.get("id")) else None
    if row is None:
        return [("id", NOT_A_CHOICE)]
    found: list[Problem] = [(key, MISSING) for key in needed if key not in item]
    found += wrong_types(item, {"params": (dict,), "is_pinned": (bool,), "note_type": (str,)})
    if found:
        return found
    note = row.record()
    if item.get("entity_id", note["entity_id"]) != note["entity_id"]:
        found.append(("entity_id", NOT_A_CHOICE))
    if "note_type" in item or "params" in item:
        found += _content_problems({"params": note["params"], **item}, str(item.get("note_type", note["note_type"])))
    return found


def patch_notes(state: State, request: Request) -> Answer:
    """Change notes. Raises Refused (400).

    Many from an array, each with `id` and `entity_id`; one from an object with `note_type` and `params`.
    """
    kind = request.args[0]
    single = request.path.rpartition("/")[2].isdecimal()
    strict = state.switches.strict_content_type
    items = [request.one(strict_type=strict) | {"id": request.number}] if single else request.many(strict_type=strict)
    table = state.tables[f"{kind}/notes"]
    if single and _note(state, request) is None:
        return not_found()
    needed = ("note_type", "params") if single else ("entity_id",)
    refuse(items, [_edit_problems(table, item, needed) for item in items])
    shown = []
    with state.changing():
        for place, item in enumerate(items):
            changed = table.rows[item["id"]].record()
            changed |= {key: item[key] for key in ("note_type", "params", "is_pinned") if key in item}
            changed |= {"updated_at": state.now(), "updated_by": signer(state, request)}
            state.put(f"{kind}/notes", make_row(changed))
            shown.append(
                {"id": item["id"], "entity_id": changed["entity_id"], "updated_at": changed["updated_at"]}
                | _echo(item, place, table.rows[item["id"]])
            )
    if single:
        return hal(shown[0])
    return hal({"_links": {"self": {"href": state.url(f"{kind}/notes")}}, "_embedded": {"notes": shown}})


def pin_note(state: State, request: Request) -> Answer:
    """Pin or unpin a note: 204; 404 where there is none."""
    kind, *_, verb = request.args
    row = state.tables[f"{kind}/notes"].get(request.number_at(-2))
    if row is None:
        return not_found()
    with state.changing():
        state.put(f"{kind}/notes", make_row(row.record() | {"is_pinned": verb == "pin"}))
    return nothing()


def _echo(item: Record, place: int, row: Row) -> Record:
    return {"request_id": request_id(item, place), "_links": row.record()["_links"]}


def tasks(state: State, request: Request) -> Answer:
    """All tasks."""
    return list_answer(state, request, "tasks", state.tables["tasks"])


def one_task(state: State, request: Request) -> Answer:
    """One task, where the switch says that there is such a route."""
    return one_answer(state, request, "tasks", state.tables["tasks"]) if state.switches.task_get else not_found()


def post_tasks(state: State, request: Request) -> Answer:
    """New tasks. Raises Refused (400)."""
    by = signer(state, request)
    items = request.many(strict_type=state.switches.strict_content_type)
    refuse(items, [_task_problems(state, item, new=True) for item in items])
    shown = []
    with state.changing():
        for place, item in enumerate(items):
            row = task(
                state, by, state.now(), {key: item[key] for key in _TASK_KEYS - {"id", "request_id"} if key in item}
            )
            state.put("tasks", row)
            _hang(state, row, by, ("task_added", [], []))
            shown.append({"id": row.id, **_echo(item, place, row)})
    return hal({"_links": {"self": {"href": state.url("tasks")}}, "_embedded": {"tasks": shown}})


def _task_problems(state: State, item: Record, *, new: bool) -> list[Problem]:
    found = list(wrong_types(item, _TASK_TYPES))
    found += [(key, NOT_EXPECTED) for key in item if key not in _TASK_KEYS and key != "_links"]
    found += [(key, MISSING) for key in ("text", "complete_till") if new and not item.get(key)]
    if item.get("entity_type") is not None:
        kind = item["entity_type"]
        if kind not in KINDS:
            found.append(("entity_type", NOT_A_CHOICE))
        elif not _alive(state, kind, item.get("entity_id")):
            found.append(("entity_id", NOT_A_CHOICE))
    if "responsible_user_id" in item and not known(state.lists["users"], item["responsible_user_id"]):
        found.append(("responsible_user_id", NOT_A_CHOICE))
    return found


def patch_tasks(state: State, request: Request) -> Answer:
    """Change tasks: many from an array (`id`), one from an object. Raises Refused (400)."""
    single = bool(request.args)
    strict = state.switches.strict_content_type
    items = [request.one(strict_type=strict) | {"id": request.number}] if single else request.many(strict_type=strict)
    table, by = state.tables["tasks"], signer(state, request)
    found = [
        _task_problems(state, item, new=False) if known(table.rows, item.get("id")) else [("id", NOT_A_CHOICE)]
        for item in items
    ]
    if single and table.get(request.number) is None:
        return not_found()
    refuse(items, found)
    shown = []
    with state.changing():
        for place, item in enumerate(items):
            before = table.rows[item["id"]].record()
            changed = before | {key: value for key, value in item.items() if key not in ("id", "request_id", "_links")}
            changed |= {"updated_at": state.now(), "updated_by": by}
            changed["group_id"] = records.group_of(state, changed["responsible_user_id"])
            row = make_row(changed)
            state.put("tasks", row)
            _hang(state, row, by, *events.task_differences(before, changed))
            shown.append({"id": row.id, "updated_at": changed["updated_at"], **_echo(item, place, row)})
    if single and state.switches.single_patch == "bare":
        return hal(shown[0])
    return hal({"_links": {"self": {"href": state.url("tasks")}}, "_embedded": {"tasks": shown}})


def _hang(state: State, row: Row, by: int, *told: events.Change) -> None:
    """Tell of a task, and bring its record's `closest_task_at` up to date."""
    record = row.record()
    events.tell(state, "tasks", row.id, by, *told)
    kind, entity = record["entity_type"], record["entity_id"]
    if kind in KINDS and state.tables[kind].rows.get(entity) is not None:
        open_tasks = (one.record() for one in state.tables["tasks"])
        due = [one["complete_till"] for one in open_tasks
               if not one["is_completed"] and (one["entity_type"], one["entity_id"]) == (kind, entity)]  # fmt: skip
        closest = min(due, default=None)
        records.touch(state, kind, entity, by, bump=state.switches.task_bumps, closest_task_at=closest)
