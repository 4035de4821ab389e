"""The way in and the pages of access as they are seen; a person goes in, turns the second factor on, and out again."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, expect

from kommo.pages import assets
from kommo.settings import ROOT
from tests import processes
from tests.browser.test_looks import _SMALL_TARGETS, SIZES, violations
from tests.browser.visitor import NARROW, Visitor, visit
from tests.conftest import make_settings

PASSWORD = "girassol tango neblina 7"
LONG = "carla.de.um-nome-bem-comprido@exemplo.com.br"
PAGES = ("/entrar", "/acesso", "/acesso/2", "/minha-conta", "/minha-conta/segundo-fator", "/", "/conexao")
OUTSIDE = {"HOST": "0.0.0.0", "KOMMO_TRUSTED_HOSTS": "painel.exemplo.com.br"}


def _shell(instance: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "flask", "kommo", *arguments]
    env = processes.environment(instance)
    subprocess.run(command, cwd=ROOT, env=env, input=f"{PASSWORD}\n", text=True, check=True, capture_output=True)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, htmx: Path) -> Iterator[str]:
    """An installation with Ana, who administers, somebody with a long name, and a key."""
    folder = tmp_path_factory.mktemp("house")
    assets.install(make_settings(folder), htmx)
    _shell(folder / "instance", "user", "add", "ana", "--password-stdin")
    _shell(folder / "instance", "user", "add", LONG, "--password-stdin")
    _shell(folder / "instance", "key", "add", "ana", "--for", "Planilha de vendas", "--scope", "read", "--days", "90")
    with processes.server(folder / "instance", "--no-worker") as (address, _):
        yield address


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory, htmx: Path) -> Iterator[str]:
    """One that others reach without HTTPS, where nobody has access yet."""
    folder = tmp_path_factory.mktemp("outside")
    assets.install(make_settings(folder), htmx)
    with processes.server(folder / "instance", "--no-worker", **OUTSIDE) as (address, _):
        yield address


def log_in(visitor: Visitor, name: str = "ana") -> None:
    visitor.open("/entrar")
    visitor.page.get_by_label("Nome").fill(name)
    visitor.page.get_by_label("Senha").fill(PASSWORD)
    visitor.page.get_by_role("button", name="Entrar").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_pages_as_they_are_seen(browser: Browser, house: str, axe: str, size: str, scheme: str) -> None:
    with visit(browser, house, size=SIZES[size], color_scheme=scheme) as visitor:
        for path in PAGES:
            visitor.open(path)
            if path == "/entrar":
                assert violations(visitor, axe) == []
                log_in(visitor)
                continue
            visitor.picture(f"people{path.replace('/', '-')}-{size}-{scheme}")
            assert not visitor.scrolls_sideways(), path
            assert violations(visitor, axe) == [], path


def test_on_a_phone_everything_of_them_can_be_hit_with_a_thumb(browser: Browser, house: str) -> None:
    with visit(browser, house, size=NARROW, has_touch=True, is_mobile=True) as visitor:
        visitor.open("/entrar")
        assert visitor.page.evaluate(_SMALL_TARGETS) == []
        log_in(visitor, LONG)
        for path in ("/minha-conta", "/"):
            visitor.open(path)
            assert visitor.page.evaluate(_SMALL_TARGETS) == [], path
            assert not visitor.scrolls_sideways()
            expect(visitor.page.get_by_role("button", name="Sair").last).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_the_first_access_says_that_the_network_reads_along(
    browser: Browser, outside: str, axe: str, size: str
) -> None:
    with visit(browser, outside, size=SIZES[size]) as visitor:
        visitor.open("/")
        expect(visitor.page).to_have_url(f"{outside}/primeiro-acesso")
        expect(visitor.page.locator(".notice.bad")).to_contain_text("sem HTTPS")
        visitor.picture(f"people-first-{size}")
        assert not visitor.scrolls_sideways()
        assert violations(visitor, axe) == []


def test_in_with_a_second_factor_and_out_again(browser: Browser, house: str) -> None:
    """The secret is read off the page, as a telephone would; a key is made and shown once."""
    with visit(browser, house) as visitor:
        page = visitor.page
        log_in(visitor, LONG)
        visitor.open("/minha-conta")
        page.get_by_label("Para qual programa").fill("Relatório")
        page.get_by_role("button", name="Criar a chave").click()
        expect(page.get_by_label("Chave, para X-API-Key")).to_have_value(re.compile("^pk_"))
        page.get_by_role("link", name="Já copiei").click()
        expect(page.locator("#made-key")).to_have_count(0)
        page.get_by_role("link", name="Ligar o segundo fator").click()
        assert page.locator(".qr").evaluate("e => e.complete && e.naturalWidth > 0")  # the CSP lets it be drawn
        secret = page.locator("#secret").inner_text().replace(" ", "")
        page.get_by_label("Código do telefone").fill(pyotp.TOTP(secret).now())
        page.get_by_label("Senha atual").fill(PASSWORD)
        page.get_by_role("button", name="Ligar").click()
        expect(page.locator(".notice.good")).to_contain_text("O segundo fator está ligado")
        page.get_by_role("button", name="Sair", exact=True).first.click()
        expect(page).to_have_url(f"{house}/entrar")
        log_in(visitor, LONG)
        next_code = pyotp.TOTP(secret).at(time.time() + 30)  # a code counts once; a clock may be half a minute off
        page.get_by_label("Código do segundo fator").fill(next_code)
        page.get_by_role("button", name="Entrar").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Painel Kommo")
