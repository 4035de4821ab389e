"""The one place that sends anything: a single GET, to one address, within a time and a size.

Nothing from the surroundings takes part. The request goes straight to the adapter, past requests.Session, so that no
.netrc replaces the Authorization header, no proxy variable sends the token elsewhere, no cookie is kept and no
redirect is looked at.
"""

import http.client
import logging
import math
import re
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as u3

from kommo.addresses import check_configured
from kommo.crm import errors
from kommo.crm.answers import Answer
from kommo.crm.deadline import POOLS, set_deadline, time_left
from kommo.crm.token import clean_token

MAX_BODY = 64 * 1024 * 1024
USER_AGENT = "painel-kommo/0.1"
_CHUNK = 65_536
_PATH = re.compile(r"/[A-Za-z0-9_/-]*")
_FAILURES = (requests.RequestException, u3.HTTPError, OSError, http.client.HTTPException)

# Its lines hold the query of each address, which may be somebody's name. `on_request` of the client tells the rest.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class Transport:
    """Sends GETs with one token to one base address. May be shared by threads; close it, or use it with `with`.

    `timeout` is seconds for a whole request: connecting, waiting, reading. `connect_timeout` is for each address of
    the host. `max_body` is bytes after decompression, `clock` what answers are
    timed by. Raises ValueError for an address that is neither https nor
    this machine, BadToken for a text that is no token.
    """

    def __init__(
        self,
        base_address: str,
        token: str,
        *,
        timeout: float = 30.0,
        connect_timeout: float = 5.0,
        max_body: int = MAX_BODY,
        pool_size: int = 8,
        user_agent: str = USER_AGENT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self.base_address = check_configured(base_address)
        self._timeout = timeout
        self._connect_timeout = min(connect_timeout, timeout)
        self._max_body = max_body
        self._headers = {
            "Authorization": f"Bearer {clean_token(token)}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": user_agent,
        }
        # Connecting is tried twice; everything else is retried above the budget, where each attempt takes its slot.
        retry = urllib3.Retry(
            total=1, connect=1, read=False, redirect=0, status=0, other=0, respect_retry_after_header=False
        )  # fmt: skip
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=pool_size, max_retries=retry)
        self._adapter.poolmanager.pool_classes_by_scheme = POOLS

    @property
    def host(self) -> str:
        """The host (and port) that requests go to."""
        return self.base_address.partition("://")[2]

    def get(self, path: str, params: Sequence[tuple[str, str]] = (), *, within: float = math.inf) -> Answer:
        """One GET of `path` (such as "/api/v4/contacts"); gives whatever came back, whole, but no redirect.

        `within` is seconds too, where there is less time than usual.

        Raises Unreachable and its kinds, TimedOut, Nonsense (cut, too long, broken gzip), WrongHost for a 3xx.
        """
        if not _PATH.fullmatch(path):
            raise ValueError("not a path of the API")
        request = requests.Request("GET", self.base_address + path, self._headers, params=list(params)).prepare()
        timeout = max(min(self._timeout, within), 0.001)
        set_deadline(timeout)
        sent_at = self._clock()
        try:
            response = self._adapter.send(request, stream=True, timeout=(min(self._connect_timeout, timeout), timeout))
            status, headers, body = response.status_code, response.headers, self._read(response)
        except _FAILURES as error:
            raise _meaning(error) from None
        return Answer(status, body, headers, sent_at, self._clock())

    def close(self) -> None:
        """Close all connections."""
        self._adapter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, response: requests.Response) -> bytes:
        """The body, decompressed; a connection that was not read to its end is not used again."""
        try:
            body = b"".join(self._parts(response))
        except BaseException:
            response.raw.close()
            raise
        response.raw.release_conn()
        return body

    def _parts(self, response: requests.Response) -> Iterator[bytes]:
        if 300 <= response.status_code < 400:
            raise errors.WrongHost(response.status_code, note="redirect")
        size = 0
        for part in response.raw.stream(_CHUNK, decode_content=True):
            size += len(part)
            if size > self._max_body:
                raise errors.Nonsense(response.status_code, note="body too long")
            time_left()
            yield part


def _meaning(error: Exception) -> errors.KommoError:
    """The error of the tree that a failure of requests, urllib3 or the socket means."""
    causes = list(_causes(error))
    for kinds, meaning in _MEANINGS:
        if any(isinstance(cause, kinds) for cause in causes):
            return meaning(note=type(causes[-1]).__name__)
    return errors.Unreachable(note=type(causes[-1]).__name__)


_Kinds = tuple[type[BaseException], ...]
_MEANINGS: tuple[tuple[_Kinds, type[errors.KommoError]], ...] = (
    ((http.client.RemoteDisconnected, ssl.SSLEOFError), errors.Unreachable),  # a BadStatusLine, an SSLError too
    ((u3.NameResolutionError,), errors.NameNotFound),
    ((ConnectionRefusedError,), errors.ConnectionRefused),
    ((ssl.SSLError, u3.SSLError), errors.TlsFailed),
    ((TimeoutError,), errors.TimedOut),
    ((u3.NewConnectionError,), errors.Unreachable),  # for urllib3 that is a kind of time-out
    ((u3.TimeoutError,), errors.TimedOut),
    ((u3.IncompleteRead, u3.DecodeError, http.client.HTTPException), errors.Nonsense),
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and everything it was made of, outermost first; not its context, which may be the caller's."""
    seen: set[int] = set()
    queue: list[Any] = [error]
    while queue:
        one = queue.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            queue += [*one.args, getattr(one, "reason", None), one.__cause__]
