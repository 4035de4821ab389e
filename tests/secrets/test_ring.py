"""The ring of keys: the first seals, all open, whoever changes the file while others work with it."""

import threading
from pathlib import Path

import pytest

from kommo.instance import prepare
from kommo.keyfile import KeyFile
from kommo.services import open_vault
from kommo.settings import ROOT, SettingError
from kommo.vault import GRACE, Damaged, KeyMissing, Vault, VaultError, id_of, key_id_of
from tests.conftest import make_settings

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32
PLACE = "1/30001000"


def file_with(folder: Path, *keys: bytes) -> KeyFile:
    folder.mkdir(exist_ok=True)
    file = KeyFile(folder)
    file.replace(keys)
    return file


def test_the_first_key_seals_and_all_open() -> None:
    vault, before = Vault(NEW, OLD), Vault(OLD)
    assert key_id_of(vault.seal("token", PLACE)) == id_of(NEW) == vault.key_id
    assert vault.open(before.seal("token", PLACE), PLACE) == "token"
    assert vault.open(vault.seal("token", PLACE), PLACE) == "token"
    with pytest.raises(KeyMissing) as missing:
        vault.open(Vault(OTHER).seal("token", PLACE), PLACE)
    assert missing.value.key_id == id_of(OTHER)
    assert id_of(OTHER) in str(missing.value)


def test_another_place_opens_under_no_key_of_the_ring() -> None:
    vault = Vault(NEW, OLD)
    for sealed in (vault.seal("token", PLACE), Vault(OLD).seal("token", PLACE)):
        with pytest.raises(Damaged):
            vault.open(sealed, "1/30002000")


def test_a_changed_file_counts_at_once(tmp_path: Path) -> None:
    file = file_with(tmp_path, OLD)
    vault = Vault(source=KeyFile(tmp_path))
    sealed = vault.seal("token", PLACE)
    file.replace([NEW, OLD])
    assert vault.key_ids == (id_of(NEW), id_of(OLD))
    assert key_id_of(vault.seal("token", PLACE)) == id_of(NEW)
    assert vault.open(sealed, PLACE) == "token"


@pytest.mark.parametrize("end", ["\n", "", "\r\n"])
def test_a_key_that_was_appended_by_hand_counts(tmp_path: Path, end: str) -> None:
    """As the page says: on a line of its own, with or without an end of the line before it."""
    (tmp_path / "encryption_key").write_text(f"{NEW.hex()}{end}")
    vault = Vault(source=KeyFile(tmp_path))
    sealed = Vault(OLD).seal("token", PLACE)
    assert isinstance(vault.trouble(sealed, PLACE), KeyMissing)
    with (tmp_path / "encryption_key").open("a") as file:
        file.write(f"{OLD.hex()}\n{OLD.hex()}\r\n\n")
    assert vault.open(sealed, PLACE) == "token"
    assert vault.key_ids == (id_of(NEW), id_of(OLD))


def test_a_key_that_left_still_opens_what_was_read_just_before(tmp_path: Path) -> None:
    """A row is read, the rotation ends, the row's old text is opened: no account may look locked for that."""
    moment = [0.0]
    file = file_with(tmp_path, OLD)
    vault = Vault(source=KeyFile(tmp_path), clock=lambda: moment[0])
    sealed = vault.seal("token", PLACE)
    file.replace([NEW])
    assert vault.open(sealed, PLACE) == "token"
    assert vault.key_ids == (id_of(NEW),)
    moment[0] = GRACE + 1
    assert isinstance(vault.trouble(sealed, PLACE), KeyMissing)


def test_a_file_that_is_gone_locks_at_once_and_one_that_is_back_opens(tmp_path: Path) -> None:
    file_with(tmp_path, OLD)
    vault = Vault(source=KeyFile(tmp_path))
    sealed = vault.seal("token", PLACE)
    (tmp_path / "encryption_key").rename(tmp_path / "away")
    assert isinstance(vault.trouble(sealed, PLACE), KeyMissing)
    assert not (tmp_path / "encryption_key").exists()  # opening makes no key
    (tmp_path / "away").rename(tmp_path / "encryption_key")
    assert vault.open(sealed, PLACE) == "token"


def test_the_first_key_is_made_by_sealing_and_only_once(tmp_path: Path) -> None:
    vaults = [Vault(source=KeyFile(tmp_path)) for _ in range(6)]
    sealed: list[str] = []
    threads = [threading.Thread(target=lambda one=one: sealed.append(one.seal("token", PLACE))) for one in vaults]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(KeyFile(tmp_path).keys()) == 1
    assert [vaults[0].open(text, PLACE) for text in sealed] == ["token"] * 6
    assert [path.name for path in tmp_path.iterdir()] == ["encryption_key"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("abc", 1),
        ("", 1),
        (OLD.hex()[:-1], 1),
        (f"{OLD.hex()}\nlinha de outro arquivo", 2),
        (f"{OLD.hex()}{NEW.hex()[1:]}", 1),
    ],
)
def test_a_damaged_file_stops_the_start_and_is_left_as_it_is(tmp_path: Path, content: str, line: int) -> None:
    settings = make_settings(tmp_path, encryption_key=None)
    prepare(settings)
    file = settings.instance / "encryption_key"
    file.write_text(content)
    with pytest.raises(SettingError, match=rf"danificado \(linha {line}\)") as refused:
        open_vault(settings)
    assert OLD.hex()[:16] not in str(refused.value)
    assert file.read_text() == content


def test_a_file_damaged_meanwhile_seals_nothing_and_is_not_replaced(tmp_path: Path) -> None:
    file_with(tmp_path, OLD)
    vault = Vault(source=KeyFile(tmp_path))
    (tmp_path / "encryption_key").write_text("cortado")
    with pytest.raises(VaultError, match="restaure"):
        vault.seal("token", PLACE)
    assert (tmp_path / "encryption_key").read_text() == "cortado"


def test_the_environment_s_ring_is_a_list(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, encryption_key=f"{NEW.hex()}, {OLD.hex().upper()},{NEW.hex()}")
    assert open_vault(settings).key_ids == (id_of(NEW), id_of(OLD))
    assert not (settings.instance / "encryption_key").exists()


@pytest.mark.parametrize(
    "value", [f"{NEW.hex()},", f"{NEW.hex()};{OLD.hex()}", f"{NEW.hex()} {OLD.hex()}", NEW.hex()[2:]]
)
def test_an_environment_s_ring_with_something_else_in_it_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingError, match="KOMMO_ENCRYPTION_KEY") as refused:
        make_settings(tmp_path, encryption_key=value)
    assert NEW.hex()[:16] not in str(refused.value)


def test_who_seals_does_it_where_a_rotation_waits_for_it() -> None:
    """Through `kommo.store.sealed`, in the row's own transaction: a key that nobody needs may leave at any moment."""
    files = [path for path in (ROOT / "kommo").rglob("*.py") if "vault.seal(" in path.read_text(encoding="utf-8")]
    assert files == [ROOT / "kommo" / "store" / "sealed.py"]


def test_nothing_tells_a_key(tmp_path: Path) -> None:
    for vault in (Vault(NEW, OLD), Vault(source=file_with(tmp_path, NEW, OLD))):
        shown = f"{vault!r} {vault} {vault.source!r}"
        assert id_of(NEW) in shown
        for key in (NEW, OLD):
            assert key.hex() not in shown
            assert repr(key) not in shown
