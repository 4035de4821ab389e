"""Whatever goes wrong under /api/ is JSON of one shape, in Portuguese; the documentation knows every code."""

import re
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.exceptions import default_exceptions

from kommo.access import gate, guard
from kommo.api import PREFIX, ROUTES, errors
from kommo.api.openapi.codes import ALL
from kommo.crm import errors as crm
from kommo.crm.errors import KommoError
from kommo.sandbox import Server
from kommo.services import Services
from tests.api.conftest import Api, expect_error, expect_good
from tests.sync.accounts import connect

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"
PATHS = sorted({path.replace("<int:run_id>", "1") for _, path, *_ in ROUTES})
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW")
ALLOWED = {
    path: {method for method, other, *_ in ROUTES if other.replace("<int:run_id>", "1") == path} for path in PATHS
}


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_is_not_there(silent: Api, path: str) -> None:
    for method in METHODS:
        answer = silent.client.open(PREFIX + path, method=method)
        if method in ALLOWED[path]:
            assert answer.status_code != 405
            assert answer.get_json()["success"] in (True, False)
            continue
        body = expect_error(answer, 405, "method_not_allowed")
        assert body["message"] == "Método não aceito"
        assert ALLOWED[path] <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_a_body(silent: Api, path: str) -> None:
    answer = silent.client.head(PREFIX + path)
    assert answer.data == b""
    assert answer.status_code == (405 if "GET" not in ALLOWED[path] else silent.client.get(PREFIX + path).status_code)


