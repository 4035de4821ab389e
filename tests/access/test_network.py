"""Over real sockets: a server that others reach, without users and with them, behind a proxy and past it."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from kommo.db import reading
from kommo.services import open_services
from kommo.settings import ROOT
from kommo.store.tables import LoginSession
from tests import databases, needs, processes
from tests.access.proxy import proxy
from tests.conftest import make_settings

pytestmark = pytest.mark.only_on("sqlite", reason="sockets and headers; the tables are tested on each engine")
NAME = "painel.exemplo.com.br"
PASSWORD = "girassol tango neblina 7"
OUTSIDE = {"HOST": "0.0.0.0", "KOMMO_TRUSTED_HOSTS": NAME}
BEHIND = {"KOMMO_TRUSTED_HOSTS": NAME, "KOMMO_PROXY_COUNT": "1"}


def own_address() -> str:
    """An address of this machine that is not loopback: who calls it comes from there. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
        return str(probe.getsockname()[0])


class Browser(requests.Session):
    """A browser that goes to an address and says it is at `NAME`; follows nothing."""

    def __init__(self, address: str, scheme: str = "http", **headers: str) -> None:
        super().__init__()
        self.address, self.scheme = address, scheme
        self.trust_env = False
        self.headers.update({"Host": NAME} | headers)
        self.jar: dict[str, str] = {}

    def go(self, path: str, method: str = "GET", **options: object) -> requests.Response:
        """One request, with the cookies of before: `requests` would keep the Secure ones back from a plain socket."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        answer = self.request(
            method, self.address + path, allow_redirects=False, timeout=60,
            headers={"Cookie": cookie, "Referer": f"{self.scheme}://{NAME}/"}, **options,  # type: ignore[arg-type]
        )  # fmt: skip
        self.jar |= {cookie.name: cookie.value or "" for cookie in answer.cookies}
        self.cookies.clear()
        return answer

    def submit(self, page: str, to: str, **fields: str) -> requests.Response:
        """A page's form, with its token."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.go(page).text)
        assert token is not None
        return self.go(to, "POST", data={"csrf_token": token[1]} | fields)

    def log_in(self) -> requests.Response:
        """As the person that `add_user` made."""
        return self.submit("/entrar", "/entrar", nome="ana", senha=PASSWORD)


def add_user(instance: Path, **values: str) -> None:
    """Ana, who administers, by the shell."""
    command = [sys.executable, "-m", "flask", "kommo", "user", "add", "ana", "--password-stdin"]
    env = processes.environment(instance, **values)
    subprocess.run(command, cwd=ROOT, env=env, input=f"{PASSWORD}\n", text=True, check=True, capture_output=True)


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server that the network reaches, without a proxy: its address from there, and its log."""
    folder = tmp_path_factory.mktemp("outside")
    with processes.server(folder / "instance", "--no-worker", **OUTSIDE) as (address, _):
        yield address.replace("127.0.0.1", own_address()), folder / "server.log"


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server that counts on one proxy, with Ana: its own address, and its folder."""
    folder = tmp_path_factory.mktemp("behind")
    add_user(folder / "instance", **BEHIND)
    with processes.server(folder / "instance", "--no-worker", **BEHIND) as (address, _):
        yield address, folder


def test_without_users_others_get_no_further_than_the_first_one_s_set_up(outside: tuple[str, Path]) -> None:
    address, log = outside
    stranger = Browser(address)
    for path in ("/", "/contatos", "/conexao", "/acesso", "/minha-conta", "/entrar", "/nada"):
        answer = stranger.go(path)
        assert (answer.status_code, answer.headers.get("Location")) == (303, "/primeiro-acesso"), path
    for path in ("/api/kommo/contacts", "/api/kommo/sync", "/api/nada"):
        answer = stranger.go(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "login_required"), path
    told = stranger.go("/primeiro-acesso")
    assert told.status_code == 200
    assert "sem HTTPS" in told.text  # said before anybody types a password
    code = re.search(r"digite o código ([A-Z2-7-]{34})", log.read_text())
    assert code is not None
    assert code[1] not in told.text
    form = {"nome": "ana", "senha": PASSWORD, "senha_de_novo": PASSWORD}
    wrong = stranger.submit("/primeiro-acesso", "/primeiro-acesso", codigo="AAAA-BBBB-CCCC-DDDD", **form)
    assert (wrong.status_code, "Este não é o código" in wrong.text) == (422, True)
    made = stranger.submit("/primeiro-acesso", "/primeiro-acesso", codigo=code[1].lower(), **form)
    assert (made.status_code, made.headers["Location"]) == (303, "/")
    assert stranger.go("/acesso").status_code == 200
    assert "sem HTTPS" in stranger.go("/").text
    assert list(stranger.jar) == ["painel_kommo"]
    another = Browser(address)
    assert another.go("/primeiro-acesso").status_code == 404
    assert another.go("/contatos?q=a").headers["Location"] == "/entrar?next=/contatos?q%3Da"
    assert another.log_in().status_code == 303
    assert another.go("/contatos").status_code == 200


