"""A Kommo account as a test holds it in its hands: data, changes, faults, switches, what was asked."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kommo.sandbox import directory, faults, records, renaming, seed, tokens
from kommo.sandbox.clock import Clock
from kommo.sandbox.faults import Fault
from kommo.sandbox.gate import Gate, Seen
from kommo.sandbox.requests import Request
from kommo.sandbox.rows import Record
from kommo.sandbox.state import Profile, State
from kommo.sandbox.storage import Storage, StorageError
from kommo.sandbox.switches import Switches, turn

PADARIA = Profile()
OFICINA = Profile(
    account_id=30002000, name="Oficina Norte", subdomain="oficinanorte", currency="USD", currency_symbol="$"
)
PROFILES = {"padaria": PADARIA, "oficina": OFICINA}
BeforeRequest = Callable[[str, str, str], None]


class World:
    """One account. Thread-safe: every method takes the one lock. Changes are made as a person in Kommo would (by `by`).

    `before_request(method, path, query)` is called before a request is carried out, under no lock.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.gate = Gate(state.switches)
        self.stopping = threading.Event()
        self.before_request: BeforeRequest | None = None
        self._faults: list[Fault] = []

    # -- looking -----------------------------------------------------------------------------------------------------

    @property
    def lock(self) -> threading.RLock:
        """The lock under which the account changes."""
        return self.state.lock

    @property
    def switches(self) -> Switches:
        """How this Kommo behaves where the documentation is silent."""
        return self.state.switches

    @property
    def account_id(self) -> int:
        """The account's id."""
        return self.state.profile.account_id

    def record(self, kind: str, record_id: int) -> Record:
        """The stored record, from the trash too. Raises KeyError if there is none."""
        with self.lock:
            return self.state.tables[kind].rows[record_id].record()

    def ids(self, kind: str, *, deleted: bool = False) -> list[int]:
        """Ids of the live records (or of those in the trash), ascending."""
        with self.lock:
            return sorted(row.id for row in self.state.tables[kind] if row.deleted == deleted)

    def count(self, kind: str) -> int:
        """How many live records there are."""
        with self.lock:
            return self.state.tables[kind].live

    def contacts_of(self, lead: int) -> list[int]:
        """Ids of a deal's contacts."""
        with self.lock:
            return list(self.state.links.contacts_of.get(lead, ()))

    # -- changing ----------------------------------------------------------------------------------------------------

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Several changes in one: nobody sees them half done."""
        with self.state.changing():
            yield

    def add(self, kind: str, by: int | None = None, **values: Any) -> int:
        """A new contact, lead or company; `values` replace the record's keys (`...` takes a key away). Gives its id."""
        by = self.state.profile.admin_id if by is None else by
        with self.state.changing():
            record = records.blank(self.state, kind, self.state.take_id(kind), by)
            if kind == "leads" and "pipeline_id" not in values:
                pipeline = self.state.lists["pipelines"][min(self.state.lists["pipelines"])]
                record |= {"pipeline_id": pipeline["id"], "status_id": pipeline["statuses"][1]["id"]}
            _lay_over(record, values)
            return records.create(self.state, kind, record, by).id

    def update(self, kind: str, record_id: int, by: int | None = None, **values: Any) -> None:
        """Change keys of a record (`...` takes one away). `updated_at` moves unless it is among `values`."""
        by = self.state.profile.admin_id if by is None else by
        with self.state.changing():
            record = self.state.tables[kind].rows[record_id].record()
            _lay_over(record, values)
            given = {"updated_at": values["updated_at"]} if "updated_at" in values else {}
            records.rewrite(self.state, kind, record, by, **given)

    def delete(self, kind: str, *ids: int) -> None:
        """Put records into the trash. Raises KeyError for one that is not alive; those before it are deleted."""
        with self.state.changing():
            for record_id in ids:
                records.delete(self.state, kind, record_id, self.state.profile.admin_id)

    def restore(self, kind: str, *ids: int) -> None:
        """Take records out of the trash. Raises KeyError for one that is not there."""
        with self.state.changing():
            for record_id in ids:
                records.restore(self.state, kind, record_id, self.state.profile.admin_id)

    def purge(self, kind: str, *ids: int) -> None:
        """Remove records for good; no feed and no list tells of it."""
        with self.state.changing():
            for record_id in ids:
                records.purge(self.state, kind, record_id)

    def bulk_delete(self, kind: str, number: int) -> list[int]:
        """Put `number` random live records into the trash at once. Gives their ids."""
        with self.state.changing():
            live = self.ids(kind)
            chosen = self.state.rng.sample(live, min(number, len(live)))
            self.delete(kind, *chosen)
            return sorted(chosen)

    def merge(self, kind: str, winner: int, loser: int) -> None:
        """Melt `loser` into `winner`. Raises KeyError if one of them is not alive."""
        with self.state.changing():
            records.merge(self.state, kind, winner, loser, self.state.profile.admin_id)

    def link(self, kind: str, record_id: int, to_kind: str, to_id: int, *, is_main: bool = False) -> None:
        """Link two records. Raises ValueError for kinds that cannot be linked."""
        with self.state.changing():
            ends = (kind, record_id), (to_kind, to_id)
            records.link(self.state, *ends, self.state.profile.admin_id, is_main=is_main)

    def unlink(self, kind: str, record_id: int, to_kind: str, to_id: int) -> None:
        """Unlink two records."""
        with self.state.changing():
            ends = (kind, record_id), (to_kind, to_id)
            records.unlink(self.state, *ends, self.state.profile.admin_id)

    def add_item(self, what: str, name: str, **values: Any) -> int:
        """A new entry of `pipelines`, `users`, `loss_reasons`, `contacts/custom_fields` and so on. Gives its id."""
        with self.state.changing():
            return directory.add(self.state, what, name, values)

    def change_item(self, what: str, item_id: int, **values: Any) -> None:
        """Change an entry of a directory: `name` for a new name. Raises KeyError if there is none."""
        kind, _, plain = what.partition("/")
        with self.state.changing():
            changed = self.state.lists[what][item_id] | values
            if plain == "custom_fields":
                renaming.set_field(self.state, kind, changed)
            else:
                self.state.set_item(what, changed)

    def remove_item(self, what: str, item_id: int) -> None:
        """Remove an entry of a directory; records that speak of it go on doing so. Raises KeyError if there is none."""
        with self.state.changing():
            self.state.drop_item(what, item_id)

    def add_stage(self, pipeline: int, name: str, **values: Any) -> int:
        """A new stage, last of the open ones. Gives its id."""
        with self.state.changing():
            return directory.add_stage(self.state, pipeline, name, values)

    def change_stage(self, pipeline: int, stage: int, **values: Any) -> None:
        """Change a stage: `name` for a new name. Raises KeyError if there is none."""
        with self.state.changing():
            directory.change_stage(self.state, pipeline, stage, values)

    def remove_stage(self, pipeline: int, stage: int) -> None:
        """Remove a stage; deals that stand in it keep its id. Raises KeyError if there is none."""
        with self.state.changing():
            directory.change_stage(self.state, pipeline, stage, None)

    # -- tokens, switches, faults, counters -----------------------------------------------------------------------

    def token(self, **options: Any) -> str:
        """A new token; `lifetime` in seconds, `scopes`, or any claim."""
        with self.lock:
            return tokens.issue(self.state, **options)

    def revoke(self, token: str) -> None:
        """Make a token worthless."""
        with self.state.changing():
            tokens.revoke(self.state, token)

    def turn(self, **settings: Any) -> None:
        """Set switches by name. Raises ValueError for one that does not exist or a value it cannot have."""
        with self.state.changing():
            turn(self.switches, settings)

    def fail(self, match: str, times: int | None = 1, how: str = "500", **options: float | str) -> Fault:
        """Let requests fail whose `METHOD /path?query` contains or matches `match`; `times=None` = from now on.

        `how` is a name in `faults.BEFORE` or `faults.AFTER`. Options: `skip` (let so many pass first), `seconds`,
        `megabytes`, `url`. The answer counts its `hits`. Raises ValueError for an unknown `how` or option.
        """
        made = faults.fault(match, times, how, **options)
        with self.lock:
            self._faults.append(made)
        return made

    def heal(self) -> None:
        """Take back every fault."""
        with self.lock:
            self._faults.clear()

    def next_fault(self, request: Request) -> Fault | None:
        """The fault that strikes this request, if one does; takes its turn."""
        with self.lock:
            for one in self._faults:
                if one.times and one.meets(request.method, request.path, request.query) and one.strikes():
                    return one
        return None

    def block(self) -> None:
        """Answer everything with the HTML 403."""
        self.gate.blocked = True

    def unblock(self) -> None:
        """Lift the block, and forget what led to it."""
        self.gate.unblock()

    @property
    def log(self) -> list[Seen]:
        """The requests so far, in the order in which they came to be handled."""
        return list(self.gate.log)

    @property
    def requests(self) -> int:
        """How many requests came in."""
        return self.gate.requests

    @property
    def rejected_429(self) -> int:
        """How many were over the rate."""
        return self.gate.rejected_429

    @property
    def max_in_one_second(self) -> int:
        """The most that came in within any one second."""
        return self.gate.max_in_one_second()

    def reset(self) -> None:
        """Empty log and counters, take back the faults, lift the block."""
        self.gate.reset()
        self.heal()

    def close(self) -> None:
        """Give the data file back, if there is one."""
        with self.lock:
            if self.state.store is not None:
                self.state.store.close()
                self.state.store = None


