"""Secrets at rest: AES-256-GCM under a named key, bound to the place they belong to.

A sealed text reads `v1:<key id>:<base64>`. The place (owner and account) is authenticated with it, so that a
ciphertext moved to another row does not open. Key ids make a later rotation possible.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class VaultError(Exception):
    """A sealed text cannot be opened: another key, another place, or damaged. The text is for the person."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals and opens with one 256-bit key."""

    key: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        """Eight hexadecimal digits that name the key without telling it."""
        return hashlib.sha256(b"kommo-key-id" + self.key).hexdigest()[:8]

    def seal(self, text: str, place: str) -> str:
        """`text` encrypted for `place` (for example "1/30001000"), as printable ASCII."""
        nonce = secrets.token_bytes(_NONCE)
        body = AESGCM(self.key).encrypt(nonce, text.encode(), place.encode())
        return f"v1:{self.key_id}:{base64.b64encode(nonce + body).decode()}"

    def open(self, sealed: str, place: str) -> str:
        """The text behind `sealed`; raises VaultError under another key or for another place."""
        version, _, rest = sealed.partition(":")
        key_id, _, body = rest.partition(":")
        if version != "v1" or key_id != self.key_id:
            raise VaultError(
                f"O token guardado foi cifrado com outra chave ({key_id or 'desconhecida'}); "
                "restaure a chave em instance/ ou conecte a conta de novo."
            )
        try:
            raw = base64.b64decode(body, validate=True)
            return AESGCM(self.key).decrypt(raw[:_NONCE], raw[_NONCE:], place.encode()).decode()
        except (InvalidTag, ValueError):
            raise VaultError("O token guardado está danificado; conecte a conta de novo.") from None
