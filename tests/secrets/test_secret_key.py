"""SECRET_KEY: what nobody's dice made is refused with a sentence; another one ends the sessions and nothing else."""

import base64
import secrets
import string
from pathlib import Path
from random import Random

import pytest

from kommo import create_app
from kommo.settings import SettingError, load
from tests import databases
from tests.conftest import make_settings

WEAK = [
    "curta",
    "a" * 64,
    "0123456789abcdef" * 4,
    "0123456789abcdefghijklmnopqrstuvwxyz",
    "abababababababababababababababababababab",
    "troque-por-um-texto-aleatorio-de-32-letras",
    "change-me-please-0a9s8d7f6g5h4j3k2l1",
    "minha-senha-do-painel-e-bem-comprida-9871",
    "q8Zr4Lx0",
    "9f86d081884c7d659a2feaa0c55ad0",
]


@pytest.mark.parametrize("value", WEAK)
def test_a_weak_one_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SECRET_KEY", value)
    with pytest.raises(SettingError) as refused:
        load(_env_file=None)
    assert str(refused.value).startswith("SECRET_KEY tem um valor que não serve; use um texto aleatório de 32")
    assert value not in str(refused.value)


def test_what_dice_make_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Always the same dice: of a million texts in base 64, three hold a word by chance."""
    dice = Random(7)
    alphabet = string.ascii_letters + string.digits
    for _ in range(2000):
        in_base_64 = base64.urlsafe_b64encode(dice.randbytes(32)).decode()
        for value in (dice.randbytes(32).hex(), dice.randbytes(16).hex(), in_base_64):
            monkeypatch.setenv("SECRET_KEY", value)
            assert load(_env_file=None).secret_key is not None, value
    monkeypatch.setenv("SECRET_KEY", "".join(dice.choice(alphabet) for _ in range(40)))
    assert load(_env_file=None).secret_key is not None


def test_another_one_ends_what_was_signed_with_the_first(tmp_path: Path) -> None:
    """A form of an open page has to be reloaded; a stored token opens as before: its key is another one."""
    signed = []
    for value in (secrets.token_hex(32), secrets.token_hex(32)):
        settings = make_settings(tmp_path, secret_key=value)
        databases.prepare(settings)
        app = create_app(settings)
        serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        signed.append((serializer, serializer.dumps({"name": "Ana"})))
        app.extensions["kommo"].engine.dispose()
    (first, text), (second, _) = signed
    assert first.loads(text) == {"name": "Ana"}
    with pytest.raises(Exception, match="does not match"):
        second.loads(text)
