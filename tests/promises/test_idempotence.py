"""P3, idempotence: a run on an account in which nothing happened changes nothing, however often and after whatever."""

from typing import Any

import pytest
from sqlalchemy import select

from kommo.db import reading
from kommo.sandbox import Server, make_world, serve
from kommo.services import Services
from kommo.store.tables import Company, DealContact, Pipeline, Stage, Wallet
from kommo.sync import control
from tests.promises.life import REPORTED
from tests.promises.mortal import Mortal, lapse
from tests.sync.accounts import connect, difference, run

EITHER = pytest.mark.parametrize("sweep", [True, False], ids=["sweep", "delta"])


def snapshot(services: Services) -> dict[str, list[Any]]:
    """All that is held of the account, byte for byte, with the reading that each row is of."""
    held = {}
    with reading(services.engine) as session:
        for model in (Wallet, DealContact, Company, Pipeline, Stage):
            columns = [column for column in model.__table__.c if column.name != "checked_run"]
            held[model.__tablename__] = sorted(map(repr, session.execute(select(*columns))))
    return held


@EITHER
def test_nothing_changes_twice(services: Services, padaria: Server, sweep: bool) -> None:
    """Twice more, on a quiet account: not one row is written again, and the result says so."""
    account = connect(services, padaria)
    run(services, account)
    before = snapshot(services)
    for _ in range(2):
        view = run(services, account, sweep=sweep)
        for stream in ("contacts", "deals"):
            found = view.stream(stream)
            assert (found.created, found.updated, found.deleted) == (0, 0, 0)
            assert found.unchanged == found.local_count == found.remote_count
    assert snapshot(services) == before


@EITHER
@pytest.mark.parametrize("deed", ["merge contacts", "delete companies", "link deal", "restore contacts", "import"])
def test_what_was_acted_upon_is_not_acted_upon_again(
    services: Services, padaria: Server, deed: str, sweep: bool
) -> None:
    """Events and changes come again while the overlap covers them; they find everything as it has to be."""
    world, account = padaria.world, connect(services, padaria)
    world.bulk_delete("contacts", 3)
    run(services, account)
    REPORTED[deed](world, 5)
    run(services, account)
    before = snapshot(services)
    view = run(services, account, sweep=sweep)
    assert view.proved, view.errors
    assert snapshot(services) == before
    assert difference(services, account, world) == []


def test_a_run_taken_up_again_counts_each_record_once(services: Services) -> None:
    """Dead after some pages, taken up by another: what was read twice is one record, created once."""
    with serve(make_world(contacts=1100, deals=300)) as server:
        account, mortal = connect(services, server), Mortal(services)
        run_id = control.start(services, account, "shell")
        assert not mortal.work(run_id, dies_at=16)
        lapse(services, run_id)
        assert mortal.work(run_id)
        view = run(services, account, sweep=True)
        contacts = view.stream("contacts")
        assert (contacts.created, contacts.updated, contacts.deleted, contacts.unchanged) == (0, 0, 0, 1100)
        assert difference(services, account, server.world) == []
