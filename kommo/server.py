"""waitress with our manners: what it answers by itself is in our words, and an address may be typed with accents.

Whatever waitress refuses before the application is asked (broken headers, a body beyond MAX_UPLOAD) would be English
plain text without our headers otherwise, and its connection would be cut while the caller still sends.
"""

import logging
import re
import select
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import structlog
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import create_server
from waitress.task import ErrorTask

from kommo.access import guard, headers
from kommo.api import errors as api_errors
from kommo.pages import errors as page_errors
from kommo.settings import Settings
from kommo.watch.requests import HEADER, NO_ROUTE, request_id

if TYPE_CHECKING:
    from flask import Flask
    from waitress.server import BaseWSGIServer

MAX_UPLOAD = 1024 * 1024  # bytes of a body that are taken; the application refuses from 64 kB on, connection kept
MOST_CONNECTIONS = 1000
OTHER_FILES = 150  # files and sockets of this process beside the callers' connections
IDLE = 30  # seconds of silence after which a connection is closed; one whose answer is being made is never idle
LINGER = 10.0  # seconds for which a refused caller may go on sending before it is cut off
_FULL = "total open connections reached"
_FOLDED = re.compile(rb"\n[ \t]")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
log = structlog.get_logger()


def make(app: "Flask", settings: Settings, listener: socket.socket) -> "BaseWSGIServer":
    """A server for `app` on a listening socket, not running yet."""
    server = create_server(
        app,
        sockets=[listener],
        threads=settings.threads,
        ident=None,
        max_request_body_size=MAX_UPLOAD,
        connection_limit=_most_connections(),
        channel_timeout=IDLE,
        cleanup_interval=IDLE // 3,
        asyncore_use_poll=True,  # select() knows no file above number 1,023
        # Otherwise waitress hides forwarding headers, and the guard could not see a proxy.
        clear_untrusted_proxy_headers=False,
    )
    server.channel_class = Channel
    server.answer_headers = headers.fixed(settings.assets) | headers.UNKEPT
    logging.getLogger("waitress").addFilter(_in_our_words)
    return server


class Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Reads a request; `target` and `method` are those of its first line, as far as it could be read."""

    method = target = b""

    def received(self, data: bytes) -> int:
        """Take more of the request; gives how many bytes were of use. A refused one is not asked to go on."""
        used: int = super().received(data)
        if self.error is not None:
            self.expect_continue = False
        return used

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head. Bytes that no address may have are percent-encoded: curl sends `João` as it was typed.

        Raises waitress' errors.
        """
        # For a head that is too long waitress gives a made-up one here, and keeps what it has of the real one.
        line = max(header_plus, self.header_plus, key=len).lstrip().partition(b"\r\n")[0]
        self.method, self.target = [*line.split(b" "), b"", b""][:2]
        if _FOLDED.search(header_plus):  # one reader joins the two lines, another takes the second for a header
            raise ParsingError("a folded header")
        first, end, rest = header_plus.partition(b"\r\n")
        super().parse_header(_NOT_ASCII.sub(lambda found: b"%%%02X" % found[0][0], first) + end + rest)

    @property
    def is_of_api(self) -> bool:
        """Whether the address is one under /api/."""
        path = unquote_to_bytes(self.target.partition(b"?")[0])
        return (b"/" + path.lstrip(b"/")).startswith(guard.API.encode())


class Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to what waitress refuses: JSON under /api/, a sentence elsewhere."""

    def execute(self) -> None:
        """Write the answer, and let the caller finish sending before the connection is closed."""
        asked = (self.channel.requests or [self.request])[0]
        status = self.request.error.code
        said = api_errors.of_status(status) if asked.is_of_api else page_errors.bare(status)
        self.status = said.status
        self.response_headers += [("Content-Type", said.headers["Content-Type"])]
        self.response_headers += self.channel.server.answer_headers.items()
        number = request_id(None)
        self.response_headers += [(HEADER, number)]
        log.info("request", request=number, method="OTHER", route=NO_ROUTE, status=status)
        body = said.get_data()
        self.content_length = len(body)
        self.set_close_on_finish()
        self.channel.lingers = True
        self.write(b"" if asked.method == b"HEAD" else body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection. After a refusal it takes and forgets what the caller still sends.

    Closed at once, the caller's system would drop our answer unread.
    """

    parser_class = Parser
    error_task_class = Refusal
    lingers = False
    _until: float | None = None

    def readable(self) -> bool:
        """Whether to wait for bytes."""
        return self._until is not None or bool(super().readable())

    def handle_read(self) -> None:
        """Take bytes; those after a refusal are forgotten."""
        if self._until is None:
            super().handle_read()
        elif not self._forget() or time.monotonic() > self._until:
            self.handle_close()

    def handle_write(self) -> None:
        """Send what there is; at the end of a refusal only our side of the connection is closed."""
        if self.close_when_flushed and self.lingers and self._until is None:
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len and not self.will_close:
                self._end_our_side()
                return
        super().handle_write()

    def _end_our_side(self) -> None:
        self.close_when_flushed = False
        self._until = time.monotonic() + LINGER
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:  # the caller is gone
            self.will_close = True

    def _forget(self) -> bool:
        try:
            return bool(self.socket.recv(self.adj.recv_bytes))
        except BlockingIOError:
            return True
        except OSError:
            return False


def _most_connections() -> int:
    """As many as the system lets this process have beside its own files."""
    if not hasattr(select, "poll"):
        return 400  # Windows: its select() takes 512
    import resource

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if files < 0 else max(min(MOST_CONNECTIONS, files - OTHER_FILES), 50)


def _in_our_words(record: logging.LogRecord) -> bool:
    """Whether a line of waitress' is to be written as it is; that all connections are taken we say ourselves."""
    full = record.getMessage().startswith(_FULL)
    if full:
        log.warning("connections_full", limit=_most_connections())
    return not full
