"""Records as they lie ready to be sent: each one's JSON in bytes, beside the few columns that lists sort by."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

Record = dict[str, Any]
LARGEST = 2**63 - 1  # what a column of SQLite, and an id or a time of Kommo, can be


@dataclass(slots=True)
class Row:
    """One stored record: `head + tail` is its JSON, cut where `with=` can add to `_embedded`, if it has that."""

    id: int
    created_at: int
    updated_at: int
    deleted: bool
    unsorted: bool
    head: bytes
    tail: bytes = b"}}"
    folded: str | None = None

    def record(self) -> Record:
        """The record as a new dict."""
        value: Record = orjson.loads(self.head + self.tail)
        return value


def make_row(record: Record, *, deleted: bool = False, unsorted: bool = False) -> Row:
    """A row of `record`; its `_embedded` (not empty), if any, becomes the last key, so that more can be added to it."""
    tail = b"}"
    if "_embedded" in record:
        record["_embedded"] = record.pop("_embedded")
        tail = b"}}"
    text = orjson.dumps(record)
    times = (record.get("created_at"), record.get("updated_at"))
    created, updated = (at if isinstance(at, int) and abs(at) <= LARGEST else 0 for at in times)
    return Row(record["id"], created, updated, deleted, unsorted, text[: -len(tail)], tail)


@dataclass(slots=True)
class Table:
    """All records of one kind by id, with the sorted arrays that lists need; a change drops the arrays."""

    rows: dict[int, Row] = field(default_factory=dict)
    version: int = 0
    live: int = 0
    _sorted: dict[str, tuple[list[int], list[int]]] = field(default_factory=dict)
    _picked: dict[Hashable, list[int]] = field(default_factory=dict)

    def put(self, row: Row) -> None:
        """Store `row`, replacing the one with its id."""
        old = self.rows.get(row.id)
        self.live += (not row.deleted) - (old is not None and not old.deleted)
        self.rows[row.id] = row
        self._changed()

    def fill(self, rows: Iterable[Row]) -> None:
        """Store many rows with new ids in one go."""
        for row in rows:
            self.rows[row.id] = row
            self.live += not row.deleted
        self._changed()

    def drop(self, row_id: int) -> None:
        """Forget a row for good."""
        self.live -= not self.rows.pop(row_id).deleted
        self._changed()

    def get(self, row_id: int) -> Row | None:
        """The live row with this id, or None."""
        row = self.rows.get(row_id)
        return None if row is None or row.deleted else row

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def ordered(self, key: str) -> tuple[list[int], list[int]]:
        """(keys, ids) of all rows, deleted ones too, ascending by `key` (`id`, `created_at`, `updated_at`), then id."""
        if key not in self._sorted:
            pairs = sorted((getattr(row, key), row.id) for row in self.rows.values())
            self._sorted[key] = ([pair[0] for pair in pairs], [pair[1] for pair in pairs])
        return self._sorted[key]

    def between(self, key: str, low: int | None, high: int | None) -> list[int]:
        """Ids of the rows with `low <= key <= high`, ascending by `key`."""
        keys, ids = self.ordered(key)
        start = 0 if low is None else bisect_left(keys, low)
        stop = len(keys) if high is None else bisect_right(keys, high)
        return ids[start:stop]

    def picked(self, name: Hashable) -> list[int] | None:
        """A selection of ids kept under `name` since the last change, or None."""
        return self._picked.get(name)

    def keep(self, name: Hashable, ids: list[int]) -> None:
        """Keep a selection until the next change (a handful; then all are dropped)."""
        if len(self._picked) >= 16:
            self._picked.clear()
        self._picked[name] = ids

    def _changed(self) -> None:
        self.version += 1
        self._sorted.clear()
        self._picked.clear()
