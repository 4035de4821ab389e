"""What the measurements share: a sandbox and the product as processes, their CPU time and memory, and rows printed."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[1]
KEY = "bench"


@dataclass(frozen=True, slots=True)
class Kommo:
    """A sandbox in a process of its own: `pid` is its number."""

    address: str
    token: str
    pid: int

    def control(self, verb: str, **arguments: object) -> dict[str, object]:
        """Ask the sandbox's control endpoint."""
        answer = requests.post(
            f"{self.address}/_control/{verb}", json=arguments, headers={"X-Control-Key": KEY}, timeout=60
        )
        answer.raise_for_status()
        found: dict[str, object] = answer.json()["result"] or {}
        return found

    def ids(self, kind: str) -> list[int]:
        """The ids of all live records of a kind (contacts, leads, companies)."""
        answer = requests.post(
            f"{self.address}/_control/ids", json={"kind": kind}, headers={"X-Control-Key": KEY}, timeout=60
        )
        found: list[int] = answer.json()["result"]
        return found

    def count(self, name: str) -> int:
        """One of its counters, since it was last reset."""
        return int(str(self.control("counters")[name]))

    def warm_up(self) -> None:
        """Let it sort its lists again after changes, which no Kommo makes its callers wait for; wait out its limit."""
        for kind in ("contacts", "leads", "companies"):
            for order in ("id", "updated_at"):
                headers = {"Authorization": f"Bearer {self.token}"}
                requests.get(f"{self.address}/api/v4/{kind}?limit=1&order[{order}]=asc", headers=headers, timeout=300)
        time.sleep(1.1)
        self.control("reset")


def row(name: str, value: str, target: str = "") -> None:
    """Print one figure, and what it has to reach."""
    print(f"  {name:<58} {value:>18}   {target}", flush=True)


def cpu(pid: int) -> float:
    """Seconds of CPU a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Megabytes of memory of a process and its children: their shares added up (PSS)."""
    total = 0
    for each in [pid, *_children(pid)]:
        try:
            text = Path(f"/proc/{each}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
        total += int(found.group(1)) if found else 0
    return total / 1024


def files(pid: int) -> int:
    """Open files and sockets of a process and its children."""
    return sum(len(list(Path(f"/proc/{each}/fd").iterdir())) for each in [pid, *_children(pid)])


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *_children(int(child))]
    return found


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def kommo(contacts: int, deals: int, *, rate: int = 0, latency_ms: int = 0) -> Iterator[Kommo]:
    """A sandbox of this size."""
    arguments = [
        "--json", "--until-stdin-closes", "--control-key", KEY,
        "--contacts", str(contacts), "--deals", str(deals), "--rate", str(rate), "--latency-ms", str(latency_ms),
    ]  # fmt: skip
    with _sandbox("kommo.sandbox", arguments) as fake:
        yield fake


@contextmanager
def _sandbox(module: str, arguments: list[str]) -> Iterator[Kommo]:
    command = [sys.executable, "-m", module, *arguments]
    child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin and child.stdout
    try:
        said = json.loads(child.stdout.readline())
        yield Kommo(said["address"], said["token"], child.pid)
    finally:
        child.stdin.close()
        child.wait(30)
        child.stdout.close()


@contextmanager
def accounts(number: int, contacts: int, deals: int, *, rate: int, latency_ms: int) -> Iterator[list[Kommo]]:
    """So many sandboxes, each another account in a process of its own."""
    with ExitStack() as stack:
        sizes = [
            "--contacts",
            str(contacts),
            "--deals",
            str(deals),
            "--rate",
            str(rate),
            "--latency-ms",
            str(latency_ms),
        ]
        yield [
            stack.enter_context(_sandbox("bench.world", ["--number", str(one), *sizes])) for one in range(1, number + 1)
        ]  # fmt: skip


@contextmanager
def worker(folder: Path, fake: Kommo | None, *, rate_limit: float, **settings: str) -> Iterator[int]:
    """A worker process of the installation in `folder`, as `python app.py` starts it; gives its number."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KOMMO_")}
    ours = {"KOMMO_INSTANCE": str(folder / "instance"), "MALLOC_ARENA_MAX": "2"} | settings
    ours |= {"KOMMO_API_URL": fake.address} if fake else {}
    command = [sys.executable, "-m", "kommo.jobs.worker", "--until-stdin-closes"]
    env = kept | ours | {"KOMMO_RATE_LIMIT": str(rate_limit)}
    with (folder / "worker.log").open("ab") as log:
        child = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=log, stderr=log)
    assert child.stdin
    try:
        yield child.pid
    finally:
        child.stdin.close()
        child.wait(30)


@dataclass(frozen=True, slots=True)
class Panel:
    """`python app.py` as a process; `started` is how long it took to the first page, seconds."""

    address: str
    pid: int
    started: float


@contextmanager
def panel(instance: Path, **settings: str) -> Iterator[Panel]:
    """The whole product on a folder, answering."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KOMMO_")}
    env = kept | {"KOMMO_INSTANCE": str(instance), "PORT": str(port), "KOMMO_ASSETS": "cdn"} | settings
    begin = time.monotonic()
    with (instance.parent / "panel.log").open("ab") as log:
        child = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            assert child.poll() is None, (instance.parent / "panel.log").read_text()
            try:
                if requests.get(f"{address}/", timeout=10).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.01)
        yield Panel(address, child.pid, time.monotonic() - begin)
    finally:
        child.terminate()
        child.wait(30)


def quantile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
