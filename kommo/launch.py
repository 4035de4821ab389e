"""`python app.py`: web server, worker and, where wanted, the demonstration account, in one go and ended together."""

import contextlib
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from kommo.refusals import Parser, reason
from kommo.settings import ROOT, SettingError, Settings, load

if TYPE_CHECKING:
    from flask import Flask

RESTART_AFTER = 1.0  # seconds before a worker that died is started again; grows to 30
STOP_WITHIN = 10.0  # seconds the worker has to end its page


def main(arguments: list[str] | None = None) -> int:
    """Start everything and serve until Ctrl-C; gives the exit code. What is wrong is one Portuguese line."""
    parser = Parser(prog="python app.py", description="Painel Kommo: servidor e trabalhador.")
    parser.add_argument("--demo", action="store_true", help="conecta a conta de demonstração")
    parser.add_argument("--no-worker", action="store_true", help="só o servidor web; o trabalhador roda à parte")
    options = parser.parse_args(arguments)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _interrupt)
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
        _open_demo(app, wanted=demo)
        if child:
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
    _require_loopback(settings.host)
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


def _require_loopback(host: str) -> None:
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise SettingError(
            f"HOST={host} abriria o painel para a rede, e ele ainda não tem login: use 127.0.0.1, ::1 ou localhost."
        )


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
        print(error, file=sys.stderr)


def _close_demo() -> None:
    from kommo.connect import demo

    demo.stop()


class WorkerProcess:
    """The worker as a child: started again when it dies, ended with us, and ending by itself when we are killed."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._watch, name="worker-watch", daemon=True)

    def start(self) -> None:
        """Start the worker and watch it."""
        self._spawn()
        self._thread.start()

    def stop(self) -> None:
        """Close its standard input, which tells it to end, and wait for its page to be over."""
        self._stopping.set()
        child = self._child
        if child is None:
            return
        if child.stdin:
            with contextlib.suppress(OSError):
                child.stdin.close()
        try:
            child.wait(STOP_WITHIN)
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
            print("O trabalhador parou e está sendo iniciado de novo.", file=sys.stderr, flush=True)
            pause = RESTART_AFTER if time.monotonic() - begin > 60 else min(pause * 2, 30.0)
            self._spawn()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _say(error: Exception) -> int:
    print(error, file=sys.stderr, flush=True)
    return 2
