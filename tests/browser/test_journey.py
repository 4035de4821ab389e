"""The main job at a browser: paste a token, test, synchronise, watch, search, open a record."""

import re
from contextlib import ExitStack
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, expect

from tests.browser.panel import Panel, Steps
from tests.browser.visitor import NARROW, Visitor, visit


def connect(visitor: Visitor, token: str) -> None:
    """From the empty form to the report of a good test."""
    page = visitor.page
    visitor.open("/conexao")
    visitor.picture("conexao-vazia")
    page.get_by_label("Token de longa duração").fill(f" Bearer {token}\n")
    claims = page.locator("#claims dl")
    expect(claims).to_contain_text("30001000")
    expect(claims.locator(".badge.good")).to_have_count(5)
    visitor.picture("conexao-token")
    page.get_by_role("button", name="Testar e conectar").click()
    expect(page.get_by_role("heading", name="Teste da conexão")).to_be_focused()
    expect(page.locator(".step.ok").first).to_contain_text("Servidor alcançado")
    expect(page.locator(".account-name")).to_have_text("Padaria Estrela")
    visitor.picture("conexao-teste")


def watch(visitor: Visitor, steps: Steps | None = None) -> list[int]:
    """What the contacts' bar shows from the first sight of the run to its end, each change once; told to `steps`."""
    bar = visitor.page.locator("#bar-contacts [role=progressbar]")
    badge = visitor.page.locator("#progress .head .badge")
    seen: list[int] = []
    while badge.inner_text().split()[0] in ("Na", "Em"):
        now = int(bar.get_attribute("aria-valuenow") or 0)
        if now not in seen[-1:]:
            seen.append(now)
            if steps:
                steps.seen(len([percent for percent in seen if 0 < percent < 100]))
            if 20 < now < 80:
                visitor.picture("sincronizacao-andamento")
        visitor.page.wait_for_timeout(150)
    return seen


def test_from_a_pasted_token_to_an_open_record(browser: Browser, fresh: Panel) -> None:
    with visit(browser, fresh.address) as visitor:
        page = visitor.page
        connect(visitor, fresh.kommo.token)
        fresh.kommo.world.before_request = steps = Steps()
        page.get_by_role("button", name="Sincronizar agora").click()
        page.wait_for_url("**/sincronizacao*")
        expect(page.locator("#progress [role=progressbar]")).to_have_count(3)
        seen = watch(visitor, steps)
        assert len([percent for percent in seen if 0 < percent < 100]) >= 2, seen
        assert seen == sorted(seen)
        expect(page.locator("#progress .head .badge")).to_have_text("Conferida")
        expect(page.locator(".outcome")).to_contain_text("6.000 no Kommo, 6.000 aqui")
        expect(page.locator("#side .count").first).to_have_text("6.000")
        expect(page.locator("#spoken")).to_contain_text("conferida")
        visitor.picture("sincronizacao-pronta")

        page.get_by_role("link", name=re.compile("^Contatos")).first.click()
        expect(page.locator(".row-link")).to_have_count(50)
        visitor.picture("contatos")
        name = page.locator(".row-link").nth(45).inner_text().strip()
        typed = name[:12].lower()
        page.locator("input[type=search]").press_sequentially(typed, delay=15)
        page.wait_for_url(lambda address: parse_qs(urlsplit(address).query).get("q") == [typed])
        expect(page.locator(".row-link").first).to_contain_text(name.split()[0])
        assert visitor.focused() == "q"
        visitor.picture("contatos-busca")
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        visitor.picture("contato")
        page.go_back()
        expect(page.locator("input[type=search]")).to_have_value(typed)


def test_a_second_tab_shows_the_same_run_and_a_closed_one_does_not_stop_it(browser: Browser, fresh: Panel) -> None:
    with visit(browser, fresh.address) as second, ExitStack() as stack:
        with visit(browser, fresh.address) as first:
            connect(first, fresh.kommo.token)
            stack.enter_context(fresh.held())
            first.page.get_by_role("button", name="Sincronizar agora").click()
            first.page.wait_for_url("**/sincronizacao*")
        second.open("/sincronizacao")
        expect(second.page.get_by_role("button", name="Cancelar")).to_be_visible()
        stack.close()
        expect(second.page.locator("#progress .head .badge")).to_have_text("Conferida", timeout=60_000)
        expect(second.page.locator("#history tbody tr")).to_have_count(1)


