"""The installation's folder and its secrets: made on first start, for the owner's eyes only."""

import multiprocessing
import stat
from pathlib import Path

import pytest

from kommo.instance import prepare, secret
from kommo.settings import SettingError
from tests.conftest import make_services, make_settings


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folder_and_files_are_closed_to_others(tmp_path: Path) -> None:
    services = make_services(make_settings(tmp_path, encryption_key=None))
    services.vault.seal("token", "1/1")  # makes the key
    folder = tmp_path / "instance"
    assert _mode(folder) == 0o700
    for name in ("kommo.sqlite3", "encryption_key"):
        (folder / name).chmod(0o644)
    prepare(services.settings)
    assert {path.name: _mode(path) for path in folder.iterdir() if path.is_file() and _mode(path) != 0o600} == {}
    assert (folder / "kommo.sqlite3").exists()
    services.engine.dispose()


def test_a_secret_stays_the_same(tmp_path: Path) -> None:
    first = secret(tmp_path, "key")
    assert len(first) == 64
    assert secret(tmp_path, "key") == first
    assert secret(tmp_path, "other") != first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key", "other"]  # no draft is left


def _make(folder: str) -> str:
    return secret(Path(folder), "key")


def test_processes_that_start_together_get_the_same_secret(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_make, [str(tmp_path)] * 8))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_damaged_secret_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abc")
    with pytest.raises(SettingError, match="danificado"):
        secret(tmp_path, "key")
    assert (tmp_path / "key").read_text() == "abc"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("a file where the folder should be")
    with pytest.raises(SettingError) as refused:
        prepare(make_settings(tmp_path))
    assert str(tmp_path / "instance") in str(refused.value)
    assert "KOMMO_INSTANCE" in str(refused.value)


def test_what_others_put_into_the_folder_keeps_its_mode(tmp_path: Path) -> None:
    prepare(make_settings(tmp_path))
    folder = tmp_path / "instance"
    secret(folder, "secret_key")
    (folder / "relatorio.pdf").write_text("x")
    (folder / "relatorio.pdf").chmod(0o644)
    prepare(make_settings(tmp_path))
    assert _mode(folder / "relatorio.pdf") == 0o644


def test_a_folder_of_somebody_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    (folder / "hosts").write_text("x")
    (folder / "hosts").chmod(0o644)
    with pytest.raises(SettingError, match="já tem outros arquivos e nada deste painel") as refused:
        prepare(make_settings(tmp_path))
    assert "KOMMO_INSTANCE" in str(refused.value)
    assert (_mode(folder), _mode(folder / "hosts")) == (0o755, 0o644)
    assert [path.name for path in folder.iterdir()] == ["hosts"]


@pytest.mark.parametrize("name", ["lost+found", ".gitkeep", ".secret_key-77-abcd", "painel.sqlite3"])
def test_what_a_new_or_moved_installation_may_find_there(tmp_path: Path, name: str) -> None:
    """A disk's own folder, a draft of a start that was killed, the database under another name."""
    folder = tmp_path / "instance"
    folder.mkdir()
    (folder / name).write_text("")
    prepare(make_settings(tmp_path, database_url=f"sqlite:///{folder / 'painel.sqlite3'}"))
    assert _mode(folder) == 0o700


def test_why_a_folder_cannot_be_written_is_portuguese(tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("")
    with pytest.raises(SettingError, match=r"\(há um arquivo com esse nome\)"):
        prepare(make_settings(tmp_path))
    with pytest.raises(SettingError, match=r"\(uma parte do caminho não é uma pasta\)"):
        prepare(make_settings(tmp_path, instance=tmp_path / "instance" / "dentro"))
