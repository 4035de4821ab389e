"""Bytes to a server and back, as they are: what no client library would send, or would correct on its way."""

import json
import socket
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reply:
    """An answer: its status, its headers by lower-case name, its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> dict[str, Any]:
        """The body's object."""
        return dict(json.loads(self.body))


def exchange(address: str, data: bytes, timeout: float = 20) -> Reply:
    """Send `data` to a server's address and read until it closes the connection."""
    with connect(address, timeout) as connection:
        connection.sendall(data)
        return read(connection)


def connect(address: str, timeout: float = 20) -> socket.socket:
    """A connection to a server's address."""
    host, _, port = address.partition("://")[2].partition("/")[0].rpartition(":")
    return socket.create_connection((host, int(port)), timeout)


def read(connection: socket.socket) -> Reply:
    """The answer on a connection that the server closes after it."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Reply(int(first.split()[1]), {name.lower(): value for name, value in headers.items()}, body)


def head(path: str, *lines: str, method: str = "GET", host: str = "127.0.0.1") -> bytes:
    """The head of a request, after which the server is to close the connection."""
    first = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    return "\r\n".join([*first, *lines, "", ""]).encode()
