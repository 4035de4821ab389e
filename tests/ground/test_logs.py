"""No log line holds a token, however it got there."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kommo.logs import RedactingFilter, redact
from kommo.settings import ROOT

ODD = "ewogICJhbGciOiAiUlMyNTYiCn0.ewogICJhY2NvdW50X2lkIjogMzAwMDEwMDAKfQ.c2lnbmF0dXJhLWRvLXRva2Vu-_x"
SHORT = "ewp9.ewp9.c2ln"
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhY2NvdW50X2lkIjozMDAwMTAwMH0.c2lnbmF0dXJl-_x"


@pytest.mark.parametrize(
    "line",
    [
        f"GET /api/kommo/contacts?jwtToken={TOKEN}&page=1",
        f"Authorization: Bearer {TOKEN}",
        f'{{"jwtToken": "{TOKEN}"}}',
        "GET /x?jwtToken=nem-parece-um-token&y=1",
        f"bearer%20{TOKEN}",
        f"/contatos/{TOKEN.replace('.', '%2E')}",
        f"{{'token': '{TOKEN}'}}",
    ],
)
def test_tokens_are_taken_out(line: str) -> None:
    shown = redact(line)
    assert "[oculto]" in shown
    for piece in (*TOKEN.split("."), "nem-parece-um-token"):
        assert piece not in shown


@pytest.mark.parametrize("token", [TOKEN, ODD, SHORT], ids=["usual", "its JSON begins with a line break", "short"])
@pytest.mark.parametrize(
    "line",
    [
        '{"jwtToken": "%s"}',
        r'{\"jwtToken\": \"%s\"}', r"body='{\\\"jwt_token\\\":\\\"%s\\\"}'", "{'jwtToken': ['%s']}",
        '{"jwtToken":["%s"]}', "token='%s'", "jwtToken=%s&page=1", "Authorization: Bearer %s",
    ],
)  # fmt: skip
def test_a_token_in_its_place_is_taken_out_whatever_it_looks_like(line: str, token: str) -> None:
    shown = redact(line % token)
    assert "[oculto]" in shown
    for piece in token.split("."):
        assert piece not in shown


def test_a_token_anywhere_is_taken_out_whatever_its_header_begins_with() -> None:
    assert redact(f"lido {ODD}, recusado") == "lido [oculto], recusado"


@pytest.mark.parametrize(
    "line",
    [
        "GET /contatos?q=Jo%C3%A3o&pagina=2 200 em 12 ms",
        "event='sync_over' code='token_refused' host='padaria-estrela-do-norte.kommo.com'",
        "kommo.connect.client.open_client api-c-with-a-long-name.kommo-of-somebody-else.com",
    ],
)
def test_the_rest_stays(line: str) -> None:
    assert redact(line) == line


def test_a_records_arguments_and_traceback_are_redacted() -> None:
    error = ValueError(f"bad {TOKEN}")
    info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "f.py", 1, "call with %s", (TOKEN,), info)
    assert RedactingFilter().filter(record)
    shown = logging.Formatter().format(record)
    assert "bad [oculto]" in shown
    assert TOKEN.split(".")[1] not in shown


def test_another_wsgi_server_s_log_is_redacted_too(tmp_path: Path) -> None:
    """`app:app` as a WSGI server takes it: a failure's traceback holds no token, nor the values around it."""
    code = (
        "import app, structlog\n"
        "made, token = app.app, 'eyJhbGciOiJub25lIn0.eyJhIjoxfQ.canario'\n"
        "try:\n"
        "    raise RuntimeError(token)\n"
        "except RuntimeError:\n"
        "    structlog.get_logger().exception('failed', jwtToken=token)\n"
    )
    environment = os.environ | {"KOMMO_INSTANCE": str(tmp_path / "instance")}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "failed" in done.stderr
    assert "canario" not in done.stdout + done.stderr
