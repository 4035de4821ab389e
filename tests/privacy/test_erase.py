"""Erasing a person: gone from everything, and no reading brings them back; the proof counts them."""

import threading
from typing import Any

import pytest
from sqlalchemy import Engine, LargeBinary, Text, cast, select, update

from kommo.db import Base, reading, writing
from kommo.privacy import erase
from kommo.sandbox import Server
from kommo.services import Services
from kommo.store import copy_state, lists, move, suppression
from kommo.store.contacts import contact_list, contact_page
from kommo.store.deals import deal_list, deal_page
from kommo.store.filters import Filters
from kommo.store.overview import overview
from kommo.store.records import alive_count, erased_count, live_count
from kommo.store.tables import Connection, SyncRun, Wallet
from kommo.store.tables.wallet import CONTACT, DEAL
from kommo.sync import control
from tests import databases
from tests.factories import NOON
from tests.privacy.conftest import BY, EMAIL, FIELDS, NAME, PHONE, VALUES, Scene, people
from tests.sync.accounts import connect, copy_of, links_of, run


def held(services: Services) -> list[str]:
    """Which of Quitéria's values stand in any column of any table, and where; the search index is a table, too."""
    found = []
    with reading(services.engine) as session:
        for table in Base.metadata.sorted_tables:
            for column in (one for one in table.columns if not isinstance(one.type, LargeBinary)):
                texts = [str(text) for text in session.scalars(select(cast(column, Text)).where(column.is_not(None)))]
                found += [f"{column}: {value}" for value in VALUES for text in texts if value in text]
        if services.engine.dialect.name == "sqlite":
            rows = session.connection().exec_driver_sql("SELECT content FROM wallet_search").scalars()
            found += [f"search: {value}" for text in rows for value in VALUES if value in text]
    return found


def gone(scene: Scene) -> None:
    assert erase.erase(scene.services, scene.connection, scene.person, BY) is not None


def test_before_it_the_person_is_everywhere_this_test_looks(scene: Scene) -> None:
    places = {one.partition(":")[0] for one in held(scene.services)}
    assert places >= {"Wallet.title", "Wallet.phone", "Wallet.email", "Wallet.search_text", "Wallet.metadata"}
    assert "company.name" in places


def test_no_value_is_left_in_any_table(scene: Scene) -> None:
    gone(scene)
    assert held(scene.services) == []


def test_the_row_keeps_its_number_and_nothing_else(scene: Scene) -> None:
    gone(scene)
    with reading(scene.services.engine) as session:
        row = session.scalars(select(Wallet).where(Wallet.remote_id == scene.person, Wallet.kind == CONTACT)).one()
        assert row.record == {"id": scene.person}
        assert row.erased_at is not None
        nothing = (row.phone, row.email, row.responsible_user_id, row.company_id, row.created_at, row.updated_at)
        assert set(nothing) == {None}
        assert (row.title, row.search_text) == ("", "")


def test_deals_keep_their_numbers_and_lose_their_texts_and_the_link(scene: Scene) -> None:
    before = copy_of(scene.services, scene.connection_id, DEAL)
    gone(scene)
    after = copy_of(scene.services, scene.connection_id, DEAL)
    for key in (scene.own, scene.naming):
        assert after[key].get("name") is None
        assert after[key]["price"] == before[key]["price"]
        assert after[key]["status_id"] == before[key]["status_id"]
        assert not any(isinstance(value, str) for value in after[key].values())
    assert after[scene.own]["_embedded"]["contacts"] == []
    assert scene.own not in links_of(scene.services, scene.connection_id)
    untouched = set(before) - {scene.own, scene.naming}
    assert {key: after[key] for key in untouched} == {key: before[key] for key in untouched}


def test_lists_search_and_numbers_leave_the_person_out(scene: Scene) -> None:
    account = scene.connection
    with reading(scene.services.engine) as session:
        total = contact_list(session, account, Filters(sort="nome")).total
        deal = deal_page(session, account, scene.own)
        assert deal is not None
        value = deal.deal.balance
        before, holders = overview(session, account, NOON), lists.holders(session, account, CONTACT)
        assert contact_list(session, account, Filters(query="xisto", sort="nome")).matched == 1
    gone(scene)
    with reading(scene.services.engine) as session:
        assert contact_list(session, account, Filters(sort="nome")).total == total - 1
        for query in ("xisto", EMAIL, "98123-4567", "5547981234567"):
            assert contact_list(session, account, Filters(query=query, sort="nome")).matched == 0
            assert deal_list(session, account, Filters(query=query, sort="nome")).matched == 0
        assert contact_page(session, account, scene.person) is None
        shown = deal_page(session, account, scene.own)
        assert shown is not None
        assert (shown.title, shown.contacts, shown.deal.balance) == (f"Negociação {scene.own}", [], value)
        everyone = lists.local_page(session, account, CONTACT, "", 1, 500)
        assert scene.person not in [record["id"] for record in everyone.records]
        assert lists.holders(session, account, CONTACT) == holders
        assert overview(session, account, NOON).in_progress == before.in_progress


