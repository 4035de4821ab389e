"""The marked token: what must not be seen of it, and the places of one installation where it could be seen."""

import base64
import io
import secrets
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from kommo.sandbox import World

SHORTEST = 10  # characters of a piece that tells something: the four of each end are shown on purpose


@dataclass(frozen=True)
class Canary:
    """A token that the sandbox takes, with a word in its claims that stands nowhere else."""

    token: str
    word: str

    @classmethod
    def hatched(cls, world: World) -> "Canary":
        """A new one. The word is its first claim and its last: no piece of it is another token's, too."""
        word = f"CANARIO{secrets.token_hex(8)}"
        return cls(world.token(aud=word, canario=word), word)

    @cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """The word, the token, its parts and their beginnings and ends, in every dress in which they may walk about."""
        _, payload, signature = self.token.split(".")
        plain = {
            self.word,
            self.token,
            payload,
            signature,
            payload[:24],
            payload[-24:],
            signature[:12],
            signature[-12:],
        }
        dressed = {dress for text in plain for dress in _dresses(text)}
        return tuple(sorted(dress.encode() for dress in dressed if len(dress) >= SHORTEST))

    def found_in(self, content: bytes) -> list[str]:
        """The pieces that stand in `content`; in what a zip archive holds, too."""
        texts = [content, *_unpacked(content)]
        return [piece.decode() for piece in self.pieces if any(piece in text for text in texts)]


def _dresses(text: str) -> Iterator[str]:
    yield text
    yield text[::-1]
    yield text.encode().hex()
    yield "".join(f"%{byte:02X}" for byte in text.encode())
    yield from {
        quote(text, safe=""),
        quote(quote(text, safe=""), safe=""),
        text.replace(".", "%2E"),
        text.replace(".", "%2e"),
    }
    for shift in range(3):  # base64 looks different at each of three places in what is encoded
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * shift + text.encode()).decode().rstrip("=")
            yield encoded[-(-shift * 8 // 6) : -2]


def _unpacked(content: bytes) -> list[bytes]:
    if not content.startswith(b"PK\x03\x04"):
        return []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [archive.read(name) for name in archive.namelist()]


@dataclass
class Seen:
    """What was seen on each surface, by the surface's name; `leaks` are the pieces found, with where.

    `keys` are to be seen as little as the canary.
    """

    canary: Canary
    keys: set[bytes] = field(default_factory=set)
    size: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    leaks: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, surface: str, where: str, content: bytes) -> None:
        """Look through something of a surface."""
        found = self.canary.found_in(content) + ["a key" for key in self.keys if key in content]
        with self._lock:
            self.size[surface] += len(content)
            self.leaks += [f"{surface}: {where}: {piece}" for piece in found]

    def look_at_files(self, surface: str, files: Iterable[Path]) -> None:
        """Look through files; one that is gone meanwhile has nothing to tell."""
        for file in files:
            try:
                self.look(surface, file.name, file.read_bytes())
            except FileNotFoundError:
                continue


class ProcessList:
    """Looks at the arguments and the environment of every process there is, again and again."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._ended.wait(0.2):
            self.look()

    def look(self) -> None:
        """Once."""
        for name in ("cmdline", "environ"):
            for file in Path("/proc").glob(f"[0-9]*/{name}"):
                try:
                    content = file.read_bytes()
                except OSError:  # it has ended, or is somebody else's
                    continue
                self._seen.look("process list", str(file), content)

    def __enter__(self) -> "ProcessList":
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join()
        self.look()
