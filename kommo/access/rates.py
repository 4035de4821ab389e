"""How many requests one address may make: a bucket of tokens each, in this process, for as long as it is remembered.

The limits are far above what people do, a page that follows a run included (a request a second and a few more), also
for an office of fifty behind one address. They keep one caller from taking all of the server's threads.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, request
from werkzeug.exceptions import TooManyRequests

REMEMBERED = 10_000  # addresses; the one that has been silent for the longest is forgotten first
BURST = 4  # seconds' worth of requests that may come at once
#: The share of the limit for what costs more than a page, or asks nobody who they are; by endpoint.
SHARES: dict[str, float] = {
    "connection.connect": 0.05,  # asks Kommo with a token that somebody pasted
    "connection.retest": 0.05,
    "connection.connect_demo": 0.05,
    "api.test_connection": 0.05,
    "api.test_connection_get": 0.05,
    "health.ready": 0.1,  # writes to the disk
    "metrics.metrics": 0.1,  # counts rows
}


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Buckets:
    """Buckets of `per_second` tokens a second, `burst` at most, one for each key."""

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> float:
        """Take a token; gives 0, or the seconds until there is one where there is none."""
        with self._lock:
            now = self._clock()
            bucket = self._buckets.pop(key, None) or _Bucket(self._burst, now)
            self._buckets[key] = bucket  # the last one now
            if len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
            bucket.tokens = min(bucket.tokens + (now - bucket.at) * self._per_second, self._burst)
            bucket.at = now
            if bucket.tokens < 1:
                return (1 - bucket.tokens) / self._per_second
            bucket.tokens -= 1
            return 0.0


def register(app: Flask, per_second: float) -> None:
    """Put the limits before every route; 0 means none. Static files count like pages."""
    if per_second <= 0:
        return
    found = {share: Buckets(per_second * share, per_second * share * BURST) for share in (1.0, *SHARES.values())}

    def check() -> None:
        """Raise TooManyRequests, with the seconds until the next one is answered."""
        wait = found[SHARES.get(request.endpoint or "", 1.0)].take(caller(request.remote_addr or ""))
        if wait:
            raise TooManyRequests(retry_after=math.ceil(wait))

    app.before_request(check)


def caller(address: str) -> str:
    """Whose requests are counted together: an IPv4 address, or the network of 64 bits that an IPv6 one is from."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
