"""A request as the handlers see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from kommo.sandbox.answers import Refused
from kommo.sandbox.query import parse_brackets

_TIMES = ("created_at", "updated_at", "closed_at", "complete_till")


@dataclass(slots=True)
class Request:
    """Method, path and query as they came, the body, and what the gate found out: claims, the numbers in the path."""

    method: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]
    client: str
    host: str
    arrived: float
    claims: dict[str, Any] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    _tree: dict[str, Any] | None = None

    @property
    def tree(self) -> dict[str, Any]:
        """The query string, nested."""
        if self._tree is None:
            self._tree = parse_brackets(self.query)
        return self._tree

    @property
    def number(self) -> int:
        """The last number of the path."""
        return self.number_at(-1)

    def number_at(self, place: int) -> int:
        """A number of the path; one that no id can have stands for an id that does not exist."""
        return int(self.args[place]) if len(self.args[place]) < 19 else -1

    def with_values(self) -> set[str]:
        """The values of `with=`."""
        text = self.tree.get("with", "")
        return {part.strip() for part in text.split(",") if part.strip()} if isinstance(text, str) else set()

    def json(self, *, strict_type: bool = False) -> Any:
        """The body as JSON. Raises Refused: 415 for another declared type when `strict_type`, 400 if it is not JSON."""
        if strict_type and "json" not in self.headers.get("CONTENT_TYPE", ""):
            raise Refused(415, "Unsupported Media Type")
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise Refused(400, "Request body is not valid JSON") from None

    def many(self, *, strict_type: bool = False) -> list[dict[str, Any]]:
        """The body as a list of 1 to 250 objects. Raises Refused if it is anything else."""
        items = self.json(strict_type=strict_type)
        if not isinstance(items, list) or not items or not all(isinstance(one, dict) for one in items):
            raise Refused(400, "Request body has to be an array of objects")
        if len(items) > 250:
            raise Refused(400, "At most 250 entities in one request")
        return [_whole_times(item) for item in items]

    def one(self, *, strict_type: bool = False) -> dict[str, Any]:
        """The body as one object. Raises Refused if it is anything else."""
        item = self.json(strict_type=strict_type)
        if not isinstance(item, dict):
            raise Refused(400, "Request body has to be an object")
        return _whole_times(item)


def _whole_times(item: dict[str, Any]) -> dict[str, Any]:
    """`item` with its times in whole seconds: clients send what their language calls a timestamp, a float."""
    times = {key: int(item[key]) for key in _TIMES if isinstance(item.get(key), float) and abs(item[key]) < 2**40}
    return item | times
