"""Passwords: what is kept, what is refused, and that nobody of a name is as much work as somebody."""

import pytest

from kommo.access import passwords
from kommo.access.passwords import WeakPassword

GOOD = "tijolo-vento-caneca-9"


def test_only_the_right_one_fits() -> None:
    stored = passwords.hash_of(GOOD)
    assert GOOD not in stored
    assert stored.startswith("$argon2id$")
    assert passwords.fits(stored, GOOD)
    assert not passwords.fits(stored, GOOD + " ")
    assert not passwords.fits(stored, "")
    assert not passwords.fits("no hash at all", GOOD)
    assert passwords.hash_of(GOOD) != stored


def test_nobody_of_a_name_is_as_much_work(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords.fits(None, GOOD)
    asked: list[str] = []

    class Hasher:
        def verify(self, stored: str, password: str) -> bool:
            asked.append(stored)
            return True

    monkeypatch.setattr(passwords, "_HASHER", Hasher())
    assert passwords.fits(None, GOOD) is False
    assert passwords.fits("$argon2id$of-somebody", GOOD) is True
    assert len(asked) == 2
    assert asked[0].startswith("$argon2id$")


def test_a_hash_of_weaker_parameters_is_outdated() -> None:
    from argon2 import PasswordHasher

    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD))
    assert not passwords.is_outdated(passwords.hash_of(GOOD))


@pytest.mark.parametrize(
    "password", [GOOD, "é ã õ ç ü 漢字 palavras longas", "x" * 3 + "Kq7-zeta lagoa" * 9, "🙂 cavalo bateria grampo"]
)
def test_long_and_odd_ones_serve(password: str) -> None:
    passwords.require_strong(password[:128], "ana")
    assert passwords.fits(passwords.hash_of(password[:128]), password[:128])


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "10 caracteres"),
        ("Ab1!xyz", "10 caracteres"),
        ("x" * 129, "até 128"),
        ("1234567890", "adivinhar"),
        ("senha123456", "adivinhar"),
        ("aaaaaaaaaaaaaaaa", "adivinhar"),
        ("painel kommo", "adivinhar"),
        ("ana.martins2", "adivinhar"),
        ("tijolo-vento\x00-caneca", "digitar"),
        ("tijolo-vento-caneca\ud800", "digitar"),
    ],
)
def test_what_is_guessed_easily_is_refused(password: str, said: str) -> None:
    with pytest.raises(WeakPassword, match=said):
        passwords.require_strong(password, "ana.martins")
