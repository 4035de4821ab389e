"""What hangs on the seed's records: notes and tasks."""

from __future__ import annotations

import random

from kommo.sandbox import records, seed_values
from kommo.sandbox import seed_words as words
from kommo.sandbox.rows import Record, Row, make_row
from kommo.sandbox.seed_feed import tell_all
from kommo.sandbox.state import State

_TOLD = 4000


def note(state: State, kind: str, entity: int, by: int, at: int, values: Record) -> Row:
    """A note on a record, as a row."""
    table = f"{kind}/notes"
    note_id = state.take_id(table)
    shown = {
        "id": note_id, "entity_id": entity, "created_by": by, "updated_by": by, "created_at": at, "updated_at": at,
        "responsible_user_id": by or state.profile.admin_id,
        "group_id": records.group_of(state, by or state.profile.admin_id), "note_type": "common", "params": {},
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
    shown["group_id"] = records.group_of(state, shown["responsible_user_id"])
    return make_row(shown | {"_links": {"self": {"href": state.url(f"tasks/{task_id}")}}})


def add_life(state: State, rng: random.Random, leads: list[int], contacts: list[int]) -> None:
    """Notes and tasks on the latest records, and the feed that tells of them all."""
    for kind, ids in (("leads", leads), ("contacts", contacts)):
        _notes(state, rng, kind, rng.sample(ids[-_TOLD:], len(ids[-_TOLD:]) // 3))
    _tasks(state, rng, rng.sample(leads[-_TOLD:], len(leads[-_TOLD:]) // 4))
    tell_all(state, rng, {"contacts": contacts[-_TOLD:], "leads": leads[-_TOLD:]})


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
        days = rng.randrange(-2, 20)
        due = at + (days * seed_values.DAY if days > 0 else 7200)
        done = due < now and rng.random() < 0.8
        values = {"entity_id": one, "entity_type": "leads", "text": rng.choice(words.TASKS), "complete_till": due,
                  "is_completed": done, "result": {"text": "Feito"} if done else []}  # fmt: skip
        rows.append(task(state, state.profile.admin_id + int(rng.random() * 7), at, values))
        if not done:
            record = row.record()
            record["closest_task_at"] = due
            state.tables["leads"].put(make_row(record, unsorted=row.unsorted))
    state.tables["tasks"].fill(rows)
