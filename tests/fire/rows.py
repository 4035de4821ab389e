"""The kinds of rows in the table of bad inputs: how each is sent, and what is to come of it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

import pytest
from click.testing import Result

from kommo.settings import SettingError, load
from tests import wire
from tests.pages.dom import parse

if TYPE_CHECKING:
    from tests.fire.place import Place

API = "/api/kommo"
JSON = "application/json"
ENGLISH = re.compile(
    r"\b(?:the|not|found|server|request|error|method|please|your?|invalid|missing|usage|option|traceback)\b", re.I
)


@dataclass(frozen=True)
class Said:
    """What came back: a status (an exit code of a command), all of it, and what of it a person reads."""

    status: int
    whole: str
    words: str


class Row(Protocol):
    """One bad input. `says` stands in what a person reads; `secret` nowhere. It `asks` Kommo, or `notes` a try."""

    @property
    def name(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def says(self) -> str: ...
    @property
    def secret(self) -> str: ...
    @property
    def asks(self) -> bool: ...
    @property
    def notes(self) -> bool: ...

    def send(self, place: "Place") -> Said:
        """Put it in and see what comes of it."""
        ...


@dataclass(frozen=True, kw_only=True)
class Web:
    """A request over a socket, as no browser has to send it. A form carries the session's token unless told not to."""

    name: str
    status: int
    says: str
    path: str
    method: str = "GET"
    form: Mapping[str, str] | None = None
    body: Any = None  # JSON, unless it is bytes
    kind: str | None = JSON  # the content type of a body
    headers: Mapping[str, str] = field(default_factory=dict)
    token: bool = True  # whether a form carries the token against forged forms
    cookie: bool = True  # whether the session's cookie is sent
    kept: str = ""  # what the form that comes back still holds
    notes: bool = False  # whether it is noted that somebody tried
    secret: str = ""
    asks: bool = False

    def send(self, place: "Place") -> Said:
        """Over a connection of its own."""
        data, headers = self._body(place)
        headers |= {"Host": place.host} | ({"Cookie": place.cookie} if self.cookie else {}) | dict(self.headers)
        status, kind, whole = place.request(self.method, place.filled(self.path), data, headers)
        words = _words(kind, whole.partition("\r\n\r\n")[2])
        assert place.filled(self.kept) in whole
        if status >= 400 and self.path.startswith("/api/"):
            said = json.loads(whole.partition("\r\n\r\n")[2])
            assert said["success"] is False and said["message"] and said["error"] and said["code"], said
        return Said(status, whole, words)

    def _body(self, place: "Place") -> tuple[bytes | None, dict[str, str]]:
        if self.form is not None:
            fields = {name: place.filled(value) for name, value in self.form.items()}
            fields |= {"csrf_token": place.csrf} if self.token else {}
            return urlencode(fields, errors="surrogatepass").encode(), {
                "Content-Type": "application/x-www-form-urlencoded"
            }
        if self.body is None:
            return None, {}
        data = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return data, {"Content-Type": self.kind} if self.kind else {}


@dataclass(frozen=True, kw_only=True)
class Raw:
    """Bytes that no client library would send."""

    name: str
    status: int
    says: str
    data: bytes
    secret: str = ""
    asks: bool = False
    notes: bool = False

    def send(self, place: "Place") -> Said:
        """As they are."""
        reply = wire.exchange(place.address, self.data)
        kind = reply.headers.get("content-type", "")
        return Said(reply.status, f"{reply.headers}{reply.text}", _words(kind, reply.text))


@dataclass(frozen=True, kw_only=True)
class Shell:
    """Arguments after `flask kommo`."""

    name: str
    says: str
    arguments: tuple[str, ...]
    status: int = 2
    secret: str = ""
    asks: bool = False
    notes: bool = False

    def send(self, place: "Place") -> Said:
        """In this process, as `flask` would."""
        done: Result = place.shell(*map(place.filled, self.arguments))
        assert done.stdout == "" and len(done.stderr.splitlines()) == 1, done.output
        words = re.sub(r"\(connection failed.*?\)", "", done.stderr)  # the cause in the words of the system
        return Said(done.exit_code, done.output, words)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A value of an environment variable: the start ends with one line."""

    variable: str
    value: str
    status: int = 2
    secret: str = ""
    asks: bool = False
    notes: bool = False

    @property
    def name(self) -> str:
        """The variable and its value."""
        return f"{self.variable}={self.value[:30]}"

    @property
    def says(self) -> str:
        """How the line begins."""
        return f"{self.variable} tem um valor que não serve; use "

    def send(self, place: "Place") -> Said:
        """As every start does."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(self.variable, self.value)
            with pytest.raises(SettingError) as caught:
                load(_env_file=None)
        return Said(2, str(caught.value), str(caught.value))


def _words(kind: str, text: str) -> str:
    """What a person reads of an answer."""
    if kind.startswith("text/html"):
        return parse(text).text
    if kind.startswith(JSON) and text:
        said = json.loads(text)
        return " ".join(str(said.get(name, "")) for name in ("message", "error", "advice"))
    return text
