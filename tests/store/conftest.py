"""Three copies that overlap in every id: Ana's bakery and workshop, and Bruno's copy of the bakery."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kommo.db import reading
from kommo.services import Services
from kommo.store.tables import Connection
from tests.factories import ANA, BRUNO, make_account, store_catalogues


@dataclass(frozen=True, slots=True)
class Copies:
    """A database with three connected accounts and the bakery's catalogues in Ana's copy."""

    engine: Engine
    bakery: Connection
    workshop: Connection
    brunos: Connection


@pytest.fixture
def copies(services: Services) -> Copies:
    """The three accounts, on each engine."""
    found = Copies(
        engine=services.engine,
        bakery=make_account(services.engine, ANA, "Padaria Estrela", 30001000),
        workshop=make_account(services.engine, ANA, "Oficina Norte", 30002000),
        brunos=make_account(services.engine, BRUNO, "Padaria Estrela", 30001000),
    )
    store_catalogues(found.engine, found.bakery)
    return found


@pytest.fixture
def session(copies: Copies) -> Iterator[Session]:
    """A reading session; ask for it after what it shall see is stored, or end its transaction."""
    with reading(copies.engine) as opened:
        yield opened
