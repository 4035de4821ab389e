"""What tests have to say beside passing: counts and tables at the end of a run, from however many processes."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest

COUNT, TIME = "told-count", "told-time"  # names of pytest's user properties, which reach the process that reports


def count(request: pytest.FixtureRequest, what: str, number: int = 1) -> None:
    """Add to a count that the end of the run names."""
    request.node.user_properties.append((COUNT, (what, number)))


def took(request: pytest.FixtureRequest, table: str, what: str, seconds: float) -> None:
    """Note how long something took, for a table at the end of the run; nothing is asserted about it."""
    request.node.user_properties.append((TIME, (table, what, seconds)))


def tell(reporter: pytest.TerminalReporter) -> None:
    """Print all that was counted and noted."""
    properties = [one for report in _reports(reporter) for one in report.user_properties]
    counts: Counter[str] = Counter()
    times: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for name, value in properties:
        if name == COUNT:
            counts[value[0]] += value[1]
        elif name == TIME:
            times[value[0]][value[1]].append(value[2])
    for table, rows in times.items():
        reporter.write_sep("-", table)
        reporter.write_line("| O quê | Vezes | Segundos, mediana | Segundos, máximo |")
        reporter.write_line("|---|---|---|---|")
        for what, seconds in rows.items():
            seconds.sort()
            middle, most = seconds[len(seconds) // 2], seconds[-1]
            reporter.write_line(f"| {what} | {len(seconds)} | {middle:.1f} | {most:.1f} |".replace(".", ","))
    for what, number in counts.items():
        reporter.write_line(f"{what}: {number}")


def _reports(reporter: pytest.TerminalReporter) -> Iterable[pytest.TestReport]:
    for outcome in ("passed", "failed"):
        yield from (one for one in reporter.stats.get(outcome, []) if one.when == "call")
