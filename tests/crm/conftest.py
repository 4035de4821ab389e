"""Kommo's sandbox on a real socket, and clients of it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from kommo.crm.client import Kommo
from kommo.crm.transport import Transport
from kommo.sandbox import OFICINA, MovableClock, Server, make_world, serve
from tests.crm.budgets import Unlimited
from tests.crm.people import NOW

Opener = Callable[..., Kommo]


@pytest.fixture(scope="module")
def library() -> Iterator[Server]:
    """Padaria Estrela with several pages of everything, for tests that only read."""
    with serve(make_world(contacts=620, deals=280, clock=MovableClock(NOW))) as server:
        yield server


@pytest.fixture
def shop() -> Iterator[Server]:
    """Padaria Estrela, small, for tests that change it."""
    with serve(make_world(contacts=40, deals=20, clock=MovableClock(NOW))) as server:
        yield server


@pytest.fixture
def workshop() -> Iterator[Server]:
    """Oficina Norte: another account on another host."""
    with serve(make_world(OFICINA, contacts=30, deals=10, clock=MovableClock(NOW))) as server:
        yield server


@pytest.fixture
def open_kommo() -> Iterator[Opener]:
    """Opens clients that never pause; `open_kommo(server, token=…, attempts=…)`."""
    with ExitStack() as stack:

        def opener(server: Server, *, token: str | None = None, timeout: float = 60.0, **options: Any) -> Kommo:
            transport = stack.enter_context(Transport(server.address, token or server.token, timeout=timeout))
            budget = options.pop("budget", None) or Unlimited()
            return Kommo(transport, budget, **{"delay": 0.0, "attempts": 0} | options)

        yield opener


@pytest.fixture
def kommo(library: Server, open_kommo: Opener) -> Kommo:
    """A client of the big account."""
    return open_kommo(library)
