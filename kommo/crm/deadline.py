"""Connections whose answer has to be whole by a fixed moment, however slowly its bytes drip.

A read timeout starts anew with every byte: a server that sends one a second holds a request for hours, in the headers
already. So the time left is set on the socket before each read. One thread has one request at a time, hence the
thread-local deadline.
"""

import http.client
import io
import socket
import threading
import time
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_BUFFER = 65_536
_current = threading.local()


def set_deadline(seconds: float) -> None:
    """From now on this thread's connections give up (TimeoutError) when so many seconds have passed."""
    _current.moment = time.monotonic() + seconds


def time_left() -> float:
    """Seconds until this thread's deadline; raises TimeoutError when it has passed."""
    left: float = _current.moment - time.monotonic()
    if left <= 0:
        raise TimeoutError("the request's time is over")
    return left


class _Timed(io.RawIOBase):
    """The bytes of a socket, each read of which waits no longer than until the deadline."""

    def __init__(self, inner: io.RawIOBase, sock: socket.socket) -> None:
        self._inner = inner
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(time_left())
        return self._inner.readinto(buffer)

    def close(self) -> None:
        self._inner.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        inner = self.fp.detach()
        self.fp = io.BufferedReader(_Timed(inner, sock), _BUFFER)


class _Plain(HTTPConnection):
    response_class = _Response

    def connect(self) -> None:
        self.timeout = min(self.timeout or time_left(), time_left())
        super().connect()


class _Secure(HTTPSConnection):
    response_class = _Response

    def connect(self) -> None:
        self.timeout = min(self.timeout or time_left(), time_left())
        super().connect()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


POOLS = {"http": _PlainPool, "https": _SecurePool}
