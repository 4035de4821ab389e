"""Passwords: hashed with argon2id, checked for being guessable, compared in the same time for unknown people.

Memory and time are OWASP's minimum for argon2id (19 MiB, two passes, one lane), and only a few are worked out at a
time: a small server must not be brought down by people who knock.
"""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 10, 128  # characters
_ENOUGH = 3  # of zxcvbn's 4: safely unguessable by a moderate attacker
_LOOKED_AT = 72  # characters that zxcvbn takes
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_AT_ONCE = threading.BoundedSemaphore(2)


class WeakPassword(ValueError):
    """A password that does not serve; the text is a Portuguese sentence that says what would."""


def hash_of(password: str) -> str:
    """The argon2 hash to keep."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def fits(stored: str | None, password: str) -> bool:
    """Whether a password is the one of a hash. Without a hash (nobody of that name) it takes as long, and is not."""
    with _AT_ONCE:
        nobody = _nobody()  # for whoever comes first, whether or not it is needed
        try:
            _HASHER.verify(stored or nobody, password)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def require_strong(password: str, *context: str) -> None:
    """Raise WeakPassword for one that is too short, too long or guessed easily; `context`: names that it may repeat."""
    if len(password) < SHORTEST:
        raise WeakPassword(f"A senha precisa de {SHORTEST} caracteres ou mais: três ou quatro palavras servem bem.")
    if len(password) > LONGEST:
        raise WeakPassword(f"A senha pode ter até {LONGEST} caracteres.")
    if "\x00" in password or not _is_text(password):
        raise WeakPassword("A senha tem um caractere que não se pode digitar: escolha outra.")
    from zxcvbn import zxcvbn  # its lists of words are read when it is imported: not at every start

    found = zxcvbn(password[:_LOOKED_AT], user_inputs=[*context, "kommo", "painel", "painel kommo"])
    if found["score"] < _ENOUGH:
        raise WeakPassword("Esta senha é fácil de adivinhar: junte três ou quatro palavras que só você juntaria.")


def _is_text(password: str) -> bool:
    try:
        password.encode()
    except UnicodeEncodeError:
        return False
    return True


_hash_of_nobody: str | None = None


def _nobody() -> str:
    """The hash that an unknown person's password is compared with; made on first use."""
    global _hash_of_nobody
    if _hash_of_nobody is None:
        _hash_of_nobody = _HASHER.hash("ninguém")
    return _hash_of_nobody
