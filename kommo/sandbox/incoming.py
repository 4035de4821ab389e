"""Incoming requests (unsorted leads), `/leads/complex`, and the two questions for the account's host."""

from __future__ import annotations

import hashlib
from typing import Any

from kommo.sandbox import records
from kommo.sandbox.answers import PROBLEM, Answer, Refused, hal, not_found, nothing, unauthorized
from kommo.sandbox.lists import base
from kommo.sandbox.query import numbers, page_links, paging, values
from kommo.sandbox.requests import Request
from kommo.sandbox.rows import Record, Row
from kommo.sandbox.shapes import Invalid, known, objects
from kommo.sandbox.state import State
from kommo.sandbox.tokens import read
from kommo.sandbox.writes import check, create_sound, signer


def unsorted(state: State, request: Request) -> Answer:
    """Deals that stand in an incoming stage; 204 when there are none."""
    filters = request.tree.get("filter")
    filters = filters if isinstance(filters, dict) else {}
    pipelines, uids = set(numbers(filters.get("pipeline_id"))), set(values(filters.get("uid")))
    categories = set(values(filters.get("category")))
    rows = [row for row in state.tables["leads"] if row.unsorted and not row.deleted]
    order = request.tree.get("order")
    backwards = isinstance(order, dict) and order.get("created_at") == "desc"
    shown = [_shown(state, row) for row in sorted(rows, key=lambda row: (row.created_at, row.id), reverse=backwards)]
    found = [
        one for one in shown
        if (not pipelines or one["pipeline_id"] in pipelines)
        and (not uids or one["uid"] in uids)
        and (not categories or one["category"] in categories)
    ]  # fmt: skip
    at = paging(request.tree, state.switches)
    page = found[at.start : at.start + at.limit]
    if not page:
        return nothing()
    links = page_links(base(state, request), request.tree, at, more=len(found) > at.start + at.limit)
    return hal({"_page": at.page, "_links": links, "_embedded": {"unsorted": page}})


def one_unsorted(state: State, request: Request) -> Answer:
    """One incoming request by its uid."""
    for row in state.tables["leads"]:
        if row.unsorted and not row.deleted and _uid(row) == request.args[-1]:
            return hal(_shown(state, row))
    return not_found()


def unsorted_summary(state: State, _request: Request) -> Answer:
    """How many incoming requests there are."""
    total = sum(row.unsorted and not row.deleted for row in state.tables["leads"])
    return hal({"total": total, "accepted": 0, "declined": 0, "average_sort_time": 0, "categories": {
        "chats": {"total": 0}, "mail": {"total": 0}, "sip": {"total": 0}, "forms": {"total": total},
    }})  # fmt: skip


def _uid(row: Row) -> str:
    return hashlib.sha256(str(row.id).encode()).hexdigest()


def _shown(state: State, row: Row) -> Record:
    uid = _uid(row)
    contacts = sorted(state.links.contacts_of.get(row.id, ()))
    return {
        "uid": uid, "source_uid": "site", "source_name": "Formulário do site", "category": "forms",
        "pipeline_id": row.record()["pipeline_id"], "created_at": row.created_at,
        "metadata": {"form_id": "1", "form_name": "Contato", "ip": "203.0.113.7", "form_page": "site"},
        "account_id": state.profile.account_id, "_links": {"self": {"href": state.url(f"leads/unsorted/{uid}")}},
        "_embedded": {
            "leads": [{"id": row.id, "_links": {"self": {"href": state.url(f"leads/{row.id}")}}}],
            "contacts": [{"id": one, "_links": {"self": {"href": state.url(f"contacts/{one}")}}} for one in contacts],
            "companies": row.record()["_embedded"]["companies"],
        },
    }  # fmt: skip


def post_complex(state: State, request: Request) -> Answer:
    """Deals together with one contact and one company each, new or existing; a bare array comes back."""
    items = request.many(strict_type=state.switches.strict_content_type)
    if len(items) > 50:
        raise Refused(400, "At most 50 leads in one request")
    parts = [_parts(state, item) for item in items]
    made = []
    with state.changing():
        for place, (item, part) in enumerate(zip(items, parts, strict=True)):
            made.append(_make_complex(state, part, signer(state, request), str(item.get("request_id", place))))
    return hal(made)


def _parts(state: State, item: Record) -> dict[str, Record | None]:
    """A complex item taken apart: the deal, its contact, its company. Raises Refused if one of them is not sound."""
    embedded = item.get("_embedded") or {}
    if not isinstance(embedded, dict):
        raise Refused(400, "_embedded has to be an object")
    plain = {key: value for key, value in item.items() if key not in ("_embedded", "request_id", "metadata")}
    parts: dict[str, Record | None] = {
        kind: _part(state, kind, embedded.get(kind)) for kind in ("contacts", "companies")
    }
    lead = plain | {"_embedded": {"tags": embedded["tags"]} if "tags" in embedded else {}}
    check(state, "leads", lead)
    return parts | {"leads": lead}


def _part(state: State, kind: str, value: Any) -> Record | None:
    """The contact or company of a complex item, new or existing; None if there is none. Raises Refused."""
    try:
        found = [one for _, one in objects(value, f"_embedded.{kind}")]
    except Invalid as invalid:
        raise Refused(400, str(invalid)) from None
    if len(found) > 1:
        raise Refused(400, f"At most one of {kind}")
    if found and "id" not in found[0]:
        check(state, kind, found[0])
    elif found and (not known(state.tables[kind].rows, found[0]["id"]) or not state.tables[kind].get(found[0]["id"])):
        raise Refused(400, f"{kind}: no such id")
    return found[0] if found else None


def _make_complex(state: State, parts: dict[str, Record | None], by: int, request_id: str) -> Record:
    ids: dict[str, Any] = {
        kind: None if item is None else item.get("id") or create_sound(state, kind, item, by)
        for kind, item in parts.items()
    }
    for kind in ("contacts", "companies"):
        if ids[kind] is not None:
            records.link(state, ("leads", ids["leads"]), (kind, ids[kind]), by, is_main=True)
    shown = {"id": ids["leads"], "contact_id": ids["contacts"], "company_id": ids["companies"]}
    return shown | {"request_id": [request_id], "merged": False}


def subdomain(state: State, _request: Request) -> Answer:
    """Which host the token's account has."""
    name = state.profile.subdomain
    return hal({
        "id": state.profile.account_id, "subdomain": name, "domain": f"{name}.kommo.com", "top_level_domain": "com",
    })  # fmt: skip


def current_subdomain(state: State, request: Request) -> Answer:
    """The same for a refresh token in its own header (or a Bearer token)."""
    header = request.headers.get("HTTP_X_REFRESH_TOKEN", "")
    claims = read(state, f"Bearer {header}") or read(state, request.headers.get("HTTP_AUTHORIZATION", ""))
    return unauthorized() if claims is None else subdomain(state, request)


def access_token(_state: State, _request: Request) -> Answer:
    """The OAuth endpoint, which knows no codes: only its refusal is here."""
    body = {
        "hint": "Authorization code has expired", "title": "Bad Request", "status": 400,
        "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson", "detail": "The code has expired",
    }  # fmt: skip
    answer = hal(body, 400)
    answer.content_type = PROBLEM
    return answer
