"""What switches do to `updated_at`, order, paging, filters and search."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import formatdate

from kommo.sandbox import MovableClock, World

from .conftest import NOW, Api
from .looks import look


def _updated(world: World, clock: MovableClock, change: Callable[[int], object], kind: str = "leads") -> bool:
    """Whether `change` of a fresh record moves its `updated_at`."""
    one = world.add(kind, name="x")
    clock.advance(60)
    change(one)
    return bool(world.record(kind, one)["updated_at"] == NOW + 60)


@look(link_bumps={True: True, False: False})
def _link(api: Api, world: World, clock: MovableClock) -> bool:
    ana = world.ids("contacts")[0]
    body = [{"to_entity_id": ana, "to_entity_type": "contacts"}]
    return _updated(world, clock, lambda one: api.post(f"leads/{one}/link", body))


@look(tag_bumps={True: True, False: False})
def _tag(api: Api, world: World, clock: MovableClock) -> bool:
    return _updated(world, clock, lambda one: api.patch(f"leads/{one}", {"tags_to_add": [{"name": "vip"}]}))


@look(note_bumps={True: True, False: False})
def _note(api: Api, world: World, clock: MovableClock) -> bool:
    body = [{"note_type": "common", "params": {"text": "a"}}]
    return _updated(world, clock, lambda one: api.post(f"leads/{one}/notes", body))


@look(task_bumps={True: True, False: False})
def _task(api: Api, world: World, clock: MovableClock) -> bool:
    return _updated(
        world,
        clock,
        lambda one: api.post("tasks", [{"text": "a", "complete_till": 5, "entity_id": one, "entity_type": "leads"}]),
    )


@look(restore_bumps={True: NOW + 20, False: NOW + 10})
def _restore(_api: Api, world: World, clock: MovableClock) -> int:
    one = world.ids("leads")[0]
    clock.advance(10)
    world.delete("leads", one)
    clock.advance(10)
    world.restore("leads", one)
    return int(world.record("leads", one)["updated_at"])


@look(delete_bumps={True: True, False: False})
def _delete(_api: Api, world: World, clock: MovableClock) -> bool:
    return _updated(world, clock, lambda one: world.delete("leads", one))


@look(merge_bumps={True: True, False: False})
def _merge(_api: Api, world: World, clock: MovableClock) -> bool:
    loser = world.ids("leads")[0]
    return _updated(world, clock, lambda one: world.merge("leads", one, loser))


@look(noop_bumps={True: True, False: False})
def _noop(api: Api, world: World, clock: MovableClock) -> bool:
    return _updated(world, clock, lambda one: api.patch(f"leads/{one}", {"name": "x"}))


@look(sent_updated_at={"ignored": NOW, "stored": 5, "refused": NOW - 7})
def _sent_updated(api: Api, world: World, _clock: MovableClock) -> int:
    one = world.add("leads", name="x", updated_at=NOW - 7)
    api.patch(f"leads/{one}", {"name": "y", "updated_at": 5})
    return int(world.record("leads", one)["updated_at"])


@look(sent_created_at={"ignored": NOW, "stored": 5})
def _sent_created(api: Api, world: World, _clock: MovableClock) -> int:
    one = world.add("leads", name="x")
    api.patch(f"leads/{one}", {"created_at": 5})
    return int(world.record("leads", one)["created_at"])


def _oldest(world: World) -> int:
    """A record last by id, first by creation and change."""
    return world.add("leads", name="x", created_at=1, updated_at=1)


@look(
    default_order={
        "id_asc": (False, True),
        "id_desc": (True, False),
        "updated_desc": (False, True),
        "created_desc": (False, True),
    }
)
def _default_order(api: Api, world: World, _clock: MovableClock) -> tuple[bool, bool]:
    one = _oldest(world)
    ids = api.ids("leads", "limit=250")
    by_id = ids == sorted(ids)
    assert by_id == (world.switches.default_order == "id_asc")
    return ids[0] == one, ids[-1] == one


@look(order_ignored={True: False, False: True})
def _order(api: Api, world: World, _clock: MovableClock) -> bool:
    one = _oldest(world)
    return bool(api.ids("leads", "order[updated_at]=asc&limit=1") == [one])


@look(unknown_order={"ignored": 200, "400": 400})
def _unknown_order(api: Api, _world: World, _clock: MovableClock) -> int:
    return api.query("leads", "order[price]=asc").status_code


@look(stable_ties={True: 1, False: 5})
def _ties(api: Api, world: World, _clock: MovableClock) -> int:
    """How many orders five readings of thirty rows of one second come in."""
    made = [world.add("contacts", name="Gêmeo", updated_at=5) for _ in range(30)]
    orders = [tuple(api.ids("contacts", "filter[updated_at]=5&order[updated_at]=asc")) for _ in range(5)]
    assert all(sorted(order) == made for order in orders)
    return len(set(orders))


@look(over_limit={"clamp": 250, "default": 50, "400": 400, "422": 422})
def _over_limit(api: Api, world: World, _clock: MovableClock) -> int:
    with world.changing():
        for _ in range(250):
            world.add("contacts", name="x")
    answer = api.query("contacts", "limit=251")
    return len(answer.json()["_embedded"]["contacts"]) if answer.status_code == 200 else answer.status_code


@look(page_zero={"first": 200, "400": 400, "422": 422, "empty": 204})
def _page_zero(api: Api, _world: World, _clock: MovableClock) -> int:
    assert api.query("contacts", "page=-3").status_code == api.query("contacts", "page=0").status_code
    return api.query("contacts", "page=0").status_code


@look(page_cap={0: 200, 2: 204})
def _page_cap(api: Api, _world: World, _clock: MovableClock) -> int:
    return api.query("contacts", "page=3&limit=5").status_code


@look(eager_next={True: True, False: False})
def _eager_next(api: Api, _world: World, _clock: MovableClock) -> bool:
    return "next" in api.query("contacts", "page=3&limit=20").json()["_links"]


@look(link_host={"called": "http://127.0.0.1", "account": "https://padariaestrela.kommo.com"})
def _link_host(api: Api, _world: World, _clock: MovableClock) -> str:
    href = api.query("contacts", "limit=5").json()["_links"]["next"]["href"]
    return str(re.sub(r"(:\d+)?/api/v4/contacts\?page=2&limit=5$", "", href))


def _inside(api: Api, world: World, bound: str) -> bool:
    one = world.add("contacts", name="x", updated_at=1000)
    return one in api.ids("contacts", f"filter[updated_at][from]=999&filter[updated_at][to]=1001&{bound}")


@look(from_inclusive={True: True, False: False})
def _from(api: Api, world: World, _clock: MovableClock) -> bool:
    return _inside(api, world, "filter[updated_at][from]=1000")


@look(to_inclusive={True: True, False: False})
def _to(api: Api, world: World, _clock: MovableClock) -> bool:
    return _inside(api, world, "filter[updated_at][to]=1000")


@look(filter_contacts_created={True: 1, False: 50})
def _contacts_created(api: Api, world: World, _clock: MovableClock) -> int:
    world.add("contacts", name="x", created_at=5)
    return len(api.ids("contacts", "filter[created_at][to]=5"))


@look(filter_updated={True: 1, False: 50})
def _updated_filter(api: Api, world: World, _clock: MovableClock) -> int:
    world.add("contacts", name="x", updated_at=5)
    return len(api.ids("contacts", "filter[updated_at][to]=5"))


@look(custom_field_filters={True: 0, False: 40})
def _field_filters(api: Api, _world: World, _clock: MovableClock) -> int:
    return len(api.ids("leads", "filter[custom_fields_values][1][]=nada"))


@look(query_finds_tags={True: 1, False: 0})
def _query_tags(api: Api, world: World, _clock: MovableClock) -> int:
    one = world.add("leads", name="x")
    api.patch(f"leads/{one}", {"tags_to_add": [{"name": "raríssima"}]})
    return len(api.ids("leads", "query=raríssima"))


@look(unknown_with={"ignored": 200, "400": 400})
def _unknown_with(api: Api, _world: World, _clock: MovableClock) -> int:
    return api.query("leads", "with=contacts,banana").status_code


@look(if_modified_since={True: [304, 200], False: [200, 200]})
def _if_modified(api: Api, world: World, clock: MovableClock) -> list[int]:
    header = {"If-Modified-Since": formatdate(NOW, usegmt=True)}
    first = api.ask("GET", "contacts", headers=header).status_code
    clock.advance(10)
    world.update("contacts", world.ids("contacts")[0], name="outra")
    assert api.ask("GET", "contacts", headers={"If-Modified-Since": "ontem"}).status_code == 200
    return [first, api.ask("GET", "contacts", headers=header).status_code]
