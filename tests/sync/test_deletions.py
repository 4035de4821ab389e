"""What is gone from Kommo is buried, never more than that, and a mass of it only on a person's word."""

import threading

import pytest
from sqlalchemy import select

from kommo.db import reading
from kommo.sandbox import Server
from kommo.services import Services
from kommo.store.progress import RunView
from kommo.store.tables import Wallet
from kommo.sync import control, engine
from kommo.sync.deletions import too_many
from tests.sync.accounts import at_once, connect, copy_of, difference, run, run_view

EITHER = pytest.mark.parametrize("sweep", [True, False], ids=["sweep", "delta"])


@EITHER
def test_deleted_records_leave_a_tombstone(services: Services, padaria: Server, sweep: bool) -> None:
    account = connect(services, padaria)
    run(services, account)
    gone = padaria.world.bulk_delete("contacts", 3)
    view = run(services, account, sweep=sweep)
    assert view.proved
    assert view.stream("contacts").deleted == 3
    assert difference(services, account, padaria.world) == []
    with reading(services.engine) as session:
        rows = session.scalars(select(Wallet).where(Wallet.connection_id == account, Wallet.remote_id.in_(gone)))
        assert all(row.deleted_at is not None for row in rows if row.kind == "contact")


@EITHER
@pytest.mark.parametrize("events", ["on", "402", "403"])
@pytest.mark.parametrize("trash", ["all", "leads", "none"])
def test_deletions_are_found_however_little_kommo_tells(
    services: Services, padaria: Server, events: str, trash: str, sweep: bool
) -> None:
    """By events, by the trash, or by absence alone."""
    padaria.world.turn(events=events, only_deleted=trash)
    account = connect(services, padaria)
    run(services, account)
    padaria.world.bulk_delete("contacts", 2)
    padaria.world.bulk_delete("leads", 1)
    view = run(services, account, sweep=sweep)
    assert view.proved, view.errors
    assert difference(services, account, padaria.world) == []


@EITHER
def test_a_restored_record_comes_back_to_life(services: Services, padaria: Server, sweep: bool) -> None:
    account = connect(services, padaria)
    run(services, account)
    gone = padaria.world.bulk_delete("contacts", 2)
    run(services, account)
    padaria.world.restore("contacts", *gone)
    view = run(services, account, sweep=sweep)
    assert view.proved
    assert view.stream("contacts").updated == 2
    assert difference(services, account, padaria.world) == []


def test_many_missing_records_without_an_event_wait_for_a_person(services: Services, padaria: Server) -> None:
    """More than a tenth gone and nothing said of it: a wrong token or a broken list looks just like that."""
    account, _gone, view = asks(services, padaria)
    assert (view.state, view.guarded) == ("done", {"contacts": 10})
    assert not view.proved
    assert "10 contatos não aparecem mais no Kommo" in view.errors[0]
    assert len(copy_of(services, account, "contact")) == 60

    after = confirmed(services, account, view.id)
    assert (after.guarded, after.stream("contacts").deleted) == ({}, 10)
    assert after.proved
    assert difference(services, account, padaria.world) == []


def asks(services: Services, padaria: Server) -> tuple[int, list[int], RunView]:
    """An account ten of whose contacts are gone without a word of it, their ids, and the run that asks a person."""
    padaria.world.turn(delete_events=False, only_deleted="none")
    account = connect(services, padaria)
    run(services, account)
    gone = padaria.world.bulk_delete("contacts", 10)
    return account, gone, run(services, account)


def confirmed(services: Services, account: int, run_id: int) -> RunView:
    """The run that acts on a person's word, at its end."""
    number = control.confirm_deletions(services, account, run_id)
    assert number is not None
    assert engine.run_one(services, number, "test", threading.Event())
    return run_view(services, account, number)


def test_a_word_buries_nothing_that_came_back(services: Services, padaria: Server) -> None:
    """Each record is asked for once more: seven of the ten are there again when the person has decided."""
    account, gone, asked = asks(services, padaria)
    padaria.world.restore("contacts", *gone[:7])
    after = confirmed(services, account, asked.id)
    assert (after.proved, after.stream("contacts").deleted) == (True, 3)
    assert difference(services, account, padaria.world) == []


def test_a_word_that_comes_too_late_does_nothing(services: Services, padaria: Server) -> None:
    account, gone, asked = asks(services, padaria)
    padaria.world.restore("contacts", *gone)
    assert run(services, account).proved
    assert control.confirm_deletions(services, account, asked.id) is None
    assert difference(services, account, padaria.world) == []


@pytest.mark.parametrize("tagged", [False, True])
def test_a_tag_is_no_word_of_a_deletion(services: Services, padaria: Server, tagged: bool) -> None:
    """Events that name a record for another reason do not switch the guard off."""
    padaria.world.turn(delete_events=False, only_deleted="none")
    account = connect(services, padaria)
    run(services, account)
    gone = padaria.world.ids("contacts")[:30]
    for key in gone if tagged else ():
        padaria.world.update("contacts", key, _embedded={"tags": [{"id": 991, "name": "campanha", "color": None}]})
    padaria.world.delete("contacts", *gone)
    assert run(services, account).guarded == {"contacts": 30}


