"""`python -m bench.pictures`: takes the README's pictures of the real pages, with the demonstration account.

Starts `python app.py` on a free port and a fresh folder, does in Chromium what the README tells a person to do, and
writes docs/imagens/*.png. htmx comes from what `npm ci` brought, else from the CDN.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench.tools import ROOT, kommo, panel
from kommo.pages import assets
from kommo.settings import load

TARGET = ROOT / "docs" / "imagens"
HTMX = ROOT / "node_modules" / "htmx.org" / "dist" / "htmx.min.js"
WIDE = {"width": 1360, "height": 680}
NARROW = {"width": 390, "height": 780}
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
LARGEST = 160_000  # bytes: a README is read over a phone's connection too
CONTACTS, DEALS = "/contatos?q=joao", "/negociacoes?q=bolo&ordem=-valor"


def main() -> int:
    """Take all pictures anew; gives the exit code: 1 where a picture came out too large, 2 without a browser."""
    found = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    if not found:
        print("Falta o Chromium nesta máquina.", file=sys.stderr)
        return 2
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        instance = Path(folder) / "instance"
        assets.install(load(_env_file=None, instance=instance), HTMX if HTMX.is_file() else None)
        with panel(instance, KOMMO_ASSETS="local") as app:
            browser = playwright.chromium.launch(executable_path=found[0], args=FLAGS)
            _start(browser, app.address)
            _look_around(browser, app.address)
            browser.close()
    large = [path.name for path in sorted(TARGET.glob("*.png")) if path.stat().st_size > LARGEST]
    if large:
        print(f"Grandes demais para o README: {', '.join(large)}", file=sys.stderr)
    return 1 if large else 0


def _start(browser: Browser, address: str) -> None:
    """The first minutes: a pasted token (which goes nowhere here), the demonstration account, its first copy."""
    page = _page(browser, WIDE)
    page.goto(f"{address}/conexao")
    page.get_by_label("Token de longa duração").fill(_token())
    page.locator("#claims dl").wait_for()
    _shoot(page, "conexao")
    page.goto(address)
    page.get_by_role("button", name="Experimentar com uma conta de demonstração").click()
    page.locator("#bar-contacts").wait_for(timeout=60_000)
    _wait_for_half(page)
    _shoot(page, "sincronizacao")
    page.locator("#progress .head .badge.good").wait_for(timeout=120_000)
    _shoot(page, "conferida")
    page.context.close()


def _look_around(browser: Browser, address: str) -> None:
    for name, path, size, scheme in (
        ("visao-geral", "/", WIDE, "light"),
        ("visao-geral-escuro", "/", WIDE, "dark"),
        ("contatos", CONTACTS, WIDE, "light"),
        ("telefone", CONTACTS, NARROW, "light"),
        ("telefone-escuro", "/", NARROW, "dark"),
    ):
        page = _page(browser, size, color_scheme=scheme)
        page.goto(address + path)
        _shoot(page, name)
        page.context.close()
    page = _page(browser, WIDE)
    page.goto(address + DEALS)
    page.locator("tbody tr").filter(has_not_text="—").first.locator(".row-link").click()
    page.wait_for_url(re.compile(r"/negociacoes/\d+"))
    _shoot(page, "negociacao")
    page.context.close()


def _token() -> str:
    """A token such as Kommo gives, from a sandbox that is gone again when it is pasted."""
    with kommo(1, 0) as fake:
        return fake.token


def _wait_for_half(page: Page) -> None:
    """The page is asked anew every second: wait until it shows contacts in the middle of coming."""
    page.wait_for_function(
        "() => { const bar = document.querySelector('#bar-contacts'); if (!bar) return false;"
        " const at = bar.matches('[aria-valuenow]') ? bar : bar.querySelector('[aria-valuenow]');"
        " return at && Number(at.getAttribute('aria-valuenow')) >= 30; }",
        timeout=60_000,
    )
    page.wait_for_timeout(500)  # the bar is still on its way


def _page(browser: Browser, size: dict[str, int], **options: Any) -> Page:
    context = browser.new_context(viewport=size, locale="pt-BR", **options)  # type: ignore[arg-type]
    return context.new_page()


def _shoot(page: Page, name: str) -> None:
    path = TARGET / f"{name}.png"
    page.screenshot(path=path)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    sys.exit(main())
