"""Where one request ends and the next begins is never in doubt: what two readers could read differently is refused.

A proxy that sees one request where we see two lets its caller put words into somebody else's mouth.
"""

from collections.abc import Iterator

import pytest

from tests import processes, wire
from tests.wire import exchange

pytestmark = pytest.mark.only_on("sqlite", reason="no database is asked")
FIRST = b"PUT /api/kommo/schedule HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
SECOND = b"GET /api/kommo/sync?smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
BODY = b'{"everyMinutes": "x"}'
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server without worker and token."""
    with processes.server(tmp_path_factory.mktemp("boundaries") / "instance", "--no-worker") as (found, _child):
        yield found


AMBIGUOUS = {
    "two lengths that differ": (b"Content-Length: 21\r\nContent-Length: 5\r\n", BODY),
    "two lengths in one": (b"Content-Length: 21, 5\r\n", BODY),
    "a length with a sign": (b"Content-Length: +21\r\n", BODY),
    "a length with a line below": (b"Content-Length: 2_1\r\n", BODY),
    "a length in other digits": ("Content-Length: ２１\r\n".encode(), BODY),
    "a length in hexadecimal": (b"Content-Length: 0x15\r\n", BODY),
    "a space before the colon": (b"Transfer-Encoding : chunked\r\n", CHUNKS),
    "a folded line": (b"Transfer-Encoding:\r\n chunked\r\n", CHUNKS),
    "an unknown encoding": (b"Transfer-Encoding: xchunked\r\n", CHUNKS),
    "an encoding and another": (b"Transfer-Encoding: chunked, identity\r\n", CHUNKS),
    "a vertical tab": (b"Transfer-Encoding: \x0bchunked\r\n", CHUNKS),
    "a bare line end": (b"X-Nada: a\nTransfer-Encoding: chunked\r\n", CHUNKS),
    "a bare return": (b"X-Nada: a\rTransfer-Encoding: chunked\r\n", CHUNKS),
    "a chunk of a negative size": (b"Transfer-Encoding: chunked\r\n", b"-1\r\nx\r\n0\r\n\r\n"),
    "a chunk with a sign": (b"Transfer-Encoding: chunked\r\n", b"+15\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk with a prefix": (b"Transfer-Encoding: chunked\r\n", b"0x15\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk without its end": (b"Transfer-Encoding: chunked\r\n", b"15\r\n" + BODY + b"X\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_a_request_without_a_clear_end_is_refused_and_nothing_behind_it_is_read(address: str, case: str) -> None:
    headers, body = AMBIGUOUS[case]
    with wire.connect(address) as connection:
        connection.sendall(FIRST + headers + b"\r\n" + body + SECOND)
        connection.settimeout(5)
        said = b""
        while part := connection.recv(65_536):
            said += part
    assert said.count(b"HTTP/1.") == 1, said
    assert said.split(b" ", 2)[1] in (b"400", b"501")


def test_where_chunks_are_said_the_length_is_ignored(address: str) -> None:
    """RFC 9112, 6.3: the whole body is read, and the connection closed behind it."""
    headers = b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    said = exchange(address, FIRST + headers + CHUNKS)
    assert (said.status, said.json()["field"]) == (400, "everyMinutes")