def _lay_over(record: Record, values: dict[str, Any]) -> None:
    for key, value in values.items():
        if value is ...:
            record.pop(key, None)
        elif key == "_embedded":
            record[key] = record[key] | value
        else:
            record[key] = value


def make_world(
    profile: Profile = PADARIA,
    *,
    contacts: int = 4300,
    deals: int = 1900,
    seed_number: int = 1,
    clock: Clock = time.time,
) -> World:
    """A world in memory, the same for the same profile, sizes, seed and time."""  # fmt: skip
    state = State(profile, clock, secret=secrets.token_bytes(32))
    seed.fill(state, contacts=contacts, deals=deals, number=seed_number)
    return World(state)


def open_world(
    path: str,
    profile: Profile = PADARIA,
    *,
    contacts: int = 4300,
    deals: int = 1900,
    seed_number: int = 1,
    clock: Clock = time.time,
) -> World:
    """The world in the file `path`, made there if there is none; each change is on disk before it is answered.

    Sizes and seed count for a new file only. Raises StorageError when the file cannot be used, or is another account's.
    """  # fmt: skip
    storage = Storage(path)
    state = storage.load(clock)
    if state is None:
        state = make_world(profile, contacts=contacts, deals=deals, seed_number=seed_number, clock=clock).state
        storage.save_all(state)
    elif state.profile.account_id != profile.account_id:
        storage.close()
        raise StorageError(f"O arquivo de dados {path} é da conta {state.profile.name}, e não de {profile.name}.")
    state.store = storage
    return World(state)
