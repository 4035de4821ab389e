"""How a client sees what each switch does: a register that the modules beside this one fill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kommo.sandbox import MovableClock, World

from .conftest import Api

Look = Callable[[Api, World, MovableClock], Any]
LOOKS: dict[str, tuple[Look, dict[Any, Any]]] = {}


def look(**wanted: dict[Any, Any]) -> Callable[[Look], Look]:
    """Register how to see one switch (the keyword) and what is seen under each of its values."""

    def register(function: Look) -> Look:
        for name, seen in wanted.items():
            LOOKS[name] = (function, seen)
        return function

    return register
