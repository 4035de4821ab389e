"""One request over a real socket, and every way in which it can fail."""

import gzip
import socket
import struct
import sys
import threading
import time
import zlib
from pathlib import Path

import pytest

from kommo.crm import errors
from kommo.crm.errors import BadToken
from kommo.crm.transport import Transport
from tests.crm.certificates import self_signed
from tests.crm.people import token
from tests.crm.servers import HTML, OK, Handler, RawServer, answer, drips, says
from tests.databases import closed_port

TOKEN = token()
PATH = "/api/v4/account"


def failure(handler: Handler, *, timeout: float = 60.0, max_body: int = 100_000) -> errors.KommoError:
    """What one GET raises when the server does this."""
    with (
        RawServer(handler) as server,
        Transport(server.address, TOKEN, timeout=timeout, max_body=max_body) as transport,
        pytest.raises(errors.KommoError) as caught,
    ):
        transport.get(PATH)
    return caught.value


def test_what_comes_back() -> None:
    reply = answer(200, {"id": 7}, Date="Mon, 23 Nov 2026 16:00:00 GMT", X_Request_Id="abc")
    with RawServer(says(reply)) as server, Transport(server.address, TOKEN) as transport:
        got = transport.get(PATH)
    assert (got.status, got.body) == (200, b'{"id": 7}')
    assert got.headers["x-request-id"] == got.headers["X-Request-Id"] == "abc"
    assert got.server_time == 1_795_449_600
    assert got.elapsed == got.received_at - got.sent_at >= 0


def test_what_is_sent() -> None:
    with (
        RawServer(says(OK)) as server,
        Transport(server.address, f" Bearer {TOKEN}\n", user_agent="teste/1") as transport,
    ):
        transport.get(
            "/api/v4/contacts", [("page", "1"), ("filter[id][]", "5"), ("filter[id][]", "6"), ("query", "João & Ana")]
        )
        assert transport.host == f"127.0.0.1:{server.port}"
    lines = server.heads[0].decode().split("\r\n")
    target = "/api/v4/contacts?page=1&filter%5Bid%5D%5B%5D=5&filter%5Bid%5D%5B%5D=6&query=Jo%C3%A3o+%26+Ana"
    assert lines[0] == f"GET {target} HTTP/1.1"
    headers = dict(line.split(": ", 1) for line in lines[1:] if line)
    assert headers == {
        "Host": f"127.0.0.1:{server.port}", "Authorization": f"Bearer {TOKEN}", "Accept": "application/json",
        "Accept-Encoding": "gzip", "User-Agent": "teste/1",
    }  # fmt: skip


@pytest.mark.parametrize(
    "path", ["", "api/v4", "/api?x=1", "/api#x", "/a b", "/a%2e", "//evil.com\\", "/\r\nHost: x", "/../é"]
)
def test_a_path_is_ours_to_write(path: str) -> None:
    with Transport("http://127.0.0.1:9", TOKEN) as transport, pytest.raises(ValueError, match="path"):
        transport.get(path)


def test_a_path_with_two_slashes_stays_on_the_host() -> None:
    with RawServer(says(OK)) as server, Transport(server.address, TOKEN) as transport:
        transport.get("//evil")
    assert server.paths() == ["//evil"]


@pytest.mark.parametrize("text", ["", "não é um token", "a.b.c\r\nX-Evil: 1;"])
def test_a_text_that_is_no_token_is_not_sent(text: str) -> None:
    with pytest.raises(BadToken):
        Transport("http://127.0.0.1:9", text)


def test_one_connection_serves_many_requests() -> None:
    with RawServer(says(OK)) as server, Transport(server.address, TOKEN) as transport:
        for _ in range(5):
            transport.get(PATH)
        assert (server.connections, len(server.heads)) == (1, 5)


def test_a_connection_that_the_server_closed_is_opened_anew() -> None:
    closed = threading.Event()

    def once(connection: socket.socket, _head: bytes) -> bool:
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()
        return False

    with RawServer(once) as server, Transport(server.address, TOKEN) as transport:
        transport.get(PATH)
        assert closed.wait(60)
        assert transport.get(PATH).status == 200
        assert server.connections == 2


