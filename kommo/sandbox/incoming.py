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
from kommo.sandbox.shapes import (
    NOT_A_CHOICE,
    NOT_EXPECTED,
    WRONG_TYPE,
    Invalid,
    Problem,
    known,
    objects,
    refuse,
    request_id,
)
from kommo.sandbox.state import State
from kommo.sandbox.tokens import read
from kommo.sandbox.writes import create_sound, problems, signer


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
    items, by = request.many(strict_type=state.switches.strict_content_type), signer(state, request)
    if len(items) > 50:
        raise Refused(400, "At most 50 leads in one request")
    refuse(items, [_complex_problems(state, item) for item in items])
    with state.changing():
        made = [_make_complex(state, item, by, request_id(item, place)) for place, item in enumerate(items)]
    return hal(made)


def _complex_problems(state: State, item: Record) -> list[Problem]:
    embedded = item.get("_embedded") or {}
    if not isinstance(embedded, dict):
        return [("_embedded", WRONG_TYPE)]
    found = problems(state, "leads", _lead_of(item))
    for kind in ("contacts", "companies"):
        found += _part_problems(state, kind, embedded.get(kind))
    return found


def _part_problems(state: State, kind: str, value: Any) -> list[Problem]:
    """What is wrong with the contacts or companies of a complex item: there may be one, new or existing."""
    try:
        found = objects(value, f"_embedded.{kind}")
    except Invalid as invalid:
        return [invalid.problem]
    wrong: list[Problem] = [(path, NOT_EXPECTED) for path, _ in found[1:]]
    for path, part in found[:1]:
        if "id" not in part:
            wrong += [(f"{path}.{inner}", why) for inner, why in problems(state, kind, part)]
        elif not known(state.tables[kind].rows, part["id"]) or state.tables[kind].get(part["id"]) is None:
            wrong.append((f"{path}.id", NOT_A_CHOICE))
    return wrong


def _lead_of(item: Record) -> Record:
    plain = {key: value for key, value in item.items() if key not in ("_embedded", "request_id", "metadata")}
    embedded = item.get("_embedded") or {}
    return plain | ({"_embedded": {"tags": embedded["tags"]}} if "tags" in embedded else {})


def _make_complex(state: State, item: Record, by: int, named: str) -> Record:
    embedded = item.get("_embedded") or {}
    parts = {kind: (embedded.get(kind) or [None])[0] for kind in ("contacts", "companies")} | {"leads": _lead_of(item)}
    ids: dict[str, Any] = {
        kind: None if part is None else part.get("id") or create_sound(state, kind, part, by)
        for kind, part in parts.items()
    }
    for kind in ("contacts", "companies"):
        if ids[kind] is not None:
            records.link(state, ("leads", ids["leads"]), (kind, ids[kind]), by, is_main=True)
    shown = {"id": ids["leads"], "contact_id": ids["contacts"], "company_id": ids["companies"]}
    return shown | {"request_id": [named], "merged": False}


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
