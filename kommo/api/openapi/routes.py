"""/api/openapi.json, for programs, and /api/docs, the same for people."""

from functools import cache

import orjson
from flask import Blueprint, Response, render_template, request

from kommo.api.openapi import codes, reading
from kommo.api.openapi.document import document

bp = Blueprint("docs", __name__, url_prefix="/api")


@bp.get("/openapi.json", provide_automatic_options=False)
def described() -> Response:
    """The document; it says nothing of any account."""
    return Response(_written(), mimetype="application/json")


@bp.get("/docs", provide_automatic_options=False)
def page() -> str:
    """The document as a page of the house: made here, without any script."""
    return render_template(
        "api/page.html",
        about=document()["info"]["description"],
        sections=reading.sections(request.host_url),
        errors=reading.errors(),
        everywhere=codes.EVERYWHERE,
    )


@cache
def _written() -> bytes:
    return orjson.dumps(document())
