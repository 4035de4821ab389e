"""The query of an address, read strictly: bytes that are no UTF-8 are refused and not guessed at.

The framework would put other characters in their place, and a value that two readers read differently (an owner's
key, a filter) is nobody's.
"""

from urllib.parse import unquote_to_bytes

from flask import Flask, request
from werkzeug.exceptions import BadRequest


class BadAddress(BadRequest):
    """A parameter of the address is no UTF-8; `field` names it, `description` is a sentence for the person."""

    def __init__(self, field: str) -> None:
        super().__init__(f"O parâmetro {field} do endereço não está em UTF-8.")
        self.field = field


def register(app: Flask) -> None:
    """Put the check before every route."""
    app.before_request(check)


def check() -> None:
    """Raise BadAddress for the first parameter that is no UTF-8, in its name or in its value."""
    for pair in request.query_string.split(b"&"):
        name, _, value = (unquote_to_bytes(part.replace(b"+", b" ")) for part in pair.partition(b"="))
        if not (_is_text(name) and _is_text(value)):
            raise BadAddress("".join(char for char in name.decode(errors="replace")[:40] if char.isprintable()))


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
