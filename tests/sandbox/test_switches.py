"""Every switch changes something a client can see, and the test of each says what."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from kommo.sandbox import MovableClock, Switches, World, switches

from .conftest import NOW, Api

Look = Callable[[Api, World, MovableClock], Any]
LOOKS: dict[str, tuple[Look, dict[Any, Any]]] = {}


def look(**wanted: dict[Any, Any]) -> Callable[[Look], Look]:
    """Register how to see one switch (the keyword) and what is seen under each of its values."""

    def register(function: Look) -> Look:
        for name, seen in wanted.items():
            LOOKS[name] = (function, seen)
        return function

    return register


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


@look(minor_units={True: True, False: False})
def _minor(api: Api, _world: World, _clock: MovableClock) -> bool:
    return "price_with_minor_units" in api.rows("leads")[0]


@look(no_custom_fields={"null": None, "list": [], "absent": "absent"})
def _no_fields(api: Api, world: World, _clock: MovableClock) -> Any:
    one = world.add("contacts", name="x")
    rows = api.rows("contacts", f"filter[id][]={one}&with=leads")
    assert rows[0]["_embedded"]["leads"] == []
    return rows[0].get("custom_fields_values", "absent")


@look(loss_reason_shape={"array": list, "object": dict})
def _loss(api: Api, world: World, _clock: MovableClock) -> type:
    one = world.add("leads", status_id=143, pipeline_id=8400101, loss_reason_id=9501)
    found: Any = api.query(f"leads/{one}", "with=loss_reason").json()["_embedded"]["loss_reason"]
    return type(found)


@look(single_patch={"bare": False, "wrapped": True})
def _single_patch(api: Api, world: World, _clock: MovableClock) -> bool:
    body = api.patch(f"contacts/{world.ids('contacts')[0]}", {"name": "y"}).json()
    return "_embedded" in body and "updated_at" in body["_embedded"]["contacts"][0]


@look(single_pipeline={"bare": False, "wrapped": True})
def _single_pipeline(api: Api, _world: World, _clock: MovableClock) -> bool:
    return "pipelines" in api.get("leads/pipelines/8400101").json()["_embedded"]


@look(patch_request_id={True: True, False: False})
def _patch_request_id(api: Api, world: World, _clock: MovableClock) -> bool:
    body = api.patch("leads", [{"id": world.ids("leads")[0], "name": "y"}]).json()
    return "request_id" in body["_embedded"]["leads"][0]


@look(list_unsorted={True: [True, True], False: [False, False]})
def _unsorted(api: Api, world: World, _clock: MovableClock) -> list[bool]:
    stage = world.state.lists["pipelines"][8400101]["statuses"][0]["id"]
    deal = world.add("leads", name="x", pipeline_id=8400101, status_id=stage)
    contact = world.add("contacts", name="x", is_unsorted=True)
    return [deal in api.ids("leads", "limit=250"), contact in api.ids("contacts", "limit=250")]


@look(only_deleted={"all": [1, 1], "leads": [1, 50], "none": [39, 50]})
def _only_deleted(api: Api, world: World, _clock: MovableClock) -> list[int]:
    world.bulk_delete("leads", 1)
    world.bulk_delete("contacts", 1)
    return [len(api.ids(kind, "with=only_deleted")) for kind in ("leads", "contacts")]


@look(keeps_trash={True: 200, False: 204})
def _keeps_trash(api: Api, world: World, _clock: MovableClock) -> int:
    world.bulk_delete("leads", 1)
    return api.query("leads", "with=only_deleted").status_code


@look(trashed_get={"204": 204, "thin": 200, "404": 404})
def _trashed(api: Api, world: World, _clock: MovableClock) -> int:
    (one,) = world.bulk_delete("leads", 1)
    answer = api.get(f"leads/{one}")
    assert answer.status_code != 200 or answer.json()["is_deleted"] is True
    return answer.status_code


@look(delete_events={True: ["lead_restored", "lead_deleted"], False: []})
def _delete_events(api: Api, world: World, clock: MovableClock) -> list[str]:
    clock.advance(10)
    one = world.ids("leads")[0]
    world.delete("leads", one)
    world.restore("leads", one)
    return [row["type"] for row in api.rows("events", f"filter[created_at][from]={NOW + 10}")]


@look(merged_event_on={"winner": 0, "loser": 1})
def _merged_on(api: Api, world: World, _clock: MovableClock) -> int:
    pair = world.ids("leads")[:2]
    world.merge("leads", *pair)
    return pair.index(api.rows("events", "filter[type]=entity_merged")[0]["entity_id"])


@look(events={"on": 200, "402": 402, "403": 403})
def _events(api: Api, _world: World, _clock: MovableClock) -> int:
    return api.query("events", "limit=1").status_code


@look(events_page_size={100: 100, 250: 113})
def _events_size(api: Api, world: World, clock: MovableClock) -> int:
    clock.advance(10)
    for _ in range(113):
        world.add("contacts", name="x")
    return len(api.rows("events", f"filter[created_at][from]={NOW + 10}&limit=250"))


@look(events_order={"desc": True, "asc": False})
def _events_order(api: Api, world: World, _clock: MovableClock) -> bool:
    one = world.add("contacts", name="x")
    return bool(api.rows("events", "limit=1")[0]["entity_id"] == one)


@look(events_lag={0: [1, 1], 30: [0, 1]})
def _events_lag(api: Api, world: World, clock: MovableClock) -> list[int]:
    clock.advance(100)
    world.add("contacts", name="x")
    query = f"filter[created_at][from]={NOW + 100}"
    first = len(api.rows("events", query))
    clock.advance(30)
    return [first, len(api.rows("events", query))]


@look(users={"on": [200, 200], "403": [403, 403]})
def _users(api: Api, _world: World, _clock: MovableClock) -> list[int]:
    return [api.get("users").status_code, api.get("users/7001").status_code]


@look(webhooks={"on": [204, 200], "402": [402, 402], "403": [403, 403]})
def _webhooks(api: Api, _world: World, _clock: MovableClock) -> list[int]:
    hook = {"destination": "https://x.example", "settings": []}
    return [api.get("webhooks").status_code, api.post("webhooks", hook).status_code]


@look(task_get={True: 200, False: 404})
def _task_get(api: Api, world: World, _clock: MovableClock) -> int:
    body = [{"text": "a", "complete_till": 5}]
    return api.get(f"tasks/{api.post('tasks', body).json()['_embedded']['tasks'][0]['id']}").status_code


@look(acts_as_user={True: [7001, 7001], False: [0, 0]})
def _acts_as(api: Api, world: World, _clock: MovableClock) -> list[int]:
    one = api.post("contacts", [{"name": "x"}]).json()["_embedded"]["contacts"][0]["id"]
    api.patch(f"contacts/{one}", {"name": "y"})
    record = world.record("contacts", one)
    return [record["created_by"], record["updated_by"]]


@look(batch_atomic={True: [False, False], False: [True, True]})
def _atomic(api: Api, world: World, _clock: MovableClock) -> list[bool]:
    first = world.ids("contacts")[0]
    before = world.count("contacts")
    answers = [
        api.post("contacts", [{"name": "x"}, {"nome": "y"}]),
        api.patch("contacts", [{"id": first, "name": "mudou"}, {"id": first, "nome": "y"}]),
    ]
    for answer in answers:
        assert answer.status_code == 400
        assert [one["request_id"] for one in answer.json()["validation-errors"]] == ["1"]
    return [world.count("contacts") == before + 1, world.record("contacts", first)["name"] == "mudou"]


@look(empty_values_clears={True: 200, False: 400})
def _empty_values(api: Api, world: World, _clock: MovableClock) -> int:
    item = {"field_code": "POSITION", "values": []}
    return api.patch(f"contacts/{world.ids('contacts')[0]}", {"custom_fields_values": [item]}).status_code


@look(strict_content_type={True: 415, False: 200})
def _content_type(api: Api, _world: World, _clock: MovableClock) -> int:
    return api.ask("POST", "contacts", data=b'[{"name":"x"}]', headers={"Content-Type": "text/plain"}).status_code


def _repost(api: Api) -> Any:
    for settings in (["add_contact"], ["add_lead"]):
        answer = api.post("webhooks", {"destination": "https://x.example", "settings": settings})
    assert len(api.rows("webhooks")) == 1
    return answer


@look(webhook_repost={"replace": ["add_lead"], "merge": ["add_contact", "add_lead"], "refuse": ["add_contact"]})
def _webhook_repost(api: Api, _world: World, _clock: MovableClock) -> Any:
    _repost(api)
    return api.rows("webhooks")[0]["settings"]


@look(webhook_repost_revives={True: False, False: True})
def _webhook_revives(api: Api, world: World, _clock: MovableClock) -> Any:
    made = _repost(api).json()
    world.change_item("webhooks", made["id"], disabled=True)
    return _repost(api).json()["disabled"]


def _refused(api: Api, world: World) -> Any:
    world.fail("/contacts", 1, "429")
    return api.get("contacts")


@look(rate_body={"html": "text/html", "json": "application/problem+json"})
def _rate_body(api: Api, world: World, _clock: MovableClock) -> Any:
    answer = _refused(api, world)
    assert "html" in answer.headers["Content-Type"] or answer.json()["retry_after"] == 300
    return answer.headers["Content-Type"]


@look(retry_after={0: None, 9: "9"})
def _retry_after(api: Api, world: World, _clock: MovableClock) -> Any:
    return _refused(api, world).headers.get("Retry-After")


@look(block_after={0: {200, 429}, 2: {200, 429, 403}})
def _block_after(api: Api, world: World, _clock: MovableClock) -> set[int]:
    world.gate.rate = 1
    seen = {api.get("account").status_code for _ in range(6)}
    world.gate.rate = 0
    return seen | {api.get("account").status_code}


@look(clock_skew={0: "Mon, 23 Nov 2026 16:00:00 GMT", -90: "Mon, 23 Nov 2026 15:58:30 GMT"})
def _clock_skew(api: Api, _world: World, _clock: MovableClock) -> str:
    return str(api.get("account").headers["Date"])


CASES = [(name, value) for name, (_, seen) in LOOKS.items() for value in seen]


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{name}={value}" for name, value in CASES])
def test_what_a_switch_does(api: Api, world: World, clock: MovableClock, name: str, value: Any) -> None:
    watch, seen = LOOKS[name]
    world.turn(**{name: value})

    assert watch(api, world, clock) == seen[value]


def test_every_switch_and_every_choice_has_a_case() -> None:
    assert set(LOOKS) == {one.name for one in fields(Switches)}
    for one in fields(Switches):
        assert one.default in LOOKS[one.name][1], one.name
        assert len(LOOKS[one.name][1]) >= 2, one.name


def test_every_switch_says_what_it_does() -> None:
    text = Path(switches.__file__).read_text("utf-8")

    for one in fields(Switches):
        assert re.search(rf'^    {one.name}: .*\n    """.+\."""$', text, re.MULTILINE), one.name


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"banana": True}, "unknown switch: banana"),
        ({"events": "off"}, "events cannot be 'off'"),
        ({"link_bumps": 1}, "link_bumps cannot be 1"),
        ({"page_cap": True}, "page_cap cannot be True"),
    ],
)
def test_a_wrong_switch_turns_none(world: World, settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        world.turn(eager_next=True, **settings)
    assert world.switches == Switches()
