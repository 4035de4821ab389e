"""The way to Kommo, which can be shut: a loopback port that passes bytes on, or treats connections as networks do."""

import contextlib
import socket
import struct
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

OPEN, SILENT, RESET, SHUT = "open", "silent", "reset", "shut"


class Gate:
    """Forwards to `target`. `mode` is how it treats connections from now on; those that are open go down with a change.

    SILENT takes connections and never answers, RESET breaks them off, SHUT leaves nobody at the port.
    """

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self._mode = OPEN
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._start(self._listener)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.turn(SHUT)

    def turn(self, mode: str) -> None:
        """Treat connections in another way; those that are there are broken off."""
        if mode == self._mode:
            return
        before, self._mode = self._mode, mode
        if mode == SHUT:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                if before == SILENT:  # those that are passed on are closed by who does it
                    one.close()
            self._open.clear()
        if before == SHUT:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._start(self._listener)

    def _start(self, listener: socket.socket) -> None:
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            if self._mode == RESET:
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                caller.close()
                continue
            with self._lock:
                self._open.append(caller)
            if self._mode == OPEN:
                self._join(caller)

    def _join(self, caller: socket.socket) -> None:
        try:
            kommo = socket.create_connection((self._target.hostname, self._target.port or 80))
        except OSError:
            caller.close()
            return
        with self._lock:
            self._open.append(kommo)
        for source, sink in ((caller, kommo), (kommo, caller)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65_536):
            sink.sendall(part)
    for one in (source, sink):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
