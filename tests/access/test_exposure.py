"""What an answer gives away to who should not have it, and what signs what we hand out."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kommo import create_app
from tests.conftest import make_settings

pytestmark = pytest.mark.only_on("sqlite", reason="no database is asked")
PLACES = ("/", "/conexao", "/contatos", "/nada", "/api/kommo/sync", "/api/nada", "/static/js/app.js", "/entrar")
NO_PAGE = (
    "/.git/HEAD", "/.git/config", "/.env", "/.env.local", "/app.py", "/requirements.txt", "/kommo/settings.py",
    "/templates/base.html", "/migrations/env.py", "/instance/encryption_key", "/instance/kommo.sqlite3", "/instance/",
    "/static/", "/static/css/", "/static/css", "/static/../.env", "/static/%2e%2e/app.py", "/static/..%2fapp.py",
    "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/css/..%5c..%5capp.py", "/assets/", "/assets/..%2fapp.py",
    "/console", "/debug", "/phpinfo.php", "/server-status", "/actuator", "/backup.zip", "/kommo.sqlite3",
)  # fmt: skip


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:3000", "https://evil.com", "null"])
def test_no_other_origin_is_told_that_it_may_read(
    client: FlaskClient, path: str, method: str, origin: str | None
) -> None:
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-api-key"}
    with client.open(path, method=method, headers=asked | ({"Origin": origin} if origin else {})) as answer:
        assert [name for name, _ in answer.headers if name.lower().startswith("access-control-")] == []


@pytest.mark.parametrize("path", [*PLACES, "/static/css/base.css", "/static/icons/favicon.svg"])
def test_every_answer_says_its_type_and_its_encoding(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        kind = answer.headers["Content-Type"]
        if path.startswith("/api/"):
            assert kind == "application/json"  # always UTF-8, says its standard
        elif answer.data:
            assert kind.lower().endswith("; charset=utf-8")
            assert answer.data.decode("utf-8")


@pytest.mark.parametrize("path", NO_PAGE)
def test_no_file_is_served_but_those_that_are_meant(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (303, 308, 404)
    for piece in ("import", "root:", "ref:", "SQLite format", "base.css<", "Index of"):
        assert piece not in answer.text


def test_an_answer_does_not_repeat_a_request(client: FlaskClient) -> None:
    answer = client.open("/", method="TRACE", headers={"X-Secret": "canario"})
    assert answer.status_code == 405
    assert "canario" not in answer.text + str(answer.headers)


def test_it_is_never_in_debug_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With it the framework hands an exception on to the web server, which knows nothing of our words and headers."""
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = create_app(make_settings(tmp_path))
    assert (app.debug, app.testing) == (False, False)
    app.extensions["kommo"].engine.dispose()


def test_what_is_signed_is_signed_with_sha_256(app: Flask, client: FlaskClient) -> None:
    """The libraries' own choice is SHA-1, for the key that signs, too."""
    page = client.get("/conexao")
    cookie = page.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    token = page.text.partition('name="csrf-token" content="')[2].partition('"')[0]
    for signed in (cookie, token):
        assert len(signed.rpartition(".")[2]) == 43  # 32 bytes in base64
    assert client.post("/conexao/token", data={"csrf_token": token, "jwt_token": ""}).status_code == 200
    changed = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    assert client.post("/conexao/token", data={"csrf_token": changed, "jwt_token": ""}).status_code == 403
