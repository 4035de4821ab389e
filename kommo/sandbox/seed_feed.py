"""The events feed of a new account: what its records, notes, tasks and links tell of themselves."""

from __future__ import annotations

import random
from itertools import pairwise

from kommo.sandbox.events import NOTES, Change, make_event
from kommo.sandbox.records import LOST, WON
from kommo.sandbox.rows import Record
from kommo.sandbox.state import SINGULAR, Event, State


def tell_all(state: State, rng: random.Random, told_of: dict[str, list[int]]) -> None:
    """Fill the feed with the history of the records in `told_of` (ids by kind), in the order of time."""
    told: list[Event] = []
    for kind, ids in told_of.items():
        for one in ids:
            told += _history(state, rng, kind, state.tables[kind].rows[one].record())
    for kind in told_of:
        told += [_note_event(rng, kind, row.record()) for row in state.tables[f"{kind}/notes"]]
    for row in state.tables["tasks"]:
        told += _task_events(rng, row.record(), state.now())
    state.events.extend(sorted(told, key=lambda event: (event.created_at, event.id)))


def _history(state: State, rng: random.Random, kind: str, record: Record) -> list[Event]:
    added: Change = (f"{SINGULAR[kind]}_added", [], [{"note": {"id": record["id"]}}])
    by, start = record["created_by"], record["created_at"]
    changes = [added]
    if record["_embedded"]["tags"]:
        names = [{"tag": {"id": tag["id"], "name": tag["name"]}} for tag in record["_embedded"]["tags"]]
        changes.append(("entity_tag_added", [], names))
    if kind == "leads":
        people = [{"link": {"entity": {"type": "contact", "id": one}}} for one in _people(state, record["id"])]
        changes += [("contact_linked", [], [person]) for person in people]
    told = [make_event(rng, start, by, kind, record["id"], change) for change in changes]
    return told + _moves(state, rng, record) if kind == "leads" else told


def _people(state: State, lead: int) -> list[int]:
    return list(state.links.contacts_of.get(lead, ()))


def _moves(state: State, rng: random.Random, record: Record) -> list[Event]:
    """How a deal got through the stages to the one in which it stands."""
    start, told = record["created_at"], []
    stages = [one["id"] for one in state.lists["pipelines"][record["pipeline_id"]]["statuses"][1:-2]]
    end = record["closed_at"] or record["updated_at"]
    closed = record["status_id"] in (WON, LOST)
    path = [*stages, record["status_id"]] if closed else stages[: 1 + _place(stages, record["status_id"])]
    for place, (before, after) in enumerate(pairwise(path), 1):
        at = start + (end - start) * place // max(len(path) - 1, 1)
        values = [[{"lead_status": {"id": one, "pipeline_id": record["pipeline_id"]}}] for one in (before, after)]
        change: Change = ("lead_status_changed", values[0], values[1])
        told.append(make_event(rng, at, record["created_by"], "leads", record["id"], change))
    return told


def _place(stages: list[int], stage: int) -> int:
    return stages.index(stage) if stage in stages else -1


def _note_event(rng: random.Random, kind: str, note: Record) -> Event:
    change: Change = (NOTES[note["note_type"]], [], [{"note": {"id": note["id"]}}])
    return make_event(rng, note["created_at"], note["created_by"], kind, note["entity_id"], change)


def _task_events(rng: random.Random, task: Record, now: int) -> list[Event]:
    told = [make_event(rng, task["created_at"], task["created_by"], "tasks", task["id"], ("task_added", [], []))]
    if task["is_completed"]:
        at = min(task["complete_till"], now)
        told.append(make_event(rng, at, task["created_by"], "tasks", task["id"], ("task_completed", [], [])))
    return told
