"""Whatever the installation writes is its owner's alone, at every moment, whatever the mask, the command, the crash."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from kommo.instance import prepare
from kommo.sandbox import Server
from kommo.settings import Settings
from tests import processes
from tests.databases import free_port
from tests.secrets.conftest import IN_FILE

pytestmark = pytest.mark.only_on("sqlite", reason="on PostgreSQL the data are not in our files")
OPEN = 0o022  # the usual mask: everybody may read
UMASK = "import os, app; app.app; print(oct(os.umask(0)))"
VACUUM = """
import sys
from kommo.services import open_services
from kommo.settings import load
engine = open_services(load(_env_file=None)).engine
with engine.connect() as connection:
    connection.connection.driver_connection.execute("PRAGMA temp_store = FILE")
    connection.connection.driver_connection.execute("VACUUM")
"""


class Watch:
    """Looks at a folder all the time; `found` are the paths that others could read, with their modes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.found: dict[str, str] = {}
        self.seen: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def look(self) -> None:
        """Once."""
        for path in [self.folder, *self.folder.rglob("*")]:
            try:
                mode = path.lstat().st_mode
            except FileNotFoundError:
                continue
            self.seen.add(path.name)
            if mode & 0o077:
                self.found[str(path)] = stat.filemode(mode)

    def _run(self) -> None:
        while not self._ended.wait(0.005):
            self.look()

    def __enter__(self) -> "Watch":
        self.folder.mkdir(mode=0o700)
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join()
        self.look()


@pytest.fixture
def watch(settings: Settings) -> Iterator[Watch]:
    with Watch(settings.instance) as found:
        yield found


def run(settings: Settings, *command: str) -> str:
    """A command of its own, started by somebody with the usual mask; what it printed."""
    env = processes.environment(settings.instance, **IN_FILE)
    done = subprocess.run(
        [sys.executable, *command], cwd=processes.ROOT, env=env, capture_output=True, text=True, timeout=120, umask=OPEN
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def umask_of(process: int) -> int:
    """The mask of a running process."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1], 8) for line in lines if line.startswith("Umask"))


def synced(base: str, token: str) -> bool:
    """Whether a run that is asked for now ended well; refused while what was killed is taken up again."""
    return requests.post(f"{base}/sync", json={"jwtToken": token}, timeout=60).status_code == 200


def children(process: int) -> list[int]:
    """The processes that one has started."""
    return [int(text) for text in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_everything_is_closed_to_others_at_every_moment(settings: Settings, padaria: Server, watch: Watch) -> None:
    """Start, sync, backup, rotation, VACUUM, kill -9 of worker and server in the middle, and the start after it."""
    port, log = free_port(), settings.instance.parent / "server.log"
    env = processes.environment(settings.instance, PORT=str(port), KOMMO_API_URL=padaria.address, **IN_FILE)
    base = f"http://127.0.0.1:{port}/api/kommo"
    for _ in range(2):
        with log.open("ab") as file:
            child = subprocess.Popen(
                [sys.executable, "app.py", "--demo"], cwd=processes.ROOT, env=env, stdout=file, stderr=file, umask=OPEN
            )
        try:
            processes.wait_for(lambda: "pronto em" in log.read_text("utf-8"))
            processes.wait_for(lambda: synced(base, padaria.token))
            assert [umask_of(each) for each in (child.pid, *children(child.pid))] == [0o077] * 3
            run(settings, "-m", "flask", "kommo", "backup")
            run(settings, "-m", "flask", "kommo", "rotate-keys")
            run(settings, "-c", VACUUM)
            requests.post(f"{base}/sync", json={"full": True}, headers={"Prefer": "respond-async"}, timeout=60)
            for each in children(child.pid):
                os.kill(each, signal.SIGKILL)
        finally:
            child.kill()
            child.wait()
        log.write_text("")
    assert {"kommo.sqlite3", "kommo.sqlite3-wal", "queue.sqlite3", "encryption_key", "secret_key"} <= watch.seen
    assert any(name.startswith("copia-") for name in watch.seen)
    watch.look()
    assert watch.found == {}


def test_the_shell_s_mask_is_closed(settings: Settings) -> None:
    assert run(settings, "-c", UMASK).strip() == "0o77"


def test_a_backup_elsewhere_is_closed_too(settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "copia.sqlite3"
    run(settings, "-m", "flask", "kommo", "backup", str(target))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_what_somebody_has_opened_is_closed_by_the_next_start(settings: Settings) -> None:
    """A copy brought back with everybody's rights, also in the folders."""
    prepare(settings)
    for name in ("backups", "demo"):
        (settings.instance / name).mkdir()
        (settings.instance / name / "kommo.sqlite3").write_text("")
    for path in (settings.instance, *settings.instance.rglob("*")):
        path.chmod(0o777)
    outside = settings.instance.parent / "fora"
    shutil.copy(sys.executable, outside)
    outside.chmod(0o755)
    (settings.instance / "assets").symlink_to(outside)
    prepare(settings)
    modes = {
        path.name: stat.S_IMODE(path.lstat().st_mode) for path in settings.instance.rglob("*") if not path.is_symlink()
    }
    assert modes == {"backups": 0o700, "demo": 0o700, "kommo.sqlite3": 0o600}
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755  # what is elsewhere is not ours
