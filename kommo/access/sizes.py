"""How much a request may bring beside its body: refused before any route works on it. docs/security.md has the table.

The body's limits are the application's and the web server's (kommo/assembly.py, kommo/server.py), each field's stands
where the field is read.
"""

from flask import Flask, request
from werkzeug.exceptions import BadRequest, RequestHeaderFieldsTooLarge, RequestURITooLarge

MAX_PATH = 2048  # bytes
MAX_QUERY = 16 * 1024  # bytes; a token of 8 kB has its place in it, and twice
MAX_PARAMETERS = 300
MAX_HEADER = 16 * 1024  # characters of one header
MAX_HEADERS = 100
_TOO_MANY = f"O endereço traz mais de {MAX_PARAMETERS} parâmetros: envie menos de uma vez."


def register(app: Flask) -> None:
    """Put the check before every route."""
    app.before_request(check)


def check() -> None:
    """Raise the HTTP error (400, 414, 431) of the first limit that the request in hand passes."""
    if len(request.path.encode(errors="replace")) > MAX_PATH or len(request.query_string) > MAX_QUERY:
        raise RequestURITooLarge
    if request.query_string.count(b"&") >= MAX_PARAMETERS:
        raise BadRequest(_TOO_MANY)
    sizes = [len(value) for _, value in request.headers]
    if len(sizes) > MAX_HEADERS or max(sizes, default=0) > MAX_HEADER:
        raise RequestHeaderFieldsTooLarge
