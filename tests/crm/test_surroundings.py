"""Nothing around a request takes part in it: no .netrc, no proxy, no cookie, no redirect."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kommo.crm import errors
from kommo.crm.transport import Transport
from tests.crm.people import token
from tests.crm.servers import OK, RawServer, answer, says

TOKEN = token()
PATH = "/api/v4/account"


@pytest.fixture
def hostile_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    """A .netrc for this machine, and proxies in the environment that would see everything."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login bruno password segredo\ndefault login bruno password segredo\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with RawServer(says(answer(200, {"proxy": True}))) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.address)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield proxy


def test_netrc_and_proxies_are_not_looked_at(hostile_surroundings: RawServer) -> None:
    with RawServer(says(OK)) as server, Transport(server.address, TOKEN) as transport:
        transport.get(PATH)
    assert hostile_surroundings.heads == []
    assert f"Authorization: Bearer {TOKEN}".encode() in server.heads[0]
    assert server.heads[0].lower().count(b"authorization") == 1


def test_cookies_are_not_kept() -> None:
    with (
        RawServer(says(answer(200, {}, Set_Cookie="session_id=abc; Path=/"))) as server,
        Transport(server.address, TOKEN) as transport,
    ):
        transport.get(PATH)
        transport.get(PATH)
    assert b"cookie" not in server.heads[1].lower()


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("location", ["same", "other", "http://[", "\\\\evil", None])
def test_a_redirect_is_not_followed(status: int, location: str | None) -> None:
    with RawServer(says(OK)) as other:
        where = {"same": "/api/v4/other", "other": f"{other.address}/api/v4/account"}.get(str(location), location)
        headers = {"Location": where} if where else {}
        with (
            RawServer(says(answer(status, b"", "text/html", **headers))) as server,
            Transport(server.address, TOKEN) as transport,
            pytest.raises(errors.WrongHost) as caught,
        ):
            transport.get(PATH)
        assert (len(server.heads), other.heads) == (1, [])
    assert caught.value.status == status


def test_the_body_of_a_redirect_is_not_read() -> None:
    endless = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 900000000\r\n\r\nx"
    with (
        RawServer(says(endless)) as server,
        Transport(server.address, TOKEN, timeout=5) as transport,
        pytest.raises(errors.WrongHost),
    ):
        transport.get(PATH)