@pytest.mark.parametrize(
    "path",
    [
        "/api/", "/api/kommo", "/api/kommo/", "/api/kommo/nada", "/api/kommo/contacts/", "/api/kommo/contacts/123",
        "/api/kommo/sync/abc", "/api/kommo/sync/-1", "/api/kommo/sync/1/",
        "/api/kommo/Contacts", "/api/outra", "/api/kommo/%00", "/api/kommo/%FF", "/api/kommo/<script>",
        "/api/kommo/eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
    ],
)  # fmt: skip
def test_an_address_that_is_not_there(silent: Api, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = silent.client.open(path, method=method)
        assert expect_error(answer, 404, "not_found")["message"] == "Endereço não encontrado"
        assert "eyJ" not in answer.text
        assert "<script>" not in answer.text


@pytest.mark.parametrize("path", ["/api//kommo/contacts", "/api/kommo//contacts", "/api/kommo/contacts//"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_second_slash_is_not_redirected(silent: Api, method: str, path: str) -> None:
    """A redirect would be HTML; 404 or 405, as the framework sees it."""
    answer = silent.client.open(path, method=method)
    assert answer.status_code in (404, 405)
    assert answer.get_json()["success"] is False


@pytest.mark.parametrize(
    ("environ", "status", "code"),
    [
        ({"REMOTE_ADDR": "192.168.0.7"}, 403, "not_local"),
        ({"SERVER_PROTOCOL": "HTTP/1.0"}, 403, "not_direct"),
        ({"HTTP_X_FORWARDED_FOR": "1.2.3.4"}, 403, "not_direct"),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, 403, "cross_site"),
        ({"HTTP_SEC_FETCH_SITE": "same-site"}, 403, "cross_site"),
        ({"HTTP_ORIGIN": "https://evil.com"}, 403, "cross_site"),
        ({"HTTP_ORIGIN": "null"}, 403, "cross_site"),
        ({"HTTP_HOST": "evil.com"}, 400, "unknown_host"),
    ],
)
def test_who_may_not_call(api: Api, padaria: Server, environ: dict[str, str], status: int, code: str) -> None:
    """Following a link opens a page, never the API: GETs are refused as well."""
    headers = {"Authorization": f"Bearer {padaria.token}"}
    for path in (*PATHS, "/nada"):
        for method in ("GET", "POST"):
            answer = api.client.open(PREFIX + path, method=method, environ_overrides=environ, headers=headers)
            expect_error(answer, status, code)
            assert "evil.com" not in answer.text
    assert padaria.world.requests == 0


def test_a_link_from_elsewhere_does_not_reach_the_api(silent: Api) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    expect_error(silent.client.get("/api/kommo/sync", headers=headers), 403, "cross_site")


def test_every_status_of_the_framework_has_words(app: Flask) -> None:
    """None of the framework's English reaches a caller, whatever its error says."""
    for status, kind in default_exceptions.items():
        with app.test_request_context("/api/kommo/sync"):
            answer = errors.answer(kind())
        body = answer.get_json()
        assert answer.status_code == status
        assert set(body) == {"success", "message", "error", "code"}
        assert (kind().description or HTTPStatus(status).phrase) not in body["error"] + body["message"]


def test_a_failure_of_ours_tells_nothing_of_itself(app: Flask, silent: Api, padaria: Server) -> None:
    """A program error: 500 with our words, none of its own."""

    class Broken:
        """Services that break as soon as they are used."""

    kept, app.extensions["kommo"] = app.extensions["kommo"], Broken()
    answer = silent.get("/sync")
    app.extensions["kommo"] = kept
    body = expect_error(answer, 500, "internal")
    assert "Assert" not in answer.text
    assert body["message"] == "Erro interno do servidor"


def test_a_database_that_does_not_answer(app: Flask, silent: Api) -> None:
    """Its file became a folder: the call is answered in time, and told when to come again."""
    from sqlalchemy import create_engine

    found: Services = silent.services
    gone = create_engine(f"sqlite:///{found.settings.instance / 'nada' / 'kommo.sqlite3'}")
    app.extensions["kommo"] = replace(found, engine=gone)
    answer = silent.get("/sync")
    app.extensions["kommo"] = found
    expect_error(answer, 503, "database_unavailable")
    assert answer.headers["Retry-After"] == "5"
    gone.dispose()


def _classes(kind: type[KommoError]) -> list[type[KommoError]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in _classes(child))]


def test_every_error_of_kommo_has_a_status_and_a_place_in_the_documentation() -> None:
    text = DOCS.read_text("utf-8")
    for kind in _classes(KommoError)[1:]:
        made = errors.of_kommo(kind(), "Erro ao obter contatos do KOMMO CRM")
        assert made.status in (401, 402, 403, 404, 429, 502, 503, 504)
        assert ("Retry-After" in made.headers) == (made.status in (429, 503))
        if kind is crm.Cancelled:  # of runs and of workers that end: no call of the API is told to stop
            continue
        assert re.search(rf"^\| {made.status} \|.*`{made.code}`", text, re.MULTILINE), kind


@pytest.mark.parametrize(("seconds", "header"), [(None, "60"), (0.2, "1"), (1.0, "1"), (1.5, "2"), (300, "300")])
def test_waits_are_whole_seconds_and_never_none(seconds: float | None, header: str) -> None:
    made = errors.of_kommo(crm.RateLimited(429, retry_after=seconds), "Erro")
    assert made.headers["Retry-After"] == header


def test_the_documentation_names_every_code_and_every_route() -> None:
    """Codes are collected from the source: what it can answer stands in the table, and in OpenAPI, with its status."""
    text = DOCS.read_text("utf-8")
    folder = Path(errors.__file__).parent
    source = "".join(path.read_text("utf-8") for path in sorted(folder.glob("*.py")))
    guarded = "".join(Path(str(module.__file__)).read_text("utf-8") for module in (guard, gate))
    codes = set(re.findall(r'ApiError\(\s*(\d{3}),\s*"([a-z_]+)"', source))
    codes |= {("400", code) for code in ("missing_field", "invalid_field", "invalid_json")}
    codes |= {(str(status), code) for status, (_, _, code) in errors._HTTP.items()}
    codes |= {("400", code) for code in errors._BAD_TOKENS}
    codes |= {(status, code) for status, code in re.findall(r'(\d{3}), "([a-z_]+)", _', guarded)}
    missing = [
        (status, code) for status, code in codes if not re.search(rf"^\| {status} \|.*`{code}`", text, re.MULTILINE)
    ]
    assert not missing
    assert not codes - {(str(code.status), code.name) for code in ALL}
    assert len(codes) > 22
    for method, path, *_ in ROUTES:
        address = re.escape(PREFIX + path.replace("<int:run_id>", "<número>"))
        assert re.search(rf"^\| `{address}` \| .*{method}", text, re.MULTILINE), path


def test_the_headers_of_an_answer(api: Api, padaria: Server) -> None:
    """JSON in UTF-8, that no browser keeps or takes for anything else."""
    padaria.world.update("contacts", padaria.world.ids("contacts")[0], name="João")
    for answer in (api.get("/contacts?limit=1"), api.get("/nada"), api.post("/contacts")):
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
    assert "João".encode() in api.get("/contacts?limit=1").data


def test_no_form_token_is_needed(silent: Api, padaria: Server) -> None:
    """The API takes JSON alone; the form that a page would send is refused by its type."""
    connect(silent.services, padaria)
    expect_good(silent.post("/sync", headers={"Prefer": "respond-async"}), 202)
    expect_error(silent.post("/sync", data={"userId": "1"}), 415, "wrong_content_type")
