"""The JSON object in a request's body, read strictly: what is ambiguous is refused before it can be stored."""

import json
from typing import Any

import orjson
from flask import Request

from kommo.api.errors import ApiError, invalid_json

_BROKEN = "Envie um objeto JSON em UTF-8, sem BOM e sem NaN."


class Written(float):
    """A number with a fraction or an exponent; `text` is how the caller wrote it."""

    text: str

    def __new__(cls, text: str) -> "Written":
        """The number in `text`."""
        made = super().__new__(cls, text)
        made.text = text
        return made


def read_object(call: Request) -> dict[str, Any]:
    """The body's object; {} where there is neither body nor content type (`POST /api/kommo/sync` as documented).

    Raises ApiError: 415 for another content type, 400 for what is no JSON object; 413 comes from the framework.
    """
    data = call.get_data(cache=False)
    if not call.headers.get("Content-Type"):
        if not data:
            return {}
        raise _wrong_type()
    charset = call.mimetype_params.get("charset", "utf-8").strip("'\"").lower()
    if call.mimetype != "application/json" or charset not in ("utf-8", "utf8"):
        raise _wrong_type()
    return parse(data)


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`. Raises ApiError for anything else, and for what two readers may read differently."""
    try:
        orjson.loads(data)  # the strict reader: no NaN, no BOM, no half surrogate, UTF-8 only
        found = json.loads(data.decode(), object_pairs_hook=_unique, parse_float=Written)
    except (ValueError, RecursionError):
        raise invalid_json(_BROKEN) from None
    if not isinstance(found, dict):
        raise invalid_json('O corpo precisa ser um objeto, como {"userId": "1"}.')
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise invalid_json("Cada campo pode aparecer uma só vez.")
    return found


def _wrong_type() -> ApiError:
    return ApiError(
        415,
        "wrong_content_type",
        "Tipo de conteúdo não aceito",
        "Envie o corpo em JSON, com Content-Type: application/json (UTF-8).",
    )
