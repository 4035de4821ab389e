"""Secrets at rest: AES-256-GCM under a ring of named keys, bound to the place they belong to.

A sealed text reads `v1:<key id>:<base64>`. The place (owner and account) is authenticated with it, so that a
ciphertext moved to another row does not open. The ring's first key seals, all of them open.
"""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = "v1"
GRACE = 60.0  # seconds a key that left the ring still opens what somebody read from its row just before
_NONCE = 12


class VaultError(Exception):
    """A text cannot be sealed or opened; the text is for the person, and holds no secret.

    `key_id` names the key that is missing; empty where none is.
    """

    key_id = ""


class KeyMissing(VaultError):
    """The text was sealed with a key that is not in the ring: `key_id` names it. With the key back, it opens again."""

    def __init__(self, key_id: str, how: str) -> None:
        super().__init__(
            f"O token guardado foi cifrado com outra chave ({key_id}), que falta neste servidor: {how}, e a conta "
            "volta sozinha. Se a chave se perdeu, cole o token de novo na página Conexão."
        )
        self.key_id = key_id


class Damaged(VaultError):
    """The text was changed, or belongs to another place: no key opens it here."""

    def __init__(self) -> None:
        super().__init__(
            "O token guardado está danificado, ou foi trazido de outra conta: cole o token de novo na página Conexão."
        )


class Keys(Protocol):
    """Where a vault's keys are kept: `where` says it to the person, `how` what to do with one that is missing."""

    where: str
    how: str

    def keys(self) -> tuple[bytes, ...]:
        """The ring as it is now; empty where there is no key."""
        ...

    def made(self) -> tuple[bytes, ...]:
        """The same, after a first key was made where there was none."""
        ...


class FixedKeys:
    """Keys that stay as they are as long as the process lives: those of the environment."""

    where = "KOMMO_ENCRYPTION_KEY"
    how = "ponha-a em KOMMO_ENCRYPTION_KEY, depois das outras e de uma vírgula, e reinicie"

    def __init__(self, *keys: bytes) -> None:
        self._keys = keys

    def keys(self) -> tuple[bytes, ...]:
        """The ring."""
        return self._keys

    def made(self) -> tuple[bytes, ...]:
        """The ring: nothing is made."""
        return self._keys


def id_of(key: bytes) -> str:
    """Eight hexadecimal digits that name a key without telling it."""
    return hashlib.sha256(b"kommo-key-id" + key).hexdigest()[:8]


def key_id_of(sealed: str) -> str:
    """The id of the key that a sealed text names; empty where the text is none of ours."""
    version, _, rest = sealed.partition(":")
    return rest.partition(":")[0] if version == VERSION else ""


class Vault:
    """Seals and opens. The ring may change while it is in use: it is looked at for each text."""

    def __init__(self, *fixed: bytes, source: Keys | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.source: Keys = source or FixedKeys(*fixed)
        self._clock = clock
        self._lock = threading.Lock()
        self._ring: tuple[bytes, ...] = ()
        self._by_id: dict[str, bytes] = {}
        self._retired: dict[str, tuple[bytes, float]] = {}
        self._look()

    def __repr__(self) -> str:
        return f"Vault({', '.join(self.key_ids)})"

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the ring as it is now; the first one's key seals."""
        return tuple(self._look())

    @property
    def key_id(self) -> str:
        """The id of the key that seals; empty where there is none (yet)."""
        return next(iter(self._look()), "")

    def seal(self, text: str, place: str) -> str:
        """`text` encrypted for `place` (for example "1/30001000"), as printable ASCII. Makes the first key.

        Raises VaultError where there is no key, and none can be made.
        """
        if not self._look():
            self.source.made()
        key_id, key = next(iter(self._look().items()), ("", b""))
        if not key:
            raise VaultError(f"Não há chave que sirva em {self.source.where}: restaure-a da cópia de segurança.")
        nonce = secrets.token_bytes(_NONCE)
        body = AESGCM(key).encrypt(nonce, text.encode(), place.encode())
        return f"{VERSION}:{key_id}:{base64.b64encode(nonce + body).decode()}"

    def open(self, sealed: str, place: str) -> str:
        """The text behind `sealed`. Raises KeyMissing under an unknown key, Damaged for another place."""
        key_id = key_id_of(sealed)
        if not key_id:
            raise Damaged
        key = self._find(key_id)
        if key is None:
            raise KeyMissing(key_id, self.source.how)
        try:
            raw = base64.b64decode(sealed.split(":", 2)[2], validate=True)
            return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], place.encode()).decode()
        except (InvalidTag, ValueError, IndexError):
            raise Damaged from None

    def trouble(self, sealed: str, place: str) -> VaultError | None:
        """Why `sealed` does not open here; None where it does."""
        try:
            self.open(sealed, place)
        except VaultError as error:
            return error
        return None

    def _find(self, key_id: str) -> bytes | None:
        ring = self._look()
        if key_id in ring:
            return ring[key_id]
        key, until = self._retired.get(key_id, (None, 0.0))
        return key if self._clock() < until else None

    def _look(self) -> dict[str, bytes]:
        """The ring by id, read anew; a key that is not in it any more retires.

        Without any key left, the file itself is gone: that is to be seen at once, not a minute later.
        """
        ring = self.source.keys()
        with self._lock:
            if ring != self._ring:
                found = {id_of(key): key for key in ring}
                until = self._clock() + GRACE
                left = {name: (key, until) for name, key in self._by_id.items() if name not in found}
                self._retired = self._retired | left if found else {}
                self._ring, self._by_id = ring, found
            return self._by_id
