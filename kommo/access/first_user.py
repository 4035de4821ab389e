"""The first person of an installation that others can reach: made with a code that only its console shows."""

import hashlib
import hmac
import os
import sys
from base64 import b32encode
from pathlib import Path

from flask import Flask

from kommo.settings import Settings

_GROUPS, _WIDE = 7, 4  # 140 bits


def code(app: Flask) -> str:
    """The code, the same for all processes of an installation: seven groups like "ABCD-EFGH"."""
    digest = hmac.new(str(app.secret_key).encode(), b"kommo first user", hashlib.sha256).digest()
    text = b32encode(digest).decode()[: _GROUPS * _WIDE]
    return "-".join(text[at : at + _WIDE] for at in range(0, len(text), _WIDE))


def is_code(app: Flask, given: str) -> bool:
    """Whether somebody has read the console; spaces, hyphens and small letters do not matter."""
    cleaned = "".join(char for char in given.upper() if char.isalnum())
    return hmac.compare_digest(cleaned.encode(), code(app).replace("-", "").encode())


def has_console() -> bool:
    """Whether somebody can read what is printed: standard output is neither closed nor thrown away."""
    try:
        shown, nowhere = os.fstat(sys.stdout.fileno()), Path(os.devnull).stat()
    except (AttributeError, OSError, ValueError):  # none at all (pythonw), or closed
        return False
    return not os.path.samestat(shown, nowhere)


def announcement(shown: str, settings: Settings) -> str:
    """What the console says while nobody has access."""
    scheme = "https" if settings.proxy_count else "http"
    port = "" if settings.proxy_count else f":{settings.port}"
    address = f"{scheme}://{settings.trusted_hosts[0]}{port}/primeiro-acesso"
    return (
        f"Ninguém tem acesso ainda. Abra {address} e digite o código {shown},\n"
        "ou rode `flask kommo user add` neste computador."
    )
