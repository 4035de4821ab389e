"""`flask kommo move-to` and `flask kommo backup`: what they say, what they refuse, and that no secret is told."""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import make_url, text

from kommo.db import sqlite_file, writing
from kommo.services import Services
from kommo.store.move import TABLES
from kommo.store.tables import Connection
from tests import databases
from tests.factories import make_account, make_run

ON_SQLITE = pytest.mark.only_on("sqlite", reason="PostgreSQL has pg_dump")


@pytest.fixture
def services(app: Flask) -> Services:
    """The tools of the application whose commands are called."""
    found = app.extensions["kommo"]
    assert isinstance(found, Services)
    return found


def call(app: Flask, *arguments: str) -> Result:
    """Run `flask kommo …` in this process."""
    return app.test_cli_runner().invoke(args=["kommo", *arguments])


def refused(done: Result) -> str:
    """The one line that a command that did nothing says."""
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr.strip()


def test_it_says_what_it_moved_and_what_to_write_into_env(app: Flask, services: Services) -> None:
    make_account(services.engine)
    with databases.postgres_database(empty=True) as address:
        url = make_url(address).set(password="segredo")
        done = call(app, "move-to", url.render_as_string(hide_password=False))
        assert done.exit_code == 0, done.output
        lines = done.stdout.splitlines()
        assert {"owner: 1 linha", "connection: 1 linha", "Wallet: 0 linhas"} <= set(lines)
        assert f"2 linhas em {len(TABLES)} tabelas, comparadas uma a uma: iguais." in lines
        assert lines[-1] == f"DATABASE_URL={url.render_as_string()}"
        assert ":***@" in lines[-1]
        again = call(app, "move-to", address)
        assert "O destino não está vazio" in refused(again)
    assert "segredo" not in done.output + again.output


def test_a_password_among_the_options_is_not_told_either(app: Flask) -> None:
    with databases.postgres_database(empty=True) as address:
        done = call(app, "move-to", f"{address}?password=segredo&connect_timeout=5")
    assert done.exit_code == 0, done.output
    assert "segredo" not in done.output
    assert "password=%2A%2A%2A" in done.stdout or "password=***" in done.stdout


@pytest.mark.parametrize(
    "address",
    [
        "", "kommo.sqlite3", "mysql://a:segredo@servidor/b", "postgresql://a:segredo@servidor/b", "sqlite://",
        "postgresql+psycopg://a:segredo@servidor:porta/b", "postgresql+psycopg://a:segredo@servidor:99999999/b",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(app: Flask, address: str) -> None:
    sentence = refused(call(app, "move-to", address))
    assert sentence.startswith(("O endereço não serve; use sqlite:///", "O destino não pôde ser preparado"))
    assert "segredo" not in sentence


def test_a_server_that_is_not_there_is_named(app: Flask) -> None:
    with databases.closed_port() as port:
        sentence = refused(call(app, "move-to", f"postgresql+psycopg://ninguem:segredo@127.0.0.1:{port}/b"))
    assert "O destino não pôde ser preparado" in sentence
    assert str(port) in sentence
    assert "segredo" not in sentence


def test_a_folder_that_is_not_there_is_said(app: Flask, tmp_path: Path) -> None:
    sentence = refused(call(app, "move-to", f"sqlite:///{tmp_path}/nada/b.sqlite3"))
    assert "unable to open database file" in sentence


def test_the_database_in_use_is_no_target(app: Flask, services: Services) -> None:
    address = services.engine.url.render_as_string(hide_password=False)
    assert refused(call(app, "move-to", address)) == "O destino é o banco em uso: escolha outro, vazio."
    file = sqlite_file(services.settings.database)
    if file:
        other_way = file.parent / ".." / file.parent.name / file.name
        assert "em uso" in refused(call(app, "move-to", f"sqlite:///{other_way}"))


def test_what_is_at_work_is_said(app: Flask, services: Services, tmp_path: Path) -> None:
    account = make_account(services.engine)
    target = f"sqlite:///{tmp_path / 'outro.sqlite3'}"
    with writing(services.engine) as session:
        session.get_one(Connection, account.id).erasing = True
    assert "está sendo apagada" in refused(call(app, "move-to", target))
    with writing(services.engine) as session:
        session.get_one(Connection, account.id).erasing = False
    make_run(services.engine, account, "running")
    with writing(services.engine) as session:
        session.execute(text("UPDATE sync_run SET lease_until = 4e9"))  # of a clock that was set back: nobody's
    assert call(app, "move-to", target).exit_code == 0
    assert stat.S_IMODE((tmp_path / "outro.sqlite3").stat().st_mode) == 0o600


@ON_SQLITE
def test_a_backup_is_a_new_closed_file_with_all_rows(app: Flask, services: Services, tmp_path: Path) -> None:
    make_account(services.engine)
    target = tmp_path / "cópia de hoje.sqlite3"
    done = call(app, "backup", str(target))
    assert done.exit_code == 0, done.output
    assert str(target) in done.stdout
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM connection").fetchone() == (1,)
    before = target.read_bytes()
    assert "já existe: escolha outro nome" in refused(call(app, "backup", str(target)))
    assert target.read_bytes() == before


@ON_SQLITE
def test_a_backup_without_a_name_lies_in_the_instance_and_is_kept(app: Flask, services: Services) -> None:
    assert call(app, "backup").exit_code == 0
    folder = services.settings.instance / "backups"
    made = list(folder.iterdir())
    assert [path.name.startswith("copia-") for path in made] == [True]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@ON_SQLITE
def test_a_backup_that_cannot_be_written_leaves_nothing(app: Flask, tmp_path: Path) -> None:
    assert "não existe" in refused(call(app, "backup", str(tmp_path / "nada" / "b.sqlite3")))
    link = tmp_path / "link.sqlite3"
    link.symlink_to(tmp_path / "alvo.sqlite3")
    assert "já existe" in refused(call(app, "backup", str(link)))  # nobody's link is followed
    assert "já existe" in refused(call(app, "backup", str(tmp_path)))
    assert not (tmp_path / "alvo.sqlite3").exists()


@ON_SQLITE
@pytest.mark.skipif(not Path("/dev/full").exists() or os.name != "posix", reason="no such limit here")
def test_a_full_disk_leaves_no_half_backup(app: Flask, services: Services, tmp_path: Path) -> None:
    """A file may not grow beyond a limit: SQLite says that the disk is full."""
    import resource
    import signal

    make_account(services.engine)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    heed = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        sentence = refused(call(app, "backup", str(tmp_path / "meia.sqlite3")))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, heed)
    assert "nada ficou dela" in sentence
    assert not (tmp_path / "meia.sqlite3").exists()


@pytest.mark.only_on("postgresql", reason="SQLite is copied")
def test_a_backup_of_postgresql_is_pg_dump_s(app: Flask, tmp_path: Path) -> None:
    assert "pg_dump" in refused(call(app, "backup", str(tmp_path / "b.sqlite3")))
    assert list(tmp_path.glob("*.sqlite3")) == []