def test_threads_share_a_transport() -> None:
    statuses: list[int] = []
    with RawServer(says(OK)) as server, Transport(server.address, TOKEN, pool_size=4) as transport:
        threads = [threading.Thread(target=lambda: statuses.append(transport.get(PATH).status)) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [200] * 12


@pytest.mark.parametrize("status", [200, 204, 400, 401, 402, 403, 404, 418, 429, 500, 504])
def test_a_status_is_no_failure_of_the_transport(status: int) -> None:
    body = b"" if status == 204 else b"{}"
    with RawServer(says(answer(status, body))) as server, Transport(server.address, TOKEN) as transport:
        assert transport.get(PATH).status == status


@pytest.mark.parametrize("status", [413, 429, 503])
def test_a_wish_to_wait_is_not_heeded_below_the_budget(status: int) -> None:
    """urllib3 would send again by itself, past the budget, for these three with a Retry-After."""
    with (
        RawServer(says(answer(status, b"", Retry_After="0"), OK)) as server,
        Transport(server.address, TOKEN) as transport,
    ):
        assert transport.get(PATH).status == status
        assert len(server.heads) == 1


# -- connections that fail -------------------------------------------------------------------------


def test_nobody_listens() -> None:
    with (
        closed_port() as port,
        Transport(f"http://127.0.0.1:{port}", TOKEN) as transport,
        pytest.raises(errors.ConnectionRefused),
    ):
        transport.get(PATH)


def test_a_name_that_does_not_resolve() -> None:
    with Transport("https://padaria.invalid", TOKEN) as transport, pytest.raises(errors.NameNotFound):
        transport.get(PATH)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux drops a connection when the queue is full")
def test_a_black_hole() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = []
        for _ in range(4):  # fill the queue of connections that nobody accepts
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        with (
            Transport(f"http://127.0.0.1:{port}", TOKEN, timeout=0.4, connect_timeout=0.2) as transport,
            pytest.raises(errors.TimedOut),
        ):
            transport.get(PATH)
        for one in waiting:
            one.close()


def _reset(connection: socket.socket, _head: bytes) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def _reset_in_the_body(connection: socket.socket, head: bytes) -> bool:
    connection.sendall(answer(200, b"{}", Content_Length="5000"))
    time.sleep(0.05)  # the bytes must be there before the reset drops them
    return _reset(connection, head)


def _close(_connection: socket.socket, _head: bytes) -> bool:
    return False


@pytest.mark.parametrize("handler", [_reset, _close])
def test_a_connection_that_breaks_before_the_answer(handler: Handler) -> None:
    assert type(failure(handler)) is errors.Unreachable


def test_a_connection_that_breaks_in_the_answer() -> None:
    assert type(failure(_reset_in_the_body)) is errors.Unreachable


def test_plain_http_where_tls_should_be() -> None:
    with (
        RawServer(says(OK), greeting=answer(400, HTML, "text/html")) as server,
        Transport(f"https://127.0.0.1:{server.port}", TOKEN) as transport,
        pytest.raises(errors.TlsFailed),
    ):
        transport.get(PATH)


def test_a_certificate_that_nobody_vouches_for_gets_no_token(tmp_path: Path) -> None:
    with RawServer(says(OK), self_signed(tmp_path)) as server:
        with Transport(f"https://localhost:{server.port}", TOKEN) as transport, pytest.raises(errors.TlsFailed):
            transport.get(PATH)
        assert server.heads == []


# -- answers that never end, or not in time --------------------------------------------------------


def _silent(connection: socket.socket, _head: bytes) -> bool:
    connection.recv(1)
    return False


def test_no_answer_at_all() -> None:
    assert type(failure(_silent, timeout=0.2)) is errors.TimedOut


LONG = answer(200, {"text": "x" * 200}, X_Filler="y" * 200)


@pytest.mark.parametrize(
    ("whole", "at_once"),
    [(LONG, 0), (LONG, 30), (LONG, LONG.index(b"\r\n\r\n") + 4)],
    ids=["from the first byte", "in the headers", "in the body"],
)
def test_an_answer_that_drips_is_given_up_as_a_whole(whole: bytes, at_once: int) -> None:
    """Each byte comes well within the time limit of a read; only the limit of the whole request can end this."""
    ended: list[bool] = []
    assert type(failure(drips(whole, 0.02, at_once, ended), timeout=0.4)) is errors.TimedOut
    assert ended == []  # it was given up in the middle, not looked at when all had come


def test_chunks_that_drip_are_given_up_as_a_whole() -> None:
    head, ended = answer(200, b"", Transfer_Encoding="chunked"), list[bool]()
    assert type(failure(drips(head + b"1\r\nx\r\n" * 200, 0.02, len(head), ended), timeout=0.4)) is errors.TimedOut
    assert ended == []


def test_a_slow_answer_within_the_time_is_read() -> None:
    body = answer(200, b'{"id": 1}')
    with (
        RawServer(drips(body, 0.001, len(body) - 5)) as server,
        Transport(server.address, TOKEN, timeout=60) as transport,
    ):
        assert transport.get(PATH).body == b'{"id": 1}'


# -- bodies that are not what they should be -------------------------------------------------------


def test_a_gzip_body_is_unpacked() -> None:
    packed = gzip.compress(b'{"name": "P\xc3\xa3o"}')
    with (
        RawServer(says(answer(200, packed, Content_Encoding="gzip"))) as server,
        Transport(server.address, TOKEN) as transport,
    ):
        assert transport.get(PATH).body == b'{"name": "P\xc3\xa3o"}'


def test_a_chunked_body_is_put_together() -> None:
    chunked = answer(200, b'4\r\n{"a"\r\n4\r\n: 1}\r\n0\r\n\r\n', Transfer_Encoding="chunked")
    with RawServer(says(chunked)) as server, Transport(server.address, TOKEN) as transport:
        assert transport.get(PATH).body == b'{"a": 1}'


def _cut(connection: socket.socket, _head: bytes) -> bool:
    connection.sendall(answer(200, b'{"id": ', Content_Length="500"))
    return False


def _cut_chunk(connection: socket.socket, _head: bytes) -> bool:
    connection.sendall(answer(200, b'20\r\n{"id":', Transfer_Encoding="chunked"))
    return False


BROKEN: dict[str, Handler] = {
    "shorter than it says": _cut,
    "a chunk cut short": _cut_chunk,
    "a chunk size that is none": says(answer(200, b"zz\r\nabc\r\n", Transfer_Encoding="chunked")),
    "not gzip": says(answer(200, b'{"id": 1}', Content_Encoding="gzip")),
    "gzip with a broken middle": says(
        answer(200, gzip.compress(b"x" * 999)[:10] + b"\xff" * 40, Content_Encoding="gzip")
    ),
    "longer than the cap": says(answer(200, b"x" * 100_001)),
    "says it is longer than the cap": says(answer(200, b"x" * 200_000, Content_Length="200000")),
    "chunks without end": says(answer(200, (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 20, Transfer_Encoding="chunked")),
    "a gzip bomb": says(answer(200, gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")),
    "a zlib bomb": says(answer(200, zlib.compress(bytes(50_000_000)), Content_Encoding="deflate")),
    "not HTTP": says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "a header line of a megabyte": says(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n"),
    "two thousand headers": says(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 2000 + b"\r\n"),
    "a status that is none": says(b"HTTP/1.1 abc OK\r\n\r\n"),
}


@pytest.mark.parametrize("handler", BROKEN.values(), ids=BROKEN.keys())
def test_a_body_that_cannot_be_read_is_nonsense(handler: Handler) -> None:
    assert type(failure(handler)) is errors.Nonsense


def test_a_body_as_long_as_the_cap_is_read() -> None:
    with (
        RawServer(says(answer(200, b"x" * 1000))) as server,
        Transport(server.address, TOKEN, max_body=1000) as transport,
    ):
        assert len(transport.get(PATH).body) == 1000


def test_after_a_body_that_was_not_read_the_connection_is_not_used_again() -> None:
    with RawServer(says(answer(200, b"x" * 2_000_000), OK)) as server:
        with Transport(server.address, TOKEN, max_body=100) as transport:
            with pytest.raises(errors.Nonsense):
                transport.get(PATH)
            assert transport.get(PATH).status == 200
        assert server.connections == 2


@pytest.mark.parametrize("handler", [_reset, _cut, says(b"SSH\r\n\r\n"), says(answer(302, b"", Location="/x"))])
def test_no_error_tells_the_token_or_the_query(handler: Handler) -> None:
    with (
        RawServer(handler) as server,
        Transport(server.address, TOKEN) as transport,
        pytest.raises(errors.KommoError) as caught,
    ):
        transport.get("/api/v4/contacts", [("query", "Lindaura")])
    error = caught.value
    told = f"{error} {error!r} {error.note} {vars(error)} {error.__cause__!r}"
    assert error.__suppress_context__ or error.__context__ is None
    assert TOKEN not in told and "Lindaura" not in told


def test_the_library_below_logs_no_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with RawServer(says(OK)) as server, Transport(server.address, TOKEN) as transport:
        transport.get("/api/v4/contacts", [("query", "Lindaura")])
    with Transport("https://padaria.invalid", TOKEN) as transport, pytest.raises(errors.Unreachable):
        transport.get("/api/v4/contacts", [("query", "Lindaura")])
    assert "Lindaura" not in caplog.text and TOKEN not in caplog.text
