"""From a typed record of Kommo to the columns of its `Wallet` row."""

from collections.abc import Callable, Collection
from hashlib import blake2b
from typing import Any

import orjson

from kommo.crm.bare import bare_contact, bare_deal
from kommo.crm.records import Contact, Deal
from kommo.db import Serialized
from kommo.store.records import Incoming
from kommo.store.search import search_text
from kommo.text import sort_key


def contact_row(contact: Contact) -> Incoming:
    """A contact's row; its phones and e-mails are part of what it is found by."""
    return _row(
        contact,
        name=f"KOMMO_CONTACT_{contact.id}",
        title=contact.name or " ".join(filter(None, (contact.first_name, contact.last_name))),
        phones=contact.phones,
        emails=contact.emails,
        bare=lambda _erased: contact_row(bare_contact(contact)),
    )


def deal_row(deal: Deal) -> Incoming:
    """A deal's row with its price, stage and linked contacts."""
    return _row(
        deal,
        name=f"KOMMO_DEAL_{deal.id}",
        title=deal.name,
        balance=deal.price,
        pipeline_id=deal.pipeline_id,
        stage_id=deal.status_id,
        loss_reason_id=deal.loss_reason_id,
        closed_at=deal.closed_at,
        links=deal.contacts,
        bare=lambda erased: deal_row(bare_deal(deal, erased)),
    )


def _row(
    record: Contact | Deal,
    *,
    name: str,
    title: str,
    bare: Callable[[Collection[int]], Incoming],
    phones: list[str] | None = None,
    emails: list[str] | None = None,
    links: list[tuple[int, bool]] | None = None,
    balance: float = 0.0,
    pipeline_id: int | None = None,
    stage_id: int | None = None,
    loss_reason_id: int | None = None,
    closed_at: int | None = None,
) -> Incoming:
    content = orjson.dumps(record.raw, option=orjson.OPT_SORT_KEYS)
    values: dict[str, Any] = {
        "name": name,
        "type": "EXTERNAL_INTEGRATION",
        "balance": balance,
        "title": title,
        "title_folded": sort_key(title),
        "phone": phones[0] if phones else None,
        "email": emails[0] if emails else None,
        "responsible_user_id": record.responsible_user_id,
        "pipeline_id": pipeline_id,
        "stage_id": stage_id,
        "loss_reason_id": loss_reason_id,
        "company_id": record.company_id,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "closed_at": closed_at,
        "search_text": search_text([title], phones or [], emails or []),
        "metadata": Serialized(content.decode()),
    }
    return Incoming(record.id, blake2b(content, digest_size=16).digest(), values, links, bare)
