"""The copy is exact after a run under every setting of what Kommo leaves undocumented."""

import typing
from dataclasses import fields

import pytest

from kommo.sandbox import Server, make_world, serve
from kommo.sandbox.switches import Switches
from kommo.services import Services
from tests.sync.accounts import connect, difference, run

# What is about writes and webhooks says nothing about reading.
_NOT_READING = {
    "sent_updated_at", "sent_created_at", "noop_bumps", "single_patch", "patch_request_id", "batch_atomic",
    "empty_values_clears", "strict_content_type", "webhook_repost", "webhook_repost_revives", "webhooks", "task_get",
    "acts_as_user", "single_pipeline", "users", "page_cap",
}  # fmt: skip


def _settings() -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    hints = typing.get_type_hints(Switches)
    for field in fields(Switches):
        if field.name in _NOT_READING:
            continue
        values = typing.get_args(hints[field.name]) or ((True, False) if hints[field.name] is bool else ())
        found += [(field.name, value) for value in values if value != field.default]
    return found


@pytest.mark.parametrize(("name", "value"), _settings())
def test_the_copy_is_exact(services: Services, padaria: Server, name: str, value: object) -> None:
    """First load, then a day's work of every kind, then another run."""
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
    view = run(services, account)
    assert view.proved, view.errors
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
