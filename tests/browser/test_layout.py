"""What stands where at every width, on paper and above the page: no name is lost, menus close, a warning is seen."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from kommo.services import open_services
from kommo.store.connections import DEFAULT_OWNER
from tests.browser.panel import Panel
from tests.browser.visitor import NARROW, WIDE, Visitor, visit
from tests.factories import make_account

WIDTHS = (800, 900, 1024, 1100, 1240, 1241, 1280, 1440)
LISTS = ("/contatos", "/negociacoes")
_WIDTHS_OF_ROWS = """
() => [...document.querySelectorAll('#results tbody tr')].map(row => {
  const shown = [...row.cells].filter(cell => cell.offsetWidth);
  return shown.map(cell => cell.getBoundingClientRect().width);
})
"""
_CLIPPED = """
() => [...document.querySelectorAll('.card')]
  .filter(card => [...card.querySelectorAll('td, th')].some(
    cell => !cell.closest('.sr-only') && cell.getBoundingClientRect().right > card.getBoundingClientRect().right + 1))
  .map(card => card.outerHTML.slice(0, 100))
"""
_CUT_STAGES = """
() => [...document.querySelectorAll('#results td .way')]
  .filter(way => way.offsetWidth)
  .map(way => [way.querySelector('.first'), way.querySelector('.first ~ .cut')])
  .filter(([first, stage]) => stage.scrollWidth > stage.clientWidth && first.clientWidth > 40)
  .map(([_, stage]) => stage.textContent)
