"""What is gone from Kommo is buried, never more than that, and a mass of it only on a person's word."""

import pytest
from sqlalchemy import select

from kommo.db import reading
from kommo.sandbox import Server
from kommo.services import Services
from kommo.store.tables import Wallet
from kommo.sync import control
from kommo.sync.deletions import too_many
from tests.sync.accounts import connect, copy_of, difference, run, run_view


def test_deleted_records_leave_a_tombstone(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    run(services, account)
    gone = padaria.world.bulk_delete("contacts", 3)
    view = run(services, account)
    assert view.proved
    assert view.stream("contacts").deleted == 3
    assert difference(services, account, padaria.world) == []
    with reading(services.engine) as session:
        rows = session.scalars(select(Wallet).where(Wallet.connection_id == account, Wallet.remote_id.in_(gone)))
        assert all(row.deleted_at is not None for row in rows if row.kind == "contact")


@pytest.mark.parametrize("events", ["on", "402", "403"])
@pytest.mark.parametrize("trash", ["all", "leads", "none"])
def test_deletions_are_found_however_little_kommo_tells(
    services: Services, padaria: Server, events: str, trash: str
) -> None:
    """By events, by the trash, or by absence alone."""
    padaria.world.turn(events=events, only_deleted=trash)
    account = connect(services, padaria)
    run(services, account)
    padaria.world.bulk_delete("contacts", 2)
    padaria.world.bulk_delete("leads", 1)
    view = run(services, account)
    assert view.proved, view.errors
    assert difference(services, account, padaria.world) == []


def test_a_restored_record_comes_back_to_life(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    run(services, account)
    gone = padaria.world.bulk_delete("contacts", 2)
    run(services, account)
    padaria.world.restore("contacts", *gone)
    view = run(services, account)
    assert view.proved
    assert view.stream("contacts").updated == 2
    assert difference(services, account, padaria.world) == []


def test_many_missing_records_without_an_event_wait_for_a_person(services: Services, padaria: Server) -> None:
    """More than a tenth gone and nothing said of it: a wrong token or a broken list looks just like that."""
    padaria.world.turn(delete_events=False, only_deleted="none")
    account = connect(services, padaria)
    run(services, account)
    padaria.world.bulk_delete("contacts", 10)
    view = run(services, account)
    assert (view.state, view.guarded) == ("done", {"contacts": 10})
    assert not view.proved
    assert "10 contatos não aparecem mais no Kommo" in view.errors[0]
    assert len(copy_of(services, account, "contact")) == 60

    assert control.confirm_deletions(services, account, view.id) == 10
    after = run_view(services, account, view.id)
    assert (after.guarded, after.stream("contacts").local_count) == ({}, 50)
    assert difference(services, account, padaria.world) == []
    assert run(services, account).proved


def test_many_deletions_that_kommo_tells_of_are_believed(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    run(services, account)
    padaria.world.bulk_delete("contacts", 30)
    view = run(services, account)
    assert view.proved
    assert difference(services, account, padaria.world) == []


@pytest.mark.parametrize(
    ("gone", "held", "asks"),
    [(4, 4, False), (5, 51, False), (5, 49, True), (1000, 100_000, False), (1001, 100_000, True), (0, 0, False)],
)
def test_the_guard(gone: int, held: int, asks: bool) -> None:
    """More than 10 % and at least 5 rows, or more than 1,000."""
    assert too_many(gone, held) is asks


def test_an_empty_list_buries_nothing(services: Services, padaria: Server) -> None:
    """204 on page 1 where rows were: Kommo may be wrong, so every row is asked for by id first."""
    account = connect(services, padaria)
    run(services, account)
    padaria.world.fail("GET /api/v4/contacts?page=", times=2, how="204")
    view = run(services, account)
    assert len(copy_of(services, account, "contact")) == 60
    assert view.proved, view.errors


def test_merged_contacts_leave_one(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    run(services, account)
    winner, loser = padaria.world.ids("contacts")[:2]
    padaria.world.merge("contacts", winner, loser)
    assert run(services, account).proved
    assert difference(services, account, padaria.world) == []
