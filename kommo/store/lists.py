"""One page of a list of contacts or deals: which records, how many there are, in how many pages.

Two steps: the ids of the page out of an index that holds all a list filters and sorts by, then the rows of these ids
alone. The pages, the JSON API and whatever comes later ask here, so that a list is the same wherever it is seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from kommo.store.filters import NOBODY, Filters, clean_query
from kommo.store.search import matches
from kommo.store.tables import Connection, Wallet

PAGE_SIZE = 50
_SORTED: dict[str, Any] = {
    "nome": Wallet.title_folded,
    "valor": Wallet.balance,
    "atualizado": Wallet.updated_at,
    "id": Wallet.remote_id,
}

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Window:
    """One page's row ids (`Wallet.id`) in order, and where the page stands. `pages` is 1 for an empty list."""

    ids: list[int]
    matched: int
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Row]):
    """One page of a list. `matched` records fit the filters, `total` are held; `first` to `last` count from 1."""

    rows: list[Row]
    matched: int
    total: int
    page: int
    pages: int
    size: int
    filters: Filters

    @property
    def first(self) -> int:
        """The number of the first row within the list, 0 where there is none."""
        return (self.page - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """The number of the last row within the list."""
        return self.first + len(self.rows) - 1 if self.rows else 0


@dataclass(frozen=True, slots=True)
class LocalPage:
    """Records as Kommo gave them (`Wallet.metadata`), in the order of their ids; past the end there are none."""

    records: list[dict[str, Any]]
    matched: int
    page: int
    pages: int


def window(session: Session, connection: Connection, kind: str, filters: Filters, size: int = PAGE_SIZE) -> Window:
    """The page that `filters` ask for; one past the end becomes the last one."""
    everything = live(connection, kind)
    total = count_where(session, everything)
    narrowing = _narrowing(session, connection, kind, filters)
    wanted = [*everything, *narrowing]
    if filters.query and (found := _searched(session, wanted, filters, size)):
        ids, matched = found
        return Window(ids, matched, total, filters.page, -(-matched // size))
    matched = count_where(session, wanted) if narrowing else total
    pages = max(-(-matched // size), 1)
    page = min(filters.page, pages)
    ids = _ids(session, wanted, filters.sort, size, (page - 1) * size) if matched else []
    return Window(ids, matched, total, page, pages)


def page_of(found: Window, rows: list[Row], filters: Filters, size: int = PAGE_SIZE) -> ListPage[Row]:
    """A window with what its rows show; its filters name the page that was really taken."""
    return ListPage(rows, found.matched, found.total, found.page, found.pages, size, filters.but(page=found.page))


def local_page(session: Session, connection: Connection, kind: str, query: str, page: int, limit: int) -> LocalPage:
    """A page of the copy for a program: in order of id, `limit` records (1 or more), empty past the end."""
    asked = Filters(query=clean_query(query))
    conditions = [*live(connection, kind), *_narrowing(session, connection, kind, asked)]
    matched = count_where(session, conditions)
    offset = (page - 1) * limit
    ids = _ids(session, conditions, "id", limit, offset) if offset < matched else []
    rows = by_id(session, connection, ids, Wallet.record)
    return LocalPage([row.record for row in rows], matched, page, max(-(-matched // limit), 1))


def live(connection: Connection, kind: str) -> list[ColumnElement[bool]]:
    """The conditions for the records of one kind an account holds: neither gone from Kommo, nor erased here."""
    here = (Wallet.connection_id == connection.id, Wallet.kind == kind)
    return [*here, Wallet.deleted_at.is_(None), Wallet.erased_at.is_(None)]


def holders(session: Session, connection: Connection, kind: str) -> set[int | None]:
    """Who is responsible for any of these records; None among them where some have nobody.

    From one person the index leads to the next: as many steps as there are persons, however many the records.
    """
    person, here = Wallet.responsible_user_id, live(connection, kind)
    found = select(func.min(person).label("id")).where(*here).cte("person", recursive=True)
    after = select(func.min(person)).where(*here, person > found.c.id).scalar_subquery()
    found = found.union_all(select(after).where(found.c.id.is_not(None)))
    nobody = select(Wallet.id).where(*here, person.is_(None)).limit(1)
    persons = {key for key in session.scalars(select(found.c.id)) if key is not None}
    return persons | {None} if session.scalars(nobody).first() is not None else persons


def count_where(session: Session, conditions: Sequence[ColumnElement[bool]]) -> int:
    """How many rows of `Wallet` meet all the conditions."""
    return session.execute(select(func.count()).select_from(Wallet).where(*conditions)).scalar_one()


def by_id(session: Session, connection: Connection, ids: Sequence[int], *columns: Any) -> list[Any]:
    """The rows with these `Wallet.id`s in the order given, with `id` and the columns asked for.

    Whose they are is checked on the rows: in the statement it would tempt SQLite to an index over the whole account.
    """
    statement = select(Wallet.id, Wallet.user_id, Wallet.connection_id, *columns).where(Wallet.id.in_(ids))
    found = {row.id: row for row in session.execute(statement)}
    mine = (connection.user_id, connection.id)
    return [row for each in ids if (row := found.get(each)) and (row.user_id, row.connection_id) == mine]


def _narrowing(session: Session, connection: Connection, kind: str, filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.responsible:
        person = Wallet.responsible_user_id + 0  # not by its own index: a list goes by what it is sorted by
        persons, nobody = person.in_(filters.responsible), person.is_(None)
        found.append(or_(persons, nobody) if NOBODY in filters.responsible else persons)
    if filters.stage:
        found += [Wallet.pipeline_id == filters.stage[0], Wallet.stage_id == filters.stage[1]]
    elif filters.pipeline:
        found.append(Wallet.pipeline_id == filters.pipeline)
    searched = matches(session, connection.id, kind, filters.query)
    return found if searched is None else [*found, searched]


def _searched(
    session: Session, conditions: Sequence[ColumnElement[bool]], filters: Filters, size: int
) -> tuple[list[int], int] | None:
    """One window's ids and how many match, from one walk through the matches; None where the window is empty."""
    statement = select(Wallet.id, func.count().over()).where(*conditions).order_by(*_order(filters.sort))
    rows = session.execute(statement.limit(size).offset((filters.page - 1) * size)).all()
    return ([row.id for row in rows], rows[0][1]) if rows else None


def _ids(session: Session, conditions: Sequence[ColumnElement[bool]], sort: str, limit: int, offset: int) -> list[int]:
    """The ids of one window."""
    statement = select(Wallet.id).where(*conditions).order_by(*_order(sort)).limit(limit).offset(offset)
    return list(session.scalars(statement))


def _order(sort: str) -> list[Any]:
    """What a list is sorted by; the record's own id settles what is equal, so that pages never overlap."""
    column = _SORTED[sort.removeprefix("-")]
    order: list[Any] = [column] if column is Wallet.remote_id else [column, Wallet.remote_id]
    return [each.desc() for each in order] if sort.startswith("-") else order
