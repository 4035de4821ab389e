"""Every switch changes something a client can see, and the test of each says what."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from kommo.sandbox import MovableClock, Switches, World, switches

from . import looks_reading, looks_rest  # noqa: F401 - they fill LOOKS
from .conftest import Api
from .looks import LOOKS

CASES = [(name, value) for name, (_, seen) in LOOKS.items() for value in seen]


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{name}={value}" for name, value in CASES])
def test_what_a_switch_does(api: Api, world: World, clock: MovableClock, name: str, value: Any) -> None:
    watch, seen = LOOKS[name]
    world.turn(**{name: value})

    assert watch(api, world, clock) == seen[value]


def test_every_switch_and_every_choice_has_a_case() -> None:
    assert set(LOOKS) == {one.name for one in fields(Switches)}
    for one in fields(Switches):
        assert one.default in LOOKS[one.name][1], one.name
        assert len(LOOKS[one.name][1]) >= 2, one.name


def test_every_switch_says_what_it_does() -> None:
    text = Path(switches.__file__).read_text("utf-8")

    for one in fields(Switches):
        assert re.search(rf'^    {one.name}: .*\n    """.+\."""$', text, re.MULTILINE), one.name


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"banana": True}, "unknown switch: banana"),
        ({"events": "off"}, "events cannot be 'off'"),
        ({"link_bumps": 1}, "link_bumps cannot be 1"),
        ({"page_cap": True}, "page_cap cannot be True"),
    ],
)
def test_a_wrong_switch_turns_none(world: World, settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        world.turn(eager_next=True, **settings)
    assert world.switches == Switches()
