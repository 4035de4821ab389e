"""Every request gets a number, a line in the log and a place in the counts, told apart by route and never by path."""

import re
import time
import uuid
from dataclasses import dataclass

import structlog
from flask import Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

from kommo import logs

HEADER = "X-Request-Id"
NO_ROUTE = "(nenhuma)"  # the label of what no route answers: a stranger's addresses make no labels
_VALID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_KEY = "kommo_watch"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Counts:
    """What this process has answered since it began."""

    registry: CollectorRegistry
    answered: Counter
    seconds: Histogram


def register(app: Flask) -> None:
    """Begin and end every request, the refused ones too: the first thing that is registered."""
    registry = CollectorRegistry()
    app.extensions[_KEY] = Counts(
        registry,
        Counter("painel_requests", "Pedidos respondidos", ("method", "route", "status"), registry=registry),
        Histogram(
            "painel_request_seconds",
            "Segundos até a resposta",
            ("method", "route"),
            buckets=_SECONDS,
            registry=registry,
        ),
    )
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def counts() -> Counts:
    """The counts of this process."""
    found = current_app.extensions[_KEY]
    assert isinstance(found, Counts)
    return found


def request_id(given: str | None) -> str:
    """The number of a request: the caller's, where it is one that can be logged, else a new one."""
    return given if given and _VALID.fullmatch(given) else uuid.uuid4().hex


def route() -> str:
    """The rule of the request in hand."""
    return request.url_rule.rule if request.url_rule is not None else NO_ROUTE


def _begin() -> None:
    g.began = time.perf_counter()
    g.request_id = request_id(request.headers.get(HEADER))
    logs.forget()
    logs.bind(request=g.request_id)


def _end(answer: Response) -> Response:
    """Note what was answered. The line has neither the path, whose numbers are records, nor the query."""
    if "began" not in g:  # broken off before it began
        return answer
    seconds = time.perf_counter() - g.began
    method = request.method if request.method in _METHODS else "OTHER"
    found = counts()
    found.answered.labels(method, route(), str(answer.status_code)).inc()
    found.seconds.labels(method, route()).observe(seconds)
    answer.headers[HEADER] = g.request_id
    log.info("request", method=method, route=route(), status=answer.status_code, ms=round(seconds * 1000))
    return answer


def _forget(_error: BaseException | None) -> None:
    """A thread serves the next caller with nothing of this one's left in its lines."""
    logs.forget()
