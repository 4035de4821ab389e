"""Tokens as people paste them, clocks that only move when told, budgets that remember."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from kommo.crm.budget import NotYet
from kommo.crm.errors import Blocked, RateLimited

NOW = 1_795_449_600  # 2026-11-23 16:00 UTC
DAY = 86_400
PADARIA = 30_001_000  # the account of Padaria Estrela, Ana's
OFICINA = 30_002_000  # the account of Oficina Norte, Bruno's
SCOPES = ["push_notifications", "files", "crm", "files_delete", "notifications"]


def part(value: Any) -> str:
    """One part of a JWT: JSON text or bytes as they are, anything else dumped."""
    raw = (
        value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else json.dumps(value).encode()
    )
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(payload: Any = None, header: Any = None, signature: str = "c2lnbmF0dXJl", **claims: Any) -> str:
    """A token of Padaria Estrela; `claims` replace the usual ones, `...` takes one away; `payload` replaces all."""
    usual: dict[str, Any] = {
        "aud": "0c8b2b1e-3a35-4f2f-9a0b-1d6c2f7a5e11", "jti": "f" * 80, "iat": NOW - 30 * DAY, "nbf": NOW - 30 * DAY,
        "exp": NOW + 335 * DAY, "sub": "7001", "grant_type": "", "account_id": PADARIA, "base_domain": "kommo.com",
        "version": 2, "scopes": SCOPES, "api_domain": "api-c.kommo.com",
    }  # fmt: skip
    made = {key: value for key, value in (usual | claims).items() if value is not ...}
    head = {"typ": "JWT", "alg": "RS256"} if header is None else header
    return f"{part(head)}.{part(made if payload is None else payload)}.{signature}"


class HandClock:
    """A monotonic clock that moves only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Ledger:
    """A budget that gives the waits it was told to, and remembers what happened to it.

    `early` are the seconds after which a caller is to ask again, one by one; `asked` how long each had waited, and
    whether it had reserved already; `sent` how long ago each refused request had left.
    """

    waits: list[float] = field(default_factory=list)
    early: list[float] = field(default_factory=list)
    asked: list[tuple[float, bool]] = field(default_factory=list)
    slots: list[str] = field(default_factory=list)
    max_waits: list[float | None] = field(default_factory=list)
    slowed: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    blocked: list[float] = field(default_factory=list)
    holds: list[bool] = field(default_factory=list)

    def slot(self, purpose: str, *, max_wait: float | None = None, waited: float = 0.0, again: bool = False) -> float:
        self.asked.append((waited, again))
        if self.blocked:
            raise Blocked(403, retry_after=self.blocked[-1])
        if self.early:
            raise NotYet(self.early.pop(0))
        wait = self.waits.pop(0) if self.waits else 0.0
        if max_wait is not None and wait > max_wait:
            raise RateLimited(retry_after=wait)
        self.slots.append(purpose)
        self.max_waits.append(max_wait)
        return wait

    def held(self) -> bool:
        return self.holds.pop(0) if self.holds else False

    def slow_down(self, seconds: float, purpose: str, sent: float) -> None:
        self.slowed.append(seconds)
        self.sent.append(sent)

    def block(self, seconds: float) -> None:
        self.blocked.append(seconds)
