"""Everything by keyboard: where the focus goes, and that it stays where it was when a part of the page is replaced."""

import re

from playwright.sync_api import Browser, expect

from tests.browser.panel import Panel
from tests.browser.visitor import visit


def test_the_first_stop_is_the_way_to_the_content(browser: Browser, full: Panel) -> None:
    with visit(browser, full.address) as visitor:
        visitor.open("/conexao")
        visitor.page.keyboard.press("Tab")
        skip = visitor.page.get_by_role("link", name="Ir para o conteúdo")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        visitor.page.keyboard.press("Enter")
        assert visitor.focused() == "conteudo"


def test_the_tab_key_goes_through_the_page_in_the_order_of_reading(browser: Browser, full: Panel) -> None:
    with visit(browser, full.address) as visitor:
        visitor.open("/sincronizacao")
        order = []
        for _ in range(12):
            visitor.page.keyboard.press("Tab")
            order.append(visitor.page.evaluate("document.activeElement.innerText.trim().split(/\\n/)[0]"))
        assert order == [
            "Ir para o conteúdo", "Painel Kommo", "Visão geral", "Contatos", "Negociações", "Sincronização", "Conexão",
            "Acesso", "Privacidade", "Auditoria", "?", order[11],
        ]  # fmt: skip
        assert order[11].startswith("Conferido")


def test_the_focus_can_be_seen_on_everything_that_takes_it(browser: Browser, full: Panel) -> None:
    with visit(browser, full.address) as visitor:
        visitor.open("/conexao")
        bare = []
        for _ in range(20):
            visitor.page.keyboard.press("Tab")
            seen = visitor.page.evaluate(
                "(e => ({ html: e.outerHTML.slice(0, 90), ring: parseFloat(getComputedStyle(e).outlineWidth),"
                " kind: getComputedStyle(e).outlineStyle }))(document.activeElement)"
            )
            if seen["html"].startswith("<body"):
                break
            if seen["kind"] == "none" or seen["ring"] < 2:
                bare.append(seen["html"])
        assert bare == []


def test_a_slash_goes_to_the_search_and_is_a_slash_inside_it(browser: Browser, full: Panel) -> None:
    with visit(browser, full.address) as visitor:
        visitor.open("/contatos")
        search = visitor.page.locator("input[type=search]")
        visitor.page.keyboard.press("/")
        expect(search).to_be_focused()
        expect(search).to_have_value("")
        visitor.page.keyboard.type("a/?")
        expect(search).to_have_value("a/?")
        expect(visitor.page.locator("#help")).to_be_hidden()


def test_a_question_mark_opens_the_help_and_escape_closes_it(browser: Browser, full: Panel) -> None:
    with visit(browser, full.address) as visitor:
        visitor.open("/")
        help_box = visitor.page.locator("#help")
        visitor.page.keyboard.press("?")
        expect(help_box).to_be_visible()
        expect(visitor.page.get_by_role("button", name="Fechar")).to_be_focused()
        visitor.page.keyboard.press("Escape")
        expect(help_box).to_be_hidden()
        visitor.page.get_by_role("button", name="Ajuda e atalhos do teclado").press("Enter")
        expect(help_box).to_be_visible()
        visitor.page.get_by_role("button", name="Fechar").press("Enter")
        expect(help_box).to_be_hidden()
        expect(visitor.page.get_by_role("button", name="Ajuda e atalhos do teclado")).to_be_focused()


def test_the_focus_stays_on_a_button_that_is_replaced_every_second(browser: Browser, fresh: Panel) -> None:
    with visit(browser, fresh.address) as visitor:
        page = visitor.page
        visitor.open("/conexao")
        page.get_by_label("Token de longa duração").fill(fresh.kommo.token)
        page.get_by_role("button", name="Testar e conectar").click()
        expect(page.get_by_role("button", name="Sincronizar agora")).to_be_visible()
        with fresh.held():
            page.get_by_role("button", name="Sincronizar agora").click()
            cancel = page.get_by_role("button", name="Cancelar")
            cancel.focus()
            cancel.evaluate("e => { e.dataset.old = 'yes' }")
            expect(page.locator("#cancel:not([data-old])")).to_be_visible()
            assert visitor.focused() == "cancel"


def test_the_search_keeps_focus_and_caret_while_results_come(browser: Browser, full: Panel) -> None:
    with visit(browser, full.address) as visitor:
        visitor.open("/contatos")
        search = visitor.page.locator("input[type=search]")
        search.press_sequentially("silv", delay=20)
        expect(visitor.page).to_have_url(re.compile("q=silv"))
        search.press("Home")
        visitor.page.keyboard.type("da ")
        expect(search).to_have_value("da silv")
        expect(search).to_be_focused()


def test_it_says_so_when_the_server_is_gone(browser: Browser, full: Panel) -> None:
    with visit(browser, full.address) as visitor:
        visitor.open("/conexao")
        visitor.page.route("**/conexao/token", lambda route: route.abort())
        visitor.page.get_by_label("Token de longa duração").fill("abc")
        expect(visitor.page.get_by_role("alert")).to_contain_text("O servidor não respondeu")
        visitor.page.unroute("**/conexao/token")
        visitor.page.get_by_label("Token de longa duração").fill("abcd")
        expect(visitor.page.get_by_role("alert")).to_be_hidden()
        visitor.complaints.clear()  # the browser itself complains of the aborted request
