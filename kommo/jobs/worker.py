"""`python -m kommo.jobs.worker`: does the long work, on this machine or any other that reaches the database.

It ends at SIGTERM or Ctrl-C within seconds, at the end of a page, and when the process that started it is gone.
"""

import contextlib
import gc
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

import structlog
from huey.consumer import Consumer
from sqlalchemy.exc import SQLAlchemyError

from kommo import logs
from kommo.connect import keys
from kommo.db import reading, writing
from kommo.jobs import queue
from kommo.jobs.due import ask_for_due
from kommo.jobs.keeping import Keeper
from kommo.privacy import files
from kommo.refusals import Parser
from kommo.services import ERASE, SCRUB, SYNC, Services, open_services
from kommo.settings import SettingError, load
from kommo.store import erase, runs, schema, workers
from kommo.store.schema import SchemaError
from kommo.sync import engine

THREADS = 4  # accounts worked on at once in one process
RING_AGAIN = 60.0  # seconds until a due row is rung for again, should its message have been lost
STOP_WITHIN = 8.5  # seconds a page under way may take to end
LAST_WORD = 0.5  # seconds for saying that it is gone
log = structlog.get_logger()


class _Consumer(Consumer):  # type: ignore[misc]
    """huey's consumer without its signal handlers: this process has its own way to stop."""

    def _set_signal_handlers(self) -> None:
        pass


class Worker:
    """One worker process: the queue's consumer, and a tick that finds what is due and what was not rung for."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.stopping = threading.Event()
        self.name = f"{socket.gethostname()}-{os.getpid()}"
        self.queue = queue.open_queue(services.settings.queue)
        self.ring = queue.bell(self.queue, self.work)
        self.keeper = Keeper(services)
        self._rung: dict[tuple[str, int], float] = {}
        self._said = -math.inf  # when it last said that it lives

    def work(self, kind: str, number: int) -> None:
        """Do one job; whatever it raises is logged, and its row says what is left."""
        try:
            logs.forget()
            if kind == SYNC:
                engine.run_one(self.services, number, f"{self.name}-{threading.get_ident()}", self.stopping)
            elif kind == ERASE:
                erase.erase(self.services.engine, number)
            elif kind == SCRUB:
                files.clean(self.services)
        except Exception:
            log.exception("job_failed", kind=kind, number=number)

    def run(self) -> None:
        """Work until `stopping` is set."""
        consumer = _Consumer(
            self.queue, workers=THREADS, periodic=False, initial_delay=0.05, max_delay=0.2, backoff=1.15,
            shutdown_timeout=STOP_WITHIN,
        )  # fmt: skip
        consumer.start()
        pause = min(self.services.settings.lease, 5.0)
        try:
            while not self.stopping.is_set():
                self.tick()
                self.stopping.wait(pause)
        finally:
            self.stopping.set()
            leaving = threading.Thread(target=self._leave, daemon=True)  # the database may be held by somebody
            leaving.start()
            consumer.stop(graceful=True)
            leaving.join(LAST_WORD)

    def tick(self) -> None:
        """Ask for the runs that are due by a schedule, and ring for every row that has work and nobody at it."""
        try:
            self._say_alive()
            ask_for_due(self.services)
            with reading(self.services.engine) as session:
                due = [(SYNC, key) for key in runs.due_ids(session)]
                due += [(ERASE, key) for key in erase.waiting(session)]
                due += [(SCRUB, key) for key in files.waiting(session)]
        except SQLAlchemyError:
            log.warning("tick_failed")
            return
        now = time.monotonic()
        self._rung = {job: moment for job, moment in self._rung.items() if now - moment < RING_AGAIN and job in due}
        for job in due:
            if job not in self._rung:
                self._ring_once(job, now)
        self.keeper.turn(now)

    def _say_alive(self) -> None:
        if time.monotonic() - self._said >= workers.EVERY:
            with writing(self.services.engine) as session:
                workers.note(session, self.name)
            self._said = time.monotonic()

    def _leave(self) -> None:
        """Nobody has to wait a minute to see that it is gone; where it cannot be written, they do."""
        with contextlib.suppress(SQLAlchemyError), writing(self.services.engine) as session:
            workers.leave(session, self.name)

    def _ring_once(self, job: tuple[str, int], now: float) -> None:
        try:
            self.ring(*job)
        except Exception as error:  # a full disk, a queue server that is away: the next tick tries again
            log.exception("bell_failed", kind=job[0], number=job[1])
            if job[0] == SYNC:
                engine.nobody_called(self.services, job[1], error)
        else:
            self._rung[job] = now


def end_with_parent(stop: Callable[[], None]) -> None:
    """Call `stop` when standard input closes: the process that holds its other end is gone, however it ended."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        stop()

    threading.Thread(target=wait, name="parent", daemon=True).start()


def calm_the_collector() -> None:
    """Pages of records are trees, freed by counting; looking through them for cycles took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def main(arguments: list[str] | None = None) -> int:
    """Run a worker; gives the exit code. A bad setting or schema is one Portuguese line."""
    parser = Parser(prog="python -m kommo.jobs.worker", description="Trabalhador do Painel Kommo.")
    parser.add_argument("--until-stdin-closes", action="store_true", help="termina quando a entrada padrão fecha")
    options = parser.parse_args(arguments)
    try:
        settings = load()
        logs.configure(settings)
        logs.guard()
        services = open_services(settings)
        schema.require_current(services.engine)
        for sentence in keys.missing(services):
            log.error("key_missing", sentence=sentence)
        worker = Worker(services)
    except (SettingError, SchemaError) as error:
        print(error, file=sys.stderr)
        return 2
    calm_the_collector()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: worker.stopping.set())
    if options.until_stdin_closes:
        end_with_parent(worker.stopping.set)
    worker.run()
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a thread that hangs in a page must not keep the process: its lease runs out by itself
