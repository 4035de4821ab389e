"""How often the promises are tried: a sample in `make test`, the full numbers by `make soak`, which adds them up.

`python -m tests.promises.soak` runs PARTS with SOAK set and prints the tables of docs/reliability.md.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

PARTS = ("tests/promises", "tests/fire/test_faults.py")  # the second prints a table of its own: each fault's recovery
ROOT = Path(__file__).resolve().parents[2]
FULL = bool(os.environ.get("SOAK"))
SHARE = float(os.environ.get("SOAK_SHARE", "100")) / 100  # of the full numbers, where there is less time
_FIGURES = "SOAK_FIGURES"  # the file that the tests' processes add their figures to
SEEDS, KILLS, COMMITS, TAKEOVERS, FAULTS, EXAMPLES, RUNS, CALLS = (
    "sementes de movimento",
    "kill -9",
    "mortes numa gravação",
    "tomadas de um trabalhador parado",
    "falhas injetadas",
    "histórias do Hypothesis",
    "sincronizações comparadas valor por valor",
    "chamadas inventadas a partir do documento da API",
)


def often(sample: int, full: int) -> int:
    """How many repetitions to make now."""
    return max(sample, round(full * SHARE)) if FULL else sample


def some(numbers: Sequence[int], sample: int) -> list[int]:
    """All of these numbers in a soak; otherwise a sample, the same each time, with the first and the last."""
    sample = often(sample, len(numbers))
    if len(numbers) <= sample:
        return list(numbers)
    if sample < 2:
        return [numbers[len(numbers) // 2]]
    inner = random.Random(len(numbers)).sample(numbers[1:-1], sample - 2)
    return sorted({numbers[0], numbers[-1], *inner})


def note(figure: str, number: int = 1) -> None:
    """Add to a figure of the soak that is under way, if one is: one line, so that processes do not mix theirs."""
    if path := os.environ.get(_FIGURES):
        with Path(path).open("a") as file:
            file.write(json.dumps({figure: number}) + "\n")


def main() -> int:
    """Run the soak; gives pytest's exit code."""
    seed = os.environ.get("SOAK_SEED", "20261124")
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        figures, report = Path(folder) / "figures", Path(folder) / "report.xml"
        command = [
            sys.executable, "-m", "pytest", "-q", "-n", os.environ.get("WORKERS", "auto"), "-o", "timeout=3600",
            f"--hypothesis-seed={seed}", f"--junitxml={report}", *PARTS, *sys.argv[1:],
        ]  # fmt: skip
        code = subprocess.run(command, cwd=ROOT, env=os.environ | {"SOAK": "1", _FIGURES: str(figures)}).returncode
        counted: Counter[str] = Counter()
        for line in figures.read_text().splitlines() if figures.exists() else []:
            counted.update(json.loads(line))
        tests, failed = _outcome(report)
    _table(counted, tests, failed, seed, time.monotonic() - begin)
    return code


def _outcome(report: Path) -> tuple[int, int]:
    """How many tests were run, and how many of them found a promise broken."""
    text = report.read_text() if report.exists() else ""
    found = {name: int(number) for name, number in re.findall(r' (tests|failures|errors)="(\d+)"', text)}
    return found.get("tests", 0), found.get("failures", 0) + found.get("errors", 0)


def _table(counted: Counter[str], tests: int, failed: int, seed: str, seconds: float) -> None:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    rows = [("testes", tests), *((name, counted[name]) for name in (SEEDS, KILLS, COMMITS, TAKEOVERS, FAULTS, EXAMPLES,
            RUNS, CALLS)), ("violações", failed), ("segundos", round(seconds)), ("semente", seed),
            ("parte dos números inteiros", f"{SHARE:.0%}"),
            ("data", datetime.now(UTC).strftime("%d/%m/%Y")), ("revisão", commit.strip())]  # fmt: skip
    print("\n| Medida | Número |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    sys.exit(main())
