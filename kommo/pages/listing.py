"""What the lists of contacts and of deals share: filters out of the address, and addresses for every next step."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Response, abort, request, url_for

from kommo.pages.context import session
from kommo.pages.htmx import is_htmx, page_or_block
from kommo.store.filters import NOBODY, BadFilter, Filters, parse
from kommo.store.lists import ListPage, holders
from kommo.store.names import Name, Names
from kommo.store.tables import Connection
from kommo.store.tables.wallet import CONTACT

_NOBODY = Name(NOBODY, "Sem responsável")


@dataclass(frozen=True, slots=True)
class SortLink:
    """A column's head: where it leads, and how the list is sorted by it now ("ascending", "descending" or nothing)."""

    href: str
    state: str


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses a list offers from where it is; None where there is nothing to go to."""

    kind: str
    here: str
    previous: str | None
    next: str | None
    clear: str | None

    def sort(self, filters: Filters, name: str, *, falling: bool = False) -> SortLink:
        """The head of a column that is first sorted upward (or downward), and turned round by a second click."""
        rising, turned = name, f"-{name}"
        state = {rising: "ascending", turned: "descending"}.get(filters.sort, "")
        wanted = rising if state == "descending" else turned if state else turned if falling else rising
        return SortLink(address(self.kind, filters.but(sort=wanted)), state)


def asked(kind: str) -> Filters:
    """The filters of this request; a filter that is no id is answered with 400 and a sentence."""
    try:
        return parse(request.args.to_dict(flat=False), kind)
    except BadFilter as error:
        abort(400, description=str(error))


def address(kind: str, filters: Filters) -> str:
    """The address of a list in one state."""
    return url_for("contacts.page" if kind == CONTACT else "deals.page", **filters.arguments(kind))


def links(kind: str, page: ListPage[Any]) -> Links:
    """Where a list leads."""
    filters = page.filters
    return Links(
        kind=kind,
        here=address(kind, filters),
        previous=address(kind, filters.but(page=page.page - 1)) if page.page > 1 else None,
        next=address(kind, filters.but(page=page.page + 1)) if page.page < page.pages else None,
        clear=address(kind, Filters(sort=filters.sort)) if filters.narrowed else None,
    )


def people(account: Connection, kind: str, names: Names, filters: Filters) -> list[Name]:
    """The persons a list can be narrowed to: the account's present ones, and whoever else holds a record or is chosen.

    Those who left stand behind, and nobody at the end. A fragment has no such menu, so nothing is read for it.
    """
    if is_htmx():
        return []
    held = {user_id or NOBODY for user_id in holders(session(), account, kind)} | set(filters.responsible)
    known = [each for each in names.users.values() if not each.note or each.id in held]
    unknown = [each for user_id in sorted(held - set(names.users)) if (each := names.user(user_id))]
    listed = sorted([*known, *unknown], key=lambda each: bool(each.note))
    return [*listed, _NOBODY] if NOBODY in held else listed


def chosen(names: Names, filters: Filters) -> list[Name]:
    """The persons that are chosen."""
    return [names.user(user_id) or _NOBODY for user_id in filters.responsible]


def answer(template: str, *, links: Links | None = None, **values: Any) -> Response:
    """The page, or its results when htmx asks, with the address that gives the same again."""
    made = page_or_block(template, "results", links=links, fragment=is_htmx(), **values)
    if is_htmx() and links is not None:
        made.headers["HX-Replace-Url" if _goes_on_typing() else "HX-Push-Url"] = links.here
    return made


def without_account(template: str) -> Response:
    """The page that says so; where htmx asks for rows of an account that is gone meanwhile, it loads the page anew."""
    if is_htmx():
        return Response("", headers={"HX-Refresh": "true"})
    return answer(template, account=None, page=None)


def _goes_on_typing() -> bool:
    """Whether this is one more letter of a search that is in the browser's history already."""
    try:
        before = parse_qs(urlsplit(request.headers.get("HX-Current-URL", "")).query)
    except ValueError:  # no address at all: "http://["
        return False
    return request.headers.get("HX-Trigger") == "q" and bool(before.get("q") and request.args.get("q"))
