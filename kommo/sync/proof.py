"""The proof: how many records Kommo holds and how many are held here, and a second look at some of them.

Ours are those held and those that were erased at a person's wish: Kommo has these, and here they must not come back.

Kommo's last page gives its count; when ours is right, the page it must be answers in one request. That page and one
more, anywhere in the list, are compared with the copy field by field. What differs is put right at once.
"""

import math
import random
from dataclasses import dataclass
from itertools import pairwise

from kommo.crm.client import Page
from kommo.db import now, reading
from kommo.store import candidates, doubts, looks, missing, records
from kommo.store.records import Incoming
from kommo.store.tables import SyncStream
from kommo.sync.counting import PAGE, Length, measure
from kommo.sync.run import Run
from kommo.sync.streams import StreamSpec
from kommo.sync.writing import write_records

_ITS_LAST = -1
CUT_AT = "cut_at"  # in a stream's notes: the last page that Kommo gives of a list that is longer


@dataclass(slots=True)
class Comparison:
    """What a comparison found: whether the counts are equal, and by how much ours is higher (0 while unknown).

    `absent` counts records looked at that were not held, `stale` those held otherwise than Kommo gave them; `cut` tells
    that Kommo does not give the list to its end.
    """

    equal: bool
    difference: int = 0
    sampled: int = 0
    pages: int = 0
    absent: int = 0
    stale: int = 0
    cut: bool = False

    @property
    def is_a_count(self) -> bool:
        """Whether the counts differ and nothing else is wrong."""
        return bool(self.difference) and not self.absent and not self.stale

    @property
    def right(self) -> bool:
        """Whether nothing was found to be wrong."""
        return self.equal and not self.absent and not self.stale


def compare(run: Run, spec: StreamSpec, read_pass: int) -> Comparison:
    """Count at Kommo and here, look at two pages again, store what came of it."""
    sent = run.sent
    with reading(run.services.engine) as session:
        held = records.alive_count(session, run.claim.connection_id, spec.kind)
        held -= missing.counts(session, run.claim.connection_id).get(spec.name, 0)
    seen: dict[int, Page] = {}

    def ask(number: int) -> Page:
        run.check()
        seen[number] = run.kommo.page(spec.remote, number, order="id", version=run.version())
        return seen[number]

    length = measure(ask, guess=max(math.ceil(held / PAGE), 1))
    found = Comparison(equal=False, pages=length.pages)
    for number in _to_look_at(length):
        page = seen.get(number) or ask(number)
        end = number == length.pages and not page.has_next
        look_at(run, spec, page, read_pass, found, until=None if end else _ITS_LAST)
    cut = length.cut and _newest_is_missing(run, spec)
    _store(run, spec, length, found, cut=cut, requests=run.sent - sent)
    return found


def look_at(
    run: Run, spec: StreamSpec, page: Page, read_pass: int, found: Comparison, *, until: int | None = _ITS_LAST
) -> None:
    """Compare a page with what is held, write what differs, and suspect what is held beside it.

    `until` is the highest id that can stand on this page: its last one unless told, None where there is no next page.
    """
    rows: list[Incoming] = [spec.to_row(record) for record in page.records]
    if not rows:
        return
    ids = [row.remote_id for row in rows]
    ordered = all(low < high for low, high in pairwise(ids))
    high = ids[-1] if until == _ITS_LAST else until
    target = run.target(spec, read_pass)
    with reading(run.services.engine) as session:
        stale, absent = looks.differing(session, target, rows)
        beside = looks.between(session, target, 0 if page.number == 1 else ids[0], high, ids) if ordered else []
    if wrong := {*stale, *absent}:
        with run.transaction() as session:
            looks.distrust(session, target, stale)
            doubts.note(session, target, stale)
        write_records(run, spec, [one for one in page.records if one.id in wrong], page.version, read_pass)
    if beside:
        with run.transaction() as session:
            candidates.suspect(session, run.claim.run_id, spec.name, beside, candidates.ABSENCE)
    found.sampled += len(rows)
    found.absent += len(absent)
    found.stale += len(stale)


def _to_look_at(length: Length) -> list[int]:
    """The last page, and another one by chance."""
    others = [random.randrange(1, length.pages)] if length.pages > 1 else []  # noqa: S311 - no secret
    return [*([length.pages] if length.pages else []), *others]


def _newest_is_missing(run: Run, spec: StreamSpec) -> bool:
    """Whether a list that seems to be cut is: its newest record, asked for from the other end, is not held."""
    newest = run.kommo.page(spec.remote, 1, limit=1, order="-id", version=run.version()).records
    with reading(run.services.engine) as session:
        return any(not records.is_live(session, run.claim.connection_id, spec.kind, record.id) for record in newest)


def _store(run: Run, spec: StreamSpec, length: Length, found: Comparison, *, cut: bool, requests: int) -> None:
    with run.transaction() as session:
        shown = records.live_count(session, run.claim.connection_id, spec.kind)
        erased = records.erased_count(session, run.claim.connection_id, spec.kind)
        held = shown + erased
        asked = missing.counts(session, run.claim.connection_id).get(spec.name, 0)
        row = session.get_one(SyncStream, (run.claim.run_id, spec.name))
        row.remote_count, row.local_count, row.erased = (None if cut else length.rows), shown, erased
        row.notes = {CUT_AT: length.pages} if cut else {}
        row.sampled, row.differed = found.sampled, found.stale + found.absent
        row.proof_requests += requests
        row.proved_at = now(session)
    found.equal, found.cut = not cut and length.rows == held - asked, cut
    found.difference = 0 if cut else held - asked - length.rows
