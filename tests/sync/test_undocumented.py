"""The copy is exact after a run under every setting of what Kommo leaves undocumented."""

import typing
from dataclasses import fields

import pytest

from kommo.sandbox import Server, make_world, serve
from kommo.sandbox.switches import Switches
from kommo.services import Services
from tests.sync.accounts import connect, difference, run

# Switches that cannot change what a run reads, each with its reason; all others are turned.
_NOT_READING = {
    **dict.fromkeys(
        (
            "sent_updated_at", "sent_created_at", "noop_bumps", "single_patch", "patch_request_id", "batch_atomic",
            "empty_values_clears", "strict_content_type", "acts_as_user",
        ),
        "the product writes nothing",
    ),
    **dict.fromkeys(("webhooks", "webhook_repost", "webhook_repost_revives"), "the product asks for no webhooks"),
    **dict.fromkeys(("task_get", "single_pipeline"), "the product asks for no single task or pipeline"),
    "page_cap": "a list that is cut cannot be copied; what is said of it has a test of its own below",
    "block_after": "a blocked account cannot be copied; tests/sync/test_troubles.py",
    "retry_after": "without a 429 there is none; the 429 has a test of its own below",
}  # fmt: skip
# Values of the switches that take any whole number.
_NUMBERS = {"events_page_size": (3,), "events_lag": (120,), "clock_skew": (3600, -3600)}


def _settings() -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    hints = typing.get_type_hints(Switches)
    for field in fields(Switches):
        if field.name in _NOT_READING:
            continue
        choices = typing.get_args(hints[field.name]) or ((True, False) if hints[field.name] is bool else ())
        values = _NUMBERS.get(field.name, choices)
        found += [(field.name, value) for value in values if value != field.default]
    return found


def test_every_switch_is_turned_or_has_its_reason() -> None:
    names = {field.name for field in fields(Switches)}
    assert {name for name, _ in _settings()} | set(_NOT_READING) == names


@pytest.mark.parametrize("sweep", [True, False], ids=["sweep", "delta"])
@pytest.mark.parametrize(("name", "value"), _settings())
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


@pytest.mark.parametrize("seconds", [0, 1])
def test_the_copy_is_exact_after_too_many_requests(services: Services, padaria: Server, seconds: int) -> None:
    """429s of both shapes, with and without `Retry-After`."""
    world = padaria.world
    account = connect(services, padaria)
    for body in ("html", "json"):
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
