"""Callers that schemathesis makes up from the API's own document, right and wrong ones, and what answers are held to.

Every check that it knows is on, but one: `max_response_time`, which holds an answer to a time; no test of this house
does (docs/testing.md). `ignored_auth` has nothing to find while a call may go without a token.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import strategies as st
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events

SEED = 20261129


@dataclass
class Outcome:
    """How many calls there were by phase, how they were answered by (call, status), and what broke the document."""

    calls: Counter[str] = field(default_factory=Counter)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All calls."""
        return sum(self.calls.values())


class Direct:
    """The application as a caller on this machine reaches it, without a socket."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        environ |= {"REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1:3000"}
        return self.app.wsgi_app(environ, start)


def call(app: Flask, tokens: list[str], known: Mapping[str, int], examples: int, seed: int = SEED) -> Outcome:
    """Make up calls, at least `examples` of each kind for each route; `tokens` are what a jwtToken may be.

    `known` are numbers that are there, by parameter: every other good one is put in their place.
    """
    schemathesis.openapi.format("jwt", st.sampled_from(tokens))
    options = {
        "seed": seed,
        "generation": {
            "max-examples": examples,
            "no-shrink": True,
            "database": "none",
        },
        "checks": {"enabled": True},
    }
    schema = schemathesis.openapi.from_wsgi(
        "/api/openapi.json", Direct(app), config=SchemathesisConfig.from_dict(options)
    )
    turns = {name: cycle([number, None]) for name, number in known.items()}

    @schema.hook
    def map_query(_context: Any, query: Any) -> Any:
        return _with_known(turns, query)

    @schema.hook
    def map_body(_context: Any, body: Any) -> Any:
        return _with_known(turns, body)

    credentials = cycle([None, *(f"Bearer {token}" for token in tokens)])

    @schema.auth(refresh_interval=None)
    class _Credentials:
        """A call need not say who it is, so schemathesis never does: these do, one after the other."""

        def get(self, _case: Any, _context: Any) -> str | None:
            return next(credentials)

        def set(self, case: Any, data: str, _context: Any) -> None:
            case.headers["Authorization"] = data

    outcome = Outcome()
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _add(outcome, event)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            outcome.failures.append(str(getattr(event, "info", None) or event.exception))
    return outcome


def _with_known(turns: Mapping[str, Iterator[int | None]], made_up: Any) -> Any:
    """What was made up, with known numbers where good ones are: what is good stays so, and what is bad."""
    if not isinstance(made_up, dict):
        return made_up
    good = [name for name in turns if type(made_up.get(name)) is int and 1 <= made_up[name] < 2**63]
    return made_up | {name: number for name in good if (number := next(turns[name])) is not None}


def _add(outcome: Outcome, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    outcome.calls[event.phase.value] += len(recorder.interactions)
    for key, found in recorder.interactions.items():
        if found.response is not None:
            outcome.answers[recorder.cases[key].value.operation.label, found.response.status_code] += 1
    for key, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                outcome.failures.append(f"{check.name}: {check.failure_info.failure}\n{_words(recorder, key)}")


def _words(recorder: Any, key: str) -> str:
    """The call and its answer, to be tried again."""
    found = recorder.interactions[key]
    said = found.response.content[:400] if found.response else b""
    return f"{found.request.method} {found.request.uri}\n{(found.request.body or b'')[:600]!r}\n{said!r}"