"""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", LISTS)
def test_a_list_never_loses_the_names(browser: Browser, full: Panel, path: str, width: int) -> None:
    with visit(browser, full.address, size={"width": width, "height": 800}) as visitor:
        visitor.open(path)
        rows: list[list[float]] = visitor.page.evaluate(_WIDTHS_OF_ROWS)
        assert len(rows) == 50
        assert min(cells[0] for cells in rows) >= 120
        if width <= 1240:  # two lines a row
            assert all(max(cells) == cells[0] for cells in rows)
        assert visitor.page.evaluate(_CLIPPED) == []
        assert visitor.page.evaluate(_CUT_STAGES) == []
        assert not visitor.scrolls_sideways()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["/", "/sincronizacao", "/sincronizacao/agenda", "/contatos/1", "/negociacoes/1"])
def test_nothing_is_clipped_between_phone_and_desktop(browser: Browser, full: Panel, path: str, width: int) -> None:
    with visit(browser, full.address, size={"width": width, "height": 800}) as visitor:
        visitor.open(path)
        assert visitor.page.evaluate(_CLIPPED) == []
        assert not visitor.scrolls_sideways()


def test_the_result_of_a_run_has_room(browser: Browser, full: Panel) -> None:
    for width in WIDTHS:
        with visit(browser, full.address, size={"width": width, "height": 800}) as visitor:
            visitor.open("/sincronizacao")
            assert box(visitor, "#history tbody td:nth-child(3)")["width"] >= 220, width


@pytest.mark.parametrize("path", LISTS)
def test_the_menu_of_people_closes_by_escape_and_by_going_elsewhere(browser: Browser, full: Panel, path: str) -> None:
    with visit(browser, full.address) as visitor:
        page = visitor.page
        visitor.open(path)
        menu, summary = page.locator("details.menu"), page.locator("details.menu summary")
        summary.click()
        menu.locator("input").first.check()
        expect(page).to_have_url(re.compile("responsavel="))
        expect(menu).to_have_attribute("open", "")
        page.keyboard.press("Escape")
        expect(menu).not_to_have_attribute("open", "")
        expect(summary).to_be_focused()
        summary.press("Enter")
        expect(menu).to_have_attribute("open", "")
        page.locator("h1").click()
        expect(menu).not_to_have_attribute("open", "")
        summary.click()
        page.keyboard.press("Shift+Tab")
        expect(menu).not_to_have_attribute("open", "")
        expect(page.locator("input[type=search]")).to_be_focused()


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_switch_of_accounts_floats_and_closes(browser: Browser, fresh: Panel, size: dict[str, int]) -> None:
    services = open_services(fresh.settings)
    for number, name in enumerate(("Padaria Estrela", "Oficina Norte")):
        make_account(services.engine, DEFAULT_OWNER, name, 30001000 + number)
    services.engine.dispose()
    with visit(browser, fresh.address, size=size) as visitor:
        page = visitor.page
        visitor.open("/conexao")
        switcher, summary = page.locator("details.switcher"), page.locator("details.switcher summary")
        height = page.evaluate("document.documentElement.scrollHeight")
        summary.click()
        expect(switcher.get_by_role("link").last).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollHeight") == height
        page.keyboard.press("Escape")
        expect(switcher).not_to_have_attribute("open", "")
        expect(summary).to_be_focused()
        summary.click()
        page.locator("h1").click()
        expect(switcher).not_to_have_attribute("open", "")


def test_the_chip_looks_like_the_choices_beside_it(browser: Browser, full: Panel) -> None:
    for size in ({"width": 1280, "height": 800}, NARROW):
        with visit(browser, full.address, size=size) as visitor:
            visitor.open("/negociacoes")
            looks = "e => [getComputedStyle(e).fontSize, getComputedStyle(e).borderColor, e.offsetHeight]"
            chip = visitor.page.locator(".chip").evaluate(looks)
            assert [each.evaluate(looks) for each in visitor.page.locator(".select").all()] == [chip, chip]


def test_on_a_phone_the_filters_stand_in_two_columns(browser: Browser, full: Panel) -> None:
    with visit(browser, full.address, size=NARROW) as visitor:
        visitor.open("/negociacoes")
        search, people, pipeline, stage = (box(visitor, name) for name in (".search", ".chip", "#funil", "#etapa"))
        assert people["y"] == pipeline["y"] < stage["y"]
        assert people["width"] == pytest.approx(pipeline["width"], abs=1)
        assert search["width"] == stage["width"]


def test_on_a_phone_the_account_is_one_block(browser: Browser, full: Panel) -> None:
    with visit(browser, full.address, size=NARROW) as visitor:
        visitor.open("/contatos/1")
        name, address = box(visitor, ".account-name"), box(visitor, ".account > .muted")
        assert 0 <= address["y"] - (name["y"] + name["height"]) <= 4


@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, {"width": 718, "height": 1000}])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_stands_the_content_alone(browser: Browser, full: Panel, size: dict[str, int], scheme: str) -> None:
    with visit(browser, full.address, size=size, color_scheme=scheme) as visitor:
        page = visitor.page
        page.emulate_media(media="print")
        for path in ("/", *LISTS, "/contatos/1", "/sincronizacao"):
            visitor.open(path)
            for gone in (".side", ".nav", ".filters", ".head-actions", ".pager nav", ".help"):
                assert not any(each.is_visible() for each in page.locator(gone).all()), (path, gone)
            expect(page.locator("h1")).to_be_visible()
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
            assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(0, 0, 0)"
            assert not visitor.scrolls_sideways()
        for path in LISTS:
            visitor.open(path)
            for name in page.locator(".row-link").all()[:50]:
                assert name.evaluate("e => e.clientWidth") >= 120
            assert page.locator("thead").evaluate("e => getComputedStyle(e).display") == "table-header-group"
            expect(page.locator("tbody time").first).to_be_visible()


@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, NARROW])
def test_a_missing_answer_is_said_where_one_looks(browser: Browser, full: Panel, size: dict[str, int]) -> None:
    with visit(browser, full.address, size=size) as visitor:
        page = visitor.page
        visitor.open("/contatos")
        page.mouse.wheel(0, 900)
        page.wait_for_function("scrollY > 300")
        at = page.evaluate("document.querySelector('#results').getBoundingClientRect().top")
        page.evaluate("document.body.dispatchEvent(new CustomEvent('htmx:sendError', {bubbles: true}))")
        said = page.get_by_role("alert")
        expect(said).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.querySelector('#results').getBoundingClientRect().top") == at
        assert said.evaluate("e => document.elementFromPoint(e.offsetLeft + 20, e.offsetTop + 20) === e")


def box(visitor: Visitor, selector: str) -> Any:
    """Where the first such element stands."""
    return visitor.page.locator(selector).first.bounding_box()
