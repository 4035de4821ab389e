"""Lists of records: which there are, how a page of one is asked for, and what may be believed of the answer."""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kommo.crm import json
from kommo.crm.answers import Answer
from kommo.crm.errors import Nonsense
from kommo.crm.records import Record, company_from, contact_from, deal_from
from kommo.crm.values import identifier, mapping, objects

MAX_LIMIT = 250  # rows in a page, at most (https://developers.kommo.com/docs/limitations)
MAX_IDS = 150  # ids in one request: the address stays below the 8 kB of a common gateway
ORDERS = ("id", "updated_at", "created_at")  # ascending; with a minus in front: descending
Params = list[tuple[str, str]]


class Stream(enum.Enum):
    """A list of records at Kommo: contacts, deals (leads on the wire), or companies."""

    CONTACTS = "contacts"
    DEALS = "deals"
    COMPANIES = "companies"

    @property
    def key(self) -> str:
        """Kommo's plural name: in paths, and in `_embedded`."""
        return "leads" if self is Stream.DEALS else self.value

    @property
    def path(self) -> str:
        """The list's path."""
        return f"/api/v4/{self.key}"

    @property
    def expand(self) -> str:
        """The one `with=` that is always asked for, so that a record never differs by how it was read.

        Deals come with their contacts. Contacts come without leads (the same links again), and deals without
        loss_reason: its name would change the content of deals that nobody touched.
        """
        return "contacts" if self is Stream.DEALS else ""


_MAKE: dict[Stream, Callable[[Any], Record]] = {
    Stream.CONTACTS: contact_from,
    Stream.DEALS: deal_from,
    Stream.COMPANIES: company_from,
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page as Kommo gave it, in its order; rows without a usable id are left out and counted in `malformed`.

    `server_time` is Kommo's clock (Unix seconds); `version` is the caller's own number, handed through.
    """

    records: Sequence[Any]
    has_next: bool
    number: int
    server_time: float | None = None
    malformed: int = 0
    version: int = 0


def page_params(
    stream: Stream,
    number: int,
    *,
    limit: int,
    order: str,
    updated_from: int | None,
    updated_to: int | None,
    ids: Sequence[int],
    query: str | None,
    only_deleted: bool,
) -> Params:
    """The query of a page. Raises ValueError for values that Kommo does not know."""
    if number < 1 or not 1 <= limit <= MAX_LIMIT or len(ids) > MAX_IDS or order.removeprefix("-") not in ORDERS:
        raise ValueError("no such page: number, limit, ids or order out of range")
    expand = "only_deleted" if only_deleted else stream.expand
    way = "desc" if order.startswith("-") else "asc"
    params = [("page", str(number)), ("limit", str(limit)), (f"order[{order.removeprefix('-')}]", way)]
    params += [("with", expand)] if expand else []
    params += [("filter[updated_at][from]", str(updated_from))] if updated_from is not None else []
    params += [("filter[updated_at][to]", str(updated_to))] if updated_to is not None else []
    params += [("filter[id][]", str(key)) for key in ids]
    return [*params, ("query", query)] if query else params


def page_from(answer: Answer, stream: Stream, number: int, version: int = 0) -> Page:
    """The page in an answer; 204 is an empty one. Raises Nonsense for a body that is no page.

    Of the next link only the presence counts: its address may name another host, and is never followed.
    """
    rows, has_next = rows_from(answer, stream.key)
    records: list[Record] = []
    for row in rows:
        try:
            records.append(record_from(stream, row))
        except ValueError:
            continue
    return Page(records, has_next, number, answer.server_time, len(rows) - len(records), version)


def record_from(stream: Stream, raw: Any) -> Record:
    """A row of this list as a typed record. Raises ValueError where it has no usable id."""
    return _MAKE[stream](raw)


def rows_from(answer: Answer, key: str) -> tuple[list[Any], bool]:
    """The rows under `_embedded.<key>` and whether a next page is linked; ([], False) for 204. Raises Nonsense.

    An empty list that links a next page is nonsense too: taken at its word it would end the reading too early.
    """
    if answer.status == 204:
        return [], False
    body = json.loads(answer.body)
    if not isinstance(body, dict) or "_embedded" not in body:
        raise Nonsense(answer.status, note="no _embedded")
    has_next = bool(mapping(body.get("_links")).get("next"))
    embedded = body["_embedded"]
    rows = [] if embedded == [] else embedded.get(key) if isinstance(embedded, dict) else None
    if not isinstance(rows, list):
        raise Nonsense(answer.status, note="no list in _embedded")
    if has_next and not rows:
        raise Nonsense(answer.status, note="empty page with a next one")
    return rows, has_next


def linked_ids(rows: Sequence[Any], key: str, *, of: Sequence[int]) -> list[int]:
    """The ids in `_embedded.<key>` of those rows that are among `of`, in order, each once."""
    wanted = [row for row in objects(list(rows)) if identifier(row.get("id")) in of]
    found = (identifier(one.get("id")) for row in wanted for one in objects(mapping(row.get("_embedded")).get(key)))
    return sorted({one for one in found if one is not None})
