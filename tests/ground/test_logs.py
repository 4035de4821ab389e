"""No log line holds a token, however it got there."""

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from kommo.logs import clean, formatter, redact
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


FOREIGN = [structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name]
HOSTILE = [
    "fim\n2026-11-29 level='error' event='falso'",
    "\r\n",
    "\x1b[2J\x1b]0;titulo\x07",
    "\x9b31m",
    "\u202egnp.exe",
    "\u2066a\u2069",
    "\u2028a\u2029b",
    "\x00\x7f\x08",
    "\ud800",
    "x' level='error",
    "x\\' level='error",
    'x", "level": "error',
]


def line(kind: str, message: object, *arguments: object, error: Exception | None = None) -> str:
    """A line of a foreign library's record, as it is written."""
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("x", logging.ERROR, "f.py", 1, str(message), arguments, info)
    return formatter(kind, FOREIGN).format(record)


@pytest.mark.parametrize("kind", ["text", "json"])
def test_a_records_arguments_and_traceback_are_redacted(kind: str) -> None:
    shown = line(kind, "call with %s", TOKEN, error=ValueError(f"bad {TOKEN}"))
    assert "bad [oculto]" in shown
    assert TOKEN.split(".")[1] not in shown


@pytest.mark.parametrize("kind", ["text", "json"])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_of_somebody_elses_stays_on_its_line_and_in_its_place(kind: str, text: str) -> None:
    """Whatever a name holds, a line has no control character, and the text ends where it ends."""
    for shown in (line(kind, "%s", text), line(kind, "failed", error=ValueError(text))):
        assert shown.isprintable(), ascii(shown)
        if kind == "json":
            assert json.loads(shown)["level"] == "error"
        else:
            assert re.sub(r"'(?:\\.|[^'\\])*'", "", shown).split() == [
                f"{name}=" for name in ("level", "event", "logger", "exception") if f"{name}=" in shown
            ]


@pytest.mark.parametrize("name", ["jwtToken", "access_token", "password", "senha", "SECRET_KEY", "api_key", "Cookie"])
def test_what_is_logged_under_a_secrets_name_is_hidden_whatever_it_is(name: str) -> None:
    assert clean({"a": {name: "curto"}, "b": [{name: ["curto"]}]}) == {
        "a": {name: "[oculto]"}, "b": [{name: "[oculto]"}]
    }  # fmt: skip


def test_numbers_stay_numbers() -> None:
    assert clean({"a": 1, "b": True, "c": None, "d": 0.5, "e": 10**30}) == {
        "a": 1, "b": True, "c": None, "d": 0.5, "e": str(10**30)
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["text", "json"])
def test_both_libraries_write_the_same_lines_with_the_ids_that_are_bound(kind: str, tmp_path: Path) -> None:
    """Threads of a run bear its ids; what nobody caught is a line, too; ours from INFO on, others' from WARNING on."""
    code = (
        "import logging, threading, structlog\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from kommo import logs\n"
        "from kommo.settings import load\n"
        f"logs.configure(load(_env_file=None, log_format={kind!r}))\n"
        "log = structlog.get_logger()\n"
        "with logs.bound(run=7, request='abc'):\n"
        "    log.info('ours', name='João\\n')\n"
        "    logging.getLogger('other').warning('theirs')\n"
        "    logging.getLogger('other').info('quiet')\n"
        "    with ThreadPoolExecutor(1, initializer=logs.carrier()) as pool:\n"
        "        pool.submit(log.info, 'threads').result()\n"
        "log.info('after')\n"
        "log.debug('silent')\n"
        f"raise RuntimeError('{TOKEN}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    lines = done.stderr.splitlines()
    if kind == "json":
        found = [(row["event"], row.get("run"), row.get("request")) for row in map(json.loads, lines)]
        assert json.loads(lines[0])["name"] == "João\\n"
    else:
        found = [
            (row[1], int(row[2]) if row[2] else None, row[3])
            for each in lines
            if (row := re.search(r"event='(\w+)'(?:(?=.*run=(\d+)))?(?:(?=.*request='(\w+)'))?", each))
        ]
    bound = [("ours", 7, "abc"), ("theirs", 7, "abc"), ("threads", 7, "abc")]
    assert found == [*bound, ("after", None, None), ("uncaught", None, None)]
    assert TOKEN.split(".")[1] not in done.stderr


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
