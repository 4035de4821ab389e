"""Everything one account holds, and the lock under which it changes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from kommo.sandbox.clock import Clock
from kommo.sandbox.rows import Record, Row, Table
from kommo.sandbox.switches import Switches

KINDS = ("contacts", "leads", "companies")
SINGULAR = {"contacts": "contact", "leads": "lead", "companies": "company", "tasks": "task"}
NOTE_KINDS = tuple(f"{kind}/notes" for kind in KINDS)
TABLES = (*KINDS, "tasks", *NOTE_KINDS)
DIRECTORIES = (
    "pipelines", "users", "groups", "loss_reasons", "webhooks",
    *(f"{kind}/custom_fields" for kind in KINDS), *(f"{kind}/tags" for kind in KINDS),
)  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """The account itself. `admin_id` is the user whom the token belongs to."""

    account_id: int = 30001000
    name: str = "Padaria Estrela"
    subdomain: str = "padariaestrela"
    currency: str = "BRL"
    currency_symbol: str = "R$"
    country: str = "BR"
    language: str = "pt"
    timezone: str = "America/Sao_Paulo"
    utc_offset: str = "-03:00"
    admin_id: int = 7001
    created_at: int = 0


class Event(NamedTuple):
    """One line of the events feed; `before` and `after` are its values as JSON."""

    id: str
    type: str
    entity_type: str
    entity_id: int
    created_by: int
    created_at: int
    before: bytes
    after: bytes


class Store(Protocol):
    """Where a world's data survive the process."""

    def save(self, state: State) -> None:
        """Write what `state.dirty` names, durably, before it returns; all of it or nothing."""

    def close(self) -> None:
        """Give the file back."""


@dataclass
class Links:
    """Who belongs to whom. A lead's contacts carry `is_main`; a contact or a lead has at most one company."""

    contacts_of: dict[int, dict[int, bool]] = field(default_factory=dict)
    leads_of: dict[int, dict[int, None]] = field(default_factory=dict)
    company_of: dict[tuple[str, int], int] = field(default_factory=dict)
    members_of: dict[tuple[str, int], dict[int, None]] = field(default_factory=dict)

    def join(self, lead: int, contact: int, *, is_main: bool) -> None:
        """Link a lead and a contact."""
        self.contacts_of.setdefault(lead, {})[contact] = is_main
        self.leads_of.setdefault(contact, {})[lead] = None

    def part(self, lead: int, contact: int) -> None:
        """Unlink a lead and a contact."""
        self.contacts_of.get(lead, {}).pop(contact, None)
        self.leads_of.get(contact, {}).pop(lead, None)

    def employ(self, kind: str, member: int, company: int | None) -> None:
        """Say which company a contact or lead belongs to; None = to none."""
        old = self.company_of.pop((kind, member), None)
        if old is not None:
            self.members_of[kind, old].pop(member, None)
        if company is not None:
            self.company_of[kind, member] = company
            self.members_of.setdefault((kind, company), {})[member] = None


@dataclass
class State:
    """The data of one account. Read and write it under `lock`; write it inside `changing()`.

    `verified` (tokens) and `embedded` (what `with=` adds to a row) only save work.
    """

    profile: Profile
    clock: Clock = time.time
    switches: Switches = field(default_factory=Switches)
    tables: dict[str, Table] = field(default_factory=lambda: {kind: Table() for kind in TABLES})
    lists: dict[str, dict[int, dict[str, Any]]] = field(default_factory=lambda: {k: {} for k in DIRECTORIES})
    links: Links = field(default_factory=Links)
    events: list[Event] = field(default_factory=list)
    next_ids: dict[str, int] = field(default_factory=dict)
    secret: bytes = b""
    revoked: set[str] = field(default_factory=set)
    verified: dict[str, dict[str, Any]] = field(default_factory=dict)
    embedded: dict[str, dict[int, bytes]] = field(default_factory=dict)
    rng: random.Random = field(default_factory=random.Random)
    version: int = 0
    store: Store | None = None
    dirty: set[tuple[str, int, int]] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _depth: int = 0

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock for a change; when the outermost one ends, what changed is on disk."""
        with self.lock:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if not self._depth:
                    self.version += 1
                    if self.store is not None:
                        self.store.save(self)
                    # Only now: what could not be written is written with the next change.
                    self.dirty.clear()

    def now(self) -> int:
        """The time in whole Unix seconds."""
        return int(self.clock())

    def take_id(self, kind: str) -> int:
        """A new id for a record of `kind`; ids only grow. Contacts and companies share theirs, as in Kommo."""
        kind = "contacts" if kind == "companies" else "notes" if kind in NOTE_KINDS else kind
        self.next_ids[kind] = self.next_ids.get(kind, 0) + 1
        return self.next_ids[kind]

    def put(self, kind: str, row: Row) -> None:
        """Store a row and remember to save it; what lies ready of it, or of all that may point to it, is dropped."""
        old = self.tables[kind].rows.get(row.id)
        if old is None or old.deleted != row.deleted:
            self.embedded.clear()
        else:
            for name, ready in self.embedded.items():
                if name.startswith(kind):
                    ready.pop(row.id, None)
        self.tables[kind].put(row)
        self.dirty.add((kind, row.id, 0))

    def drop(self, kind: str, row_id: int) -> None:
        """Forget a row for good and remember to save that."""
        self.tables[kind].drop(row_id)
        self.embedded.clear()
        self.dirty.add((kind, row_id, 0))

    def set_item(self, kind: str, item: Record) -> None:
        """Store an entry of a directory."""
        self.lists[kind][item["id"]] = item
        self.embedded.clear()
        self.dirty.add((kind, item["id"], 0))

    def drop_item(self, kind: str, item_id: int) -> None:
        """Take an entry out of a directory."""
        del self.lists[kind][item_id]
        self.embedded.clear()
        self.dirty.add((kind, item_id, 0))

    def join(self, lead: int, contact: int, *, is_main: bool) -> None:
        """Link a lead and a contact and remember to save it."""
        self.links.join(lead, contact, is_main=is_main)
        self.embedded.clear()
        self.dirty.add(("links", lead, contact))

    def part(self, lead: int, contact: int) -> None:
        """Unlink a lead and a contact and remember to save it."""
        self.links.part(lead, contact)
        self.embedded.clear()
        self.dirty.add(("links", lead, contact))

    def employ(self, kind: str, member: int, company: int | None) -> None:
        """Set the company of a contact or lead and remember to save it."""
        self.links.employ(kind, member, company)
        self.embedded.clear()
        self.dirty.add((f"company:{kind}", member, 0))

    def url(self, path: str) -> str:
        """The account's own address of a path below /api/v4."""
        return f"https://{self.profile.subdomain}.kommo.com/api/v4/{path}"
