"""Sealed tokens open under their key and in their place only."""

import pytest

from kommo.vault import Vault, VaultError

TOKEN = "eyJ0eXAi.eyJhY2NvdW50.c2lnbmF0dXJl"


def test_what_was_sealed_opens_again() -> None:
    vault = Vault(bytes(range(32)))
    sealed = vault.seal(TOKEN, "1/30001000")
    assert TOKEN not in sealed
    assert sealed.startswith(f"v1:{vault.key_id}:")
    assert vault.open(sealed, "1/30001000") == TOKEN
    assert vault.seal(TOKEN, "1/30001000") != sealed


def test_another_place_does_not_open_it() -> None:
    vault = Vault(bytes(32))
    with pytest.raises(VaultError, match="danificado"):
        vault.open(vault.seal(TOKEN, "1/30001000"), "2/30001000")


def test_another_key_is_named_by_its_id() -> None:
    sealed = Vault(bytes(32)).seal(TOKEN, "1/1")
    with pytest.raises(VaultError, match=Vault(bytes(32)).key_id):
        Vault(bytes([1]) * 32).open(sealed, "1/1")


@pytest.mark.parametrize("sealed", ["", "v1", "v1::", "v2:abc:def", "v1:{id}:%%%", "v1:{id}:AAAA", TOKEN])
def test_nonsense_is_an_error_of_ours(sealed: str) -> None:
    vault = Vault(bytes(32))
    with pytest.raises(VaultError):
        vault.open(sealed.replace("{id}", vault.key_id), "1/1")


def test_nothing_tells_the_key() -> None:
    vault = Vault(b"k" * 32)
    assert "kkk" not in repr(vault)
