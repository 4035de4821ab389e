"""The gateway in front of Kommo: counts every request as it arrives, limits its rate, blocks who goes on too long."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass

from kommo.sandbox.answers import PROBLEM, Answer, gateway, problem
from kommo.sandbox.requests import Request
from kommo.sandbox.switches import Switches


@dataclass(slots=True)
class Seen:
    """A request in the log. `at` is its arrival in seconds of the monotonic clock, `status` 0 until it is answered."""

    at: float
    method: str
    path: str
    query: str
    client: str
    status: int = 0


class Gate:
    """Rate limit, block and request log. A client is an address; `rate` 0 = no limit."""

    def __init__(self, switches: Switches, rate: int = 0) -> None:
        self.switches = switches
        self.rate = rate
        self.blocked = False
        self.log: deque[Seen] = deque(maxlen=200_000)
        self.requests = 0
        self.rejected_429 = 0
        self._lock = threading.Lock()
        self._windows: dict[str, list[float]] = {}
        self._violations: dict[str, int] = {}

    def enter(self, request: Request) -> tuple[Seen, Answer | None]:
        """Log a request; the answer is the gateway's own if it does not let the request through."""
        seen = Seen(request.arrived, request.method, request.path, request.query, request.client)
        with self._lock:
            self.log.append(seen)
            self.requests += 1
            if self.blocked:
                return seen, gateway(403)
            if self._fits(request.client, request.arrived):
                return seen, None
            self.rejected_429 += 1
            violations = self._violations[request.client] = self._violations.get(request.client, 0) + 1
            if self.switches.block_after and violations >= self.switches.block_after:
                self.blocked = True
        return seen, too_many(self.switches)

    def _fits(self, client: str, at: float) -> bool:
        """Whether at most `rate` requests of the second before `at` were let through, this one included."""
        if not self.rate:
            return True
        window = self._windows.setdefault(client, [])
        del window[: bisect_left(window, at - 10)]
        if len(window) - bisect_left(window, at - 1 + 1e-9) >= self.rate:
            return False
        insort(window, at)
        return True

    def max_in_one_second(self) -> int:
        """The most requests that arrived within any one second, whatever they were answered."""
        with self._lock:
            times = sorted(seen.at for seen in self.log)
        most = start = 0
        for stop, at in enumerate(times):
            while at - times[start] >= 1:
                start += 1
            most = max(most, stop - start + 1)
        return most

    def unblock(self) -> None:
        """Lift the block; the next one takes as many violations as the first did."""
        with self._lock:
            self.blocked = False
            self._violations.clear()

    def reset(self) -> None:
        """Empty the log and the counters and lift the block; the rate's window stays."""
        with self._lock:
            self.log.clear()
            self.requests = self.rejected_429 = 0
            self.blocked = False
            self._violations.clear()


def too_many(switches: Switches) -> Answer:
    """The 429 as the switches shape it."""
    answer = gateway(429)
    if switches.rate_body == "json":
        answer = problem(429, "Too many requests")
        answer.body = answer.body[:-1] + b',"retry_after":%d}' % (switches.retry_after or 300)
        answer.content_type = PROBLEM
    if switches.retry_after:
        answer.headers.append(("Retry-After", str(switches.retry_after)))
    return answer
