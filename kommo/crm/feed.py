"""Kommo's events: what happened to which record."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kommo.crm.values import identifier, mapping, objects, text, whole

PAGE = 100  # events in a page: Kommo's page says 250, the sister product's 100 (reference, section 2)


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `entity` is Kommo's singular name (lead, contact, company, task); `created_at` is Unix seconds.

    `others` are the records at the other end of a link that was made or undone, as (entity, id).
    """

    id: str
    type: str
    entity: str
    entity_id: int
    created_at: int
    others: tuple[tuple[str, int], ...] = ()


def events_from(rows: Iterable[Any]) -> list[Event]:
    """The events in a page's rows; those without a type, an entity or a time are left out."""
    found = (_event(row) for row in objects(list(rows)))
    return [event for event in found if event is not None]


def _event(row: dict[str, Any]) -> Event | None:
    entity_id, created_at = identifier(row.get("entity_id")), whole(row.get("created_at"))
    kind, entity = text(row.get("type")), text(row.get("entity_type"))
    if entity_id is None or created_at is None or not kind or not entity:
        return None
    key = text(row.get("id")) or f"{kind}:{entity}:{entity_id}:{created_at}"
    return Event(key, kind, entity, entity_id, created_at, tuple(_others(row)))


def _others(row: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for value in objects(row.get("value_before")) + objects(row.get("value_after")):
        other = mapping(mapping(value.get("link")).get("entity"))
        entity, key = text(other.get("type")), identifier(other.get("id"))
        if entity and key is not None:
            yield entity, key
