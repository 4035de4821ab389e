"""Every pair of colours that the stylesheets put on one another reaches AA, in light and in dark."""

import re

import pytest

from kommo.settings import ROOT

_SHEETS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "static" / "css").glob("*.css")}
_TEXT, _SHAPE = 4.5, 3.0
GROUNDS = ("ground", "surface", "raised", "side-ground")
TEXT = [
    *[(ink, ground) for ink in ("ink", "ink-2", "ink-3", "accent") for ground in GROUNDS],
    *[(kind, ground) for kind in ("good", "warning", "bad") for ground in (*GROUNDS, f"{kind}-tint")],
    *[(ink, tint) for ink in ("ink", "ink-2") for tint in ("accent-tint", "neutral-tint", "faint")],
    ("accent", "accent-tint"),
    ("on-accent", "accent"),
]
SHAPES = [
    *[(shape, ground) for shape in ("edge", "accent") for ground in GROUNDS],
    ("accent", "faint"),
    ("warning", "faint"),
    ("bad", "faint"),
]


def _tokens(scheme: str) -> dict[str, str]:
    light, dark = _SHEETS["tokens.css"].split("@media screen and (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    return found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark)) if scheme == "dark" else found


def _luminance(colour: str) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours by WCAG 2: 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_the_known_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_is_readable(scheme: str, ink: str, ground: str) -> None:
    tokens = _tokens(scheme)
    assert contrast(tokens[ink], tokens[ground]) >= _TEXT


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_edges_and_bars_are_visible(scheme: str, shape: str, ground: str) -> None:
    tokens = _tokens(scheme)
    assert contrast(tokens[shape], tokens[ground]) >= _SHAPE


def test_every_colour_is_a_token_with_a_dark_twin() -> None:
    light, dark = _tokens("light"), _tokens("dark")
    dark_block = _SHEETS["tokens.css"].split("@media screen and (prefers-color-scheme: dark)")[1]
    assert [name for name in light if f"--{name}:" not in dark_block] == []
    assert set(light) == set(dark)
    strays = {
        name: re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*;)", text)
        for name, text in _SHEETS.items()
        if name != "tokens.css"
    }
    assert not any(strays.values()), strays


def test_every_token_that_is_used_exists_and_every_one_that_exists_is_used() -> None:
    everything = "".join(_SHEETS.values())
    defined = set(re.findall(r"--([\w-]+):", everything))
    used = set(re.findall(r"var\(--([\w-]+)", everything))
    assert used <= defined
    assert defined <= used


def test_the_styles_stay_small() -> None:
    assert sum(len(text.encode()) for text in _SHEETS.values()) <= 36_000
