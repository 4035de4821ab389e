"""The sandbox on a loopback socket."""

from __future__ import annotations

import logging
import os
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Any, Self

from waitress import wasyncore
from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import WSGITask

from kommo.sandbox.app import App
from kommo.sandbox.lists import make_ready
from kommo.sandbox.tokens import issue
from kommo.sandbox.world import World

_QUIET = logging.getLogger("kommo.sandbox.http")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
_THREADS = 24


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Notes when a request has come in whole: the rate is counted then, however long it waits for a thread."""

    arrived = 0.0

    def received(self, data: bytes) -> int:
        size: int = super().received(data)
        if self.completed:
            self.arrived = time.monotonic()
        return size


class _Task(WSGITask):  # type: ignore[misc]
    logger = _QUIET

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ["sandbox.arrived"] = self.request.arrived
        environ["sandbox.break"] = self.channel.break_off
        return environ


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Parser
    task_class = _Task
    logger = _QUIET

    def break_off(self, *, reset: bool) -> None:
        """End the connection without a word: with a RST, or with an orderly close."""
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ClientDisconnected


class Server:
    """A running sandbox: `address`, a fresh `token`, its `world`. Ends with `stop()` or the `with` block."""

    def __init__(self, world: World, port: int, rate: int, latency_ms: float, control_key: str) -> None:
        self.world = world
        world.gate.rate = rate
        world.stopping.clear()
        app = App(world, latency_ms=latency_ms, control_key=control_key)
        self._map: dict[int, Any] = {}
        self._ended = False
        listener = socket.socket()
        try:
            if os.name != "nt":  # on Windows it would let two servers share a port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            self._server: Any = create_server(
                app, map=self._map, sockets=[listener], threads=_THREADS, ident="nginx",
                clear_untrusted_proxy_headers=False, asyncore_use_poll=os.name != "nt",
                outbuf_overflow=2**30,  # in memory, never in a temporary file
            )  # fmt: skip
        except BaseException:
            listener.close()
            raise
        # Send each piece at once: a slow answer has to be seen to be slow.
        self._server.adj.send_bytes = 1
        self._server.channel_class = _Channel
        self._server.task_dispatcher.logger = self._server.task_dispatcher.queue_logger = _QUIET
        self.port: int = listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        with world.lock:
            self.token = issue(world.state)
            make_ready(world.state)
        self._listener = listener
        self._thread = threading.Thread(target=self._run, name=f"sandbox-{self.port}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended:
            wasyncore.loop(timeout=1, map=self._map, count=1, use_poll=self._server.adj.asyncore_use_poll)

    def stop(self) -> None:
        """Close the socket and every connection, end the threads, give the data file back. May be called twice."""
        if self._ended:
            return
        self._ended = True
        self.world.stopping.set()
        self._server.pull_trigger()
        self._thread.join(timeout=10)
        self._server.task_dispatcher.shutdown(timeout=10)
        wasyncore.close_all(self._map)
        self._listener.close()
        self.world.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(world: World, port: int = 0, *, rate: int = 0, latency_ms: float = 0, control_key: str = "") -> Server:
    """Serve `world` on 127.0.0.1; port 0 picks a free one. `rate` is requests a second for one client, 0 = no limit.

    Raises OSError when the port is taken.
    """
    return Server(world, port, rate, latency_ms, control_key)