@pytest.mark.parametrize("sweep", [False, True])
def test_two_more_runs_do_not_bring_them_back_and_prove_the_copy(scene: Scene, sweep: bool) -> None:
    gone(scene)
    for _ in range(2):
        scene.kommo.world.update("contacts", scene.person, name=NAME, custom_fields_values=FIELDS)
        scene.kommo.world.update("leads", scene.own, name=f"Outro bolo, {NAME}", price=950)
        scene.kommo.world.update("leads", scene.naming, name=f"Entrega, {PHONE}")
        scene.kommo.world.update("companies", scene.company, name=f"{NAME} 52998224725 ME")
        view = run(scene.services, scene.connection_id, sweep=sweep)
        assert view.proved, view.errors
        assert held(scene.services) == []
        contacts = view.stream("contacts")
        assert (contacts.erased, contacts.remote_count) == (1, (contacts.local_count or 0) + 1)
        assert view.stream("deals").erased == 0
    assert copy_of(scene.services, scene.connection_id, DEAL)[scene.own]["price"] == 950


def test_a_quiet_run_after_it_writes_no_row(scene: Scene) -> None:
    """What is kept out looks the same each time: the second look finds no difference, nothing is written again."""
    gone(scene)
    run(scene.services, scene.connection_id, sweep=True)
    view = run(scene.services, scene.connection_id, sweep=True)
    changes = [(one.created, one.updated, one.deleted, one.differed) for one in view.streams[1:]]
    assert changes == [(0, 0, 0, 0)] * 2


def test_a_deal_that_becomes_theirs_later_comes_without_texts_and_stays_so(scene: Scene) -> None:
    gone(scene)
    world = scene.kommo.world
    late = world.add("leads", name=f"Torta da {NAME}", price=60)
    world.link("leads", late, "contacts", scene.person, is_main=True)
    assert run(scene.services, scene.connection_id).proved
    assert held(scene.services) == []
    world.unlink("leads", late, "contacts", scene.person)
    world.update("leads", late, name=f"Torta da {NAME}, sem glúten")
    assert run(scene.services, scene.connection_id).proved
    assert held(scene.services) == []
    assert copy_of(scene.services, scene.connection_id, DEAL)[late]["price"] == 60


def test_who_is_deleted_at_kommo_and_restored_stays_erased_and_counted(scene: Scene) -> None:
    gone(scene)
    scene.kommo.world.delete("contacts", scene.person)
    view = run(scene.services, scene.connection_id)
    assert (view.proved, view.stream("contacts").erased) == (True, 0)
    scene.kommo.world.restore("contacts", scene.person)
    view = run(scene.services, scene.connection_id)
    assert (view.proved, view.stream("contacts").erased) == (True, 1)
    assert held(scene.services) == []


def test_a_copy_made_anew_after_the_account_was_disconnected_stays_without_them(scene: Scene) -> None:
    from kommo.connect import flow
    from kommo.store.erase import erase as erase_copy

    gone(scene)
    flow.disconnect(scene.services, "1", scene.connection_id, with_copy=True)
    erase_copy(scene.services.engine, scene.connection_id)
    again = connect(scene.services, scene.kommo)
    view = run(scene.services, again)
    assert (view.proved, view.stream("contacts").erased) == (True, 1)
    assert held(scene.services) == []


def test_another_owner_of_the_same_account_keeps_their_copy(scene: Scene) -> None:
    other = connect(scene.services, scene.kommo, owner="2")
    assert run(scene.services, other).proved
    gone(scene)
    assert copy_of(scene.services, other, CONTACT)[scene.person]["name"] == NAME
    view = run(scene.services, other, sweep=True)
    assert (view.proved, view.stream("contacts").erased) == (True, 0)


def test_while_a_run_reads_what_it_has_in_hand_is_not_written(services: Services, padaria: Server) -> None:
    """The page with the person has left Kommo when they are erased: it is emptied as it is written."""
    numbers = people(padaria)
    account = connect(services, padaria)
    assert run(services, account).proved
    padaria.world.update("contacts", numbers["person"], custom_fields_values=FIELDS)
    with reading(services.engine) as session:
        connection = session.scalars(select(Connection)).one()
    asked = iter([True])

    def between(_method: str, path: str, _query: str) -> None:
        if path == "/api/v4/leads" and next(asked, False):
            assert erase.erase(services, connection, numbers["person"], BY) is not None

    padaria.world.before_request = between
    view = run(services, account, sweep=True)
    assert next(asked, None) is None
    assert view.proved, view.errors
    assert held(services) == []


