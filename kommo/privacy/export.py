"""All that is kept of one person, for them to read and to take elsewhere: as one JSON document, or as CSV."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from kommo import sheet
from kommo.crm.records import contact_from
from kommo.db import now
from kommo.privacy.erase import subject_of
from kommo.store import audit, audit_words
from kommo.store.names import company
from kommo.store.tables import Connection, DealContact, Wallet
from kommo.store.tables.wallet import CONTACT, DEAL

HEAD = ("parte", "numero", "campo", "valor")
SOURCE = "Cópia local da conta no Kommo CRM, lida pela API do Kommo com a autorização da empresa."


def collect(session: Session, connection: Connection, contact_id: int) -> dict[str, Any] | None:
    """Everything of a person: their record as Kommo gave it, their deals, what was done with their data.

    Of a deal's other contacts nothing is given, not even the number. None for an unknown contact; of one who was
    erased there are the number and what was done.
    """
    of = (Wallet.connection_id == connection.id, Wallet.user_id == connection.user_id)
    row = session.scalars(select(Wallet).where(*of, Wallet.kind == CONTACT, Wallet.remote_id == contact_id)).first()
    if row is None:
        return None
    contact = contact_from(row.record | {"id": contact_id})
    belongs = company(session, connection.id, row.company_id)
    return {
        "gerado_em": iso(now(session)),
        "origem": SOURCE,
        "conta": {"numero": connection.account_id, "nome": connection.name},
        "pessoa": {
            "numero": contact_id,
            "nome": row.title,
            "telefones": contact.phones,
            "emails": contact.emails,
            "empresa": belongs.text if belongs else None,
            "criada_em": iso(row.created_at),
            "atualizada_em": iso(row.updated_at),
            "excluida_no_kommo_em": iso(row.deleted_at),
            "apagada_aqui_em": iso(row.erased_at),
            "registro": row.record,
        },
        "negociacoes": [_deal(deal, contact_id) for deal in _deals(session, connection, contact_id)],
        "historico": [
            {"em": iso(entry.at), "acao": audit_words.action(entry.action)}
            for entry in audit.about(session, connection.user_id, connection.account_id, subject_of(contact_id))
        ],
    }


def as_json(found: dict[str, Any]) -> bytes:
    """The document, indented for people."""
    return orjson.dumps(found, option=orjson.OPT_INDENT_2)


def as_csv(found: dict[str, Any]) -> str:
    """One line for each value: which part of the document, the number of the record, the field's path, the value."""
    rows: list[tuple[Any, ...]] = [("documento", "", "gerado_em", found["gerado_em"])]
    rows += [("documento", "", "origem", found["origem"])]
    rows += _lines("conta", found["conta"])
    rows += _lines("pessoa", found["pessoa"])
    for deal in found["negociacoes"]:
        rows += _lines("negociacao", deal)
    for entry in found["historico"]:
        rows.append(("historico", "", entry["em"], entry["acao"]))
    return "".join(sheet.lines(HEAD, rows))


def _lines(part: str, record: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(part, record["numero"], path, value) for path, value in _flat(record) if path != "numero"]


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each plain value with its way there: "registro.custom_fields_values.0.values.0.value"."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _flat(each, f"{path}.{number}")
    elif value is not None:
        yield path, ("sim" if value else "não") if isinstance(value, bool) else value


def _deals(session: Session, connection: Connection, contact_id: int) -> list[Wallet]:
    linked = select(DealContact.deal_id).where(
        DealContact.connection_id == connection.id, DealContact.contact_id == contact_id
    )
    statement = select(Wallet).where(
        Wallet.connection_id == connection.id, Wallet.kind == DEAL, Wallet.remote_id.in_(linked)
    )
    return list(session.scalars(statement.order_by(Wallet.remote_id)))


def _deal(deal: Wallet, contact_id: int) -> dict[str, Any]:
    return {
        "numero": deal.remote_id,
        "nome": deal.title,
        "valor": deal.balance,
        "criada_em": iso(deal.created_at),
        "atualizada_em": iso(deal.updated_at),
        "excluida_no_kommo_em": iso(deal.deleted_at),
        "registro": _without_others(deal.record, contact_id),
    }


def _without_others(record: dict[str, Any], contact_id: int) -> dict[str, Any]:
    embedded = record.get("_embedded")
    if not isinstance(embedded, dict):
        return record
    contacts = embedded.get("contacts")
    own = [one for one in contacts if one.get("id") == contact_id] if isinstance(contacts, list) else []
    return record | {"_embedded": embedded | {"contacts": own}}


def iso(moment: float | None) -> str | None:
    """Unix seconds as ISO 8601 in UTC; None where there are none, or none of the calendar."""
    if moment is None:
        return None
    try:
        return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return None
