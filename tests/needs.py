"""What a test needs beside Python: skipped with a name outside CI, a failure under CI."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """End the test: what it needs is not on this machine."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI has to have it")
    pytest.skip(f"{what} is not installed")


def program(*names: str) -> str:
    """The path of the first of these programs that exists, on PATH or among Debian's PostgreSQL."""
    for name in names:
        found = shutil.which(name) or next(
            (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
        )
        if found:
            return found
    missing(names[0])