@pytest.mark.parametrize("host", ["evil.com", "127.0.0.1", "localhost", f"{NAME}.evil.com", f"x.{NAME}", ""])
def test_others_have_to_call_it_by_its_name(outside: tuple[str, Path], host: str) -> None:
    """A name of this machine itself is for calls from it: a page elsewhere could point its own name here."""
    answer = Browser(outside[0], Host=host).go("/entrar")
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


def test_a_proxy_that_nobody_counted_is_refused(outside: tuple[str, Path]) -> None:
    with proxy(outside[0]) as address:
        answer = Browser(address).go("/api/kommo/sync")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_direct")


def test_behind_a_proxy_with_https_the_cookie_is_for_this_host_and_https_alone(behind: tuple[str, Path]) -> None:
    with proxy(behind[0]) as address:
        person = Browser(address, "https")
        cookie = person.go("/entrar").headers["Set-Cookie"]
        assert cookie.startswith("__Host-painel_kommo=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
        before = dict(person.jar)
        answer = person.log_in()
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        assert person.jar != before
        page = person.go("/")
        assert page.status_code == 200
        assert "sem HTTPS" not in page.text
        kept = dict(person.jar)
        assert person.submit("/", "/sair").status_code == 303
        person.jar = kept
        assert person.go("/").headers["Location"] == "/entrar"  # ended on the server: the cookie is worth nothing


def test_what_a_caller_writes_into_the_proxy_s_headers_is_not_believed(behind: tuple[str, Path]) -> None:
    address, folder = behind
    spoofed = {
        "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Host": "evil.com", "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil", "Forwarded": "for=203.0.113.8;host=evil.com", "X-Real-Ip": "203.0.113.9",
    }  # fmt: skip
    with proxy(address) as through:
        person = Browser(through, "https", **spoofed)
        assert person.go("/contatos").headers["Location"] == "/entrar?next=/contatos"
        assert person.log_in().status_code == 303
        assert "evil" not in person.go("/").text
    services = open_services(make_settings(folder))
    with reading(services.engine) as session:
        assert set(session.scalars(select(LoginSession.address))) == {"127.0.0.1"}
    services.engine.dispose()


def test_plain_http_is_refused_in_words(behind: tuple[str, Path]) -> None:
    with proxy(behind[0], "http") as address:
        for headers in ({}, {"X-Forwarded-Proto": "https"}):
            answer = Browser(address, **headers).go("/entrar")
            assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/plain; charset=utf-8")
            assert answer.text == "Este painel só atende por HTTPS: abra o mesmo endereço com https://."
            assert "Set-Cookie" not in answer.headers
            assert Browser(address, **headers).go("/api/kommo/sync").json()["code"] == "not_https"


def test_this_machine_itself_needs_no_proxy_but_a_login(behind: tuple[str, Path]) -> None:
    probe = Browser(behind[0], Host="127.0.0.1")
    assert probe.go("/static/js/app.js").status_code == 200
    assert probe.go("/").headers["Location"] == "/entrar"
    assert probe.go("/api/kommo/sync").json()["code"] == "login_required"


def test_as_many_proxies_as_were_counted(tmp_path: Path) -> None:
    """Two: one alone is somebody who came past the first."""
    values = {"HOST": "0.0.0.0", "KOMMO_TRUSTED_HOSTS": NAME, "KOMMO_PROXY_COUNT": "2"}
    add_user(tmp_path / "instance", **values)
    with processes.server(tmp_path / "instance", "--no-worker", **values) as (address, _), proxy(address) as inner:
        assert Browser(inner, "https").go("/api/kommo/sync").json()["code"] == "not_by_proxy"
        with proxy(inner) as outer:
            assert Browser(outer, "https").log_in().status_code == 303
        with proxy(inner, "http") as outer:
            assert Browser(outer).go("/api/kommo/sync").json()["code"] == "not_https"
        past = Browser(address.replace("127.0.0.1", own_address()))
        assert past.go("/api/kommo/sync").json()["code"] == "not_by_proxy"


@pytest.mark.parametrize("how", ["closed", "nowhere"])
def test_without_a_user_and_without_a_console_it_does_not_start(tmp_path: Path, how: str) -> None:
    env = processes.environment(tmp_path / "instance", PORT=str(databases.free_port()), **BEHIND)
    command = f"exec {sys.executable} app.py --no-worker {'>&-' if how == 'closed' else '>/dev/null'}"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "Ninguém tem acesso ainda, e não há console que mostre o código do primeiro: "
        "rode `flask kommo user add` e inicie de novo.\n"
    )


