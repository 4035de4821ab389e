"""How the network's door greets Kommo: by TLS 1.2 and 1.3 alone, with ciphers that are not broken."""

import contextlib
import socket
import threading

import pytest

from kommo.crm import errors
from kommo.crm.transport import Transport
from tests.crm.people import token

#: Of the registry of cipher suites: without encryption, anonymous, export, RC4, DES and 3DES.
_BROKEN = {*range(0x001C), *range(0x0030, 0x0032), 0x0034, 0x003A, 0x006C, 0x006D, 0x00A6, 0x00A7}
_TLS_1_2, _TLS_1_3 = 0x0303, 0x0304
_SUPPORTED_VERSIONS = 0x002B


@pytest.fixture
def greeting() -> bytes:
    """What a transport sends first to a server that speaks TLS: its handshake's first message."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        address = f"https://127.0.0.1:{listener.getsockname()[1]}"

        def ask() -> None:
            with Transport(address, token()) as transport, contextlib.suppress(errors.KommoError):
                transport.get("/api/v4/account")

        asking = threading.Thread(target=ask)
        asking.start()
        connection, _ = listener.accept()
        with connection:
            found = connection.recv(65_536)
        asking.join(20)
        return found


def test_old_versions_and_broken_ciphers_are_not_offered(greeting: bytes) -> None:
    assert (greeting[0], greeting[5]) == (22, 1)  # a handshake, its first message
    at = 9 + 2 + 32
    at += 1 + greeting[at]
    length = _number(greeting, at)
    ciphers = [_number(greeting, each) for each in range(at + 2, at + 2 + length, 2)]
    at += 2 + length
    at += 1 + greeting[at]
    assert ciphers
    assert _BROKEN.isdisjoint(ciphers)
    assert _versions(greeting[at + 2 :]) == {_TLS_1_2, _TLS_1_3}


def _versions(extensions: bytes) -> set[int]:
    while extensions:
        kind, length = _number(extensions, 0), _number(extensions, 2)
        if kind == _SUPPORTED_VERSIONS:
            return {_number(extensions, each) for each in range(5, 4 + length, 2)}
        extensions = extensions[4 + length :]
    return set()


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2])
