"""How SQLite answers the lists: from covering indexes, without sorting, without reading the table row by row."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from kommo.db import reading, writing
from kommo.services import Services
from kommo.store import runs
from kommo.store.contacts import contact_list, contact_page
from kommo.store.copy_state import copy_state
from kommo.store.deals import deal_list, deal_page
from kommo.store.filters import NOBODY, Filters
from kommo.store.lists import holders
from kommo.store.overview import overview
from kommo.store.search import mark_all
from kommo.store.tables import Connection
from tests.factories import (
    NOON,
    contact_record,
    deal_record,
    make_account,
    make_run,
    store_catalogues,
    store_contacts,
    store_deals,
)

pytestmark = pytest.mark.only_on("sqlite", reason="PostgreSQL plans by what it knows of the rows; tests have few")
Call = Callable[[Session, Connection], object]


def plans(services: Services, call: Call) -> list[str]:
    """The lines of the plans of all statements that `call` executes."""
    connection = make_account(services.engine)
    store_catalogues(services.engine, connection)
    store_contacts(services.engine, connection, [contact_record(1)])
    closed = deal_record(2, status_id=142, closed_at=NOON - 60)
    store_deals(services.engine, connection, [deal_record(1, contacts=[1]), closed])
    make_run(services.engine, connection)
    seen: list[tuple[str, Any]] = []
    with reading(services.engine) as session:
        event.listen(
            services.engine, "before_cursor_execute", lambda _c, _u, text, given, *_rest: seen.append((text, given))
        )
        call(session, connection)
        found = [(text, given) for text, given in seen if text.startswith(("SELECT", "WITH"))]
        driver = session.connection()
        return [row[3] for text, given in found for row in driver.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given)]


@pytest.mark.parametrize(
    ("index", "call"),
    [
        ("ix_Wallet_title", lambda s, c: contact_list(s, c, Filters(sort="nome"))),
        ("ix_Wallet_title", lambda s, c: contact_list(s, c, Filters(sort="-nome", responsible=(7001, 7002)))),
        ("ix_Wallet_title", lambda s, c: contact_list(s, c, Filters("ana", sort="nome"))),
        ("ix_Wallet_title", lambda s, c: contact_list(s, c, Filters("an", sort="nome"))),
        ("ix_Wallet_updated", lambda s, c: contact_list(s, c, Filters(sort="-atualizado"))),
        ("ix_Wallet_balance", lambda s, c: deal_list(s, c, Filters(sort="-valor", pipeline=4401))),
        ("ix_Wallet_updated", lambda s, c: deal_list(s, c, Filters(sort="-atualizado", responsible=(7001,)))),
        ("ix_Wallet_updated", lambda s, c: contact_list(s, c, Filters(sort="-atualizado", responsible=(7001, NOBODY)))),
        ("ix_Wallet_person", lambda s, c: holders(s, c, "contact")),
        ("ix_Wallet_stage", lambda s, c: overview(s, c, NOON)),
    ],
)
def test_what_is_sorted_or_summed_is_read_from_one_index(services: Services, index: str, call: Call) -> None:
    lines = plans(services, call)
    assert any(f"Wallet USING COVERING INDEX {index} " in line for line in lines), lines


@pytest.mark.parametrize(
    "call",
    [
        lambda s, c: contact_list(s, c, Filters("ana souza", (7001,), sort="nome")),
        lambda s, c: deal_list(s, c, Filters("ca", (7001,), 4401, (4401, 440101), "-valor")),
        lambda s, c: contact_page(s, c, 1),
        lambda s, c: deal_page(s, c, 1),
        lambda s, c: overview(s, c, NOON),
        lambda s, c: copy_state(s, c),
    ],
)
def test_nothing_reads_the_table_from_end_to_end(services: Services, call: Call) -> None:
    lines = plans(services, call)
    assert lines
    assert [line for line in lines if line.startswith("SCAN Wallet") or "ix_Wallet_company" in line] == []
    by_account = [line for line in lines if line.startswith("SEARCH Wallet USING INDEX") and "remote_id" not in line]
    assert by_account == []  # an index that does not cover sends SQLite to every row of the account


def test_a_contact_s_deals_are_found_from_the_contact(services: Services) -> None:
    lines = plans(services, lambda s, c: contact_page(s, c, 1))
    assert any("deal_contact USING COVERING INDEX ix_deal_contact_contact" in line for line in lines), lines


@pytest.mark.parametrize("kind", ["contact", "deal"])
def test_rows_not_indexed_yet_are_looked_at_one_by_one(services: Services, kind: str) -> None:
    """While a sync writes everything anew they are thousands: none of them may cost a look at all contacts."""

    def search(session: Session, connection: Connection) -> object:
        with writing(services.engine) as own:
            mark_all(own)
        list_of = contact_list if kind == "contact" else deal_list
        return list_of(session, connection, Filters("ana", sort="nome"))

    lines = plans(services, search)
    assert any("search_pending" in line for line in lines), lines
    assert [line for line in lines if line.startswith("SEARCH Wallet_") and "remote_id" not in line] == []
    if kind == "deal":
        assert any(line.startswith("SEARCH deal_contact") and "deal_id=?)" in line for line in lines), lines


def test_the_work_that_is_due_is_found_in_the_index_of_active_runs(services: Services) -> None:
    """However long the history of all accounts is: every worker's tick asks."""
    lines = plans(services, lambda session, _connection: runs.due_ids(session))
    assert any("uq_sync_run_active" in line for line in lines), lines