def _certificate(folder: Path) -> None:
    names = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", "privkey.pem"]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        *names,
        "-out",
        "fullchain.pem",
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def _nginx(folder: Path, panel: str, port: int, plain: int) -> list[str]:
    """The command that starts the documented nginx, with a certificate of our own, on a port of ours."""
    text = (ROOT / "docs" / "deploy" / "nginx.conf").read_text("utf-8")
    text = text.replace(f"/etc/letsencrypt/live/{NAME}", str(folder)).replace("http://127.0.0.1:3000", panel)
    text = re.sub(r"listen \[::\].*", "", text.replace("listen 80;", f"listen 127.0.0.1:{plain};"))
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;")
    paths = "".join(f"{name}_temp_path {folder}; " for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/log; events {{}} http {{ access_log off; {paths}\n{text} }}"
    )
    return ["nginx", "-p", str(folder), "-e", str(folder / "log"), "-c", str(folder / "nginx.conf")]


def _caddy(folder: Path, panel: str, port: int, plain: int) -> list[str]:
    """The same of the documented Caddy, which would get a certificate by itself where the name is in the world."""
    text = (ROOT / "docs" / "deploy" / "Caddyfile").read_text("utf-8")
    text = text.replace("127.0.0.1:3000", panel.removeprefix("http://"))
    text = text.replace(f"http://{NAME} {{", f"http://{NAME}:{plain} {{\n\tbind 127.0.0.1")
    own = f"\nhttps://{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls {folder}/fullchain.pem {folder}/privkey.pem"
    (folder / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https off\n}\n" + text.replace(f"\n{NAME} {{", own))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


@pytest.mark.parametrize(("name", "prepare"), [("nginx", _nginx), ("caddy", _caddy)])
def test_the_documented_proxies_let_people_in_by_https(
    behind: tuple[str, Path], tmp_path: Path, name: str, prepare: Callable[[Path, str, int, int], list[str]]
) -> None:
    """What a browser writes into the headers is not believed there either."""
    needs.program("openssl")
    needs.program(name)
    port, plain = databases.free_port(), databases.free_port()
    _certificate(tmp_path)
    command = prepare(tmp_path, behind[0], port, plain)
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {"HOME": str(tmp_path)})
    try:
        spoofed = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.com"}
        person = Browser(f"https://127.0.0.1:{port}", "https", **spoofed)
        person.verify = str(tmp_path / "fullchain.pem")
        person.mount("https://", _ByName())
        processes.wait_for(lambda: _answers(port))
        assert person.log_in().status_code == 303
        assert person.go("/").status_code == 200
        assert list(person.jar) == ["__Host-painel_kommo"]
        assert "203.0.113.7" not in person.go("/minha-conta").text
        page, call = (
            requests.get(f"http://127.0.0.1:{plain}{path}", headers={"Host": NAME}, allow_redirects=False, timeout=30)
            for path in ("/contatos", "/api/kommo/sync")
        )
        assert (page.status_code, page.headers["Location"]) == (301, f"https://{NAME}/contatos")
        assert call.status_code == 403, "a program has to know, not to be led on with its key in the clear"
    finally:
        child.terminate()
        child.wait(30)


class _ByName(requests.adapters.HTTPAdapter):
    """Takes the certificate of `NAME` from an address."""

    def init_poolmanager(self, *args: object, **options: object) -> None:
        super().init_poolmanager(*args, assert_hostname=NAME, server_hostname=NAME, **options)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
