"""`instance/encryption_key`: the key ring as a file, one key a line; the first one seals, all of them open.

Whoever uses it asks the file system each time whether it is still the same: a rotation, or a key that was put back,
is seen by every process at once. The file is only ever replaced whole.
"""

import contextlib
import os
import re
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path

import structlog

from kommo.instance import secret
from kommo.settings import KEY, SettingError

NAME = "encryption_key"
log = structlog.get_logger()


class KeyFile:
    """The ring in `folder`. A line that is no key counts for nothing; `check` tells of it."""

    where = f"instance/{NAME}"
    how = f"acrescente-a a instance/{NAME}, numa linha própria"

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._keys: tuple[bytes, ...] = ()

    def keys(self) -> tuple[bytes, ...]:
        """The ring as the file has it now; empty where there is no file, or it cannot be read."""
        with self._lock:
            seen = self._signature()
            if seen is None or seen != self._seen:
                keys = [key for line in self._lines() if _is_of_keys(line) for key in _keys_of(line)]
                self._keys = tuple(dict.fromkeys(keys))
                self._seen = seen
            return self._keys

    def made(self) -> tuple[bytes, ...]:
        """The ring, after a first key was made where there was no file."""
        if not self.path.exists():
            secret(self.path.parent, NAME)
            log.warning("key_made", file=self.where)
        return self.keys()

    def check(self) -> None:
        """Raise SettingError where a line of the file is no key: it was cut, or is something else."""
        lines = self._lines()
        wrong = next((number for number, line in enumerate(lines, 1) if not _is_of_keys(line)), None)
        if wrong is not None or (not lines and self.path.exists()):
            raise SettingError(
                f"O segredo em {self.path} está danificado (linha {wrong or 1}); restaure-o da cópia de segurança."
            )

    def replace(self, keys: Sequence[bytes]) -> None:
        """Put `keys` into the file, all or nothing: written beside it, on disk before it takes its place (0600)."""
        draft = self.path.with_name(f".{NAME}-{os.getpid()}-{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.writelines(f"{key.hex()}\n" for key in keys)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
        _settle(self.path.parent)

    def drop_drafts(self) -> None:
        """Remove what a killed rotation left beside the file. Only for who keeps others from replacing it."""
        for draft in self.path.parent.glob(f".{NAME}-*"):
            draft.unlink(missing_ok=True)

    def _lines(self) -> list[str]:
        """The file's lines, as far as there is something in them."""
        try:
            return self.path.read_text(encoding="ascii", errors="replace").split()
        except OSError:
            return []

    def _signature(self) -> tuple[int, ...] | None:
        """What changes with the file; None where there is none."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns


def _is_of_keys(line: str) -> bool:
    """Whether a line holds keys and nothing else. A key appended to a line without an end makes one line of two."""
    return re.fullmatch(f"(?:{KEY})+", line) is not None


def _keys_of(line: str) -> list[bytes]:
    return [bytes.fromhex(text) for text in re.findall(KEY, line)]


def _settle(folder: Path) -> None:
    """Have the folder itself on disk, where the system can: a power cut must not bring the old file back."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
