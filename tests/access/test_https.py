"""Over HTTPS the browser is told to stay there, and the session's cookie goes nowhere else."""

import re

import pytest
from flask.testing import FlaskClient

pytestmark = pytest.mark.only_on("sqlite", reason="headers and cookies of a page without an account")
HTTPS = "https://127.0.0.1:3000"


def cookie(answer) -> str:
    """The cookie that an answer sets."""
    (found,) = answer.headers.getlist("Set-Cookie")
    return found


@pytest.mark.parametrize("path", ["/conexao", "/nada", "/api/kommo/sync", "/static/css/base.css", "/healthz"])
def test_the_browser_is_told_to_stay_with_https(client: FlaskClient, path: str) -> None:
    answer = client.get(path, base_url=HTTPS)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    answer.close()
    plain = client.get(path)
    assert "Strict-Transport-Security" not in plain.headers  # it would lock http://127.0.0.1 out of every program
    plain.close()


def test_the_cookie_over_https_is_of_this_host_alone(client: FlaskClient) -> None:
    found = cookie(client.get("/conexao", base_url=HTTPS))
    name, *attributes = found.split("; ")
    assert name.startswith("__Host-painel_kommo=")
    assert set(attributes) == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


def test_the_cookie_on_this_machine_works_without_https(client: FlaskClient) -> None:
    name, *attributes = cookie(client.get("/conexao")).split("; ")
    assert name.startswith("painel_kommo=")
    assert set(attributes) == {"HttpOnly", "Path=/", "SameSite=Lax"}


def test_a_form_works_with_either(client: FlaskClient) -> None:
    """Its token is in the session: the cookie that was set is the one that is read."""
    for base in (HTTPS, "http://127.0.0.1:3000"):
        page = client.get("/conexao", base_url=base).text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token is not None
        form = {"csrf_token": token[1], "jwt_token": "nada"}
        headers = {"Origin": base, "Referer": f"{base}/conexao"}
        assert client.post("/conexao", base_url=base, data=form, headers=headers).status_code == 422
        assert client.post("/conexao", base_url=base, data={"jwt_token": "nada"}, headers=headers).status_code == 403


def test_a_cookie_that_plain_http_has_set_is_not_read_over_https(client: FlaskClient) -> None:
    """Whoever can speak plain HTTP under our name must not choose the session of those who come by HTTPS."""
    page = client.get("/conexao").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token is not None
    form = {"csrf_token": token[1], "jwt_token": "nada"}
    headers = {"Origin": HTTPS, "Referer": f"{HTTPS}/conexao"}
    assert client.post("/conexao", base_url=HTTPS, data=form, headers=headers).status_code == 403
