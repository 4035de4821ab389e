"""The guard where others are served: under named hosts only, through the counted proxies only, by HTTPS."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from kommo import create_app
from kommo.settings import SettingError
from tests.conftest import make_settings

pytestmark = pytest.mark.only_on("sqlite", reason="who is refused has asked no database")
NAME = "painel.exemplo.com.br"
PROXIED = {
    "HTTP_HOST": NAME, "REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.7",
    "HTTP_X_FORWARDED_PROTO": "https",
}  # fmt: skip
SEEN = "/static/js/app.js"  # needs nobody: whether it is reached is the guard's word alone


def _client(tmp_path: Path, **values: Any) -> FlaskClient:
    app = create_app(make_settings(tmp_path, **values))
    return app.test_client()


@pytest.fixture
def proxied(tmp_path: Path) -> FlaskClient:
    """Behind one proxy, which ends HTTPS."""
    return _client(tmp_path, trusted_hosts="painel.exemplo.com.br, outro.exemplo", proxy_count=1)


@pytest.fixture
def network(tmp_path: Path) -> FlaskClient:
    """On a network card, without a proxy."""
    return _client(tmp_path, host="0.0.0.0", trusted_hosts="painel,192.168.0.7")


def _get(client: FlaskClient, environ: dict[str, str], path: str = SEEN) -> tuple[int, str]:
    answer = client.get(path, environ_overrides={"SERVER_PROTOCOL": "HTTP/1.1"} | environ)
    text = answer.text if answer.status_code >= 400 else ""
    answer.close()
    return answer.status_code, text


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HTTP_HOST": "PAINEL.exemplo.com.br:443"},
        {"HTTP_HOST": "outro.exemplo"},
        {"SERVER_PROTOCOL": "HTTP/1.0"},  # nginx' default towards us
        {"HTTP_X_FORWARDED_FOR": "6.6.6.6, 203.0.113.7"},
        {"HTTP_X_FORWARDED_PROTO": "http, https"},
        {"HTTP_X_REAL_IP": "203.0.113.7", "HTTP_VIA": "1.1 Caddy"},
        {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ORIGIN": f"https://{NAME}"},
    ],
)
def test_through_the_proxy_people_get_in(proxied: FlaskClient, environ: dict[str, str]) -> None:
    assert _get(proxied, PROXIED | environ) == (200, "")


@pytest.mark.parametrize(
    ("environ", "status", "said"),
    [
        ({"HTTP_HOST": "evil.com"}, 400, "KOMMO_TRUSTED_HOSTS"),
        ({"HTTP_HOST": f"{NAME}.evil.com"}, 400, "KOMMO_TRUSTED_HOSTS"),
        ({"HTTP_HOST": f"evil.com@{NAME}"}, 400, "KOMMO_TRUSTED_HOSTS"),
        ({"HTTP_HOST": ""}, 400, "KOMMO_TRUSTED_HOSTS"),
        ({"REQUEST_URI": "http://evil.com/"}, 400, "KOMMO_TRUSTED_HOSTS"),
        ({"HTTP_X_FORWARDED_HOST": "evil.com", "HTTP_HOST": "evil.com"}, 400, "KOMMO_TRUSTED_HOSTS"),
        ({"HTTP_X_FORWARDED_PROTO": "http"}, 403, "https://"),
        ({"HTTP_X_FORWARDED_PROTO": "https, http"}, 403, "https://"),
        ({"HTTP_X_FORWARDED_PROTO": ""}, 403, "https://"),
        ({"HTTP_X_FORWARDED_FOR": "", "REMOTE_ADDR": "198.51.100.4"}, 403, "endereço público"),
        ({"HTTP_X_FORWARDED_FOR": " ,", "REMOTE_ADDR": "198.51.100.4"}, 403, "endereço público"),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, 403, "outro site"),
        ({"HTTP_ORIGIN": "https://evil.com"}, 403, "outro site"),
        ({"HTTP_ORIGIN": f"http://{NAME}"}, 403, "outro site"),
    ],
)
def test_any_other_way_is_refused_in_words(
    proxied: FlaskClient, environ: dict[str, str], status: int, said: str
) -> None:
    found, text = _get(proxied, PROXIED | environ)
    assert found == status
    assert said in text
    refused, body = _get(proxied, PROXIED | environ, "/api/kommo/sync")
    assert refused == status
    assert '"success":false' in body


def test_a_forwarded_host_is_not_believed(proxied: FlaskClient) -> None:
    answer = proxied.get("/sincronizacao", environ_overrides=PROXIED | {"HTTP_X_FORWARDED_HOST": "evil.com"})
    assert "evil.com" not in str(answer.headers) + answer.text


def test_a_call_from_the_machine_itself_needs_no_proxy_but_a_login(proxied: FlaskClient) -> None:
    direct = {"HTTP_HOST": "127.0.0.1:3000", "REMOTE_ADDR": "127.0.0.1"}
    assert _get(proxied, direct) == (200, "")
    assert _get(proxied, direct, "/api/kommo/sync")[0] == 401
    assert _get(proxied, direct | {"HTTP_X_REAL_IP": "203.0.113.7"})[0] == 403


def test_on_a_network_named_hosts_are_served(network: FlaskClient) -> None:
    here = {"REMOTE_ADDR": "192.168.0.20", "HTTP_HOST": "192.168.0.7:3000"}
    assert _get(network, here) == (200, "")
    assert _get(network, here | {"HTTP_HOST": "painel"}) == (200, "")
    assert _get(network, here | {"HTTP_HOST": "127.0.0.1"})[0] == 400
    assert _get(network, here | {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost"}) == (200, "")
    assert _get(network, here | {"HTTP_X_FORWARDED_FOR": "203.0.113.7"})[0] == 403
    assert _get(network, here, "/api/kommo/sync")[0] == 401


@pytest.mark.parametrize("values", [{"host": "0.0.0.0"}, {"proxy_count": 1}, {"host": "192.168.0.7"}])
def test_serving_others_without_names_is_refused(tmp_path: Path, values: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="KOMMO_TRUSTED_HOSTS"):
        create_app(make_settings(tmp_path, **values))


@pytest.mark.parametrize("names", ["https://painel", "painel/", "a b", "*", "painel:3000", "x" * 254])
def test_names_that_are_none_are_refused(tmp_path: Path, names: str) -> None:
    with pytest.raises(SettingError, match="KOMMO_TRUSTED_HOSTS"):
        make_settings(tmp_path, trusted_hosts=names)


def test_with_names_the_person_at_the_machine_needs_a_login_too(tmp_path: Path) -> None:
    client = _client(tmp_path, trusted_hosts="painel")
    assert _get(client, {"HTTP_HOST": "127.0.0.1", "REMOTE_ADDR": "127.0.0.1"}, "/api/kommo/sync")[0] == 401


def test_the_database_is_not_asked_before_the_guard(proxied: FlaskClient) -> None:
    """A stranger under another name learns nothing and costs nothing."""
    asked: list[str] = []
    engine = proxied.application.extensions["kommo"].engine
    event.listen(engine, "before_cursor_execute", lambda _c, _cursor, statement, *_: asked.append(statement))
    assert _get(proxied, PROXIED | {"HTTP_HOST": "evil.com"}, "/")[0] == 400
    assert asked == []
    assert _get(proxied, PROXIED, "/")[0] == 303
    assert asked, "whoever is let through is looked up"
