"""Which path and method is answered by whom."""

from __future__ import annotations

import re
from collections.abc import Callable

from kommo.sandbox import activity, catalog, feed, incoming, linking, setup_writes, writes
from kommo.sandbox.answers import Answer
from kommo.sandbox.lists import list_answer, one_answer
from kommo.sandbox.requests import Request
from kommo.sandbox.state import State

Handler = Callable[[State, Request], Answer]
Routes = list[tuple[re.Pattern[str], dict[str, Handler]]]


def _records(state: State, request: Request) -> Answer:
    return list_answer(state, request, request.args[0], state.tables[request.args[0]])


def _record(state: State, request: Request) -> Answer:
    return one_answer(state, request, request.args[0], state.tables[request.args[0]])


_E = "(leads|contacts|companies)"
_N = r"(\d+)"
_PATHS: list[tuple[str, dict[str, Handler]]] = [
    (f"{_E}", {"GET": _records, "POST": writes.post, "PATCH": writes.patch_many}),
    (f"{_E}/{_N}", {"GET": _record, "PATCH": writes.patch_one}),
    ("account", {"GET": catalog.account}),
    ("users", {"GET": catalog.users}),
    (f"users/{_N}", {"GET": catalog.user}),
    ("leads/pipelines", {"GET": catalog.pipelines, "POST": setup_writes.post_pipelines}),
    (f"leads/pipelines/{_N}", {
        "GET": catalog.pipeline, "PATCH": setup_writes.patch_pipeline, "DELETE": setup_writes.delete_pipeline,
    }),
    (f"leads/pipelines/{_N}/statuses", {"GET": catalog.statuses, "POST": setup_writes.post_statuses}),
    (f"leads/pipelines/{_N}/statuses/{_N}", {
        "GET": catalog.status, "PATCH": setup_writes.patch_status, "DELETE": setup_writes.delete_status,
    }),
    ("leads/loss_reasons", {"GET": catalog.loss_reasons}),
    (f"leads/loss_reasons/{_N}", {"GET": catalog.loss_reason}),
    ("leads/unsorted", {"GET": incoming.unsorted}),
    ("leads/unsorted/summary", {"GET": incoming.unsorted_summary}),
    ("leads/unsorted/([0-9a-f]{64})", {"GET": incoming.one_unsorted}),
    ("leads/complex", {"POST": incoming.post_complex}),
    (f"{_E}/custom_fields", {
        "GET": catalog.custom_fields, "POST": setup_writes.post_fields, "PATCH": setup_writes.patch_fields,
    }),
    (f"{_E}/custom_fields/{_N}", {"GET": catalog.custom_field, "PATCH": setup_writes.patch_fields}),
    (f"{_E}/tags", {"GET": catalog.tags, "POST": setup_writes.post_tags}),
    (f"{_E}/notes", {"GET": activity.notes, "POST": activity.post_notes, "PATCH": activity.patch_notes}),
    (f"{_E}/notes/{_N}", {"GET": activity.one_note, "PATCH": activity.patch_notes}),
    (f"{_E}/{_N}/notes", {"GET": activity.notes, "POST": activity.post_notes, "PATCH": activity.patch_notes}),
    (f"{_E}/{_N}/notes/{_N}", {"GET": activity.one_note, "PATCH": activity.patch_notes}),
    (f"{_E}/notes/{_N}/(pin|unpin)", {"POST": activity.pin_note}),
    (f"{_E}/{_N}/notes/{_N}/(pin|unpin)", {"POST": activity.pin_note}),
    (f"{_E}/{_N}/links", {"GET": linking.links}),
    (f"{_E}/{_N}/link", {"POST": linking.link}),
    (f"{_E}/{_N}/unlink", {"POST": linking.unlink}),
    ("tasks", {"GET": activity.tasks, "POST": activity.post_tasks, "PATCH": activity.patch_tasks}),
    (f"tasks/{_N}", {"GET": activity.one_task, "PATCH": activity.patch_tasks}),
    ("events", {"GET": feed.events}),
    ("events/types", {"GET": feed.event_types}),
    ("events/([0-9a-z]{26})", {"GET": feed.event}),
    ("webhooks", {
        "GET": setup_writes.webhooks, "POST": setup_writes.post_webhook, "DELETE": setup_writes.delete_webhook,
    }),
]  # fmt: skip
ROUTES: Routes = [(re.compile(f"/api/v4/{path}"), methods) for path, methods in _PATHS] + [
    (re.compile("/oauth2/account/subdomain"), {"GET": incoming.subdomain}),
]
OPEN_ROUTES: Routes = [
    (re.compile("/oauth2/account/current/subdomain"), {"GET": incoming.current_subdomain}),
    (re.compile("/oauth2/access_token"), {"POST": incoming.access_token}),
]
