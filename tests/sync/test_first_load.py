"""The first load: every page, no cap, proved by count."""

import time
from pathlib import Path

import pytest
from sqlalchemy import select

from kommo.db import count, reading
from kommo.sandbox import Server, make_world, serve
from kommo.services import Services
from kommo.store.tables import SearchPending, Wallet
from tests import databases
from tests.conftest import make_services, make_settings
from tests.sync.accounts import connect, difference, run


def test_everything_arrives_and_is_proved(services: Services, padaria: Server) -> None:
    """P1: copy and account are equal, value by value, and the run says so."""
    account = connect(services, padaria)
    view = run(services, account)
    assert (view.state, view.errors) == ("done", [])
    assert difference(services, account, padaria.world) == []
    assert view.proved
    contacts, deals = view.stream("contacts"), view.stream("deals")
    assert (contacts.created, contacts.updated, contacts.unchanged, contacts.deleted) == (60, 0, 0, 0)
    assert (contacts.remote_count, contacts.local_count, deals.remote_count, deals.local_count) == (60, 60, 30, 30)


@pytest.mark.only_on(databases.SQLITE)
def test_what_has_arrived_is_soon_in_the_index(tmp_path: Path) -> None:
    """Where Kommo's limit leaves the time, the index keeps up with the reading: searches look through no heap.

    Once some contacts are held, no more are sent until those are indexed, or a minute has passed.
    """
    services = make_services(make_settings(tmp_path, rate_limit=7))
    seen: list[int] = []

    def wait(_method: str, path: str, _query: str) -> None:
        end = time.monotonic() + 60
        while path == "/api/v4/contacts" and time.monotonic() < end:
            with reading(services.engine) as session:
                held, pending = count(session, select(Wallet)), count(session, select(SearchPending))
            if not held or seen:
                return
            if not pending:
                seen.append(held)
            time.sleep(0.05)

    with serve(make_world(contacts=1500, deals=10)) as server:
        account = connect(services, server)
        server.world.before_request = wait
        assert run(services, account).proved
    assert seen
    assert seen[0] < 1500
