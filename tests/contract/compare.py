"""An answer held against the documented one: names, types and texts, nested, field by field."""

import re
from collections.abc import Collection
from typing import Any

_TEXTS = ("message", "error", "status")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_NUMBER = re.compile(r"\d+")


def differences(documented: Any, actual: Any, *, nullable: Collection[str] = (), where: str = "answer") -> list[str]:
    """What in `actual` is not as documented; more fields than those are welcome. `nullable` fields may be null.

    Texts that people read have to be the same but for the numbers in them; every element of a list has to be like the
    documented one; a documented whole number is a whole one.
    """
    if isinstance(documented, dict):
        return _object(documented, actual, nullable, where)
    if isinstance(documented, list):
        return _list(documented, actual, nullable, where)
    if isinstance(documented, bool) or documented is None:
        return [] if documented is actual else [f"{where} is {actual!r}, not {documented!r}"]
    if isinstance(documented, str):
        return _text(documented, actual, where)
    kinds = (int,) if isinstance(documented, int) else (int, float)
    good = isinstance(actual, kinds) and not isinstance(actual, bool)
    return [] if good else [f"{where} is {actual!r}, not a number like {documented!r}"]


def _object(documented: dict[str, Any], actual: Any, nullable: Collection[str], where: str) -> list[str]:
    if not isinstance(actual, dict):
        return [f"{where} is {actual!r}, not an object"]
    found = []
    for name, value in documented.items():
        if name not in actual:
            found.append(f"{where}.{name} is missing")
        elif not (name in nullable and actual[name] is None):
            found += differences(value, actual[name], nullable=nullable, where=f"{where}.{name}")
    return found


def _list(documented: list[Any], actual: Any, nullable: Collection[str], where: str) -> list[str]:
    if not isinstance(actual, list):
        return [f"{where} is {actual!r}, not a list"]
    if not documented:
        return []
    if not actual:
        return [f"{where} is empty"]
    return [
        line
        for place, item in enumerate(actual)
        for line in differences(documented[0], item, nullable=nullable, where=f"{where}[{place}]")
    ]


def _text(documented: str, actual: Any, where: str) -> list[str]:
    if not isinstance(actual, str):
        return [f"{where} is {actual!r}, not a text"]
    if where.rpartition(".")[2] in _TEXTS and _NUMBER.sub("0", actual) != _NUMBER.sub("0", documented):
        return [f"{where} says {actual!r}, not {documented!r}"]
    if _TIME.fullmatch(documented) and not _TIME.fullmatch(actual):
        return [f"{where} is {actual!r}, not a time like {documented!r}"]
    return []
