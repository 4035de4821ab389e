"""What Kommo tells of deletions, restorations, merges and links: by its events, or by its trash where it gives none."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from kommo.crm.client import Event
from kommo.crm.errors import NO_RIGHT, Rejected
from kommo.crm.pages import MAX_IDS, Stream
from kommo.db import now, reading
from kommo.store import candidates, catalogues, marks
from kommo.store.candidates import ALIVE, EVENT, TOLD, TRASH
from kommo.sync import streams
from kommo.sync.run import Run
from kommo.sync.streams import COMPANIES, COMPANY_LINKS, CONTACT_LINKS, CONTACTS, DEALS, StreamSpec

OVERLAP = 900  # seconds: an event may be shown long after it happened
DAY = 86_400  # seconds; events are asked for until then, whatever clock stamps them
RESTORED = "restored"
_KINDS = ("lead", "contact", "company")
MERGED = "entity_merged"
EVENT_TYPES = (
    *(f"{one}_{done}" for one in _KINDS for done in ("deleted", RESTORED, "linked", "unlinked")),
    MERGED, "entity_linked", "entity_unlinked", "entity_tag_added", "entity_tag_deleted",
)  # fmt: skip
REFUSALS = (*NO_RIGHT, Rejected)
_LOT = 100  # events noted in one transaction


class Told:
    """What was told in this run: the events acted upon by id, with their times, and the streams with a restoration."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.events: dict[str, int] = {}
        self.restored: set[str] = set()

    @property
    def newest(self) -> int:
        """When the newest event happened (Kommo's Unix seconds); 0 where there is none."""
        return max(self.events.values(), default=0)

    def take(self, since: int, until: int) -> None:
        """Note every record that Kommo names since a moment (its Unix seconds), as to be asked for.

        Only a deletion told is evidence of one: a tag or a link says that a record has to be read again, no more.
        """
        if not self._refused(marks.EVENTS):
            try:
                self._take_events(since, until)
            except REFUSALS:
                self._note_refused(marks.EVENTS)
            else:
                return
        for spec in streams.ALL:
            if not self._refused(spec.name):
                self._take_trash(spec, since)

    def _take_events(self, since: int, until: int) -> None:
        feed = self.run.kommo.events(since, until, EVENT_TYPES)
        while lot := list(islice(feed, _LOT)):
            with reading(self.run.services.engine) as session:
                known = marks.known_events(session, self.run.claim.connection_id, [event.id for event in lot])
            self._suspect(event for event in lot if event.id not in known and event.id not in self.events)
            self.events |= {event.id: event.created_at for event in lot}

    def _suspect(self, events: Iterable[Event]) -> None:
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for event in events:
            for stream, evidence, key in _meaning(event):
                found[stream, evidence].append(key)
            if event.type.endswith(RESTORED) and event.entity in streams.BY_ENTITY:
                self.restored.add(streams.BY_ENTITY[event.entity].name)
        with self.run.transaction() as session:
            for (stream, evidence), ids in found.items():
                candidates.suspect(session, self.run.claim.run_id, stream, ids, evidence)

    def _take_trash(self, spec: StreamSpec, since: int) -> None:
        """Note what lies in Kommo's trash since a moment, where Kommo shows it."""
        number, more = 1, True
        while more:
            self.run.check()
            try:
                page = self.run.kommo.page(
                    spec.remote, number, order="updated_at", updated_from=since - 1, only_deleted=True
                )
            except REFUSALS:
                return self._note_refused(spec.name)
            trashed = [record.id for record in page.records if record.is_deleted]
            if len(trashed) < len(page.records):  # an ignored `only_deleted` gives ordinary rows: they say nothing
                return self._note_refused(spec.name)
            if trashed:
                with self.run.transaction() as session:
                    candidates.suspect(session, self.run.claim.run_id, spec.name, trashed, TRASH)
            number, more = number + 1, page.has_next
        return None

    def _refused(self, feed: str) -> bool:
        with reading(self.run.services.engine) as session:
            return marks.is_refused(session, self.run.claim.connection_id, feed)

    def _note_refused(self, feed: str) -> None:
        with self.run.transaction() as session:
            marks.set_mark(session, self.run.claim.connection_id, feed, refused_at=now(session))


def _meaning(event: Event) -> Iterator[tuple[str, str, int]]:
    """What has to be asked for after an event: (candidates' stream, evidence, id)."""
    for entity, key in [(event.entity, event.entity_id), *event.others]:
        spec = streams.BY_ENTITY.get(entity)
        if spec is not None:
            yield spec.name, EVENT if event.type == f"{entity}_deleted" else TOLD, key
    moved = event.type == MERGED or event.type.endswith(f"_{RESTORED}")  # its links came with it
    if event.entity == CONTACTS.entity and moved:
        yield CONTACT_LINKS, TOLD, event.entity_id
    if event.entity == "company" and (moved or event.type == "company_deleted"):
        yield COMPANY_LINKS, TOLD, event.entity_id
        yield COMPANIES, TOLD, event.entity_id


def follow_links(run: Run) -> None:
    """Have those records read again whose links changed though nothing says so of them."""
    for lot in _lots(run, CONTACT_LINKS):
        _again(run, CONTACT_LINKS, lot, {DEALS.name: _linked(run, Stream.CONTACTS, lot, DEALS)})
    for lot in _lots(run, COMPANY_LINKS):
        found = {spec.name: _linked(run, Stream.COMPANIES, lot, spec) for spec in streams.ALL}
        with reading(run.services.engine) as session:
            for spec in streams.ALL:
                found[spec.name] += catalogues.members(session, run.claim.connection_id, spec.kind, lot)
        _again(run, COMPANY_LINKS, lot, found)
    for lot in _lots(run, COMPANIES):
        with run.transaction() as session:
            catalogues.ask_again(session, run.claim.connection_id, lot)
            candidates.judge(session, run.claim.run_id, COMPANIES, lot, ALIVE)


def _linked(run: Run, stream: Stream, ids: Sequence[int], spec: StreamSpec) -> list[int]:
    """The ids of the records that these are linked to at Kommo, as far as it says."""
    try:
        return run.kommo.linked(stream, ids, spec.remote.key)
    except REFUSALS:
        return []


def _again(run: Run, stream: str, lot: Sequence[int], found: dict[str, list[int]]) -> None:
    with run.transaction() as session:
        for name, ids in found.items():
            candidates.suspect(session, run.claim.run_id, name, ids, TOLD)
        candidates.judge(session, run.claim.run_id, stream, lot, ALIVE)


def _lots(run: Run, stream: str) -> Iterator[list[int]]:
    while True:
        run.check()
        with reading(run.services.engine) as session:
            lot = candidates.open_ids(session, run.claim.run_id, stream, MAX_IDS)
        if not lot:
            return
        yield lot
