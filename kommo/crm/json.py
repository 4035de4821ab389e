"""JSON from a foreign system: fast where it is good, forgiving where a text is broken, clear where it is nonsense."""

import json
import math
import re
from typing import Any

import orjson

from kommo.crm.errors import Nonsense

_DEEPEST = 250  # orjson reads 1,024 levels and writes 254
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL refuses NUL, SQLite's driver half a surrogate pair


def loads(body: bytes) -> Any:
    """The value in `body`, fit to be stored and written again: no NUL, no half surrogate, no infinity.

    A whole number of more than 64 bits becomes a fraction (and so no usable id). Raises Nonsense for what is not
    JSON, for NaN and Infinity, and for more than 250 levels.
    """
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if found is None:
        return _forgiving(body)
    if b"\\u0000" in body:
        found = _cleaned(found)
    try:
        orjson.dumps(found)  # cheap, and the one sure way to know that its depth is no trap for those who store it
    except orjson.JSONEncodeError:
        raise Nonsense(note="nested too deep") from None
    return found


def _forgiving(body: bytes) -> Any:
    """The standard library reads what orjson refuses: half surrogates, a byte order mark, a stray byte in a text."""
    try:
        text = body.decode("utf-8-sig", errors="replace")
        return _cleaned(json.loads(text, parse_constant=_refuse, parse_int=_integer))
    except (ValueError, OverflowError, RecursionError):
        raise Nonsense(note="not json") from None


def _refuse(_name: str) -> Any:
    raise ValueError


def _integer(digits: str) -> int | float:
    value = int(digits)
    return value if -(2**63) <= value < 2**64 else float(digits)


def _cleaned(value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise Nonsense(note="nested too deep")
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_cleaned(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_UNSTORABLE.sub("\ufffd", key): _cleaned(item, depth + 1) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
