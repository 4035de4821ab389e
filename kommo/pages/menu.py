"""The places of the house: the side bar on a wide screen, the bottom bar on a phone."""

from dataclasses import dataclass

from flask import request, url_for

from kommo.access.identity import may
from kommo.access.rules import ROUTES
from kommo.store.copy_state import CopyState

_PLACES: tuple[tuple[str, tuple[tuple[str, str, str | None], ...]], ...] = (
    ("", (("Visão geral", "home", None), ("Contatos", "contacts", "contacts"), ("Negociações", "deals", "deals"))),
    ("Conta", (("Sincronização", "sync", None), ("Conexão", "connection", None))),
    ("Administração", (("Acesso", "access", None), ("Privacidade", "privacy", None), ("Auditoria", "audit", None))),
)
_AT_FOOT = ("Administração",)  # no room for it in a phone's bottom bar


@dataclass(frozen=True, slots=True)
class Place:
    """One entry. `current` is "page" on the page itself, "true" on a page below it; `count` may be unknown."""

    label: str
    href: str
    current: str | None
    count: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """Entries under a common word, which may be empty. On a phone some groups stand at the foot of the page."""

    title: str
    places: list[Place]
    at_foot: bool = False


def menu(copy: CopyState | None) -> list[Group]:
    """The entries the caller may open, with the numbers of the copy where there is one."""
    groups = [
        Group(title, [_place(*entry, copy) for entry in entries if may(ROUTES[f"{entry[1]}.page"])], title in _AT_FOOT)
        for title, entries in _PLACES
    ]
    return [group for group in groups if group.places]


def _place(label: str, room: str, counted: str | None, copy: CopyState | None) -> Place:
    endpoint = f"{room}.page"
    current = "page" if request.endpoint == endpoint else "true" if room in request.blueprints else None
    return Place(label, url_for(endpoint), current, _count(counted, copy))


def _count(counted: str | None, copy: CopyState | None) -> int | None:
    """How many records are held; None before the first copy and while it is being made: it is not yet a number.

    Nor is a zero that was never proved: a first run that stopped may not have got there.
    """
    if counted is None or copy is None or (copy.kind in ("none", "running") and copy.verified_at is None):
        return None
    count = copy.contacts if counted == "contacts" else copy.deals
    return count if count or copy.verified_at is not None else None
