"""`python -m bench [ingest] [profile] [pace] …`: all measurements, or the named ones."""

import os
import platform
import sqlite3
import sys

import structlog

from bench import accounts, curves, ingest, later, load, pace, profile, space, web

MEASUREMENTS = {
    one.__name__.removeprefix("bench."): one.measure
    for one in (ingest, profile, pace, later, accounts, space, web, load, curves)
}


def main() -> None:
    """Run what is asked for, in order."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    wanted = sys.argv[1:] or list(MEASUREMENTS)
    if unknown := [name for name in wanted if name not in MEASUREMENTS]:
        sys.exit(f"Não conheço {', '.join(unknown)}; escolha entre {', '.join(MEASUREMENTS)}.")
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores")
    for name in wanted:
        MEASUREMENTS[name]()


main()
