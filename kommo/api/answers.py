"""How answers are written: JSON in UTF-8, times in ISO 8601."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Response


def write(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON object as its body."""
    return Response(orjson.dumps(dict(body)), status, headers, mimetype="application/json")


def iso(moment: float | None) -> str | None:
    """Unix seconds as the contract writes times, cut to milliseconds ("2025-01-19T10:30:00.000Z"); None stays None."""
    if moment is None:
        return None
    seconds, milliseconds = divmod(int(moment * 1000), 1000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds:03d}Z"
