"""The copy is exact after a run under every setting of what Kommo leaves undocumented."""

from dataclasses import fields

import pytest

from kommo.sandbox import Server, make_world, serve
from kommo.sandbox.switches import Switches
from kommo.services import Services
from tests.sync.accounts import connect, difference, run
from tests.sync.turns import NOT_READING, turns


def test_every_switch_is_turned_or_has_its_reason() -> None:
    names = {field.name for field in fields(Switches)}
    assert {name for name, _ in turns()} | set(NOT_READING) == names


@pytest.mark.parametrize("sweep", [True, False], ids=["sweep", "delta"])
@pytest.mark.parametrize(("name", "value"), turns())
def test_the_copy_is_exact(services: Services, padaria: Server, name: str, value: object, sweep: bool) -> None:
    """First load, then a day's work of every kind, then another run, of either kind.

    The account's lists are a page each, which the proof looks at whole: what Kommo does not tell is found here too.
    """
    world = padaria.world
    world.turn(**{name: value})
    account = connect(services, padaria)
    assert run(services, account).proved
    contacts, deals = world.ids("contacts"), world.ids("leads")
    world.update("contacts", contacts[0], name="Outra pessoa")
    world.update("leads", deals[0], price=777)
    world.link("leads", deals[1], "contacts", contacts[1])
    world.delete("contacts", contacts[2])
    world.delete("leads", deals[2])
    world.add("contacts", name="Gente nova")
    world.merge("contacts", contacts[3], contacts[4])
    world.change_item("leads/custom_fields", min(world.state.lists["leads/custom_fields"]), name="Outro nome")
    view = run(services, account, sweep=sweep)
    assert view.proved, view.errors
    assert difference(services, account, world) == []


def test_a_list_that_is_not_filtered_by_time_is_read_whole(services: Services) -> None:
    """Kommo ignores the filter without a word: the rows it gives are older than asked for, and go on for ever."""
    with serve(make_world(contacts=900, deals=600)) as server:
        world, account = server.world, connect(services, server)
        world.turn(filter_updated=False)

        def end_it(*_: object) -> None:
            if world.requests > 200:
                world.turn(filter_updated=True)

        world.before_request = end_it
        for mode in ("sweep", "delta"):
            view = run(services, account)
            assert (view.mode, view.proved) == (mode, True), view.errors
            assert difference(services, account, world) == []
            world.update("contacts", world.ids("contacts")[400], name="Outra pessoa")
        assert not world.switches.filter_updated


@pytest.mark.parametrize(("body", "seconds"), [("html", 0), ("html", 1), ("json", 1)])
def test_the_copy_is_exact_after_too_many_requests(
    services: Services, padaria: Server, body: str, seconds: int
) -> None:
    """429s of both shapes, with and without `Retry-After`; JSON without it asks for a minute, which is but longer."""
    world = padaria.world
    account = connect(services, padaria)
    world.turn(retry_after=seconds, rate_body=body)
    world.fail("GET /api/v4/leads", times=1, how="429")
    assert run(services, account).proved
    assert world.requests > 0
    assert difference(services, account, world) == []


def test_a_cut_list_is_never_called_complete(services: Services) -> None:
    """Kommo gives no page beyond the second, and says nothing: the copy is not proved, and the page says why."""
    with serve(make_world(contacts=700, deals=30)) as server:
        server.world.turn(page_cap=2, eager_next=True)
        account = connect(services, server)
        view = run(services, account)
        assert view.state == "done"
        assert not view.proved
        assert "não entrega mais que 2 páginas de contatos" in view.errors[0]
        server.world.turn(page_cap=0)
        assert run(services, account).proved
        assert difference(services, account, server.world) == []
