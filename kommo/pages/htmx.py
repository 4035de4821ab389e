"""Pages and their fragments: one template block, one context, whichever is asked for."""

from typing import Any

import orjson
from flask import Flask, Response, make_response, render_template, request
from jinja2_fragments.flask import render_block

#: What htmx may do: nothing that needs eval, inline styles or scripts, and nothing kept in the browser's storage.
CONFIG = {
    "includeIndicatorStyles": False,
    "allowEval": False,
    "allowScriptTags": False,
    "historyCacheSize": 0,
    "historyRestoreAsHxRequest": False,
    "selfRequestsOnly": True,
    "attributesToSettle": ["class", "width"],  # not style: the CSP forbids the attribute
    "timeout": 20000,
}


def register(app: Flask) -> None:
    """Say to caches that a page and its fragment share an address."""
    app.jinja_env.globals["htmx_config"] = orjson.dumps(CONFIG).decode()
    app.after_request(_vary)


def is_htmx() -> bool:
    """Whether htmx asks for a fragment; when it restores the history it needs the whole page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-History-Restore-Request") != "true"


def page_or_block(template: str, block: str, status: int = 200, **values: Any) -> Response:
    """The whole page, or its one block when htmx asks; a refusal (4xx) is marked so that it is shown."""
    if is_htmx():
        return fragment(template, block, status, **values)
    return make_response(render_template(template, **values), status)


def fragment(template: str, block: str, status: int = 200, **values: Any) -> Response:
    """One block of a template as an answer of its own."""
    answer = make_response(render_block(template, block, **values), status)
    if status >= 400:
        answer.headers["X-Fragment"] = "1"
    return answer


def _vary(answer: Response) -> Response:
    if answer.mimetype == "text/html":
        answer.vary.add("HX-Request")
    return answer
