"""`among` is `IN` with one parameter: the same rows on both engines, and on SQLite found by the index."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Select, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from kommo.db import reading
from kommo.services import Services
from kommo.store.among import among
from kommo.store.tables import Wallet
from tests.conftest import make_services, make_settings
from tests.factories import contact_record, make_account, store_contacts


def _found(session: Session, statement: Select[tuple[int]]) -> list[int]:
    return sorted(session.scalars(statement))


@pytest.mark.parametrize(
    ("ids", "found"),
    [([], []), ([3], [3]), ([8, 2, 8, 99], [2, 8]), ([2**63 - 1, -1, 1], [1]), (range(1, 5000), range(1, 10))],
)
def test_it_finds_those_and_no_other(services: Services, ids: Sequence[int], found: Sequence[int]) -> None:
    account = make_account(services.engine)
    store_contacts(services.engine, account, [contact_record(key) for key in range(1, 10)])
    with reading(services.engine) as session:
        assert _found(session, select(Wallet.remote_id).where(among(Wallet.remote_id, ids))) == list(found)
        others = [key for key in range(1, 10) if key not in found]
        assert _found(session, select(Wallet.remote_id).where(~among(Wallet.remote_id, ids))) == others


def test_statements_are_alike_however_many_ids_there_are() -> None:
    texts = {
        str(select(Wallet.id).where(among(Wallet.id, range(size))).compile(dialect=sqlite.dialect())) for size in (0, 9)
    }
    assert len(texts) == 1


@pytest.mark.only_on("sqlite", reason="its plan is asked for")
def test_sqlite_looks_them_up(tmp_path: Path) -> None:
    services = make_services(make_settings(tmp_path))
    statement = select(Wallet.id).where(among(Wallet.id, [1, 2])).compile(services.engine)
    with reading(services.engine) as session:
        plan = session.execute(text(f"EXPLAIN QUERY PLAN {str(statement).replace('?', repr('[1]'))}")).all()
    assert any("SEARCH Wallet USING INTEGER PRIMARY KEY" in line.detail for line in plan)
