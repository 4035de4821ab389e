"""A list's query string: PHP's bracket notation read into nested values, and written back into links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from kommo.sandbox.answers import Refused
from kommo.sandbox.rows import LARGEST
from kommo.sandbox.switches import Switches

MAX_LIMIT, DEFAULT_LIMIT = 250, 50
_MAX_DEPTH = 8


def parse_brackets(text: str) -> dict[str, Any]:
    """`filter[id][]=1&filter[id][]=2` as `{"filter": {"id": {"0": "1", "1": "2"}}}`, as PHP reads it."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, bracket, rest = name.partition("[")
        keys = [first, *(rest.removesuffix("]").split("][") if bracket else ())]
        node = tree
        for key in keys[:-1][:_MAX_DEPTH]:
            inner = node.get(key or str(len(node)))
            if not isinstance(inner, dict):
                inner = node[key or str(len(node))] = {}
            node = inner
        node[keys[-1] or str(len(node))] = value
    return tree


def flatten(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The pairs of a query string that `parse_brackets` would read back into `tree`."""
    for key, value in tree.items():
        name = f"{prefix}[{key}]" if prefix else key
        if isinstance(value, dict):
            yield from flatten(value, name)
        else:
            yield name, value


def texts(node: Any) -> list[str]:
    """The texts of a filter given once or as a list."""
    if isinstance(node, dict):
        return [text for inner in node.values() for text in texts(inner)]
    return [] if node is None else [str(node)]


def values(node: Any) -> list[str]:
    """The texts of a filter given once, as a list, or separated by commas."""
    return [part.strip() for text in texts(node) for part in text.split(",") if part.strip()]


def numbers(node: Any) -> list[int]:
    """The whole numbers of a filter; what is not a number matches nothing and is left out."""
    found = (whole(part) for part in values(node))
    return [number for number in found if number is not None]


def whole(text: str) -> int | None:
    """The whole number that a text is, None if it is none; one beyond 64 bits becomes the nearest of them."""
    if not text.removeprefix("-").isdecimal():
        return None
    if len(text) < 19:
        return int(text)
    return -LARGEST if text.startswith("-") else LARGEST


@dataclass(frozen=True)
class Paging:
    """Which page, with how many rows, is to be shown."""

    page: int
    limit: int

    @property
    def start(self) -> int:
        """Index of the page's first row."""
        return (self.page - 1) * self.limit


def paging(tree: dict[str, Any], switches: Switches, most: int = MAX_LIMIT) -> Paging:
    """The page and limit asked for, within bounds. Raises Refused where the switches say that is an error."""
    limit = _whole(tree.get("limit"), DEFAULT_LIMIT)
    if limit < 1:
        limit = DEFAULT_LIMIT
    if limit > most:
        if switches.over_limit in ("400", "422"):
            raise Refused(int(switches.over_limit), f"limit: at most {most}")
        limit = most if switches.over_limit == "clamp" else DEFAULT_LIMIT
    page = _whole(tree.get("page"), 1)
    if page < 1:
        if switches.page_zero in ("400", "422"):
            raise Refused(int(switches.page_zero), "page: starts at 1")
        if switches.page_zero == "empty":
            raise Refused(204, "")
        page = 1
    if switches.page_cap and page > switches.page_cap:
        raise Refused(204, "")
    return Paging(page, limit)


def _whole(text: Any, default: int) -> int:
    found = whole(text.strip()) if isinstance(text, str) else None
    return default if found is None else found


def page_links(base: str, tree: dict[str, Any], at: Paging, *, more: bool) -> dict[str, Any]:
    """`_links` of a page: `self`, and `next` and `prev` where there are such pages; percent-encoded as Kommo does."""
    rest = [pair for pair in flatten(tree) if pair[0] not in ("page", "limit")]

    def href(page: int) -> dict[str, str]:
        return {"href": f"{base}?{urlencode([*rest, ('page', page), ('limit', at.limit)])}"}

    links = {"self": href(at.page)}
    if more:
        links["next"] = href(at.page + 1)
    if at.page > 1:
        links["prev"] = href(at.page - 1)
    return links
