"""Every page, wide and narrow, light and dark: nothing scrolls sideways, targets are large, axe finds nothing."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.panel import Panel
from tests.browser.visitor import NARROW, WIDE, Visitor, visit

PAGES = (
    "/", "/contatos", "/contatos?q=zzzzqqq", "/negociacoes", "/sincronizacao", "/conexao", "/conexao/1/desconectar",
    "/nada", "record:/contatos", "record:/negociacoes", "run:/sincronizacao", "/sincronizacao/agenda", "/api/docs",
    "/privacidade", "found:/privacidade", "person:/privacidade", "erase:/privacidade", "/auditoria",
)  # fmt: skip
SIZES = {"wide": WIDE, "narrow": NARROW}
_SMALL_TARGETS = """
() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
  .filter(e => e.checkVisibility() && !e.closest('p, .sr-only, .hint') && !e.matches('.skip, .sr-only'))
  .map(e => {
    const grown = getComputedStyle(e, '::after'), box = e.getBoundingClientRect();
    const over = grown.position === 'absolute' && grown.content !== 'none';
    const wraps = {'.row-link': 'tr', '.stages a': 'li', '[type=radio], [type=checkbox]': 'label'};
    const wrap = Object.keys(wraps).filter(kind => e.matches(kind)).map(kind => wraps[kind])[0];
    const {width, height} = wrap ? e.closest(wrap).getBoundingClientRect() : box;
    const extra = over && !wrap ? 22 : 0;
    return [e.outerHTML.slice(0, 120), Math.round(width + extra), Math.round(height + extra)];
  })
  .filter(([_, width, height]) => width < 44 || height < 44)
"""


_OF_A_PERSON = ("found", "person", "erase")


def _find_somebody(visitor: Visitor, kind: str) -> None:
    """Search, go on to the first one, ask to erase them: as far as `kind` says."""
    page = visitor.page
    page.get_by_role("searchbox").fill("silva")
    page.get_by_role("button", name="Procurar").click()
    expect(page.locator("#found-title")).to_be_visible()
    if kind != "found":
        page.locator(".row-link").first.click()
        expect(page).to_have_url(re.compile(r"/pessoas/\d+"))
    if kind == "erase":
        page.get_by_role("link", name="Apagar esta pessoa").click()
        expect(page).to_have_url(re.compile(r"/apagar"))


def show(visitor: Visitor, page: str) -> str:
    """Open a page of the list above; gives a name for its picture."""
    kind, _, path = page.rpartition(":")
    visitor.open(path)
    if kind in _OF_A_PERSON:
        _find_somebody(visitor, kind)
    elif kind:
        visitor.page.locator(".row-link").first.click()
        expect(visitor.page).to_have_url(re.compile(rf"{path}/\d+"))
    return re.sub(r"\W+", "-", f"{kind}{path}").strip("-") or "inicio"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_as_it_is_seen(browser: Browser, full: Panel, axe: str, page: str, size: str, scheme: str) -> None:
    with visit(browser, full.address, size=SIZES[size], color_scheme=scheme) as visitor:
        name = show(visitor, page)
        visitor.picture(f"{name}-{size}-{scheme}")
        assert not visitor.scrolls_sideways()
        assert violations(visitor, axe) == []


@pytest.mark.parametrize("page", PAGES)
def test_on_a_phone_everything_can_be_hit_with_a_thumb(browser: Browser, full: Panel, page: str) -> None:
    with visit(browser, full.address, size=NARROW, has_touch=True, is_mobile=True) as visitor:
        show(visitor, page)
        assert visitor.page.evaluate(_SMALL_TARGETS) == []


def test_on_a_phone_five_places_stand_at_the_bottom(browser: Browser, full: Panel) -> None:
    with visit(browser, full.address, size=NARROW) as visitor:
        visitor.open("/contatos")
        bar = visitor.page.locator("nav.nav")
        assert [link.inner_text() for link in bar.get_by_role("link").all()] == [
            "Visão geral", "Contatos", "Negociações", "Sincronização", "Conexão",
        ]  # fmt: skip
        box = bar.bounding_box()
        assert box is not None
        assert (box["x"], round(box["y"] + box["height"])) == (0, NARROW["height"])
        for link in bar.get_by_role("link").all():
            assert link.evaluate("e => e.scrollWidth <= e.clientWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_states_that_come_and_go_are_accessible_too(browser: Browser, fresh: Panel, axe: str, scheme: str) -> None:
    with visit(browser, fresh.address, color_scheme=scheme) as visitor:
        page = visitor.page
        for path in ("/", "/sincronizacao", "/conexao"):
            visitor.open(path)
            assert violations(visitor, axe) == [], path
        page.get_by_label("Token de longa duração").fill("nada")
        expect(page.locator("#claims .notice")).to_be_visible()
        assert violations(visitor, axe) == []
        page.get_by_label("Token de longa duração").fill(fresh.kommo.token)
        expect(page.locator("#claims dl")).to_be_visible()
        assert violations(visitor, axe) == []
        page.get_by_role("button", name="Testar e conectar").click()
        expect(page.get_by_role("heading", name="Teste da conexão")).to_be_focused()
        assert violations(visitor, axe) == []
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        assert violations(visitor, axe) == []
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Sincronizar agora").click()
        page.wait_for_url("**/sincronizacao*")
        assert violations(visitor, axe) == []


def violations(visitor: Visitor, axe: str) -> list[Any]:
    """What axe-core objects to on the page: rule, what it is about, where."""
    visitor.page.evaluate(axe)
    report = visitor.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [(one["id"], one["help"], [node["html"][:160] for node in one["nodes"]][:4]) for one in report["violations"]]