def test_a_run_can_be_cancelled_from_the_page(browser: Browser, fresh: Panel) -> None:
    with visit(browser, fresh.address) as visitor:
        page = visitor.page
        connect(visitor, fresh.kommo.token)
        with fresh.held():
            page.get_by_role("button", name="Sincronizar agora").click()
            with page.expect_response("**/cancelar*"):
                page.get_by_role("button", name="Cancelar").click()
        expect(page.locator("#progress .head .badge")).to_have_text("Cancelada", timeout=30_000)
        expect(page.get_by_role("button", name="Sincronizar agora")).to_be_visible()


def test_a_token_kommo_refuses_is_told_and_not_given_back(browser: Browser, fresh: Panel) -> None:
    fresh.kommo.world.revoke(fresh.kommo.token)
    with visit(browser, fresh.address) as visitor:
        page = visitor.page
        visitor.open("/conexao")
        page.get_by_label("Token de longa duração").fill(fresh.kommo.token)
        page.get_by_role("button", name="Testar e conectar").click()
        expect(page.get_by_role("heading", name="O teste não passou")).to_be_focused()
        expect(page.get_by_label("Token de longa duração")).to_have_value("")
        expect(page.locator("#token-error")).to_contain_text("cole-o outra vez")
        visitor.picture("conexao-recusado")


def test_the_same_without_javascript(browser: Browser, fresh: Panel) -> None:
    with visit(browser, fresh.address, java_script_enabled=False) as visitor:
        page = visitor.page
        visitor.open("/conexao")
        page.get_by_label("Token de longa duração").fill(fresh.kommo.token)
        page.get_by_role("button", name="Testar e conectar").click()
        expect(page.get_by_role("heading", name="Teste da conexão")).to_be_visible()
        page.get_by_role("button", name="Sincronizar agora").click()
        seen = watch(visitor)  # the page reloads by itself
        assert seen == sorted(seen)
        expect(page.locator("#progress .head .badge")).to_have_text("Conferida")
        visitor.picture("sincronizacao-sem-javascript")
        visitor.open("/contatos")
        name = page.locator(".row-link").nth(3).inner_text().strip()
        page.locator("input[type=search]").fill(name)
        page.locator("input[type=search]").press("Enter")
        expect(page).to_have_url(re.compile(r"[?&]q="))
        expect(page.locator(".row-link").first).to_be_visible()
        page.locator(".row-link").first.click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert re.search(r"/contatos/\d+", page.url)


def test_the_same_on_a_phone_in_the_dark(browser: Browser, fresh: Panel) -> None:
    with visit(browser, fresh.address, size=NARROW, color_scheme="dark", has_touch=True, is_mobile=True) as visitor:
        page = visitor.page
        connect(visitor, fresh.kommo.token)
        with fresh.held():
            page.get_by_role("button", name="Sincronizar agora").tap()
            page.wait_for_url("**/sincronizacao*")
            expect(page.locator("#progress .head .badge")).to_contain_text("Em andamento")
        assert watch(visitor)
        expect(page.locator("#progress .head .badge")).to_have_text("Conferida")
        page.get_by_role("link", name="Contatos").tap()
        page.locator("input[type=search]").fill("silva")
        expect(page).to_have_url(re.compile(r"[?&]q=silva"))
        page.locator(".row-link").first.tap()
        expect(page).to_have_url(re.compile(r"/contatos/\d+"))
        assert not visitor.scrolls_sideways()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 20, 19)"


def test_the_demonstration_account_in_one_click(browser: Browser, fresh: Panel) -> None:
    with visit(browser, fresh.address) as visitor:
        visitor.open("/")
        visitor.picture("inicio")
        button = visitor.page.get_by_role("button", name=re.compile("conta de demonstração"))
        button.click()
        expect(visitor.page.get_by_text("Preparando a demonstração…")).to_be_visible()
        expect(button).to_be_disabled()
        visitor.page.wait_for_url("**/sincronizacao*", timeout=60_000)
        expect(visitor.page.get_by_text("valores são inventados")).to_be_visible()
        expect(visitor.page.locator("#progress")).to_be_visible()
