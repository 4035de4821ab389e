"""Any sequence of changes: what is served is what a plain dictionary says, from memory and after a restart.

The sandbox keeps sorted arrays, pieces of JSON and whole answers ready; this finds the one that was not dropped.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from kommo.sandbox import MovableClock, open_world, serve

from .conftest import NOW, Api

NAMES = st.sampled_from(["Ana", "Bruno", "Célia", "", "  ", "João"])
PIPELINE, WON = 8400101, 142


class Account(RuleBasedStateMachine):
    """Contacts and deals as dictionaries, beside the sandbox."""

    contacts = Bundle("contacts")
    deals = Bundle("deals")
    trashed = Bundle("trashed")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = MovableClock(NOW)
        self.names: dict[str, dict[int, str]] = {"contacts": {}, "leads": {}}
        self.updated: dict[str, dict[int, int]] = {"contacts": {}, "leads": {}}
        self.trash: dict[str, set[int]] = {"contacts": set(), "leads": set()}
        self.links: set[tuple[int, int]] = set()
        self.closed: dict[int, int | None] = {}
        self._start()

    def _start(self) -> None:
        path = str(self.folder / "conta.sqlite3")
        self.server = serve(open_world(path, contacts=0, deals=0, clock=self.clock))
        self.world = self.server.world
        self.api = Api(self.server, self.server.token)

    def _stop(self) -> None:
        self.api.session.close()
        self.server.stop()

    def teardown(self) -> None:
        self._stop()
        shutil.rmtree(self.folder)

    def _touched(self, kind: str, one: int) -> None:
        self.updated[kind][one] = self.world.state.now()

    @initialize()
    def empty(self) -> None:
        assert self.api.get("contacts").status_code == 204

    @rule(seconds=st.integers(0, 100))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(target=contacts, name=NAMES)
    def a_contact_is_made(self, name: str) -> int:
        return self._made("contacts", {"name": name})

    @rule(target=deals, name=NAMES)
    def a_deal_is_made(self, name: str) -> int:
        made = self._made("leads", {"name": name, "pipeline_id": PIPELINE})
        self.closed[made] = None
        return made

    def _made(self, kind: str, body: dict[str, Any]) -> int:
        made = int(self.api.post(kind, [body]).json()["_embedded"][kind][0]["id"])
        self.names[kind][made] = body["name"]
        self._touched(kind, made)
        return made

    @rule(one=contacts, name=NAMES)
    def a_contact_is_renamed(self, one: int, name: str) -> None:
        self._rename("contacts", one, name)

    @rule(one=deals, name=NAMES)
    def a_deal_is_renamed(self, one: int, name: str) -> None:
        self._rename("leads", one, name)

    def _rename(self, kind: str, one: int, name: str) -> None:
        answer = self.api.patch(f"{kind}/{one}", {"name": name})
        if one not in self.names[kind] or one in self.trash[kind]:
            assert answer.status_code == 204
        elif self.names[kind][one] != name:
            self.names[kind][one] = name
            self._touched(kind, one)

    @rule(one=deals, won=st.booleans())
    def a_deal_moves(self, one: int, won: bool) -> None:
        stages = self.world.state.lists["pipelines"][PIPELINE]["statuses"]
        answer = self.api.patch(f"leads/{one}", {"status_id": WON if won else stages[1]["id"]})
        if answer.status_code == 200 and won != (self.closed[one] is not None):
            self.closed[one] = self.world.state.now() if won else None
            self._touched("leads", one)

    @rule(deal=deals, contact=contacts)
    def they_are_linked(self, deal: int, contact: int) -> None:
        answer = self.api.post(f"leads/{deal}/link", [{"to_entity_id": contact, "to_entity_type": "contacts"}])
        if answer.status_code == 200:
            self.links.add((deal, contact))

    @rule(deal=deals, contact=contacts)
    def they_are_unlinked(self, deal: int, contact: int) -> None:
        answer = self.api.post(f"contacts/{contact}/unlink", [{"to_entity_id": deal, "to_entity_type": "leads"}])
        if answer.status_code == 204:
            self.links.discard((deal, contact))

    @precondition(lambda self: self.links)
    @rule(place=st.integers(0, 1000))
    def a_link_is_undone(self, place: int) -> None:
        deal, contact = sorted(self.links)[place % len(self.links)]
        self.they_are_unlinked(deal, contact)

    @rule(target=trashed, one=consumes(contacts))
    def a_contact_goes_to_the_trash(self, one: int) -> tuple[str, int]:
        return self._delete("contacts", one)

    @rule(target=trashed, one=consumes(deals))
    def a_deal_goes_to_the_trash(self, one: int) -> tuple[str, int]:
        return self._delete("leads", one)

    def _delete(self, kind: str, one: int) -> tuple[str, int]:
        if one in self.names[kind]:
            self.world.delete(kind, one)
            self.trash[kind].add(one)
            self._touched(kind, one)
        return kind, one

    @rule(gone=consumes(trashed), for_good=st.booleans())
    def it_comes_back_or_not(self, gone: tuple[str, int], for_good: bool) -> None:
        kind, one = gone
        if one not in self.trash[kind]:
            return
        self.trash[kind].discard(one)
        if for_good:
            self.world.purge(kind, one)
            self._forget(kind, one)
        else:
            self.world.restore(kind, one)
            self._touched(kind, one)

    def _forget(self, kind: str, one: int) -> None:
        del self.names[kind][one]
        place = 0 if kind == "leads" else 1
        self.links = {pair for pair in self.links if pair[place] != one}

    @rule(winner=contacts, loser=contacts)
    def two_contacts_merge(self, winner: int, loser: int) -> None:
        alive = [one for one in (winner, loser) if one in self.names["contacts"]]
        if winner == loser or len(alive) < 2:
            return
        self.world.merge("contacts", winner, loser)
        self.links |= {(deal, winner) for deal, contact in self.links if contact == loser}
        self._forget("contacts", loser)
        self._touched("contacts", winner)

    @precondition(lambda self: self.names["contacts"])
    @rule()
    def it_starts_again(self) -> None:
        self._stop()
        self._start()

    def _alive(self, kind: str) -> list[int]:
        return sorted(set(self.names[kind]) - self.trash[kind])

    @invariant()
    def lists_are_what_the_dictionaries_say(self) -> None:
        for kind, other in (("contacts", "leads"), ("leads", "contacts")):
            rows = self.api.rows(kind, f"limit=250&with={other}")
            assert [row["id"] for row in rows] == self._alive(kind)
            for row in rows:
                assert row["name"] == self.names[kind][row["id"]]
                assert row["updated_at"] == self.updated[kind][row["id"]]
                assert [one["id"] for one in row["_embedded"][other]] == self._linked(kind, row["id"])
            assert self.world.count(kind) == len(rows)
        for row in self.api.rows("leads", "limit=250"):
            assert row["closed_at"] == self.closed[row["id"]]

    def _linked(self, kind: str, one: int) -> list[int]:
        if kind == "contacts":
            return sorted(deal for deal, contact in self.links if contact == one and deal not in self.trash["leads"])
        shown = self.world.state.links.contacts_of.get(one, {})
        found = {contact for deal, contact in self.links if deal == one and contact not in self.trash["contacts"]}
        return sorted(found, key=lambda contact: (not shown[contact], contact))

    @invariant()
    def the_trash_is_what_was_thrown_away(self) -> None:
        for kind, thrown in self.trash.items():
            assert set(self.api.ids(kind, "with=only_deleted&limit=250")) == thrown

    @invariant()
    def orders_and_ranges_agree_with_sorting_by_hand(self) -> None:
        for kind in self.names:
            by_hand = sorted(self._alive(kind), key=lambda one: (self.updated[kind][one], one))
            assert self.api.ids(kind, "order[updated_at]=asc&limit=250") == by_hand
            since = self.updated[kind][by_hand[len(by_hand) // 2]] if by_hand else NOW
            wanted = [one for one in by_hand if self.updated[kind][one] >= since]
            assert self.api.ids(kind, f"order[updated_at]=asc&filter[updated_at][from]={since}&limit=250") == wanted

    @invariant()
    def pages_put_together_are_the_list(self) -> None:
        pages = (self.api.ids("contacts", f"limit=2&page={page}") for page in itertools.count(1))
        assert list(itertools.chain.from_iterable(itertools.takewhile(bool, pages))) == self._alive("contacts")


Account.TestCase.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
TestAccount = Account.TestCase
