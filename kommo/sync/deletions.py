"""What is gone from Kommo: suspected by what Kommo tells and by absence, asked for by id, then buried.

Nothing is buried on suspicion, nor because a list left it out. A record Kommo still gives is written as it is now; one
it does not give any more is buried, unless so many are missing without a deletion told that a person has to decide.
"""

from collections.abc import Iterator, Sequence

from kommo.crm.pages import MAX_IDS
from kommo.crm.records import Contact, Deal
from kommo.db import reading
from kommo.store import candidates, missing, records
from kommo.store.candidates import ABSENCE, ALIVE, BURIED, GONE, TOLD
from kommo.sync.run import Run
from kommo.sync.streams import CONTACTS, DEALS, StreamSpec
from kommo.sync.writing import write_records

LOT = MAX_IDS - 1  # ids asked for at once, beside a witness


def suspect_absent(run: Run, spec: StreamSpec, read_pass: int) -> None:
    """Note the live rows that a complete reading pass did not meet."""
    after = 0
    while True:
        run.check()
        with reading(run.services.engine) as session:  # may go through all rows: nobody is kept from writing meanwhile
            lot = records.unseen(session, run.target(spec, read_pass), after, 5 * LOT)
        if not lot:
            return
        with run.transaction() as session:
            candidates.suspect(session, run.claim.run_id, spec.name, lot, ABSENCE)
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
        gone = candidates.absent_and_gone(session, run.claim.run_id, spec.name)
        gone += missing.asked_before(session, target.connection_id, run.claim.run_id, spec.name) if gone else 0
        if gone and too_many(gone, records.alive_count(session, target.connection_id, spec.kind)):
            missing.keep(session, target.connection_id, run.claim.run_id, spec.name)
    version = run.version()
    while True:
        with run.transaction() as session:
            lot = candidates.with_verdict(session, run.claim.run_id, spec.name, GONE, LOT)
            buried = records.bury(session, target, lot, version)
            candidates.judge(session, run.claim.run_id, spec.name, lot, BURIED)
            if spec is CONTACTS:  # their deals have lost a link: read again when the deals' turn comes
                linked = records.deals_of_contacts(session, target.connection_id, buried)
                candidates.suspect(session, run.claim.run_id, DEALS.name, linked, TOLD)
        if not lot:
            return
