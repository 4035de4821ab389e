"""What happened around the seed's records: notes, tasks, and the events feed."""

from __future__ import annotations

import random
from itertools import pairwise

from kommo.sandbox import seed_values
from kommo.sandbox import seed_words as words
from kommo.sandbox.events import Change, make_event
from kommo.sandbox.records import LOST, WON
from kommo.sandbox.rows import Record, Row, make_row
from kommo.sandbox.state import SINGULAR, Event, State

_TOLD = 4000


def note(state: State, kind: str, entity: int, by: int, at: int, values: Record) -> Row:
    """A note on a record, as a row."""
    table = f"{kind}/notes"
    note_id = state.take_id(table)
    shown = {
        "id": note_id, "entity_id": entity, "created_by": by, "updated_by": by, "created_at": at, "updated_at": at,
        "responsible_user_id": by or state.profile.admin_id, "group_id": 0, "note_type": "common", "params": {},
        "account_id": state.profile.account_id, **values,
    }  # fmt: skip
    return make_row(shown | {"_links": {"self": {"href": state.url(f"{kind}/{entity}/notes/{note_id}")}}})


def task(state: State, by: int, at: int, values: Record) -> Row:
    """A task, as a row."""
    task_id = state.take_id("tasks")
    shown = {
        "id": task_id, "created_by": by, "updated_by": by, "created_at": at, "updated_at": at,
        "responsible_user_id": state.profile.admin_id, "group_id": 0, "entity_id": None, "entity_type": None,
        "duration": 0, "is_completed": False, "task_type_id": 1, "text": "", "result": [], "complete_till": at,
        "account_id": state.profile.account_id, **values,
    }  # fmt: skip
    return make_row(shown | {"_links": {"self": {"href": state.url(f"tasks/{task_id}")}}})


def add_life(state: State, rng: random.Random, leads: list[int], contacts: list[int]) -> None:
    """Notes and tasks on the latest records, and the feed that tells of them all."""
    for kind, ids in (("leads", leads), ("contacts", contacts)):
        _notes(state, rng, kind, rng.sample(ids[-_TOLD:], len(ids[-_TOLD:]) // 3))
    _tasks(state, rng, rng.sample(leads[-_TOLD:], len(leads[-_TOLD:]) // 4))
    told: list[Event] = []
    for kind, ids in (("contacts", contacts), ("leads", leads)):
        for one in ids[-_TOLD:]:
            told += _history(state, rng, kind, state.tables[kind].rows[one].record())
    state.events.extend(sorted(told, key=lambda event: (event.created_at, event.id)))


def _notes(state: State, rng: random.Random, kind: str, ids: list[int]) -> None:
    now, rows = state.now(), []
    for one in sorted(ids):
        at = rng.randrange(state.tables[kind].rows[one].created_at, now)
        by = state.profile.admin_id + int(rng.random() * 7)
        values: Record = {"params": {"text": rng.choice(words.NOTES)}}
        if rng.random() < 0.15:
            call = {"uniq": f"{rng.getrandbits(64):x}", "duration": rng.randrange(5, 600), "source": "telefonia"}
            values = {"note_type": "call_in", "params": call | {"link": "", "phone": seed_values.phone(rng)}}
        rows.append(note(state, kind, one, by, at, values))
    state.tables[f"{kind}/notes"].fill(rows)


def _tasks(state: State, rng: random.Random, ids: list[int]) -> None:
    now, rows = state.now(), []
    for one in sorted(ids):
        row = state.tables["leads"].rows[one]
        at = rng.randrange(row.created_at, now)
        due = at + rng.randrange(-2, 20) * seed_values.DAY
        done = due < now and rng.random() < 0.8
        values = {"entity_id": one, "entity_type": "leads", "text": rng.choice(words.TASKS), "complete_till": due,
                  "is_completed": done, "result": {"text": "Feito"} if done else []}  # fmt: skip
        rows.append(task(state, state.profile.admin_id + int(rng.random() * 7), at, values))
        if not done:
            record = row.record()
            record["closest_task_at"] = due
            state.tables["leads"].put(make_row(record, unsorted=row.unsorted))
    state.tables["tasks"].fill(rows)


def _history(state: State, rng: random.Random, kind: str, record: Record) -> list[Event]:
    added: Change = (f"{SINGULAR[kind]}_added", [], [{"note": {"id": record["id"]}}])
    by, start = record["created_by"], record["created_at"]
    told = [make_event(rng, start, by, kind, record["id"], added)]
    if kind == "leads":
        stages = [one["id"] for one in state.lists["pipelines"][record["pipeline_id"]]["statuses"][1:-2]]
        end = record["closed_at"] or record["updated_at"]
        reached = stages if record["status_id"] in (WON, LOST) else stages[: 1 + _place(stages, record["status_id"])]
        path = [*reached, *([record["status_id"]] if record["status_id"] in (WON, LOST) else [])]
        for place, (before, after) in enumerate(pairwise(path), 1):
            at = start + (end - start) * place // max(len(path) - 1, 1)
            values = [[{"lead_status": {"id": one, "pipeline_id": record["pipeline_id"]}}] for one in (before, after)]
            change: Change = ("lead_status_changed", values[0], values[1])
            told.append(make_event(rng, at, by, kind, record["id"], change))
    return told


def _place(stages: list[int], stage: int) -> int:
    return stages.index(stage) if stage in stages else -1
