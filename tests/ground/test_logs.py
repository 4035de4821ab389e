"""No log line holds a token, however it got there."""

import logging

import pytest

from kommo.logs import RedactingFilter, redact

TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhY2NvdW50X2lkIjozMDAwMTAwMH0.c2lnbmF0dXJl-_x"


@pytest.mark.parametrize(
    "line",
    [
        f"GET /api/kommo/contacts?jwtToken={TOKEN}&page=1",
        f"Authorization: Bearer {TOKEN}",
        f'{{"jwtToken": "{TOKEN}"}}',
        "GET /x?jwtToken=nem-parece-um-token&y=1",
        f"bearer%20{TOKEN}",
        f"{{'token': '{TOKEN}'}}",
    ],
)
def test_tokens_are_taken_out(line: str) -> None:
    shown = redact(line)
    assert "[oculto]" in shown
    for piece in (*TOKEN.split("."), "nem-parece-um-token"):
        assert piece not in shown


def test_the_rest_stays() -> None:
    line = "GET /contatos?q=Jo%C3%A3o&pagina=2 200 em 12 ms"
    assert redact(line) == line


def test_a_records_arguments_and_traceback_are_redacted() -> None:
    error = ValueError(f"bad {TOKEN}")
    info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "f.py", 1, "call with %s", (TOKEN,), info)
    assert RedactingFilter().filter(record)
    shown = logging.Formatter().format(record)
    assert "bad [oculto]" in shown
    assert TOKEN.split(".")[1] not in shown
