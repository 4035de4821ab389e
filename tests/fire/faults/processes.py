"""Faults of processes: killed, frozen, told to end, out of files or memory, two at the same work, nobody at the log."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kommo.db import writing
from kommo.store.tables import SyncRun
from tests import processes
from tests.fire.faults import BOTH, fault
from tests.fire.site import Site

PAGE = "GET /api/v4/contacts?"  # what a run asks for in its middle
RESTARTING = "O servidor está reiniciando; continua em seguida."


@fault("trabalhador morto (kill -9) no meio de uma página", BOTH)
def worker_killed(site: Site) -> None:
    first = site.worker()
    site.meet(PAGE, lambda: os.kill(first, signal.SIGKILL))
    site.over()
    processes.wait_for(lambda: first not in site.workers() and site.workers())


@fault("servidor e trabalhador mortos (kill -9)", BOTH)
def everything_killed(site: Site) -> None:
    site.meet(PAGE, lambda: site.child and site.child.kill())
    assert site.child is not None
    assert site.child.wait(60) == -signal.SIGKILL
    site.over()
    site.start()


@fault("SIGTERM com uma sincronização em curso", BOTH)
def told_to_end(site: Site) -> None:
    site.meet(PAGE, lambda: site.child and site.child.terminate())
    assert site.child is not None
    assert site.child.wait(60) == 0
    assert site.view().active and (site.view().waiting or "").startswith(RESTARTING[:20]), site.view()
    site.over()
    site.start()


@fault("SIGTERM só para o trabalhador")
def worker_told_to_end(site: Site) -> None:
    first = site.worker()
    site.meet(PAGE, lambda: os.kill(first, signal.SIGTERM))
    site.over()
    processes.wait_for(lambda: first not in site.workers() and site.workers())


@fault("trabalhador congelado além do prazo (SIGSTOP), outro assume", BOTH)
def worker_frozen(site: Site) -> None:
    first = site.worker()
    site.meet(PAGE, lambda: None)
    while True:  # not in the middle of a write: that would keep everybody waiting, as any held lock does
        os.kill(first, signal.SIGSTOP)
        if _is_free(site):
            break
        os.kill(first, signal.SIGCONT)
        time.sleep(0.01)
    other = None
    try:
        site.says("/sincronizacao", "O trabalhador não dá sinal há")
        other = processes.worker(site.environment(), site.folder / "other.log")
        processes.wait_for(lambda: not site.view().active)
    finally:
        os.kill(first, signal.SIGCONT)
        if other is not None:
            assert processes.end(other) == 0
    site.over()


def _is_free(site: Site) -> bool:
    return processes._unlocked(site.instance / "queue.sqlite3") and processes._holds_nothing(site.services)


@fault("servidor congelado (SIGSTOP) e acordado")
def server_frozen(site: Site) -> None:
    assert site.child is not None
    site.sync()
    os.kill(site.child.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(site.get, "/contatos")
        processes.wait_for(lambda: not site.view().active)
        assert not waiting.done()
        os.kill(site.child.pid, signal.SIGCONT)
        assert waiting.result(60)[0] == 200
    site.over()


@fault("dois trabalhadores e oito pedidos ao mesmo tempo", BOTH)
def two_workers(site: Site) -> None:
    other = processes.worker(site.environment(), site.folder / "other.log")
    try:
        processes.wait_for(lambda: len(list(Path(f"/proc/{other.pid}/task").iterdir())) > 4)  # it works
        before = site.runs()
        gate = threading.Barrier(8)

        def ask(_number: int) -> int:
            gate.wait()
            return site.api("POST", "/sync", '{"full": true}')[0]

        with ThreadPoolExecutor(8) as pool:
            statuses = sorted(pool.map(ask, range(8)))
        assert statuses.count(202) >= 1 and set(statuses) <= {202, 409}, statuses
        processes.wait_for(lambda: not site.view().active)
        assert site.runs() - before <= statuses.count(202)
    finally:
        assert processes.end(other) == 0
    site.over()


@fault("trabalhador sem memória (RLIMIT_AS)")
def out_of_memory(site: Site) -> None:
    first = site.worker()
    used = int(Path(f"/proc/{first}/statm").read_text().split()[0]) * resource.getpagesize()
    limits = resource.prlimit(first, resource.RLIMIT_AS, (used + 2_000_000, resource.RLIM_INFINITY))
    site.sync()
    time.sleep(0.5)
    if first in site.workers():
        resource.prlimit(first, resource.RLIMIT_AS, limits)
    site.over()


def _files(pid: int) -> int:
    """How many files and sockets a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@fault("servidor sem descritores de arquivo (RLIMIT_NOFILE)")