@EITHER
def test_nothing_is_buried_because_a_list_left_it_out(services: Services, padaria: Server, sweep: bool) -> None:
    """Lists filtered by id answer as if there were nothing: each record is asked for alone, and found."""
    world, account = padaria.world, connect(services, padaria)
    run(services, account)
    for key in world.ids("contacts")[:20]:
        world.update("contacts", key, _embedded={"tags": [{"id": 991, "name": "x", "color": None}]})
    fault = world.fail(r"GET .*filter\[id\]", times=None, how="204")
    view = run(services, account, sweep=sweep)
    assert fault.hits > 0
    assert (view.proved, at_once(view), view.stream("contacts").deleted) == (True, True, 0)
    assert difference(services, account, world) == []


@EITHER
def test_a_deal_gets_its_contact_back(services: Services, padaria: Server, sweep: bool) -> None:
    """A contact restored after the deals were read is in its deals again, and no deal says that it changed."""
    world, account = padaria.world, connect(services, padaria)
    deal = next(key for key in world.ids("leads") if world.contacts_of(key))
    contact = world.contacts_of(deal)[0]
    world.delete("contacts", contact)
    run(services, account)

    def restore(_method: str, path: str, query: str) -> None:
        if path == "/api/v4/leads" and "filter" in query:  # all deals are read by now
            world.before_request = None
            world.restore("contacts", contact)

    world.before_request = restore
    assert run(services, account, sweep=sweep).proved
    assert difference(services, account, world) == []


def test_a_deal_gets_its_contact_back_where_no_event_tells_of_it(services: Services, padaria: Server) -> None:
    """The plan gives no events: that the contact is here again is word enough."""
    world, account = padaria.world, connect(services, padaria)
    world.turn(events="402")
    contact = world.contacts_of(next(key for key in world.ids("leads") if world.contacts_of(key)))[0]
    world.delete("contacts", contact)
    run(services, account)
    world.restore("contacts", contact)
    view = run(services, account)
    assert (view.proved, at_once(view)) == (True, True)
    assert difference(services, account, world) == []


def test_a_lost_link_is_not_forgotten_in_a_pause(services: Services, padaria: Server) -> None:
    """A contact goes, its deals have to be read again, Kommo fails just then: the resumed run reads them."""
    world, account = padaria.world, connect(services, padaria)
    run(services, account)
    contact = world.contacts_of(next(key for key in world.ids("leads") if world.contacts_of(key)))[0]
    world.delete("contacts", contact)
    world.fail(r"GET /api/v4/leads\?.*filter\[id\]", times=None, how="500")
    view = run(services, account)
    assert view.state == "paused"
    world.heal()
    control.resume(services, account, view.id)
    engine.run_one(services, view.id, "test", threading.Event())
    assert run_view(services, account).proved
    assert difference(services, account, world) == []


@EITHER
def test_what_came_and_went_within_a_run_is_not_counted(services: Services, padaria: Server, sweep: bool) -> None:
    world, account = padaria.world, connect(services, padaria)
    run(services, account)
    brief = world.add("contacts", name="Passageiro")

    def delete(_method: str, path: str, query: str) -> None:
        if path == "/api/v4/leads" and "limit=250" in query:
            world.before_request = None
            world.delete("contacts", brief)

    world.before_request = delete
    view = run(services, account, sweep=sweep)
    contacts = view.stream("contacts")
    assert (view.proved, contacts.created, contacts.deleted) == (True, 0, 0)
    assert difference(services, account, world) == []


@EITHER
def test_many_deletions_that_kommo_tells_of_are_believed(services: Services, padaria: Server, sweep: bool) -> None:
    account = connect(services, padaria)
    run(services, account)
    padaria.world.bulk_delete("contacts", 30)
    view = run(services, account, sweep=sweep)
    assert view.proved
    assert difference(services, account, padaria.world) == []


@pytest.mark.parametrize(
    ("gone", "held", "asks"),
    [(4, 4, False), (5, 51, False), (5, 49, True), (1000, 100_000, False), (1001, 100_000, True), (0, 0, False)],
)
def test_the_guard(gone: int, held: int, asks: bool) -> None:
    """More than 10 % and at least 5 rows, or more than 1,000."""
    assert too_many(gone, held) is asks


@EITHER
def test_an_empty_list_buries_nothing(services: Services, padaria: Server, sweep: bool) -> None:
    """204 on page 1 where rows were: Kommo may be wrong, so every row is asked for by id first."""
    account = connect(services, padaria)
    run(services, account)
    fault = padaria.world.fail(r"GET /api/v4/contacts\?page=\d+&limit=250&order\[id\]=asc$", times=1, how="204")
    view = run(services, account, sweep=sweep)
    assert fault.hits == 1
    assert len(copy_of(services, account, "contact")) == 60
    assert view.proved, view.errors
    assert at_once(view) or not sweep  # there it is the proof that sees nothing


@EITHER
def test_merged_contacts_leave_one(services: Services, padaria: Server, sweep: bool) -> None:
    account = connect(services, padaria)
    run(services, account)
    winner, loser = padaria.world.ids("contacts")[:2]
    padaria.world.merge("contacts", winner, loser)
    assert run(services, account, sweep=sweep).proved
    assert difference(services, account, padaria.world) == []
