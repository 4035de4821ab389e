"""The definitions of custom fields: their names as they are now, their order, their currency."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from kommo.store.names import LENGTH, visible
from kommo.store.tables import CustomField

CONTACT_FIELDS, DEAL_FIELDS = "contacts", "leads"  # Kommo's words for whose fields they are


@dataclass(frozen=True, slots=True)
class Definition:
    """A custom field as the account defines it. `gone` when Kommo no longer has it."""

    id: int
    name: str
    currency: str | None
    gone: bool


def definitions(session: Session, connection_id: int, entity: str) -> Mapping[int, Definition]:
    """The fields of contacts or of deals by id, in Kommo's order."""
    rows = (
        select(CustomField)
        .where(CustomField.connection_id == connection_id, CustomField.entity == entity)
        .order_by(CustomField.sort, CustomField.id)
    )
    return {
        row.id: Definition(row.id, visible(row.name[:LENGTH], f"Campo {row.id}"), row.currency, row.gone_at is not None)
        for row in session.scalars(rows)
    }
