"""A world's data in one SQLite file. A change is committed before its answer goes out, so `kill -9` loses none."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from kommo.sandbox.clock import Clock
from kommo.sandbox.portuguese import reason
from kommo.sandbox.rows import Row
from kommo.sandbox.state import DIRECTORIES, TABLES, Event, Profile, State

_SCHEMA = """
create table meta (name text primary key, value blob not null);
create table rows (kind text, id integer, created_at integer, updated_at integer, deleted integer, unsorted integer,
                   head blob not null, tail blob not null, primary key (kind, id));
create table items (kind text, id integer, body blob not null, primary key (kind, id));
create table links (lead integer, contact integer, is_main integer, primary key (lead, contact));
create table companies (kind text, member integer, company integer, primary key (kind, member)) without rowid;
create table events (place integer primary key, id text, type text, entity_type text, entity_id integer,
                     created_by integer, created_at integer, before blob, after blob);
"""
_APPLICATION_ID = 0x4B6F6D6D


class StorageError(Exception):
    """The data file cannot be used; the text says why, in Portuguese."""


class Storage:
    """The file `path`, held by this process alone. Raises StorageError when it cannot be opened, made or held."""

    def __init__(self, path: str) -> None:
        self._saved_events = 0
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
        except OSError as error:
            raise StorageError(f"Não foi possível abrir o arquivo de dados {path}: {reason(error)}.") from None
        try:
            self._prepare()
            # Not before it is known to be ours: somebody else's file keeps its mode.
            for name in (path, f"{path}-wal"):
                Path(name).chmod(0o600)
        except OSError as error:
            self._db.close()
            raise StorageError(f"Não foi possível abrir o arquivo de dados {path}: {reason(error)}.") from None
        except sqlite3.Error as error:
            self._db.close()
            in_use = "locked" in str(error)
            why = "já está em uso por outro processo" if in_use else "não é um arquivo de dados deste programa"
            raise StorageError(f"O arquivo de dados {path} {why}.") from None

    def _prepare(self) -> None:
        db = self._db
        db.execute("pragma locking_mode = exclusive")
        empty = not db.execute("select count(*) from sqlite_schema").fetchone()[0]
        known = db.execute("pragma application_id").fetchone()[0] == _APPLICATION_ID
        if not empty and not known:
            raise sqlite3.DatabaseError("another program's file")
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = normal")
        db.execute("begin immediate")
        if empty:
            db.execute(f"pragma application_id = {_APPLICATION_ID}")
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
        db.execute("commit")

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def load(self, clock: Clock) -> State | None:
        """The world in the file; None if there is none yet."""
        meta = {name: orjson.loads(value) for name, value in self._all("select name, value from meta")}
        if "profile" not in meta:
            return None
        state = State(Profile(**meta["profile"]), clock, secret=bytes.fromhex(meta["secret"]))
        state.next_ids, state.revoked = meta["next_ids"], set(meta["revoked"])
        columns = "id, created_at, updated_at, deleted, unsorted, head, tail"
        for kind in TABLES:
            rows = self._all(f"select {columns} from rows where kind = ?", kind)  # noqa: S608
            state.tables[kind].fill(_row(*row) for row in rows)
        for kind in DIRECTORIES:
            found = self._all("select id, body from items where kind = ? order by id", kind)
            state.lists[kind] = {one: orjson.loads(body) for one, body in found}
        for lead, contact, is_main in self._all("select lead, contact, is_main from links"):
            state.links.join(lead, contact, is_main=bool(is_main))
        for kind, member, company in self._all("select kind, member, company from companies"):
            state.links.employ(kind, member, company)
        wanted = "id, type, entity_type, entity_id, created_by, created_at, before, after"
        state.events = [Event(*row) for row in self._all(f"select {wanted} from events order by place")]  # noqa: S608
        self._saved_events = len(state.events)
        return state

    def _all(self, sql: str, *values: Any) -> list[Any]:
        return self._db.execute(sql, values).fetchall()

    def save_all(self, state: State) -> None:
        """Write a whole new world, in one transaction: a process killed meanwhile leaves an empty file."""
        state.dirty = {(kind, row.id, 0) for kind in TABLES for row in state.tables[kind]}
        state.dirty |= {(kind, item, 0) for kind in DIRECTORIES for item in state.lists[kind]}
        state.dirty |= {("links", lead, one) for lead, all_ in state.links.contacts_of.items() for one in all_}
        state.dirty |= {(f"company:{kind}", member, 0) for kind, member in state.links.company_of}
        with self._transaction(state):
            self._set("profile", asdict(state.profile))
            self._set("secret", state.secret.hex())
            self._write(state)
        state.dirty = set()

    def save(self, state: State) -> None:
        """Write what changed, in one transaction; when that fails, nothing of it is written."""
        with self._transaction(state):
            self._write(state)

    @contextmanager
    def _transaction(self, state: State) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
            self._db.execute("commit")
        except BaseException:
            # A full disk may have ended the transaction already.
            if self._db.in_transaction:
                self._db.execute("rollback")
            raise
        self._saved_events = len(state.events)

    def _write(self, state: State) -> None:
        self._set("next_ids", state.next_ids)
        self._set("revoked", sorted(state.revoked))
        for kind, one, other in state.dirty:
            if kind in state.tables:
                self._write_row(state, kind, one)
            elif kind in state.lists:
                self._write_item(state, kind, one)
            elif kind == "links":
                self._write_link(state, one, other)
            else:
                self._write_company(state, kind.partition(":")[2], one)
        new = state.events[self._saved_events :]
        self._db.executemany(
            "insert into events values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((self._saved_events + place, *one) for place, one in enumerate(new)),
        )

    def _set(self, name: str, value: Any) -> None:
        self._db.execute("insert or replace into meta values (?, ?)", (name, orjson.dumps(value)))

    def _put(self, table: str, values: Iterable[Any]) -> None:
        values = tuple(values)
        marks = ", ".join("?" * len(values))
        self._db.execute(f"insert or replace into {table} values ({marks})", values)  # noqa: S608

    def _write_row(self, state: State, kind: str, row_id: int) -> None:
        row = state.tables[kind].rows.get(row_id)
        if row is None:
            self._db.execute("delete from rows where kind = ? and id = ?", (kind, row_id))
        else:
            shown = (row.created_at, row.updated_at, row.deleted, row.unsorted, row.head, row.tail)
            self._put("rows", (kind, row_id, *shown))

    def _write_item(self, state: State, kind: str, item_id: int) -> None:
        item = state.lists[kind].get(item_id)
        if item is None:
            self._db.execute("delete from items where kind = ? and id = ?", (kind, item_id))
        else:
            self._put("items", (kind, item_id, orjson.dumps(item)))

    def _write_link(self, state: State, lead: int, contact: int) -> None:
        is_main = state.links.contacts_of.get(lead, {}).get(contact)
        if is_main is None:
            self._db.execute("delete from links where lead = ? and contact = ?", (lead, contact))
        else:
            self._put("links", (lead, contact, is_main))

    def _write_company(self, state: State, kind: str, member: int) -> None:
        company = state.links.company_of.get((kind, member))
        if company is None:
            self._db.execute("delete from companies where kind = ? and member = ?", (kind, member))
        else:
            self._put("companies", (kind, member, company))


def _row(row_id: int, created: int, updated: int, deleted: int, unsorted: int, head: bytes, tail: bytes) -> Row:
    return Row(row_id, created, updated, bool(deleted), bool(unsorted), head, tail)
