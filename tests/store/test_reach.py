"""Up to when a copy speaks: the last run that read a list to its end, and none while no run has."""

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from kommo.db import writing
from kommo.store.reach import Reach, reach
from kommo.store.tables import SyncStream
from tests.factories import NOON, make_run
from tests.store.conftest import Copies

DAY = 86_400.0


def read(copies: Copies, run_id: int, stream: str) -> None:
    """A run has read a stream to its end."""
    with writing(copies.engine) as session:
        statement = update(SyncStream).where(SyncStream.run_id == run_id, SyncStream.stream == stream)
        session.execute(statement.values(state="read", finished_at=NOON))


def test_without_a_run_nothing_is_reached(copies: Copies, session: Session) -> None:
    assert reach(session, copies.bakery) == Reach(None, None)


def test_a_copy_speaks_for_the_start_of_its_run(copies: Copies, session: Session) -> None:
    make_run(copies.engine, copies.bakery, finished_at=NOON - DAY)
    make_run(copies.engine, copies.bakery, finished_at=NOON)
    assert reach(session, copies.bakery) == Reach(NOON - 60, NOON - 60)


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_run_cut_short_counts_for_what_it_read_whole(copies: Copies, session: Session, state: str) -> None:
    run_id = make_run(copies.engine, copies.bakery, state)
    assert reach(session, copies.bakery) == Reach(None, None)
    read(copies, run_id, "contacts")
    session.rollback()
    assert reach(session, copies.bakery) == Reach(NOON - 60, None)


def test_a_run_under_way_counts_only_before_there_is_another(copies: Copies, session: Session) -> None:
    run_id = make_run(copies.engine, copies.bakery, "running")
    read(copies, run_id, "deals")
    assert reach(session, copies.bakery) == Reach(None, NOON - 60)
    session.rollback()
    make_run(copies.engine, copies.bakery, finished_at=NOON - DAY)
    assert reach(session, copies.bakery) == Reach(NOON - DAY - 60, NOON - DAY - 60)


def test_accounts_do_not_mix(copies: Copies, session: Session) -> None:
    make_run(copies.engine, copies.workshop)
    make_run(copies.engine, copies.brunos)
    assert reach(session, copies.bakery) == Reach(None, None)
