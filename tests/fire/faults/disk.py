"""Faults of the disk and of the database's file: full, read-only, refused, locked, damaged, lost; keys; upgrades."""

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from kommo.db import writing
from kommo.store import schema
from tests import processes
from tests.databases import free_port
from tests.fire.faults import BOTH, IN_TMPFS, ON_SQLITE, fault
from tests.fire.site import Site

PAGE = "GET /api/v4/contacts?"
NO_ROOM = "Sem espaço ou sem acesso ao disco do servidor: a sincronização espera e continua sozinha."
FULL = "O disco do servidor está cheio"
DISK = "O disco do servidor não aceita leitura ou gravação"
DAMAGED = "O arquivo do banco de dados está danificado"
OTHER_KEY = "cifrado com outra chave"
AGENDA = {"intervalo": "15"}


@fault("disco cheio (tmpfs)", place=IN_TMPFS)
def disk_full(site: Site) -> None:
    """Reading goes on, a click is answered in words, the run waits; then there is room again."""
    ballast = site.folder / "ballast"
    for key in site.kommo.world.ids("contacts"):
        site.kommo.world.update("contacts", key, name=f"{time.time()} " + "Nome bem mais comprido do que era " * 30)
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    status, words = site.post("/sincronizacao", sweep="1")
    assert status in (303, 503) and (status == 303 or FULL in words), words
    if status == 303:
        site.says("/sincronizacao", NO_ROOM[:30])
    assert site.get("/contatos")[0] == site.get("/")[0] == 200
    status, words = site.post("/sincronizacao/agenda", **AGENDA)
    assert status in (303, 503) and (status == 303 or FULL in words), words
    said = site.api("DELETE", "/schedule", "{}")
    assert said[0] in (200, 503) and (said[0] == 200 or '"database_unavailable"' in said[1]), said
    ballast.unlink()
    site.over()
    assert site.post("/sincronizacao/agenda/desligar")[0] == 303


@fault("sistema de arquivos só para leitura (tmpfs, remount)", place=IN_TMPFS)
def read_only(site: Site) -> None:
    site.stop()
    site.services.engine.dispose()
    subprocess.run(["mount", "-o", "remount,ro", str(site.folder)], check=True)
    said = site.refuses()
    assert "não aceita escrita (o disco é só para leitura)" in said, said
    subprocess.run(["mount", "-o", "remount,rw", str(site.folder)], check=True)
    site.over()
    site.start()


