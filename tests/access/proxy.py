"""A reverse proxy, as small as one can be: it says who called and by which scheme, and hands everything on.

It takes HTTP where a real one would take HTTPS; what it says of it is what the panel has to go by.
"""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Proxy"

    def _pass_on(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        before = headers.pop("X-Forwarded-For", "") if self.server.appends else ""
        headers["X-Forwarded-For"] = f"{before}, {self.client_address[0]}".lstrip(", ")
        if not (self.server.appends and "X-Forwarded-Proto" in headers):
            headers["X-Forwarded-Proto"] = self.server.scheme
        else:
            headers["X-Forwarded-Proto"] += f", {self.server.scheme}"
        behind = http.client.HTTPConnection(self.server.target, timeout=60)
        behind.request(self.command, self.path, self.rfile.read(length), headers)
        answer = behind.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        behind.close()

    do_GET = do_POST = do_PUT = do_DELETE = _pass_on

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class Proxy(ThreadingHTTPServer):
    """One proxy. `appends`: it believes the one before it, and adds to what that said."""

    def __init__(self, target: str, scheme: str, *, appends: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target, self.scheme, self.appends = urlsplit(target).netloc, scheme, appends

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def proxy(target: str, scheme: str = "https", *, appends: bool = True) -> Iterator[str]:
    """A proxy in front of an address; gives its own."""
    with Proxy(target, scheme, appends=appends) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made.address
        made.shutdown()
        thread.join()
