"""What an address must look like that a token may be sent to: one rule for the setting and for the network's door."""

import re

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_IPV6 = r"\[[0-9a-f:.]{2,45}\]"
_LOOPBACK = r"127(?:\.[0-9]{1,3}){3}|localhost|\[::1\]"
_ADDRESS = re.compile(rf"(?P<scheme>https?)://(?P<host>{_HOST}|{_IPV6})(?::(?P<port>[0-9]{{1,5}}))?")
_BAD_ADDRESS = "Use https://servidor, sem caminho nem senha; http só para este computador (127.0.0.1)."


def is_host(text: str) -> bool:
    """Whether a text is the name of a host and nothing else: no port, no user, no path."""
    return text.isascii() and len(text) <= 253 and re.fullmatch(_HOST, text.lower()) is not None


def is_this_machine(address: str) -> bool:
    """Whether an address leads to this machine: then nothing that is sent to it leaves."""
    found = _ADDRESS.fullmatch(address)
    return found is not None and re.fullmatch(_LOOPBACK, found["host"]) is not None


def check_configured(url: str) -> str:
    """An address as KOMMO_API_URL may name it, lower-cased and without a slash at its end.

    Any host by https; by http this machine only. Raises ValueError with a Portuguese sentence for anything else:
    a path, a user, a query, a fragment.
    """
    address = url.strip().removesuffix("/").lower()
    found = _ADDRESS.fullmatch(address) if url.isascii() else None
    if found is None or len(found["host"]) > 253:
        raise ValueError(_BAD_ADDRESS)
    if found["scheme"] == "http" and not re.fullmatch(_LOOPBACK, found["host"]):
        raise ValueError(_BAD_ADDRESS)
    if found["port"] and not 0 < int(found["port"]) < 65536:
        raise ValueError(_BAD_ADDRESS)
    return address
