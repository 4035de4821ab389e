"""Where a token may be sent. For a refused host not one packet leaves, and no name is looked up."""

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from kommo.addresses import check_configured
from kommo.crm.errors import BadToken
from kommo.crm.hosts import base_address, may_be_asked
from kommo.crm.token import Claims, read_token
from kommo.crm.transport import Transport
from tests.crm.people import token
from tests.crm.servers import OK, RawServer, says

HOSTILE: list[Any] = [
    # the parser split of reliability §0.1, and its relatives
    "evil.com\\.kommo.com",
    "evil.com\\\\.kommo.com",
    "evil.com\\@api-c.kommo.com",
    "evil.com/.kommo.com",
    "evil.com//.kommo.com",
    "evil.com#.kommo.com",
    "evil.com?.kommo.com",
    "evil.com;.kommo.com",
    "evil.com:443#.kommo.com",
    "evil.com%23.kommo.com",
    "evil.com%2f.kommo.com",
    "evil.com%5c.kommo.com",
    "evil.com%00.kommo.com",
    "evil.com\0.kommo.com",
    # other names
    "evil.com",
    "kommo.com.evil.com",
    "api-c.kommo.com.evil.com",
    "evilkommo.com",
    "api-c.evilkommo.com",
    "api-c-kommo.com",
    "api-c.kommo.com.br",
    "api-c.kommo.co",
    "api-c.kommo.comm",
    "api-c.kommo.org",
    "kommo.com",
    "api-b.amocrm.ru",
    "api-c.kommo",
    "com",
    "localhost",
    "127.0.0.1",
    "169.254.169.254",
    "[::1]",
    "0x7f000001",
    "2130706433",
    # more than a host
    "api-c.kommo.com:443",
    "api-c.kommo.com:8080",
    "api-c.kommo.com:",
    "api-c.kommo.com/",
    "api-c.kommo.com/api/v4",
    "https://api-c.kommo.com",
    "http://api-c.kommo.com",
    "//api-c.kommo.com",
    "user@api-c.kommo.com",
    "user:pass@api-c.kommo.com",
    "a.kommo.com@evil.com",
    "@api-c.kommo.com",
    "api-c.kommo.com?x=1",
    "api-c.kommo.com#x",
    # not a plain label under the domain
    "api-c.kommo.com.",
    ".kommo.com",
    "..kommo.com",
    "a..kommo.com",
    "a.b.kommo.com",
    "www.api-c.kommo.com",
    "-a.kommo.com",
    "a-.kommo.com",
    "a_b.kommo.com",
    "*.kommo.com",
    f"{'a' * 64}.kommo.com",
    f"{'a' * 300}.kommo.com",
    "%2e.kommo.com",
    "a%2ekommo.com",
    "api-c%2ekommo.com",
    "../kommo.com",
    "",
    " ",
    ".",
    "a.kommo.com,evil.com",
    "a.kommo.com|evil.com",
    # spaces, lines, letters that look alike or fold alike
    " api-c.kommo.com",
    "api-c.kommo.com ",
    "api-c.kommo.com\n",
    "\napi-c.kommo.com",
    "api-c.kommo.com\r\nHost: evil.com",
    "api-c.kommo.com\tx",
    "api-c\u200b.kommo.com",
    "api-c.\u212aommo.com",
    "\u017f.kommo.com",
    "аpi-c.kommo.com",
    "api-c。kommo.com",
    "api-c．kommo.com",
    "api-c.kommo.com\u2044evil",
    "ａpi-c.kommo.com",
    "\ud800.kommo.com",
    "api-c.ĸommo.com",
    # other types
    ["api-c.kommo.com"],
    {"host": "api-c.kommo.com"},
    0,
    1,
    1.5,
    True,
    False,
    [],
    {},
    [None],
]


def claiming(value: Any) -> Claims:
    """The claims of a token with this `api_domain`."""
    return read_token(token(api_domain=value))