@fault("o sistema recusa toda gravação do trabalhador (RLIMIT_FSIZE)", ON_SQLITE)
def worker_may_not_write(site: Site) -> None:
    first = site.worker()
    site.meet(PAGE, lambda: resource.prlimit(first, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY)))
    site.says("/sincronizacao", "espaço")
    assert first in site.workers()
    resource.prlimit(first, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    site.over()


@fault("o sistema recusa toda gravação do servidor (RLIMIT_FSIZE)", ON_SQLITE)
def server_may_not_write(site: Site) -> None:
    assert site.child is not None
    resource.prlimit(site.child.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    status, words = site.post("/sincronizacao/agenda", **AGENDA)
    assert status == 503 and (DISK in words or FULL in words), words
    assert "não foi gravado; os dados estão como estavam" in words
    status, words = site.api("PUT", "/schedule", '{"everyMinutes": 30}')
    assert status == 503 and '"database_unavailable"' in words, words
    assert site.get("/contatos")[0] == 200
    resource.prlimit(site.child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    site.over()


@fault("banco trancado por outro processo, mais tempo do que se espera")
def locked(site: Site) -> None:
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        status, words = site.post("/sincronizacao/agenda", **AGENDA)
        assert status == 503 and "Outro programa está usando o banco de dados" in words, words
        assert site.get("/contatos")[0] == 200
        other.execute("ROLLBACK")
    site.over()


@fault("banco trancado por outro processo por um instante, no meio da sincronização")
def locked_for_a_moment(site: Site) -> None:
    with closing(sqlite3.connect(site.database, isolation_level=None, timeout=30, check_same_thread=False)) as other:
        site.meet(PAGE, lambda: other.execute("BEGIN IMMEDIATE"))
        time.sleep(0.5)
        assert site.get("/contatos")[0] == 200
        other.execute("ROLLBACK")
    site.over()


@fault("um leitor que não termina, durante uma sincronização")
def long_reader(site: Site) -> None:
    with closing(sqlite3.connect(site.database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = reader.execute('SELECT count(*), max(version) FROM "Wallet"').fetchall()
        for key in site.kommo.world.ids("contacts")[:50]:
            site.kommo.world.update("contacts", key, name=f"Nome {time.time()}")
        site.sync()
        processes.wait_for(lambda: not site.view().active)
        assert reader.execute('SELECT count(*), max(version) FROM "Wallet"').fetchall() == before
        reader.execute("ROLLBACK")
    site.over()


def _kept(site: Site) -> Path:
    """A copy by the shell, as a person makes it."""
    kept = site.folder / f"copia-{time.time_ns()}.sqlite3"
    command = [sys.executable, "-m", "flask", "kommo", "backup", str(kept)]
    subprocess.run(command, cwd=processes.ROOT, env=site.environment(), check=True, capture_output=True)
    return kept


def _restore(site: Site, kept: Path) -> None:
    """As docs/operation.md says: the panel is stopped, what lies beside the file goes with it."""
    for end in ("", "-wal", "-shm"):
        site.database.with_name(f"kommo.sqlite3{end}").unlink(missing_ok=True)
    site.services.engine.dispose()
    shutil.move(kept, site.database)


@fault("página do arquivo danificada; restaurada da cópia")
def damaged(site: Site) -> None:
    kept = _kept(site)
    site.stop()
    site.services.engine.dispose()
    with closing(sqlite3.connect(site.database)) as probe:
        probe.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = probe.execute("PRAGMA page_size").fetchone()[0]
        root = probe.execute("SELECT rootpage FROM sqlite_master WHERE name = 'Wallet'").fetchone()[0]
    with site.database.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    site.start()
    key = site.kommo.world.ids("contacts")[0]
    status, words = site.get(f"/contatos/{key}")
    assert status == 503 and DAMAGED in words and "restaure a última cópia de segurança" in words, words
    status, words = site.api("GET", "/contacts?source=local&query=a")
    assert status == 503 and "restaure a última cópia de segurança" in words, words
    site.stop()
    _restore(site, kept)
    site.over()
    site.start()


@fault("arquivo do banco cortado ou de outro tipo: não sobe; restaurado da cópia")
def no_database(site: Site) -> None:
    kept = _kept(site)
    site.stop()
    site.services.engine.dispose()
    site.database.write_bytes("isto não é um banco de dados ".encode() * 50)
    said = site.refuses()
    assert "restaure uma cópia de instance/backups" in said, said
    assert "restaure uma cópia" in site.refuses("-m", "kommo.jobs.worker")
    _restore(site, kept)
    site.over()
    site.start()


@fault("arquivo -shm perdido com o painel parado")
def shm_lost(site: Site) -> None:
    assert site.child is not None
    for pid in site.workers():
        os.kill(pid, signal.SIGSTOP)
    stopped = site.workers()
    site.child.kill()
    site.child.wait()
    for pid in stopped:
        os.kill(pid, signal.SIGKILL)
    site.services.engine.dispose()
    site.database.with_name("kommo.sqlite3-shm").unlink(missing_ok=True)
    site.over()
    site.start()


@fault("fila danificada: o trabalhador diz o que fazer")
def queue_damaged(site: Site) -> None:
    site.stop()
    for file in site.instance.glob("queue.sqlite3*"):
        file.unlink()
    (site.instance / "queue.sqlite3").write_bytes(b"nada " * 500)
    said = site.refuses("-m", "kommo.jobs.worker")
    assert "A fila em" in said and "apague o arquivo" in said, said
    (site.instance / "queue.sqlite3").unlink()
    site.over()
    site.start()


def _with_key(site: Site, key: str | None) -> None:
    """Start under another key, see what is said, and go back to the right one."""
    file = site.instance / "encryption_key"
    right, sealed = file.read_text(), site.sealed()
    site.stop()
    file.unlink()
    if key is not None:
        file.write_text(key)
    site.start()
    site.post("/sincronizacao", sweep="1")
    site.says("/sincronizacao", "chave")
    assert OTHER_KEY in site.api("GET", "/contacts?limit=1")[1]
    assert site.get("/contatos")[0] == 200
    assert site.sealed() == sealed
    site.stop()
    file.unlink(missing_ok=True)
    file.write_text(right)
    site.over()
    site.start()
    assert site.sealed() == sealed


@fault("chave de cifra errada")
def wrong_key(site: Site) -> None:
    _with_key(site, "ab" * 32)


@fault("chave de cifra perdida")
def lost_key(site: Site) -> None:
    _with_key(site, None)


@fault("chave dos cookies trocada: formulários abertos antes são recusados em palavras")
def cookie_key(site: Site) -> None:
    site.stop()
    (site.instance / "secret_key").unlink()
    site.over()
    site.start()


@fault("preparação do esquema morta no meio (kill -9)")
def upgrade_killed(site: Site) -> None:
    """In a second installation, at a moment of chance: all of it is there, or nothing; the next start ends it."""
    other = site.folder / f"other-{time.time_ns()}"
    other.mkdir()
    env = site.environment(KOMMO_INSTANCE=str(other / "instance"), PORT=str(free_port()))
    file = other / "instance" / "kommo.sqlite3"
    first = processes.start(["app.py", "--no-worker"], env, other / "log")
    processes.wait_for(file.with_name("kommo.sqlite3-wal").exists, every=0.001)
    time.sleep(random.random() * 0.15)
    first.kill()
    first.wait()
    assert _tables(file) in (set(), _tables(site.database))
    site.over()
    again = processes.start(["app.py", "--no-worker"], env, other / "log")
    try:
        processes.wait_for(lambda: "pronto em" in (other / "log").read_text())
    finally:
        assert processes.end(again) == 0
    assert _tables(file) == _tables(site.database)
    shutil.rmtree(other)


def _tables(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as probe:
        assert probe.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {name for (name,) in probe.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


@fault("programa mais velho sobre um esquema mais novo: não sobe e não grava", BOTH)
def older_program(site: Site) -> None:
    site.stop()
    with writing(site.services.engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "versão mais nova do Painel Kommo" in site.refuses()
    assert "versão mais nova do Painel Kommo" in site.refuses("-m", "kommo.jobs.worker")
    with writing(site.services.engine) as session:
        session.execute(text(f"UPDATE alembic_version SET version_num = '{schema.head()}'"))
    site.over()
    site.start()
