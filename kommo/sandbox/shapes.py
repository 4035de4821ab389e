"""What the body of a write has to look like, and how Kommo complains when it does not."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any

from kommo.sandbox.answers import Refused
from kommo.sandbox.rows import LARGEST, Record

NOT_A_CHOICE = ("NotSupportedChoice", "The value you selected is not a valid choice.")
NOT_EXPECTED = ("FieldNotExpected", "This field was not expected.")
MISSING = ("FieldMissing", "This field is missing.")
WRONG_TYPE = ("InvalidType", "This value has a wrong type.")
Problem = tuple[str, tuple[str, str]]
Types = dict[str, tuple[type, ...]]


class Invalid(Exception):
    """A value that Kommo does not take: where in the payload, and why."""

    def __init__(self, path: str, why: tuple[str, str]) -> None:
        super().__init__(path)
        self.problem: Problem = (path, why)


def known(ids: Container[int], value: Any) -> bool:
    """Whether `value` is a whole number, and one of `ids`."""
    return type(value) is int and value in ids


def objects(value: Any, path: str) -> list[tuple[str, Record]]:
    """The objects of a list with their paths; none for null. Raises Invalid if it is anything else."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Invalid(path, WRONG_TYPE)
    for place, one in enumerate(value):
        if not isinstance(one, dict):
            raise Invalid(f"{path}.{place}", WRONG_TYPE)
    return [(f"{path}.{place}", one) for place, one in enumerate(value)]


def fits(value: Any, wanted: tuple[type, ...]) -> bool:
    """Whether `value` is of a type in `wanted`; a bool is no number, and a number has to fit in 64 bits."""
    if isinstance(value, bool):
        return bool in wanted
    return isinstance(value, wanted) and not (isinstance(value, int | float) and abs(value) > LARGEST)


def wrong_types(item: Record, types: Types) -> Iterator[Problem]:
    """What is in `item` under a key of `types` and does not fit it."""
    for key, wanted in types.items():
        if key in item and not fits(item[key], wanted):
            yield key, WRONG_TYPE


def request_id(item: Record, place: int) -> str:
    """What names an item in the answer: the `request_id` that was sent with it, or its place in the body."""
    sent = item.get("request_id")
    return str(place) if sent is None else str(sent)


def complaint(item: Record, place: int, problems: Iterable[Problem]) -> Record:
    """One entry of `validation-errors`."""
    errors = [{"code": code, "path": path, "detail": detail} for path, (code, detail) in problems]
    return {"request_id": request_id(item, place), "errors": errors}


def refuse(items: list[Record], problems: Iterable[list[Problem]]) -> None:
    """Raise Refused (400) if any item has problems."""
    wrong = [complaint(items[place], place, found) for place, found in enumerate(problems) if found]
    if wrong:
        raise Refused(400, "Request validation failed", wrong)
