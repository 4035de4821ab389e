"""/api/openapi.json, for programs."""

from functools import cache

import orjson
from flask import Blueprint, Response

from kommo.api.openapi.document import document

bp = Blueprint("docs", __name__, url_prefix="/api")


@bp.get("/openapi.json", provide_automatic_options=False)
def described() -> Response:
    """The document; it says nothing of any account."""
    return Response(_written(), mimetype="application/json")


@cache
def _written() -> bytes:
    return orjson.dumps(document())
