"""What is gone from Kommo, or came back: suspected by events, the trash and absence, then asked for by id.

Nothing is buried on suspicion, nor because a list left it out. A record Kommo still gives is written as it is now; one
it does not give any more is buried, unless so many are missing without a deletion told that a person has to decide.
"""

from collections.abc import Iterator, Sequence

from kommo.crm.errors import Forbidden, NotFound, Rejected, Unpaid
from kommo.crm.pages import MAX_IDS
from kommo.crm.records import Contact, Deal
from kommo.db import reading
from kommo.store import candidates, records
from kommo.store.candidates import ABSENCE, ALIVE, BURIED, EVENT, GONE, TRASH
from kommo.sync import streams
from kommo.sync.bands import write_records
from kommo.sync.run import Run
from kommo.sync.streams import CONTACTS, DEALS, StreamSpec

LOT = MAX_IDS - 1  # ids asked for at once, beside a witness
DELETED = ("lead_deleted", "contact_deleted")
CONTACT_RESTORED = "contact_restored"
EVENT_TYPES = (
    *DELETED, "lead_restored", CONTACT_RESTORED, "entity_merged",
    "lead_linked", "lead_unlinked", "contact_linked", "contact_unlinked", "entity_linked", "entity_unlinked",
    "entity_tag_added", "entity_tag_deleted",
)  # fmt: skip
_REFUSALS = (Forbidden, Unpaid, NotFound, Rejected)


def suspect_by_events(run: Run, since: int, until: int) -> dict[str, set[str]] | None:
    """Note every record that Kommo's events name since a moment; gives the event types by stream.

    Only a deletion told is evidence of one: a tag or a link says that a record has to be read again, no more. None
    where the account's plan or the token's rights do not give events: the trash and absence have to do.
    """
    told: dict[str, dict[str, list[int]]] = {spec.name: {} for spec in streams.ALL}
    try:
        for event in run.kommo.events(since, until, EVENT_TYPES):
            spec = streams.BY_ENTITY.get(event.entity)
            if spec is not None:
                told[spec.name].setdefault(event.type, []).append(event.entity_id)
    except _REFUSALS:
        return None
    for name, by_type in told.items():
        for kind, ids in by_type.items():
            _suspect(run, name, ids, EVENT if kind in DELETED else ABSENCE)
    _suspect_deals_of(run, told[CONTACTS.name].get(CONTACT_RESTORED, []))
    return {name: set(by_type) for name, by_type in told.items()}


def _suspect_deals_of(run: Run, contact_ids: Sequence[int]) -> None:
    """A contact that came back is in its deals again, and nothing says so of them."""
    for begin in range(0, len(contact_ids), MAX_IDS):
        run.check()
        _suspect(run, DEALS.name, run.kommo.deals_of(contact_ids[begin : begin + MAX_IDS]), ABSENCE)


def suspect_by_trash(run: Run, spec: StreamSpec, since: int) -> None:
    """Note what lies in Kommo's trash since a moment, where Kommo shows it."""
    number, more = 1, True
    while more:
        run.check()
        try:
            page = run.kommo.page(spec.remote, number, order="updated_at", updated_from=since - 1, only_deleted=True)
        except _REFUSALS:
            return
        trashed = [record.id for record in page.records if record.is_deleted]
        if len(trashed) < len(page.records):
            return  # an ignored `only_deleted` gives ordinary rows: they say nothing
        _suspect(run, spec.name, trashed, TRASH)
        number, more = number + 1, page.has_next


def suspect_absent(run: Run, spec: StreamSpec, read_pass: int) -> None:
    """Note the live rows that a complete reading pass did not meet."""
    after = 0
    while True:
        run.check()
        with run.transaction() as session:
            lot = records.unseen(session, run.target(spec, read_pass), after, 5 * LOT)
            candidates.suspect(session, run.claim.run_id, spec.name, lot, ABSENCE)
        if not lot:
            return
        after = lot[-1]


def settle_candidates(run: Run, spec: StreamSpec, read_pass: int) -> None:
    """Ask for every candidate by id, bring the living up to date, bury the rest, mind the guard."""
    for lot in _lots(run, spec):
        run.check()
        gone = _ask_again(run, spec, lot, read_pass)
        alive = [key for key in lot if key not in gone]
        with run.transaction() as session:
            candidates.judge(session, run.claim.run_id, spec.name, alive, ALIVE)
            candidates.judge(session, run.claim.run_id, spec.name, sorted(gone), GONE)
    _bury(run, spec, read_pass)


def too_many(gone: int, held: int) -> bool:
    """Whether so many records are missing at once that only a person may say they are gone."""
    return gone > 1000 or (gone >= 5 and gone * 10 > held)


def _suspect(run: Run, stream: str, ids: Sequence[int], evidence: str) -> None:
    if ids:
        with run.transaction() as session:
            candidates.suspect(session, run.claim.run_id, stream, ids, evidence)


def _lots(run: Run, spec: StreamSpec) -> Iterator[list[int]]:
    while True:
        with reading(run.services.engine) as session:
            lot = candidates.open_ids(session, run.claim.run_id, spec.name, LOT)
        if not lot:
            return
        yield lot


def _ask_again(run: Run, spec: StreamSpec, lot: Sequence[int], read_pass: int) -> set[int]:
    """Read records by id; gives the ids that Kommo does not give any more.

    A list is believed about what it leaves out only where it gives a record known to be alive that was asked for
    with the others; otherwise each one left out is asked for alone.
    """
    version = run.version()
    with reading(run.services.engine) as session:
        witness = records.witness(session, run.target(spec, read_pass))
    found = _read_by_id(run, spec, [*lot, *([witness] if witness else [])], version)
    living = {key: found[key] for key in lot if key in found}
    for key in lot:
        if witness not in found and key not in living:
            run.check()
            record = run.kommo.one(spec.remote, key)
            living |= {key: record} if record is not None else {}
    write_records(run, spec, list(living.values()), version, read_pass)
    return set(lot) - set(living)


def _read_by_id(run: Run, spec: StreamSpec, ids: Sequence[int], version: int) -> dict[int, Contact | Deal]:
    """The living among these, by id, as far as a list filtered by id gives them; nothing where it does not filter."""
    found: dict[int, Contact | Deal] = {}
    number, more = 1, True
    while more:
        run.check()
        page = run.kommo.page(spec.remote, number, ids=ids, order="id", version=version)
        if any(record.id not in ids for record in page.records):
            return {}
        found |= {record.id: record for record in page.records if not record.is_deleted}
        number, more = number + 1, page.has_next
    return found


def _bury(run: Run, spec: StreamSpec, read_pass: int) -> None:
    target = run.target(spec, read_pass)
    with run.transaction() as session:
        missing = candidates.absent_and_gone(session, run.claim.run_id, spec.name)
        if too_many(missing, records.live_count(session, target.connection_id, spec.kind)):
            candidates.guard(session, run.claim.run_id, spec.name)
    version = run.version()
    while True:
        with run.transaction() as session:
            lot = candidates.with_verdict(session, run.claim.run_id, spec.name, GONE, LOT)
            buried = records.bury(session, target, lot, version)
            candidates.judge(session, run.claim.run_id, spec.name, lot, BURIED)
            if spec is CONTACTS:  # their deals have lost a link: read again when the deals' turn comes
                linked = records.deals_of_contacts(session, target.connection_id, buried)
                candidates.suspect(session, run.claim.run_id, DEALS.name, linked, ABSENCE)
        if not lot:
            return