class Reached(AssertionError):
    """Somebody touched the network."""


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A guard on the sockets of the standard library: no name is resolved, no connection is begun."""

    def refuse(*args: Any, **_options: Any) -> Any:
        raise Reached(args)

    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    yield


@pytest.mark.usefixtures("no_network")
def test_the_guard_would_notice_a_request() -> None:
    with Transport("https://api-c.kommo.com", token()) as transport, pytest.raises(Reached):
        transport.get("/api/v4/account")


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("configured", [None, "https://api-c.kommo.com", "http://127.0.0.1:9"])
@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value)[:40])
def test_a_hostile_host_is_refused_without_a_packet(value: Any, configured: str | None) -> None:
    with pytest.raises(BadToken) as caught:
        Transport(base_address(claiming(value), configured=configured), token()).get("/api/v4/account")
    assert caught.value.code == "host_refused"
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("api-c.kommo.com", "https://api-c.kommo.com"),
        ("API-C.Kommo.COM", "https://api-c.kommo.com"),
        ("api-b.kommo.com", "https://api-b.kommo.com"),
        ("padariaestrela.kommo.com", "https://padariaestrela.kommo.com"),
        ("a.kommo.com", "https://a.kommo.com"),
        ("9.kommo.com", "https://9.kommo.com"),
        (f"{'a' * 63}.kommo.com", f"https://{'a' * 63}.kommo.com"),
        (None, "https://api-c.kommo.com"),
        (..., "https://api-c.kommo.com"),
    ],
)
def test_one_of_kommos_own_hosts_is_taken(value: Any, address: str) -> None:
    assert base_address(claiming(value), configured=None) == address


def test_the_configured_address_goes_before_the_claim() -> None:
    assert base_address(claiming("api-c.kommo.com"), configured="http://127.0.0.1:8001/") == "http://127.0.0.1:8001"
    assert base_address(claiming(...), configured="https://Proxy.Example:8443") == "https://proxy.example:8443"


def test_the_domain_is_the_operators() -> None:
    assert (
        base_address(claiming("api-b.amocrm.ru"), configured=None, base_domain="amocrm.ru") == "https://api-b.amocrm.ru"
    )
    assert base_address(claiming(...), configured=None, base_domain="amocrm.ru") == "https://api-c.amocrm.ru"
    with pytest.raises(BadToken):
        base_address(claiming("api-c.kommo.com"), configured=None, base_domain="amocrm.ru")


def test_a_dot_in_the_domain_is_only_a_dot() -> None:
    with pytest.raises(BadToken):
        base_address(claiming("api-c.kommoXcom"), configured=None)


def test_the_claim_base_domain_opens_no_door() -> None:
    claims = read_token(token(base_domain="evil.com", api_domain="api-c.evil.com"))
    with pytest.raises(BadToken):
        base_address(claims, configured=None)
    assert (
        base_address(read_token(token(base_domain="evil.com", api_domain=...)), configured=None)
        == "https://api-c.kommo.com"
    )


def test_only_this_machine_hears_a_plain_request() -> None:
    with RawServer(says(OK)) as server:
        address = base_address(claiming("api-c.kommo.com"), configured=server.address)
        with Transport(address, token()) as transport:
            assert transport.get("/api/v4/account").status == 200
        assert len(server.heads) == 1


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://api-c.kommo.com", "https://api-c.kommo.com"),
        ("https://api-c.kommo.com/", "https://api-c.kommo.com"),
        ("  https://api-c.kommo.com\n", "https://api-c.kommo.com"),
        ("HTTPS://API-C.KOMMO.COM", "https://api-c.kommo.com"),
        ("https://kommo.interno:8443", "https://kommo.interno:8443"),
        ("https://servidor", "https://servidor"),
        ("https://10.0.0.7:443", "https://10.0.0.7:443"),
        ("https://[fd00::7]:8443", "https://[fd00::7]:8443"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:65535", "http://localhost:65535"),
        ("http://[::1]:8001", "http://[::1]:8001"),
    ],
)
def test_a_configured_address_is_brought_into_one_form(text: str, address: str) -> None:
    assert check_configured(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "api-c.kommo.com",
        "//api-c.kommo.com",
        "ftp://api-c.kommo.com",
        "file:///etc/passwd",
        "https://",
        "https:///api",
        "http://api-c.kommo.com",
        "http://10.0.0.7",
        "http://127.0.0.1.evil.com",
        "http://localhost.evil.com",
        "http://127.0.0.1@evil.com",
        "http://evil.com#127.0.0.1",
        "http://[::2]",
        "http://0.0.0.0",
        "http://2130706433",
        "https://api-c.kommo.com/api/v4",
        "https://api-c.kommo.com//",
        "https://api-c.kommo.com?x=1",
        "https://api-c.kommo.com#x",
        "https://user:pass@api-c.kommo.com",
        "https://user@api-c.kommo.com",
        "https://api-c.kommo.com:",
        "https://a:0",
        "https://a:65536",
        "https://a:99999",
        "https://a:443:443",
        "https://a:４４３",
        "https://a b.com",
        "https://a\\.com",
        "https://a..b",
        "https://.a",
        "https://a.",
        "https://-a.com",
        "https://a_b.com",
        f"https://{'a.' * 130}com",
        "https://api-c.kommo.com\nhttps://evil.com",
        "https://\u212aommo.com",
        "javascript:alert(1)",
        "https://%61.com",
    ],
)
def test_any_other_address_is_refused_in_portuguese(text: str) -> None:
    with pytest.raises(ValueError, match="https://servidor") as caught:
        check_configured(text)
    assert not re.search("pass|evil", str(caught.value))


@pytest.mark.parametrize("address", ["http://evil.com", "evil.com\\.kommo.com", "https://api-c.kommo.com/x"])
def test_a_transport_takes_no_other_address_either(address: str) -> None:
    with pytest.raises(ValueError, match="https://servidor"):
        Transport(address, token())


@pytest.mark.parametrize("host", [each for each in HOSTILE if isinstance(each, str)])
def test_a_stored_address_is_held_to_the_same_rule(host: str) -> None:
    own = host in ("localhost", "127.0.0.1", "[::1]")  # of this machine: nothing leaves
    assert may_be_asked(f"https://{host}", configured=None) is own
    assert may_be_asked(f"https://{host}", configured="https://api-c.kommo.com") is own


def test_a_stored_address_of_kommo_or_of_the_operator_is_taken() -> None:
    assert may_be_asked("https://api-c.kommo.com", configured=None)
    assert may_be_asked("https://api-b.amocrm.ru", configured=None, base_domain="amocrm.ru")
    assert may_be_asked("https://espelho.exemplo:8443", configured="https://espelho.exemplo:8443")
    assert may_be_asked("http://127.0.0.1:8765", configured=None)
    assert not may_be_asked("http://api-c.kommo.com", configured=None)
    assert not may_be_asked("https://espelho.exemplo", configured=None)
