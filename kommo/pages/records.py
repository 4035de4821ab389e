"""What the pages of a contact and of a deal share."""

from collections.abc import Mapping
from typing import Any

import orjson

from kommo.store.tables import Connection

TITLE_LENGTH = 120  # characters of a name in a heading; the whole name stands among the data
_RAW_LENGTH = 200_000


def short(text: str) -> str:
    """A name for a heading, on one line and of bearable length."""
    line = " ".join(text.split())
    return line if len(line) <= TITLE_LENGTH else f"{line[: TITLE_LENGTH - 1]}…"


def kommo_link(connection: Connection, place: str, remote_id: int) -> str | None:
    """Where a record is in Kommo itself ("contacts" or "leads"); None for the demonstration account."""
    if connection.is_demo or not connection.web_address:
        return None
    return f"{connection.web_address}/{place}/detail/{remote_id}"


def raw_text(record: Mapping[str, Any]) -> str:
    """Kommo's record as it came, to read: every field, those without a place on the page too."""
    text = orjson.dumps(record, option=orjson.OPT_INDENT_2).decode()
    return text if len(text) <= _RAW_LENGTH else f"{text[:_RAW_LENGTH]}…"
