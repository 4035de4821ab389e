"""What came back from Kommo, and which error a status and a content type mean."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from kommo.crm import errors, json


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read whole. `sent_at` and `received_at` are seconds of the monotonic clock.

    `headers` does not care about case; `server_time` is the `Date` header in Unix seconds.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]
    sent_at: float
    received_at: float

    @property
    def elapsed(self) -> float:
        """Seconds from sending to the last byte."""
        return self.received_at - self.sent_at

    @property
    def server_time(self) -> float | None:
        """Kommo's clock as the answer was made, to the second; None where the header is missing or broken."""
        return _http_date(self.headers.get("Date", ""))

    @property
    def is_html(self) -> bool:
        """Whether a page came where JSON was asked for."""
        return "html" in self.headers.get("Content-Type", "").lower() or self.body[:64].lstrip()[:1] == b"<"


def raise_for(answer: Answer) -> None:
    """Nothing for a 2xx that may hold JSON; otherwise the error of the tree that this answer means."""
    status = answer.status
    if 200 <= status < 300:
        if answer.is_html:
            raise errors.Nonsense(status, note="html with success")
        return
    if 300 <= status < 400:
        raise errors.WrongHost(status, note="redirect")
    if status >= 500:
        raise _server_error(answer)
    raise _client_error(answer)


def _server_error(answer: Answer) -> errors.KommoError:
    if answer.status > 599:
        return errors.Nonsense(answer.status, note="unknown status")
    return errors.ServerFault(answer.status, retry_after=_retry_after(answer))


def _client_error(answer: Answer) -> errors.KommoError:
    status = answer.status
    if status == 401:
        return errors.TokenRefused(status)
    if status == 402:
        return errors.Unpaid(status)
    if status == 403:
        return _forbidden(answer)
    if status == 404:
        return errors.WrongHost(status, note="html 404") if answer.is_html else errors.NotFound(status)
    if status == 408:
        return errors.TimedOut(status)
    if status == 429:
        return errors.RateLimited(status, retry_after=_retry_after(answer))
    return errors.Rejected(status)


def _forbidden(answer: Answer) -> errors.KommoError:
    """JSON comes from Kommo itself (rights, scopes); anything else from the gateway, which blocks the address."""
    problem = _problem(answer)
    if problem is None:
        return errors.Blocked(answer.status)
    said = f"{problem.get('detail', '')} {problem.get('hint', '')}".lower()
    return errors.Forbidden(answer.status, scope_missing="scope" in said or "escopo" in said)


def _problem(answer: Answer) -> dict[str, Any] | None:
    """The problem+json of an error, None if the body is something else."""
    try:
        found = json.loads(answer.body)
    except errors.Nonsense:
        return None
    return found if isinstance(found, dict) else None


def _retry_after(answer: Answer) -> float | None:
    """Seconds to wait: the header (seconds or a date), else `retry_after` of the JSON; None where nothing is said."""
    header = answer.headers.get("Retry-After", "").strip()
    until = _http_date(header)
    if until is not None:
        return max(0.0, until - (answer.server_time or datetime.now(UTC).timestamp()))
    said = header or (_problem(answer) or {}).get("retry_after")
    try:
        seconds = float(str(said)[:20])
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _http_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
