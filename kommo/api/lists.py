"""/api/kommo/contacts and /api/kommo/deals: a page of the list, or one record."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response

from kommo.api.accounts import held, live, services
from kommo.api.answers import write
from kommo.api.asked import ContactCall, DealCall, ListCall, read
from kommo.api.errors import ApiError
from kommo.api.runs import last_sync
from kommo.crm.client import Stream
from kommo.crm.records import contact_from, deal_from, documented
from kommo.db import reading
from kommo.store.filters import clean_query
from kommo.store.lists import local_page
from kommo.store.tables.wallet import CONTACT, DEAL
from kommo.text import plural


@dataclass(frozen=True, slots=True)
class Kind:
    """Contacts or deals: where they are, how a stored one is read, and the words for them."""

    stream: Stream
    kind: str
    read: Callable[[Any], Any]
    one: str
    many: str
    missing: str
    got: str

    def message(self, count: int) -> str:
        """How many were obtained: "1 contato obtido", "50 negociações obtidas"."""
        return f"{plural(count, self.one, self.many, dots=False)} {self.got if count == 1 else self.got + 's'}"


CONTACTS = Kind(Stream.CONTACTS, CONTACT, contact_from, "contato", "contatos", "Contato não encontrado", "obtido")
DEALS = Kind(Stream.DEALS, DEAL, deal_from, "negociação", "negociações", "Negociação não encontrada", "obtida")


def contacts() -> Response:
    """A page of contacts."""
    return _list(CONTACTS)


def deals() -> Response:
    """A page of deals."""
    return _list(DEALS)


def contact() -> Response:
    """One contact."""
    return _one(CONTACTS, read(ContactCall))


def deal() -> Response:
    """One deal."""
    return _one(DEALS, read(DealCall))


def _list(kind: Kind) -> Response:
    call = read(ListCall)
    return write(_local(kind, call) if call.source == "local" else _live(kind, call))


def _live(kind: Kind, call: ListCall) -> dict[str, Any]:
    """The page as Kommo has it now. Kommo tells no total: a linked next page is all that is known of the rest."""
    with live(call) as kommo:
        page = kommo.page(kind.stream, call.page, limit=call.limit, query=clean_query(call.query) or None)
    last = call.page + 1 if page.has_next else call.page
    return _page(kind, call, [documented(record) for record in page.records], last)


def _local(kind: Kind, call: ListCall) -> dict[str, Any]:
    """The page out of the copy; without a copy there is nothing in it, and `lastSync` says so with null."""
    with reading(services().engine) as session:
        connection = held(session, call)
        if connection is None:
            return _page(kind, call, [], 1) | {"lastSync": None}
        page = local_page(session, connection, kind.kind, call.query, call.page, call.limit)
        synced = last_sync(session, connection)
    records = [documented(kind.read(record)) for record in page.records]
    return _page(kind, call, records, page.pages) | {"lastSync": synced}


def _page(kind: Kind, call: ListCall, records: list[dict[str, Any]], pages: int) -> dict[str, Any]:
    return {
        "success": True,
        "data": records,
        "pagination": {"page": call.page, "limit": call.limit, "pageCount": pages, "hasNext": call.page < pages},
        "message": kind.message(len(records)),
        "source": call.source,
    }


def _one(kind: Kind, call: ContactCall | DealCall) -> Response:
    with live(call) as kommo:
        found = kommo.one(kind.stream, call.record_id)
    if found is None:
        raise ApiError(404, "not_found", kind.missing, "O Kommo não tem registro com este número, ou ele foi excluído.")
    return write({"success": True, "data": documented(found), "message": kind.message(1)})
