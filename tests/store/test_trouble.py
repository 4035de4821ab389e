"""A database in trouble, as its drivers tell it, and what a person is told; a bug is none."""

import sqlite3

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from kommo.store import trouble
from kommo.store.trouble import Trouble
from tests.pages.dom import parse

NUL = "PostgreSQL text fields cannot contain NUL (0x00) bytes"


def of_sqlite(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("said in English")
    error.sqlite_errorcode = code
    return error


def of_postgresql(code: str | None) -> psycopg.OperationalError:
    error = psycopg.OperationalError("said in English")
    error.sqlstate = code
    return error


CASES: list[tuple[Exception, Trouble | None]] = [
    (of_sqlite(sqlite3.SQLITE_FULL), trouble.FULL),
    (of_sqlite(sqlite3.SQLITE_IOERR | 3 << 8), trouble.DISK),  # extended: of a write
    (of_sqlite(sqlite3.SQLITE_READONLY), trouble.DISK),
    (of_sqlite(sqlite3.SQLITE_CANTOPEN), trouble.DISK),
    (of_sqlite(sqlite3.SQLITE_BUSY), trouble.HELD),
    (of_sqlite(sqlite3.SQLITE_CORRUPT), trouble.DAMAGED),
    (of_sqlite(sqlite3.SQLITE_NOTADB), trouble.DAMAGED),
    (of_sqlite(sqlite3.SQLITE_ERROR), None),  # no such table
    (of_postgresql("53100"), trouble.FULL),
    (of_postgresql("53300"), trouble.AWAY),
    (of_postgresql("57P01"), trouble.AWAY),
    (of_postgresql(None), trouble.AWAY),
    (of_postgresql("25006"), trouble.DISK),
    (of_postgresql("40P01"), trouble.HELD),
    (of_postgresql("XX001"), trouble.DAMAGED),
    (of_postgresql("42P01"), None),
]


@pytest.mark.parametrize(("cause", "found"), CASES, ids=lambda value: "")
def test_what_the_driver_says_is_understood(cause: Exception, found: Trouble | None) -> None:
    assert trouble.of(OperationalError("SELECT 1", {}, cause)) is found
    assert trouble.explained(OperationalError("SELECT 1", {}, cause)) is (found or trouble.AWAY)


def test_what_is_no_trouble() -> None:
    assert trouble.of(NoConnectionFree()) is trouble.AWAY
    assert trouble.of(of_sqlite(sqlite3.SQLITE_FULL)) is trouble.FULL
    for error in (ValueError(), ProgrammingError("", {}, psycopg.ProgrammingError()),
                  IntegrityError("", {}, sqlite3.IntegrityError())):  # fmt: skip
        assert trouble.of(error) is None


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (OperationalError("", {}, of_sqlite(sqlite3.SQLITE_FULL)), 503, "O disco do servidor está cheio"),
        (OperationalError("", {}, of_sqlite(sqlite3.SQLITE_CORRUPT)), 503, "restaure a última cópia de segurança"),
        (OperationalError("", {}, of_sqlite(sqlite3.SQLITE_ERROR)), 500, ""),
        (DataError("", {}, psycopg.DataError(NUL)), 400, ""),
    ],
)
def test_pages_and_api_answer_alike(
    app: Flask, client: FlaskClient, error: Exception, status: int, sentence: str
) -> None:
    def fail() -> str:
        raise error

    app.config["PROPAGATE_EXCEPTIONS"] = False
    paths = ("/falha", "/api/falha")
    for number, path in enumerate(paths):
        app.add_url_rule(path, f"fails{number}", fail)
    for number, path in enumerate(paths):
        answer = client.get(path)
        assert answer.status_code == status
        words = parse(answer).text if number == 0 else f"{answer.json['message']} {answer.json['error']}"
        assert sentence in words
        assert "English" not in words and "NUL" not in words
        assert answer.headers.get("Retry-After") == ("5" if sentence.startswith("O disco") else None)
    fragment = client.get("/falha", headers={"HX-Request": "true"})
    assert fragment.mimetype == "text/plain" and sentence in fragment.text