def test_the_proof_says_how_many_are_kept_out(scene: Scene) -> None:
    gone(scene)
    view = run(scene.services, scene.connection_id)
    count = view.stream("contacts").remote_count
    with reading(scene.services.engine) as session:
        said = copy_state.copy_state(session, scene.connection)
        live, erased = (each(session, scene.connection_id, CONTACT) for each in (live_count, erased_count))
        assert alive_count(session, scene.connection_id, CONTACT) == count
    assert (live, erased) == ((count or 0) - 1, 1)
    assert said.kind == "verified"
    assert f"{count} contatos no Kommo, {live} aqui e 1 apagado a pedido" in said.sentence


def test_a_badge_is_not_green_where_too_many_are_missing(scene: Scene) -> None:
    """The erased one counts once: it does not hide that another one is missing."""
    gone(scene)
    run(scene.services, scene.connection_id)
    with writing(scene.services.engine) as session:
        row = session.scalars(select(Wallet).where(Wallet.kind == CONTACT, Wallet.erased_at.is_(None))).first()
        session.delete(row)
    with reading(scene.services.engine) as session:
        assert copy_state.copy_state(session, scene.connection).kind == "partial"


def test_erasing_twice_is_erasing_once(scene: Scene) -> None:
    gone(scene)
    with reading(scene.services.engine) as session:
        first = suppression.erased_contacts(session, "1", scene.connection.account_id)[0].erased_at
    gone(scene)
    with reading(scene.services.engine) as session:
        assert [one.erased_at for one in suppression.erased_contacts(session, "1", scene.connection.account_id)] == [
            first
        ]


def test_an_unknown_number_erases_nobody(scene: Scene) -> None:
    assert erase.erase(scene.services, scene.connection, 999_999_999, BY) is None
    with reading(scene.services.engine) as session:
        assert suppression.erased_contacts(session, "1", scene.connection.account_id) == []


def test_who_left_kommo_before_is_erased_too(scene: Scene) -> None:
    scene.kommo.world.delete("contacts", scene.person)
    run(scene.services, scene.connection_id)
    assert held(scene.services)
    gone(scene)
    assert held(scene.services) == []


def test_moving_to_another_database_takes_the_suppression_along(scene: Scene, tmp_path: Any) -> None:
    gone(scene)
    with databases.postgres_database(empty=True) as address:
        target = move.open_target(address, scene.services.engine)
        move.move(scene.services.engine, target, tmp_path / "backups", lambda _table, _rows: None)
        moved = _with_engine(scene.services, target)
        assert run(moved, scene.connection_id, sweep=True).stream("contacts").erased == 1
        assert held(moved) == []
        target.dispose()


def _with_engine(services: Services, engine: Engine) -> Services:
    return Services(services.settings, engine, services.vault, services.ring)


def test_a_name_that_two_people_have_does_not_say_whose_a_text_is(scene: Scene) -> None:
    """Their own deals lose their texts all the same; of others only what phone, e-mail or document give away."""
    world = scene.kommo.world
    world.add("contacts", name=NAME.upper())
    homonym = world.add("leads", name=f"Pedido de {NAME}", price=10)
    run(scene.services, scene.connection_id)
    gone(scene)
    deals = copy_of(scene.services, scene.connection_id, DEAL)
    assert deals[homonym]["name"] == f"Pedido de {NAME}"
    assert "name" not in deals[scene.own]
    assert "name" not in deals[scene.naming]


def test_deals_of_somebody_with_the_same_first_name_are_left_alone(scene: Scene) -> None:
    world = scene.kommo.world
    alike = world.add("leads", name="Quitéria pediu pão", price=10)
    run(scene.services, scene.connection_id)
    gone(scene)
    assert copy_of(scene.services, scene.connection_id, DEAL)[alike]["name"] == "Quitéria pediu pão"


def test_erasing_waits_for_a_page_that_is_being_written(scene: Scene) -> None:
    """A run's transaction that has begun without knowing of it must not end after it."""
    run_id = control.start(scene.services, scene.connection_id, "page")
    eraser = threading.Thread(target=gone, args=(scene,))
    with writing(scene.services.engine) as session:
        session.execute(update(SyncRun).where(SyncRun.id == run_id).values(waiting=None))  # as each of its pages does
        eraser.start()
        eraser.join(1.0)
        assert eraser.is_alive()
        with reading(scene.services.engine) as other:
            assert suppression.erased_contacts(other, "1", scene.connection.account_id) == []
    eraser.join(60)
    assert held(scene.services) == []


def test_a_new_run_waits_until_the_erasing_is_whole(scene: Scene) -> None:
    asked = threading.Thread(target=control.start, args=(scene.services, scene.connection_id, "page"))
    with writing(scene.services.engine) as session:
        erase._hold(session, scene.connection)
        asked.start()
        asked.join(1.0)
        assert asked.is_alive()
    asked.join(60)
    assert not asked.is_alive()
