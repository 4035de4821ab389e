"""The WSGI app: the gate, the token, the route, and what goes wrong on command."""

from __future__ import annotations

import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from kommo.sandbox import control, faults
from kommo.sandbox.answers import HAL, Answer, Refused, gateway, not_found, problem, refusal, unauthorized
from kommo.sandbox.gate import Seen
from kommo.sandbox.requests import Request
from kommo.sandbox.routes import OPEN_ROUTES, ROUTES, Handler, Routes
from kommo.sandbox.tokens import read
from kommo.sandbox.world import World

_CACHED_BYTES = 48_000_000
_LOG = logging.getLogger("kommo.sandbox")
Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], object]


class App:
    """The sandbox as a WSGI application for one world."""

    def __init__(self, world: World, *, latency_ms: float = 0, control_key: str = "") -> None:
        self.world = world
        self.latency = latency_ms / 1000
        self.control_key = control_key
        self._ready: OrderedDict[tuple[str, str], tuple[Any, bytes]] = OrderedDict()
        self._ready_size = 0

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        """One request; `sandbox.arrived` (monotonic seconds) and `sandbox.break` are put in by the server."""
        request = _request(environ)
        if request.path.startswith("/_control/"):
            answer = control.answer(self.world, request, self.control_key)
            return self._send(environ, start_response, answer)
        seen, stopped = self.world.gate.enter(request)
        answer = self._carry_out(request) if stopped is None else stopped
        seen.status = answer.status
        self._wait(seen, answer)
        return self._send(environ, start_response, answer)

    def _carry_out(self, request: Request) -> Answer:
        world = self.world
        if world.before_request is not None:
            world.before_request(request.method, request.path, request.query)
        fault = world.next_fault(request)
        early = faults.before(fault, world.switches) if fault is not None else None
        if early is not None:
            return early
        answer = self._answer(request)
        return answer if fault is None else faults.after(fault, answer)

    def _answer(self, request: Request) -> Answer:
        try:
            with self.world.lock:
                return self._serve(request)
        except Refused as refused:
            return refusal(refused)
        except Exception:  # a fault of this program must look like one of Kommo's, and be found in the log
            _LOG.exception("%s %s", request.method, request.path)
            return gateway(500)

    def _serve(self, request: Request) -> Answer:
        state = self.world.state
        handler, exists = _route(OPEN_ROUTES, request)
        if handler is not None:
            return handler(state, request)
        claims = read(state, request.headers.get("HTTP_AUTHORIZATION", ""))
        if claims is None:
            return unauthorized()
        request.claims = claims
        if request.path.startswith("/api/") and "crm" not in claims.get("scopes", ()):
            return problem(403, "Client doesn't have the required scope")
        handler, exists = _route(ROUTES, request)
        if handler is None:
            return problem(405, "Method Not Allowed") if exists else not_found()
        return self._ready_or_made(request, handler)

    def _ready_or_made(self, request: Request, handler: Handler) -> Answer:
        """The answer, kept for the next one who asks the same before anything changes."""
        state = self.world.state
        if request.method != "GET" or not state.switches.stable_ties or state.switches.if_modified_since:
            return handler(state, request)
        key = (request.path, f"{request.host} {request.query}")
        # The feed's lag depends on the clock, not on a change.
        stamp = (state.version, state.switches.events_lag and state.now(), *vars(state.switches).values())
        kept = self._ready.get(key)
        if kept is not None and kept[0] == stamp:
            return Answer(200, kept[1])
        answer = handler(state, request)
        if answer.status == 200 and answer.content_type == HAL:
            self._keep(key, stamp, answer.body)
        return answer

    def _keep(self, key: tuple[str, str], stamp: Any, body: bytes) -> None:
        old = self._ready.pop(key, (None, b""))
        self._ready[key] = (stamp, body)
        self._ready_size += len(body) - len(old[1])
        while self._ready_size > _CACHED_BYTES:
            self._ready_size -= len(self._ready.popitem(last=False)[1][1])

    def _wait(self, seen: Seen, answer: Answer) -> None:
        seconds = self.latency - (time.monotonic() - seen.at)
        if answer.wire.startswith("wait "):
            seconds += float(answer.wire.split()[1])
        if seconds > 0:
            self.world.stopping.wait(seconds)

    def _send(self, environ: Environ, start_response: Start, answer: Answer) -> Iterable[bytes]:
        if answer.wire in ("reset", "close"):
            environ["sandbox.break"](reset=answer.wire == "reset")
        headers = [
            ("X-Request-Id", environ.get("HTTP_X_REQUEST_ID") or uuid.uuid4().hex),
            ("Date", formatdate(self.world.state.clock() + self.world.switches.clock_skew, usegmt=True)),
            *answer.headers,
        ]
        if answer.status not in (204, 304):
            length = len(answer.body) if answer.length is None else answer.length
            headers += [("Content-Type", answer.content_type), ("Content-Length", str(length))]
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        if answer.wire.startswith("drip "):
            return self._drops(answer.body, float(answer.wire.split()[1]))
        return answer.chunks if answer.chunks is not None else [answer.body]

    def _drops(self, body: bytes, seconds: float) -> Iterable[bytes]:
        for at in range(len(body)):
            if self.world.stopping.wait(seconds):
                return
            yield body[at : at + 1]


def _request(environ: Environ) -> Request:
    length = environ.get("CONTENT_LENGTH") or "0"
    return Request(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", "/").rstrip("/") or "/",
        query=environ.get("QUERY_STRING", ""),
        body=environ["wsgi.input"].read() if length != "0" else b"",
        headers=environ,
        client=environ.get("REMOTE_ADDR", ""),
        host=environ.get("HTTP_HOST", ""),
        arrived=environ.get("sandbox.arrived", time.monotonic()),
    )


def _route(routes: Routes, request: Request) -> tuple[Handler | None, bool]:
    """The handler for a request, and whether its path exists at all."""
    exists = False
    for pattern, methods in routes:
        match = pattern.fullmatch(request.path)
        if match is not None:
            exists = True
            if request.method in methods:
                request.args = match.groups()
                return methods[request.method], True
    return None, exists
