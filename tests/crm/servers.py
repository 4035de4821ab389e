"""Small servers on real sockets that answer what a test says, byte by byte if need be."""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

Handler = Callable[[socket.socket, bytes], bool]
"""Answers one request (its head in bytes) on a connection; gives whether the connection stays open."""


class RawServer:
    """Listens on a free loopback port; each connection has its thread; `heads` are the requests as they came."""

    def __init__(self, handler: Handler, context: ssl.SSLContext | None = None, greeting: bytes = b"") -> None:
        self.heads: list[bytes] = []
        self.connections = 0
        self._handler = handler
        self._context = context
        self._greeting = greeting
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(60)
        self._listener.close()

    def paths(self) -> list[str]:
        """The request lines' targets, in order."""
        return [head.split(b" ", 2)[1].decode() for head in self.heads]

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            connection, _ = self._listener.accept()
            if self._ended.is_set():
                connection.close()
                return
            self.connections += 1
            self._open.append(connection)
            self._start(self._talk, connection)

    def _talk(self, connection: socket.socket) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            connection.sendall(self._greeting)
            while (head := _head(connection)) and not self._ended.is_set():
                self.heads.append(head)
                if not self._handler(connection, head):
                    break
        except OSError:
            pass
        finally:
            connection.close()


def _head(connection: socket.socket) -> bytes:
    found = b""
    while not found.endswith(b"\r\n\r\n"):
        more = connection.recv(65536)
        if not more:
            return b""
        found += more
    return found


def answer(status: int = 200, body: bytes | Any = b"", kind: str = "application/hal+json", **headers: str) -> bytes:
    """An HTTP answer in bytes; a body that is not bytes is dumped as JSON; `Retry_After="5"` is a header."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if "Content_Length" not in headers and "Transfer_Encoding" not in headers:
        lines.append(f"Content-Length: {len(raw)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


def says(*answers: bytes) -> Handler:
    """A handler that gives these answers one after the other, the last one for ever."""
    left = list(answers)
    lock = threading.Lock()

    def handle(connection: socket.socket, _head: bytes) -> bool:
        with lock:
            now = left.pop(0) if len(left) > 1 else left[0]
        connection.sendall(now)
        return True

    return handle


def drips(whole: bytes, seconds: float, at_once: int = 0, ended: list[bool] | None = None) -> Handler:
    """A handler that sends `at_once` bytes and then one byte every so many seconds; `ended` tells when all are sent."""

    def handle(connection: socket.socket, _head: bytes) -> bool:
        connection.sendall(whole[:at_once])
        for position in range(at_once, len(whole)):
            connection.sendall(whole[position : position + 1])
            time.sleep(seconds)
        if ended is not None:
            ended.append(True)
        return False

    return handle


def listed(key: str, rows: Sequence[Any], *, more: bool = False) -> dict[str, Any]:
    """A page of a list as Kommo shapes it."""
    links = {"self": {"href": "https://x.kommo.com/"}} | ({"next": {"href": "https://evil.example/"}} if more else {})
    return {"_page": 1, "_links": links, "_embedded": {key: list(rows)}}


HTML = b"<html>\r\n<head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center></body></html>"
BLOCK = answer(403, HTML, "text/html")
OK = answer(200, {"id": 30_001_000, "name": "Padaria Estrela", "subdomain": "padariaestrela"})
TOO_MANY = answer(429, HTML, "text/html")
FAULT = answer(502, HTML, "text/html")
REFUSED = answer(401, {"title": "Unauthorized", "status": 401, "detail": "Invalid user name or password"})
