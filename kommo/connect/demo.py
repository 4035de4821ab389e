"""The demonstration account: the sandbox as a child process on loopback, its data kept in `instance/demo`.

The child ends when this process ends, however it ends: its standard input closes.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from kommo.settings import ROOT, Settings, variables

_START_WITHIN = 60.0  # seconds the child may take to make its data the first time
KOMMO_LIMIT = 7  # requests a second, as Kommo has it; none where the installation itself keeps no limit (tests)
_lock = threading.Lock()
_running: dict[Path, tuple["subprocess.Popen[str]", str, str]] = {}


class DemoError(Exception):
    """The demonstration account could not be started; the text is a Portuguese sentence."""


def start(settings: Settings) -> tuple[str, str]:
    """The demonstration account's address and token; starts it where it does not run yet. Raises DemoError."""
    folder = settings.instance.resolve() / "demo"
    with _lock:
        known = _running.get(folder)
        if known and known[0].poll() is None:
            return known[1], known[2]
        folder.mkdir(mode=0o700, exist_ok=True)
        _running[folder] = found = _spawn(folder, KOMMO_LIMIT if settings.rate_limit else 0)
        return found[1], found[2]


def stop() -> None:
    """End every demonstration account of this process."""
    with _lock:
        for child, *_ in _running.values():
            if child.stdin:
                child.stdin.close()
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(5)
            if child.stdout:
                child.stdout.close()
        _running.clear()


def _spawn(folder: Path, rate: int) -> tuple["subprocess.Popen[str]", str, str]:
    command = [
        sys.executable, "-m", "kommo.sandbox", "--port", str(_port(folder)), "--data", str(folder / "kommo.sqlite3"),
        "--rate", str(rate), "--json", "--until-stdin-closes",
    ]  # fmt: skip
    child = subprocess.Popen(  # noqa: S603 - our own module
        command, cwd=ROOT, env=_without_ours(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    timer = threading.Timer(_START_WITHIN, child.kill)
    timer.start()
    try:
        line = child.stdout.readline() if child.stdout else ""
    finally:
        timer.cancel()
    try:
        said = json.loads(line)
        address, token = said["address"], said["token"]
    except (ValueError, KeyError):
        child.kill()
        raise DemoError("A conta de demonstração não pôde ser iniciada; o registro do servidor diz por quê.") from None
    (folder / "port").write_text(address.rpartition(":")[2], encoding="ascii")
    return child, address, token


def _without_ours() -> dict[str, str]:
    """The environment without the panel's settings: a Kommo, invented or not, has no use for our keys and tokens."""
    return {name: value for name, value in os.environ.items() if name not in variables()}


def _port(folder: Path) -> int:
    """The port of the last time while it is free, so that an open page keeps working; else any (0)."""
    try:
        port = int((folder / "port").read_text(encoding="ascii"))
        with socket.socket() as probe:
            if os.name == "posix":  # as the account itself does: what is left of its old connections is no obstacle
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
        return port
    except (OSError, ValueError, OverflowError):
        return 0


atexit.register(stop)
