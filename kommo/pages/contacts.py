"""/contatos: the list, searched as one types, and the page of one contact."""

from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template

from kommo.crm.records import contact_from
from kommo.ids import MAX_ID
from kommo.pages import listing
from kommo.pages.context import connection, session
from kommo.pages.fields import shown_fields
from kommo.pages.records import kommo_link, raw_text, short
from kommo.store.contacts import ContactPage, contact_list, contact_page
from kommo.store.fields import CONTACT_FIELDS, definitions
from kommo.store.filters import Filters
from kommo.store.names import names
from kommo.store.tables import Connection
from kommo.store.tables.wallet import CONTACT

bp = Blueprint("contacts", __name__)


@bp.get("/contatos")
def page() -> Response:
    """The list, or its results when htmx asks."""
    filters, account = listing.asked(CONTACT), connection()
    if account is None:
        return listing.without_account("contacts/page.html")
    return listing.answer("contacts/page.html", **list_context(account, filters))


@bp.get("/contatos/<int:contact_id>")
def record(contact_id: int) -> Response:
    """One contact; 404 for an unknown one and for another account's."""
    account = connection()
    found = contact_page(session(), account, contact_id) if account and contact_id <= MAX_ID else None
    if account is None or found is None:
        abort(404, description="Este contato não existe nesta conta.")
    return make_response(render_template("contacts/record.html", **record_context(account, found)))


def list_context(account: Connection, filters: Filters) -> dict[str, Any]:
    """What the list shows, page and fragment alike."""
    known = names(session(), account.id)
    found = contact_list(session(), account, filters, known)
    return {
        "account": account,
        "page": found,
        "filters": found.filters,
        "links": listing.links(CONTACT, found),
        "people": listing.people(account, CONTACT, known, filters),
        "chosen": listing.chosen(known, filters),
    }


def record_context(account: Connection, found: ContactPage) -> dict[str, Any]:
    """What a contact's page shows."""
    return {
        "account": account,
        "found": found,
        "contact": contact_from(found.record),
        "title": short(found.title),
        "fields": shown_fields(found.record, definitions(session(), account.id, CONTACT_FIELDS)),
        "kommo": kommo_link(account, "contacts", found.contact.remote_id),
        "raw": raw_text(found.record),
    }
