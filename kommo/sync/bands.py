"""Reading a list whose rows come and go, from its last page to its first, in bands.

Pages are asked for in order of id. A deletion moves later rows towards the front; read from last to first, that
repeats rows instead of hiding them. To have several requests under way, the pages are cut into contiguous bands, each
read strictly downward; a band ends when it meets an id not above the highest id of the first answer of the band
below it. Page and cursor commit together, so that a killed run goes on at its next page.

A page read to find the list's length may be a band's first answer: what counts is that the rest is asked for later.
"""

import math
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import Table, delete, select, update
from sqlalchemy.orm import Session

from kommo import logs
from kommo.crm.client import Page
from kommo.db import reading
from kommo.store.tables import SyncBand
from kommo.sync.run import Run
from kommo.sync.streams import StreamSpec
from kommo.sync.writing import count_rows, write_into

MAX_BANDS = 6  # requests under way at once
UNLIMITED = 3  # of them, where no rate is set: more only wait for each other
WORK = 0.05  # seconds from an answer to the band's next request: its rows are written
PAGES_A_BAND = 4  # below this a band costs more than it saves: each border is read twice
# The table itself: the ORM's own update costs as much again, and this is one for each page.
_BANDS: Table = SyncBand.__table__  # type: ignore[assignment]


class OrderIgnored(Exception):
    """Kommo did not sort a page by id, so that bands would hide rows: read without them."""


@dataclass(slots=True)
class Band:
    """One band: where it stands, and the highest id of its first answer for the band above to wait for."""

    number: int
    next_page: int
    lowest: int
    top_id: int | None = None
    done: bool = False
    answered: threading.Event = field(default_factory=threading.Event)


def needed(rate: float, elapsed: float) -> int:
    """How many bands make `rate` requests a second (0: no limit) of answers that take `elapsed` seconds."""
    return min(max(math.ceil(rate * (elapsed + WORK)), 2), MAX_BANDS) if rate else UNLIMITED


def plan(
    session: Session,
    run_id: int,
    stream: str,
    read_pass: int,
    pages: int,
    *,
    most: int = UNLIMITED,
    known: Sequence[int] = (),
) -> None:
    """Cut `pages` pages into bands and store them, in place of any older plan of this pass.

    A band begins at one of the pages `known` already, where one lies near: it need not be asked for again.
    """
    session.execute(
        delete(SyncBand).where(SyncBand.run_id == run_id, SyncBand.stream == stream, SyncBand.read_pass == read_pass)
    )
    count = max(min(most, pages // PAGES_A_BAND), 1)
    for band in range(count):
        first = _near(pages * (band + 1) // count, pages // (4 * count), known)
        session.add(
            SyncBand(
                run_id=run_id, stream=stream, read_pass=read_pass, band=band, first_page=first, next_page=first,
                done=first == 0,
            )
        )  # fmt: skip


def _near(page: int, tolerance: int, known: Sequence[int]) -> int:
    """The known page nearest to `page` within a tolerance, else that page itself."""
    return min([one for one in known if abs(one - page) <= tolerance], key=lambda one: abs(one - page), default=page)


def read(
    run: Run, spec: StreamSpec, read_pass: int, *, ordered: bool = True, counted: Mapping[int, Page] | None = None
) -> None:
    """Read every band of a pass that is not done, each in its own thread; the first error ends all of them.

    `counted` are pages read in this run before the bands were planned, by number.

    Raises what the client raises, OrderIgnored, and what `Run.check` raises.
    """
    bands = _load(run, spec, read_pass)
    reader = _Reader(run, spec, read_pass, bands, ordered, counted or {})
    todo = [band for band in bands if not band.done]
    if not todo:
        return
    with ThreadPoolExecutor(len(todo), thread_name_prefix=f"band-{spec.name}", initializer=logs.carrier()) as pool:
        futures = [pool.submit(reader.follow, band) for band in todo]
    errors = [error for future in futures if (error := future.exception())]
    if errors:
        raise reader.first_error or errors[0]
    run.check()


class _Reader:
    """The bands of one pass, read side by side."""

    def __init__(
        self,
        run: Run,
        spec: StreamSpec,
        read_pass: int,
        bands: list[Band],
        ordered: bool,
        counted: Mapping[int, Page],
    ) -> None:
        self.run = run
        self.spec = spec
        self.bands = bands
        self.ordered = ordered
        self.read_pass = read_pass
        self._counted = {band.number: page for band in bands if (page := counted.get(band.next_page)) is not None}
        self.first_error: BaseException | None = None
        self._failed = threading.Event()

    def follow(self, band: Band) -> None:
        """Read one band to its end."""
        try:
            while not band.done and not self._failed.is_set() and not self.run.should_stop():
                self._step(band)
        except BaseException as error:
            self.first_error = self.first_error or error
            self._failed.set()
            raise
        finally:
            if band.done:
                band.answered.set()

    def _step(self, band: Band) -> None:
        page = self._counted.pop(band.number, None) or self._ask(band.next_page)
        ids = [record.id for record in page.records]
        if self.ordered and any(low >= high for low, high in pairwise(ids)):
            raise OrderIgnored(self.spec.name)
        if ids and band.top_id is None:
            band.top_id = max(ids)
        done = band.next_page <= 1 or self._met_the_band_below(band, ids)
        self._commit(band, page, done)
        if band.top_id is not None:
            band.answered.set()

    def _ask(self, number: int) -> Page:
        return self.run.kommo.page(self.spec.remote, number, order="id", version=self.run.version())

    def _met_the_band_below(self, band: Band, ids: Sequence[int]) -> bool:
        """Whether the page just read reaches into the band below; only decided once that band gave an answer."""
        if band.number == 0 or not ids or not self.ordered:
            return False
        below = self.bands[band.number - 1]
        if band.next_page > band.lowest and not below.answered.is_set():
            return False
        while not below.answered.wait(0.2):
            if self._failed.is_set() or self.run.should_stop():
                return False
        return min(ids) <= (below.top_id or 0)

    def _commit(self, band: Band, page: Page, done: bool) -> None:
        following = 0 if done else band.next_page - 1
        with self.run.transaction() as session:
            written = write_into(session, self.run, self.spec, page.records, page.version, self.read_pass)
            session.connection().execute(
                update(_BANDS)
                .where(
                    _BANDS.c.run_id == self.run.claim.run_id,
                    _BANDS.c.stream == self.spec.name,
                    _BANDS.c.read_pass == self.read_pass,
                    _BANDS.c.band == band.number,
                )
                .values(next_page=following, top_id=band.top_id, done=done)
            )
            own = int(band.next_page >= band.lowest)  # not a page of the band below, read again at the border
            count_rows(session, self.run, self.spec, written.first_seen, pages=own, malformed=page.malformed)
        band.next_page, band.done = following, done


def _load(run: Run, spec: StreamSpec, read_pass: int) -> list[Band]:
    statement = (
        select(SyncBand)
        .where(
            SyncBand.run_id == run.claim.run_id, SyncBand.stream == spec.name, SyncBand.read_pass == read_pass
        )
        .order_by(SyncBand.band)
    )  # fmt: skip
    with reading(run.services.engine) as session:
        rows = list(session.scalars(statement))
    bands, lowest = [], 1
    for row in rows:
        band = Band(row.band, row.next_page, lowest, row.top_id, row.done)
        if band.done or band.top_id is not None:
            band.answered.set()
        bands.append(band)
        lowest = row.first_page + 1
    return bands
