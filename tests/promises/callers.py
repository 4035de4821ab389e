"""Calls made up by schemathesis from the API's own document, right and wrong ones, and what every answer is held to."""

from collections import Counter
from dataclasses import dataclass, field

import schemathesis
from flask import Flask
from hypothesis import strategies as st
from schemathesis import engine as fuzzer
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events

from kommo.sandbox import Server


class Direct:
    """The application as a caller on this machine reaches it."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start):
        environ |= {"REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1:3000"}
        return self.app.wsgi_app(environ, start)


@dataclass
class Outcome:
    cases: Counter = field(default_factory=Counter)
    statuses: Counter = field(default_factory=Counter)
    failures: list = field(default_factory=list)


def run(app: Flask, server: Server, seed: int, examples: int) -> Outcome:
    tokens = [server.token]
    schemathesis.openapi.format("jwt", st.sampled_from(tokens))
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "generation": {
                "max-examples": examples,
                "deterministic": False,
                "no-shrink": True,
                "database": "none",
                "with-security-parameters": False,
            },
            "checks": {"enabled": True},
        }
    )
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", Direct(app), config=config)
    out = Outcome()
    import time

    for event in fuzzer.from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            rec = event.recorder
            out.cases[event.phase.value] += len(rec.interactions)
            for i in rec.interactions.values():
                out.statuses[(event.label, i.response.status_code if i.response else None)] += 1
            for cid, checks in rec.checks.items():
                for c in checks:
                    if c.failure_info:
                        f = c.failure_info.failure
                        out.failures.append(
                            (
                                event.phase.value,
                                event.label,
                                c.name,
                                str(f),
                                cid,
                                rec.interactions.get(cid),
                                rec.cases[cid].value,
                            )
                        )
        elif isinstance(event, events.NonFatalError):
            out.failures.append(("ERR", event.label, str(event.info)))
        elif isinstance(event, events.PhaseFinished):
            print(event.phase.name, event.status, time.process_time())
    return out
