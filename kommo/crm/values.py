"""Single values of a foreign JSON, each checked for its type: what is not usable becomes None or empty."""

import math
import re
from typing import Any

from kommo.ids import MAX_ID

_WHOLE = re.compile(r"-?[0-9]{1,19}")


def whole(value: Any) -> int | None:
    """A whole number of 64 bits; numeric text is tolerated, a boolean or a fraction is not."""
    if type(value) is not int:
        if not isinstance(value, str) or not _WHOLE.fullmatch(value):
            return None
        value = int(value)
    return value if -MAX_ID <= value <= MAX_ID else None


def identifier(value: Any) -> int | None:
    """An id: a whole number from 1 to 2^63-1."""
    if type(value) is not int:
        value = whole(value)
    return value if value is not None and 0 < value <= MAX_ID else None


def number(value: Any) -> float | None:
    """A finite number; numeric text is tolerated."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def text(value: Any) -> str:
    """A text; a number as its digits, anything else as nothing."""
    if isinstance(value, str):
        return value
    return str(value) if type(value) in (int, float) else ""


def mapping(value: Any) -> dict[str, Any]:
    """An object; anything else as an empty one (PHP writes an empty object as `[]`)."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; a single object counts as a list of one, anything else (and `{}`) as an empty one."""
    if isinstance(value, dict):
        return [value] if value else []
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
