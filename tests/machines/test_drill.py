"""The drill: back up while a sync runs, lose the database, restore as docs/operation.md says, sync: exact again."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from kommo.sandbox import Server, make_world, serve
from kommo.services import Services
from kommo.sync import control
from tests import databases, needs, processes
from tests.conftest import make_services, make_settings
from tests.sync.accounts import connect, difference, run_view

CHAPTER = "Cópia de segurança e restauração"
WRITTEN = "postgresql://painel:senha@servidor"  # the server's address in the document
CONTACTS = "/api/v4/contacts"


@dataclass
class Installation:
    """A program's folder with an installation in it, as the document's reader has one."""

    folder: Path
    services: Services
    kommo: Server

    def do(self, commands: str) -> str:
        """Run commands of the document in the program's folder; gives what they say."""
        env = processes.environment(self.folder / "instance", DATABASE_URL=self.services.settings.database)
        if self.services.engine.dialect.name == "postgresql":
            programs = Path(needs.program("pg_dump")).resolve().parent
            env["PATH"] = f"{programs}:{env['PATH']}"
            commands = commands.replace(WRITTEN, databases.postgres())
        done = subprocess.run(["sh", "-euc", commands], cwd=self.folder, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def blocks(engine: str) -> list[str]:
    """The commands of the document for an engine: to back up, to restore, to sync."""
    text = (processes.ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
    chapter = re.split(r"^## ", text, flags=re.MULTILINE)
    found = next(part for part in chapter if part.startswith(CHAPTER))
    section = {"sqlite": "Com SQLite", "postgresql": "Com PostgreSQL"}[engine]
    part = next(part for part in re.split(r"^### ", found, flags=re.MULTILINE) if part.startswith(section))
    return re.findall(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL)


@pytest.fixture
def address(engine_name: str, tmp_path: Path) -> Iterator[str]:
    """The installation's database; on PostgreSQL it bears the name that the document's has."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path / 'programa' / 'instance' / 'kommo.sqlite3'}"
        return
    _admin("CREATE DATABASE painel")
    yield f"{databases.postgres().replace('postgresql:', 'postgresql+psycopg:')}/painel"
    _admin("DROP DATABASE painel WITH (FORCE)")


def _admin(command: str) -> None:
    with psycopg.connect(f"{databases.postgres()}/postgres", autocommit=True) as admin:
        admin.execute(command.encode())


@pytest.fixture
def installation(tmp_path: Path, address: str) -> Iterator[Installation]:
    """`app.py`, `.venv` and `instance/` side by side; the Kommo behind it is Padaria Estrela."""
    folder = tmp_path / "programa"
    folder.mkdir()
    (folder / "app.py").symlink_to(processes.ROOT / "app.py")
    (folder / ".venv").symlink_to(sys.prefix)
    with serve(make_world(contacts=900, deals=400)) as kommo:
        services = make_services(make_settings(folder, database_url=address, lease=1.0))
        yield Installation(folder, services, kommo)


def _lose(installation: Installation) -> None:
    """The disk is broken: nothing of the database can be read any more."""
    database = installation.services.settings.database
    installation.services.engine.dispose()
    if database.startswith("sqlite"):
        for file in (installation.folder / "instance").glob("kommo.sqlite3*"):
            file.write_bytes(b"perdido" * 1000)
    else:
        _admin("DROP DATABASE painel WITH (FORCE)")


def test_the_drill(installation: Installation, engine_name: str, tmp_path: Path) -> None:
    back_up, restore, sync = blocks(engine_name)
    services, kommo, instance = installation.services, installation.kommo, installation.folder / "instance"
    account = connect(services, kommo)
    values = {"DATABASE_URL": services.settings.database}
    with processes.server(instance, **values):
        control.start(services, account, "page")
        processes.wait_for(lambda: not run_view(services, account).active)
        assert difference(services, account, kommo.world) == []

        ids = kommo.world.ids("contacts")
        kommo.world.update("contacts", ids[5], name="Antes da cópia")
        reading, go_on = threading.Event(), threading.Event()
        kommo.world.before_request = lambda _m, path, _q: (reading.set(), go_on.wait(60)) if path == CONTACTS else None
        control.start(services, account, "page")
        assert reading.wait(60)
        installation.do(back_up)
        assert run_view(services, account).active
        kommo.world.before_request = None
        go_on.set()
        processes.wait_for(lambda: not run_view(services, account).active)

    _lose(installation)
    installation.do(restore)
    kommo.world.update("contacts", ids[6], name="Depois da cópia")
    kommo.world.delete("contacts", ids[7])
    kommo.world.delete("leads", kommo.world.ids("leads")[0])
    with processes.server(instance, **values):
        said = installation.do(sync)
        assert "Concluída" in said, said
        assert run_view(services, account).proved
        assert difference(services, account, kommo.world) == []


def test_the_document_has_the_commands_of_both_engines() -> None:
    for engine in ("sqlite", "postgresql"):
        back_up, restore, sync = blocks(engine)
        assert "copia." in back_up
        assert "copia." in restore
        assert sync == ".venv/bin/flask kommo sync\n"
    assert WRITTEN in blocks("postgresql")[1]
