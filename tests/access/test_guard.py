"""Closed by default: only direct callers from this machine, and no other site's pages."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

pytestmark = pytest.mark.only_on("sqlite", reason="who is refused has asked no database")
FORWARDED = (
    "X_FORWARDED_SSL", "X_FORWARDED_SCHEME", "X_FORWARDED_PROTOCOL", "X_FORWARDED_PREFIX", "X_FORWARDED_URI",
    "X_FORWARDED_USER", "X_FORWARDED_CLIENT_CERT", "X_FORWARDED_OF_TOMORROW", "X_FORWARDED",
    "X_ORIGINAL_FORWARDED_HOST", "X_ORIGINAL_URL", "X_ORIGINAL_HOST", "X_NGINX_PROXY", "FLY_CLIENT_IP",
    "X_APPENGINE_USER_IP", "CF_VISITOR",
)  # fmt: skip
PAGE, API = "/sincronizacao", "/api/kommo/sync"


def _cross_site(mode: str, destination: str) -> dict[str, str]:
    """What a browser says of a request that another site's page caused."""
    return {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_SEC_FETCH_MODE": mode, "HTTP_SEC_FETCH_DEST": destination}


@pytest.mark.parametrize("path", [PAGE, API, "/static/js/app.js", "/nada", "/api/nada"])
@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"REMOTE_ADDR": "192.168.0.7"}, 403),
        ({"REMOTE_ADDR": "8.8.8.8"}, 403),
        ({"REMOTE_ADDR": ""}, 403),
        ({"SERVER_PROTOCOL": "HTTP/1.0"}, 403),
        ({"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 403),
        ({"HTTP_FORWARDED": "for=127.0.0.1"}, 403),
        ({"HTTP_X_REAL_IP": "127.0.0.1"}, 403),
        ({"HTTP_VIA": "1.1 proxy"}, 403),
        ({"HTTP_X_FORWARDED_PROTO": "https"}, 403),
        *[({f"HTTP_{name}": "x"}, 403) for name in FORWARDED],
        ({"HTTP_HOST": "evil.com"}, 400),
        ({"HTTP_HOST": "127.0.0.1.evil.com"}, 400),
        ({"HTTP_HOST": "localhost.evil.com:3000"}, 400),
        ({"HTTP_HOST": ""}, 400),
        ({"HTTP_HOST": "127.999.999.999"}, 400),
        ({"HTTP_HOST": "127.1"}, 400),
        ({"HTTP_HOST": "8.8.8.8"}, 400),
        ({"HTTP_HOST": "127.0.0.1:٣٠٠٠"}, 400),
        ({"REQUEST_URI": "http://evil.com/"}, 400),
        ({"REQUEST_URI": "http://127.0.0.1@evil.com/"}, 400),
        ({"REQUEST_URI": "http://127.0.0.1.evil.com?x"}, 400),
        ({"REQUEST_URI": "evil.com:443"}, 400),
        ({"HTTP_HOST": "192.168.0.7:3000"}, 400),
        ({"HTTP_ORIGIN": "http://evil.com"}, 403),
        ({"HTTP_ORIGIN": "null"}, 403),
        ({"HTTP_ORIGIN": "http://127.0.0.1:4000"}, 403),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, 403),
        ({"HTTP_SEC_FETCH_SITE": "same-site"}, 403),
        (_cross_site("no-cors", "image"), 403),
        (_cross_site("navigate", "iframe"), 403),
    ],
)
def test_who_may_not_call_is_refused_in_words(
    client: FlaskClient, path: str, environ: dict[str, str], status: int
) -> None:
    answer = client.get(path, environ_overrides=environ)
    assert answer.status_code == status
    if path.startswith("/api/"):
        assert answer.json["success"] is False
        assert {"message", "error", "code"} <= set(answer.json)
    else:
        assert answer.mimetype == "text/plain"
        assert "<" not in answer.text


