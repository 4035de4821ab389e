"""What no template may do: inline code or style, eval in htmx, trust in text, or an address written by hand."""

import re
from pathlib import Path

import pytest

from kommo.settings import ROOT

_FILES = sorted((ROOT / "templates").rglob("*.html"))
_FORBIDDEN = {
    "an inline style": r"\sstyle\s*=",
    "a <style> element": r"<style\b",
    "an inline script": r"<script(?![^>]*\bsrc=)[^>]*>",
    "an event attribute": r"<[^>]*\son[a-z]+\s*=",
    "htmx code that needs eval": r"hx-on|js:|javascript:|hx-vars|hx-trigger=\"[^\"]*\[",
    "text taken as HTML": r"\|\s*safe\b|autoescape\s+false|Markup",
    "an exclamation mark to the person": r">[^<>{}]*\w!\s*<",
    "a foreign address": r"(?:src|href|action)=\"https?://",
}


@pytest.mark.parametrize("path", _FILES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
@pytest.mark.parametrize("what", _FORBIDDEN)
def test_no_template_holds(what: str, path: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(_FORBIDDEN[what], text) == []


@pytest.mark.parametrize("path", _FILES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_every_form_that_posts_carries_its_token(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text, flags=re.DOTALL)
    assert [form[:120] for form in forms if "ui.csrf()" not in form] == []


def test_every_template_is_found_by_these_tests() -> None:
    assert {path.parent.name for path in _FILES} >= {"templates", "shared", "connection", "sync", "errors"}


def test_the_script_stays_small_and_without_eval() -> None:
    script = (ROOT / "static" / "js" / "app.js").read_text(encoding="utf-8")
    assert len(script.encode()) <= 3000
    assert not re.search(
        r"\beval\(|new Function|innerHTML|localStorage|sessionStorage|document\.write|\.style\b", script
    )
