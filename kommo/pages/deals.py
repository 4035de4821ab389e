"""/negociacoes: the list, searched as one types, and the page of one deal."""

from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template

from kommo.crm.records import deal_from
from kommo.ids import MAX_ID
from kommo.pages import listing
from kommo.pages.context import connection, session
from kommo.pages.fields import shown_fields
from kommo.pages.records import kommo_link, raw_text, short
from kommo.store.deals import DealPage, deal_list, deal_page
from kommo.store.fields import DEAL_FIELDS, definitions
from kommo.store.filters import Filters
from kommo.store.names import Name, Names, names
from kommo.store.tables import Connection
from kommo.store.tables.wallet import DEAL

bp = Blueprint("deals", __name__)


@bp.get("/negociacoes")
def page() -> Response:
    """The list, or its results when htmx asks."""
    filters, account = listing.asked(DEAL), connection()
    if account is None:
        return listing.without_account("deals/page.html")
    return listing.answer("deals/page.html", **list_context(account, filters))


@bp.get("/negociacoes/<int:deal_id>")
def record(deal_id: int) -> Response:
    """One deal; 404 for an unknown one and for another account's."""
    account = connection()
    found = deal_page(session(), account, deal_id) if account and deal_id <= MAX_ID else None
    if account is None or found is None:
        abort(404, description="Esta negociação não existe nesta conta.")
    return make_response(render_template("deals/record.html", **record_context(account, found)))


def list_context(account: Connection, filters: Filters) -> dict[str, Any]:
    """What the list shows, page and fragment alike."""
    known = names(session(), account.id)
    found = deal_list(session(), account, filters, known)
    return {
        "account": account,
        "page": found,
        "filters": found.filters,
        "links": listing.links(DEAL, found),
        "people": listing.people(account, DEAL, known, filters),
        "chosen": listing.chosen(known, filters),
        "pipelines": _pipelines(known, filters.pipeline),
        "stages": _stages(known, filters),
    }


def record_context(account: Connection, found: DealPage) -> dict[str, Any]:
    """What a deal's page shows."""
    return {
        "account": account,
        "found": found,
        "deal": deal_from(found.record),
        "title": short(found.title),
        "fields": shown_fields(found.record, definitions(session(), account.id, DEAL_FIELDS)),
        "kommo": kommo_link(account, "leads", found.deal.remote_id),
        "raw": raw_text(found.record),
    }


def _pipelines(known: Names, chosen: int | None) -> list[Name]:
    """The pipelines to choose from; gone and unknown ones only while chosen."""
    listed = [each for each in known.pipelines.values() if not each.note or each.id == chosen]
    unknown = known.pipeline(chosen) if chosen not in known.pipelines else None
    return [*listed, unknown] if unknown else listed


def _stages(known: Names, filters: Filters) -> list[tuple[Name, list[Name]]]:
    """The stages to choose from, by pipeline: those of the chosen one, else of all; gone ones only while chosen."""
    found = []
    for pipeline in _pipelines(known, filters.pipeline):
        if filters.pipeline in (None, pipeline.id):
            keys = [key for key, name in known.stages.items() if key[0] == pipeline.id and not name.note]
            keys += [filters.stage] if filters.stage and filters.stage not in keys else []
            found.append((pipeline, [stage for key in keys if (stage := known.stage(*key))]))
    return found