@pytest.mark.parametrize(
    "environ",
    [
        {"HTTP_HOST": "localhost:3000"},
        {"HTTP_HOST": "[::1]:3000", "REMOTE_ADDR": "::1"},
        {"HTTP_HOST": "LOCALHOST"},
        {"HTTP_HOST": "127.255.0.1:80"},
        {"REQUEST_URI": "HTTP://127.0.0.1:3000/sincronizacao"},
        {"HTTP_X_REQUESTED_WITH": "x", "HTTP_X_ORIGIN": "y"},
        {"REMOTE_ADDR": "127.0.0.2"},
        {"HTTP_SEC_FETCH_SITE": "same-origin"},
        {"HTTP_SEC_FETCH_SITE": "none"},
        {"HTTP_HOST": "127.0.0.1:3000", "HTTP_ORIGIN": "http://127.0.0.1:3000"},
        _cross_site("navigate", "document"),
    ],
)
def test_people_at_this_machine_are_let_in(client: FlaskClient, environ: dict[str, str]) -> None:
    assert client.get(PAGE, environ_overrides=environ).status_code == 200


def test_a_followed_link_opens_pages_only(client: FlaskClient) -> None:
    link = _cross_site("navigate", "document")
    assert client.get(API, environ_overrides=link).status_code == 403
    assert client.post(PAGE, environ_overrides=link).status_code == 403


def test_every_form_needs_its_token(app: Flask, client: FlaskClient) -> None:
    """Walks every route: what changes something takes a CSRF token, or JSON only."""
    walked = 0
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}):
            path = rule.rule
            for name in rule.arguments:
                path = path.replace(f"<int:{name}>", "1").replace(f"<{name}>", "1")
                path = path.replace(f"<any_int:{name}>", "1").replace(f"<id:{name}>", "1")
            answer = client.open(path, method=method, data={"jwt_token": "x"})
            expected = (415,) if rule.rule.startswith("/api/") else (403,)
            assert answer.status_code in expected, (rule.rule, method, answer.status_code)
            walked += 1
    assert walked >= 8


@pytest.mark.parametrize(
    "path", ["/", PAGE, "/conexao", "/contatos", "/nada", API, "/api/nada", "/static/css/base.css"]
)
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    headers = answer.headers
    answer.close()
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    if not path.startswith("/static"):
        assert headers["Cache-Control"] == "no-store"


def test_a_large_body_is_refused(client: FlaskClient) -> None:
    body = b"x" * (65 * 1024)
    assert client.post("/conexao", data=body, content_type="application/x-www-form-urlencoded").status_code == 413
    answer = client.post(API, data=body, content_type="application/json")
    assert (answer.status_code, answer.json["success"]) == (413, False)


@pytest.mark.parametrize("query", ["q=%ff", "userId=%fe", "a=1&userId=Jo%E3o", "userId=%C3", "userId=%ED%A0%80"])
def test_an_address_that_is_no_utf_8_is_refused(client: FlaskClient, query: str) -> None:
    """Otherwise `%ff` and `%fe` might name one owner."""
    name = query.rpartition("&")[2].partition("=")[0]
    said = client.get(f"{API}?{query}")
    assert (said.status_code, said.json["code"], said.json["field"]) == (400, "invalid_field", name)
    assert f"O parâmetro {name} do endereço não está em UTF-8." in said.json["error"]
    page = client.get(f"/contatos?{query}")
    assert (page.status_code, page.mimetype) == (400, "text/html")
    assert f"O parâmetro {name} do endereço não está em UTF-8" in page.text


def test_a_parameters_name_has_to_be_utf_8_too(client: FlaskClient) -> None:
    assert client.get(f"{API}?%ff=1").status_code == 400


@pytest.mark.parametrize("query", ["userId=Jo%C3%A3o", "userId=a%zz", "userId=100%", "q=a+b", "", "&&=&", "userId=🙂"])
def test_every_other_address_is_read(client: FlaskClient, query: str) -> None:
    assert client.get(f"{API}?{query}").status_code == 200
