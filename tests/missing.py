"""`python -m tests.missing`: names what this machine lacks, so that nobody takes a skipped test for a passed one."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "PostgreSQL": ("postgres",),
    "Redis": ("redis-server",),
    "systemd": ("systemd-analyze",),
    "nginx": ("nginx",),
    "Caddy": ("caddy",),
    "openssl": ("openssl",),
}


def missing() -> list[str]:
    """What tests will be skipped for, by name."""
    found = [name for name, programs in PROGRAMS.items() if not any(_there(program) for program in programs)]
    if not (ROOT / "node_modules" / "axe-core").is_dir():
        found.append("axe-core (npm)")
    return found


def _there(program: str) -> bool:
    return bool(shutil.which(program) or any(Path("/usr/lib/postgresql").glob(f"*/bin/{program}")))


if __name__ == "__main__":
    if lacking := missing():
        print(f"Faltam nesta máquina: {', '.join(lacking)}. Os testes que precisam disso ficam de fora.")
