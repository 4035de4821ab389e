"""What switches do to shapes, deletion, events, rights, writes and the gateway."""

from __future__ import annotations

from typing import Any

from kommo.sandbox import MovableClock, World

from .conftest import NOW, Api
from .looks import look


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
