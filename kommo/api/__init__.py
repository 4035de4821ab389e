"""The JSON API under /api/kommo: what docs/kommo-integration.md promises to callers, and docs/api.md spells out.

A route reads what was asked, calls one function, and writes the answer.
"""

import threading
from collections.abc import Callable

from flask import Blueprint, Flask, Response, request

from kommo.api import blocked, budget, connection, errors, lists, schedule, sync
from kommo.api.openapi import routes as openapi
from kommo.api.waiting import WAITERS
from kommo.crm.errors import Blocked

PREFIX = "/api/kommo"
#: Tokens in addresses end up in histories and logs; the query parameter works, and says that it should not be used
#: since 2026-11-24 (RFC 9745).
DEPRECATED = "@1795478400"
ROUTES: tuple[tuple[str, str, str, Callable[..., Response]], ...] = (
    ("GET", "/test-connection", "test_connection_get", connection.test),
    ("POST", "/test-connection", "test_connection", connection.test),
    ("GET", "/contacts", "contacts", lists.contacts),
    ("POST", "/contacts", "contact", lists.contact),
    ("GET", "/deals", "deals", lists.deals),
    ("POST", "/deals", "deal", lists.deal),
    ("POST", "/sync", "sync", sync.start),
    ("GET", "/sync", "sync_status", sync.status),
    ("GET", "/sync/<int:run_id>", "sync_run", sync.run_status),
    ("GET", "/schedule", "schedule", schedule.show),
    ("PUT", "/schedule", "schedule_set", schedule.put),
    ("DELETE", "/schedule", "schedule_off", schedule.delete),
    ("GET", "/budget", "budget", budget.status),
)


def register(app: Flask) -> Blueprint:
    """Add the API to the application; gives its blueprint, which takes no forms and so needs no CSRF token."""
    api = Blueprint("api", __name__, url_prefix=PREFIX)
    for method, path, name, view in ROUTES:
        # A second slash would be answered by a redirect in HTML, OPTIONS by an empty body: both are errors in JSON.
        api.add_url_rule(path, name, view, methods=[method], provide_automatic_options=False, merge_slashes=False)
    api.after_request(_deprecate_token_in_address)
    errors.register(api)
    api.register_error_handler(Blocked, blocked.answer)
    settings = app.extensions["kommo"].settings
    app.extensions[WAITERS] = threading.BoundedSemaphore(settings.threads // 2)
    app.register_blueprint(api)
    app.register_blueprint(openapi.bp)
    return api


def _deprecate_token_in_address(answer: Response) -> Response:
    if "jwtToken" in request.args:
        answer.headers["Deprecation"] = DEPRECATED
    return answer
