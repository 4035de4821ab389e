"""A person at a real browser, before whom nothing may go wrong silently."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page

WIDE = {"width": 1360, "height": 880}
NARROW = {"width": 390, "height": 844}
_WATCH_CSP = "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"
_EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of (?:404|422)")


@dataclass
class Visitor:
    """A browser page at one installation; `complaints` are errors of the console, the scripts and the CSP."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to a page of the installation."""
        self.page.goto(self.address + path)

    def scrolls_sideways(self) -> bool:
        """Whether the page is wider than the window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

    def focused(self) -> str:
        """The id, else the name, else the tag, of what has the focus."""
        return str(self.page.evaluate("(e => e.id || e.getAttribute('name') || e.tagName)(document.activeElement)"))

    def picture(self, name: str) -> None:
        """Keep a picture where SHOTS names a folder, for people to look at."""
        if folder := os.environ.get("SHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}.png")

    def hear(self, message: ConsoleMessage) -> None:
        """Note what the browser complains of; a refused form's own status is no complaint."""
        if message.type in ("error", "warning") and not _EXPECTED.match(message.text):
            self.complaints.append(f"{message.type}: {message.text}")


@contextmanager
def visit(browser: Browser, address: str, *, size: dict[str, int] | None = None, **options: Any) -> Iterator[Visitor]:
    """A fresh browser profile at an installation; fails where the browser had anything to complain of."""
    context = browser.new_context(viewport=size or WIDE, locale="pt-BR", **options)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    context.add_init_script(_WATCH_CSP)
    visitor = Visitor(context.new_page(), address)
    visitor.page.on("console", visitor.hear)
    visitor.page.on("pageerror", lambda error: visitor.complaints.append(f"script: {error}"))
    visitor.page.on("dialog", lambda dialog: (visitor.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    try:
        yield visitor
        assert visitor.complaints == []
    finally:
        context.close()
