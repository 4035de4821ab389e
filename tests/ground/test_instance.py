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
    services = make_services(make_settings(tmp_path))
    folder = tmp_path / "instance"
    assert _mode(folder) == 0o700
    (folder / "aberto").write_text("x")
    (folder / "aberto").chmod(0o644)
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
