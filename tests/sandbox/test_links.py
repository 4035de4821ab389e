"""Linking and unlinking: who stays the main contact, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from kommo.sandbox import MovableClock, World

from .conftest import Api


@pytest.fixture
def deal(world: World, clock: MovableClock) -> int:
    """A deal after everything the seed tells of."""
    clock.advance(1000)
    return world.add("leads", name="Bolo")


def _people(world: World, deal: int) -> dict[int, bool]:
    return dict(world.state.links.contacts_of.get(deal, {}))


def _told(world: World, since: int) -> list[tuple[str, int]]:
    return [(event.type, event.entity_id) for event in world.state.events[since:]]


def _link(api: Api, deal: int, contact: int, **metadata: Any) -> None:
    item = {"to_entity_id": contact, "to_entity_type": "contacts"} | ({"metadata": metadata} if metadata else {})
    assert api.post(f"leads/{deal}/link", [item]).status_code == 200


def test_unlinking_another_company_changes_nothing(api: Api, world: World, deal: int) -> None:
    ours, other = world.ids("companies")[:2]
    world.link("leads", deal, "companies", ours)
    since = len(world.state.events)

    answer = api.post(f"leads/{deal}/unlink", [{"to_entity_id": other, "to_entity_type": "companies"}])

    assert answer.status_code == 204
    assert [one["id"] for one in world.record("leads", deal)["_embedded"]["companies"]] == [ours]
    assert _told(world, since) == []


def test_a_company_in_place_of_another_is_told_as_both(world: World, deal: int) -> None:
    old, new = world.ids("companies")[:2]
    world.link("leads", deal, "companies", old)
    since = len(world.state.events)
    world.link("leads", deal, "companies", new)
    world.link("leads", deal, "companies", new)

    assert _told(world, since) == [
        ("company_unlinked", deal), ("lead_unlinked", old), ("company_linked", deal), ("lead_linked", new),
    ]  # fmt: skip


def test_unlinking_who_is_not_linked_is_not_told(api: Api, world: World, deal: int) -> None:
    ana = world.add("contacts", name="Ana")
    _link(api, deal, ana)
    since = len(world.state.events)
    body = [{"to_entity_id": ana, "to_entity_type": "contacts"}]

    assert [api.post(f"leads/{deal}/unlink", body).status_code for _ in range(2)] == [204, 204]
    assert _told(world, since) == [("contact_unlinked", deal), ("lead_unlinked", ana)]


def test_linking_again_keeps_the_main_contact(api: Api, world: World, deal: int) -> None:
    ana, bruno = world.add("contacts", name="Ana"), world.add("contacts", name="Bruno")
    _link(api, deal, ana)
    _link(api, deal, bruno)
    since = len(world.state.events)

    _link(api, deal, ana)
    assert _people(world, deal) == {ana: True, bruno: False}
    _link(api, deal, bruno, is_main=True)
    assert _people(world, deal) == {ana: False, bruno: True}
    assert _told(world, since) == []


@pytest.mark.parametrize("how", ["unlink", "purge", "merge"])
def test_when_the_main_contact_goes_another_becomes_it(world: World, deal: int, how: str) -> None:
    ana, bruno, caio = (world.add("contacts", name=name) for name in ("Ana", "Bruno", "Caio"))
    for one in (ana, bruno, caio):
        world.link("leads", deal, "contacts", one)

    if how == "unlink":
        world.unlink("leads", deal, "contacts", ana)
    elif how == "purge":
        world.purge("contacts", ana)
    else:
        world.merge("contacts", bruno, ana)

    assert _people(world, deal) == {bruno: True, caio: False}


def test_a_merged_deal_has_one_main_contact(world: World, deal: int) -> None:
    other = world.add("leads", name="Outra")
    ana, bruno = (world.add("contacts", name=name) for name in ("Ana", "Bruno"))
    world.link("leads", deal, "contacts", ana)
    world.link("leads", other, "contacts", bruno)

    world.merge("leads", deal, other)

    assert _people(world, deal) == {ana: True, bruno: False}


def test_a_deal_made_with_its_company_tells_of_it(api: Api, world: World, clock: MovableClock) -> None:
    clock.advance(1000)
    cafe = world.ids("companies")[0]
    since = len(world.state.events)

    made = api.post("leads", [{"name": "x", "_embedded": {"companies": [{"id": cafe}]}}]).json()["_embedded"]["leads"]

    assert _told(world, since) == [
        ("lead_added", made[0]["id"]), ("company_linked", made[0]["id"]), ("lead_linked", cafe),
    ]  # fmt: skip