def out_of_files(site: Site) -> None:
    assert site.child is not None
    pid = site.child.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    held = _files(pid)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (held + 1, limits[1]))
    for _ in range(5):
        try:
            status, words = site.get("/contatos", timeout=1)
        except OSError:
            continue
        assert status in (200, 503), (status, words)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    site.over()
    processes.wait_for(site.answers)


@fault("trabalhador sem descritores de arquivo (RLIMIT_NOFILE)")
def worker_out_of_files(site: Site) -> None:
    first = site.worker()
    limits = resource.prlimit(first, resource.RLIMIT_NOFILE)
    resource.prlimit(first, resource.RLIMIT_NOFILE, (_files(first), limits[1]))
    site.sync()
    time.sleep(0.5)
    if first in site.workers():
        resource.prlimit(first, resource.RLIMIT_NOFILE, limits)
    site.over()


@fault("ninguém mais lê o registro (EPIPE)")
def log_reader_gone(site: Site) -> None:
    site.stop()
    reader, writer = os.pipe()
    site.start(stderr=writer)
    os.close(writer)
    os.close(reader)
    _goes_on_unheard(site)


@fault("registro em disco cheio (/dev/full)")
def log_full(site: Site) -> None:
    site.stop()
    with Path("/dev/full").open("w") as full:
        site.start(stderr=full.fileno())
    _goes_on_unheard(site)


def _goes_on_unheard(site: Site) -> None:
    """A worker that dies is replaced, though nobody takes the line that says so; then the log is a log again."""
    first = site.worker()
    os.kill(first, signal.SIGKILL)
    site.over()
    processes.wait_for(lambda: first not in site.workers() and site.workers())
    site.recover()
    site.stop()
    site.start()


@fault("porta tomada por outro programa")
def port_taken(site: Site) -> None:
    said = site.refuses()
    assert f"A porta {site.port} não pode ser usada (já está em uso)" in said
    site.over()


@fault("o relógio do servidor volta duas horas", BOTH)
def clock_back(site: Site) -> None:
    """The same as if all that is noted of leases, pauses and slots lay two hours ahead."""
    first = site.worker()
    site.meet(PAGE, lambda: os.kill(first, signal.SIGKILL))
    with writing(site.services.engine) as session:
        run = session.get_one(SyncRun, site.view().id)
        run.lease_until = (run.lease_until or 0.0) + 7200.0
        run.resume_at = None if run.resume_at is None else run.resume_at + 7200.0
    site.over()
    processes.wait_for(lambda: first not in site.workers() and site.workers())


@fault("recado perdido: a fila é apagada com o painel parado")
def queue_lost(site: Site) -> None:
    site.stop()
    run = subprocess.run(
        [sys.executable, "-m", "flask", "kommo", "sync", "--no-wait", "--full"], cwd=processes.ROOT,
        env=site.environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    for file in site.instance.glob("queue.sqlite3*"):
        file.unlink()
    site.over()
    site.start()
    processes.wait_for(lambda: not site.view().active)


@fault("a fila é apagada com o painel em execução")
def queue_deleted(site: Site) -> None:
    for file in site.instance.glob("queue.sqlite3*"):
        file.unlink()
    site.sync()
    site.over()
    processes.wait_for(lambda: not site.view().active)
