"""`python app.py`: web server, worker and, where wanted, the demonstration account, in one go and ended together."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from kommo.logs import tell
from kommo.refusals import Parser, reason
from kommo.settings import ROOT, SettingError, Settings, load

if TYPE_CHECKING:
    from flask import Flask

RESTART_AFTER = 1.0  # seconds before a worker that died is started again; grows to 30
STOP_WITHIN = 9.5  # seconds the worker has to end its page, while the web server answers what it was asked


def main(arguments: list[str] | None = None) -> int:
    """Start everything and serve until Ctrl-C; gives the exit code. What is wrong is one Portuguese line."""
    parser = Parser(prog="python app.py", description="Painel Kommo: servidor e trabalhador.")
    parser.add_argument("--demo", action="store_true", help="conecta a conta de demonstração")
    parser.add_argument("--no-worker", action="store_true", help="só o servidor web; o trabalhador roda à parte")
    options = parser.parse_args(arguments)
    _on_signal(lambda: None)
    try:
        settings = load()
        _serve(settings, demo=options.demo, worker=not options.no_worker)
    except SettingError as error:
        return _say(error)
    except KeyboardInterrupt:
        pass
    return 0


def _serve(settings: Settings, *, demo: bool, worker: bool) -> None:
    from kommo import create_app, logs
    from kommo.store.schema import SchemaError

    listener = _listen(settings)
    logs.configure(settings)
    logs.guard()
    try:
        app = create_app(settings)
    except SchemaError as error:
        raise SettingError(str(error)) from None
    child = WorkerProcess() if worker else None
    try:
        _announce_first_user(app, settings)
        _open_demo(app, wanted=demo)
        if child:
            _on_signal(child.ask_to_stop)
            child.start()
        _run_server(app, settings, listener)
    finally:
        if child:
            child.stop()
        _close_demo()


def _run_server(app: "Flask", settings: Settings, listener: socket.socket) -> None:
    from kommo import server as web

    server = web.make(app, settings, listener)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"Painel Kommo pronto em http://{host}:{settings.port} (Ctrl-C encerra)", flush=True)
    try:
        server.run()
    finally:
        server.close()


def _listen(settings: Settings) -> socket.socket:
    """A listening socket; SettingError where the address is not this machine's own, or the port is taken."""
    settings.require_names()
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":  # on Windows the option would let two servers share the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise SettingError(
            f"A porta {settings.port} não pode ser usada ({reason(error)}): feche o outro programa "
            "ou escolha outra em PORT."
        ) from None
    return listener


def _announce_first_user(app: "Flask", settings: Settings) -> None:
    """Show the code with which the first person makes their access in the browser, where others are served.

    Raises SettingError where there is no console to show it on: then only the shell could make somebody.
    """
    from kommo.access import first_user, gate

    if settings.is_local or gate.has_users(app.extensions["kommo"]):
        return
    if not first_user.has_console():
        raise SettingError(
            "Ninguém tem acesso ainda, e não há console que mostre o código do primeiro: "
            "rode `flask kommo user add` e inicie de novo."
        )
    print(first_user.announcement(first_user.code(app), settings), flush=True)


def _open_demo(app: "Flask", *, wanted: bool) -> None:
    """Start the demonstration account where it is connected already, and connect it where that is wanted."""
    from kommo.connect import demo, flow
    from kommo.db import reading
    from kommo.store import connections

    services = app.extensions["kommo"]
    with reading(services.engine) as session:
        connected = bool(connections.any_demo(session))
    if not wanted and not connected:
        return
    try:
        if wanted and not connected:
            flow.connect_demo(services, connections.DEFAULT_OWNER)
        else:
            flow.restart_demo(services)
    except demo.DemoError as error:
        if wanted:
            raise SettingError(str(error)) from None
        tell(error)


def _close_demo() -> None:
    from kommo.connect import demo

    demo.stop()


class WorkerProcess:
    """The worker as a child: started again when it dies, ended with us, and ending by itself when we are killed."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._until = 0.0  # when it is killed, once it was told to end
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._watch, name="worker-watch", daemon=True)

    def start(self) -> None:
        """Start the worker and watch it."""
        self._spawn()
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Close its standard input, which tells it to end. Waits for nothing: both servers end at the same time."""
        if self._stopping.is_set():
            return
        self._until = time.monotonic() + STOP_WITHIN
        self._stopping.set()
        if self._child and self._child.stdin:
            with contextlib.suppress(OSError):
                self._child.stdin.close()

    def stop(self) -> None:
        """Tell it to end, if that was not done yet, and wait for its page to be over."""
        self.ask_to_stop()
        child = self._child
        if child is None:
            return
        try:
            child.wait(max(self._until - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _spawn(self) -> None:
        command = [sys.executable, "-m", "kommo.jobs.worker", "--until-stdin-closes"]
        # A session of its own: Ctrl-C in the terminal reaches us alone, and we tell the worker.
        # One heap for all threads where the C library is glibc: 30 MB less after a large account.
        env = {"MALLOC_ARENA_MAX": "2"} | os.environ
        self._child = subprocess.Popen(  # noqa: S603 - our own module
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, start_new_session=os.name == "posix"
        )

    def _watch(self) -> None:
        pause = RESTART_AFTER
        while self._child is not None:
            begin = time.monotonic()
            self._child.wait()
            if self._stopping.wait(pause):
                return
            tell("O trabalhador parou e está sendo iniciado de novo.")
            pause = RESTART_AFTER if time.monotonic() - begin > 60 else min(pause * 2, 30.0)
            self._spawn()


def _on_signal(first: Callable[[], None]) -> None:
    """At SIGTERM and Ctrl-C do `first`, then leave whatever is being done."""

    def interrupt(*_: object) -> None:
        first()
        raise KeyboardInterrupt

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, interrupt)


def _say(error: Exception) -> int:
    tell(error)
    return 2
