"""POST and PATCH of contacts, deals and companies."""

from __future__ import annotations

from typing import Any

import pytest

from kommo.sandbox import MovableClock, World

from .conftest import NOW, Api, errors

KINDS = ["contacts", "leads", "companies"]


def _made(api: Api, kind: str, **values: Any) -> int:
    answer = api.post(kind, [values])
    assert answer.status_code == 200, answer.text
    return int(answer.json()["_embedded"][kind][0]["id"])


def test_creating_a_contact_as_documented(api: Api) -> None:
    sent = {
        "first_name": "Ana", "last_name": "Lima", "responsible_user_id": 7001, "request_id": "c-1",
        "custom_fields_values": [
            {"field_code": "PHONE", "values": [{"value": "+551199990000", "enum_code": "WORK"}]},
        ],
        "tags_to_add": [{"name": "vip"}],
    }  # fmt: skip

    answer = api.post("contacts", [sent])

    (row,) = answer.json()["_embedded"]["contacts"]
    assert answer.status_code == 200
    assert set(row) == {"id", "is_deleted", "is_unsorted", "request_id", "_links"}
    assert row["request_id"] == "c-1"
    stored = api.get(f"contacts/{row['id']}").json()
    assert (stored["name"], stored["first_name"], stored["last_name"]) == ("Ana Lima", "Ana", "Lima")
    assert (stored["created_at"], stored["updated_at"], stored["created_by"]) == (NOW, NOW, 0)
    assert stored["custom_fields_values"][0]["values"][0]["enum_code"] == "WORK"
    assert [tag["name"] for tag in stored["_embedded"]["tags"]] == ["vip"]


def test_request_ids_are_echoed_or_counted_and_no_key_against_doubles(api: Api) -> None:
    body = [{"name": "Ana"}, {"name": "Bruno", "request_id": "b"}, {"name": "Caio"}]

    first, second = (api.post("contacts", body).json()["_embedded"]["contacts"] for _ in range(2))

    assert [row["request_id"] for row in first] == ["0", "b", "2"]
    assert not {row["id"] for row in first} & {row["id"] for row in second}


def test_ids_grow(api: Api, world: World) -> None:
    before = world.ids("companies")[-1], world.ids("contacts")[-1]

    assert _made(api, "companies", name="Nova") > max(before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [{"name": "nu"}, [], ["texto"], "texto", None, [[]]])
def test_a_post_takes_an_array_of_objects_only(api: Api, world: World, kind: str, body: Any) -> None:
    before = world.ids(kind)

    assert api.post(kind, body).status_code == 400
    assert world.ids(kind) == before


@pytest.mark.parametrize("raw", [b"", b"{", b"[{]", b"\xff\xfe", b"[NaN]"])
def test_a_body_that_is_no_json_is_400(api: Api, raw: bytes) -> None:
    answer = api.ask("POST", "contacts", data=raw, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_at_most_250_in_one_request(api: Api, world: World) -> None:
    before = world.count("contacts")

    assert api.post("contacts", [{"name": "x"}] * 251).status_code == 400
    assert world.count("contacts") == before
    assert len(api.post("contacts", [{"name": "x"}] * 250).json()["_embedded"]["contacts"]) == 250


@pytest.mark.parametrize(
    ("item", "path", "code"),
    [
        ({"nome": "x"}, "nome", "FieldNotExpected"),
        ({"name": 7}, "name", "InvalidType"),
        ({"name": None}, "name", "InvalidType"),
        ({"responsible_user_id": 1}, "responsible_user_id", "NotSupportedChoice"),
        ({"responsible_user_id": True}, "responsible_user_id", "InvalidType"),
        ({"created_by": 6990}, "created_by", "NotSupportedChoice"),
        ({"custom_fields_values": {}}, "custom_fields_values", "InvalidType"),
        ({"_embedded": "x"}, "_embedded", "InvalidType"),
        ({"_embedded": {"companies": [{"id": 1}]}}, "_embedded.companies.0.id", "NotSupportedChoice"),
        ({"tags_to_add": [{"id": 1}]}, "tags_to_add.0.id", "NotSupportedChoice"),
        ({"tags_to_add": ["vip"]}, "tags_to_add.0", "InvalidType"),
    ],
)
def test_what_a_contact_may_not_have(api: Api, world: World, item: dict[str, Any], path: str, code: str) -> None:
    before = world.count("contacts")

    answer = api.post("contacts", [{"name": "Boa"}, item])

    assert errors(answer) == [("1", path, code)]
    assert world.count("contacts") == before


def test_all_that_is_wrong_is_told_at_once(api: Api) -> None:
    body = [{"name": 1, "nome": 2, "request_id": "a"}, {"name": "certa"}, {"responsible_user_id": 5}]

    found = errors(api.post("contacts", body))

    assert found == [
        ("a", "name", "InvalidType"), ("a", "nome", "FieldNotExpected"),
        ("2", "responsible_user_id", "NotSupportedChoice"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_patching_many(api: Api, world: World, clock: MovableClock, kind: str) -> None:
    one, two, three = world.ids(kind)[:3]
    clock.advance(60)

    body = api.patch(kind, [{"id": one, "name": "Um"}, {"id": two, "name": "Dois", "request_id": "d"}]).json()

    rows = body["_embedded"][kind]
    assert [row["id"] for row in rows] == [one, two]
    assert [row["request_id"] for row in rows] == ["0", "d"]
    assert {row["updated_at"] for row in rows} == {NOW + 60}
    assert world.record(kind, two)["name"] == "Dois"
    assert world.record(kind, three)["updated_at"] <= NOW


@pytest.mark.parametrize("kind", KINDS)
def test_patching_one_answers_bare(api: Api, world: World, clock: MovableClock, kind: str) -> None:
    one = world.ids(kind)[0]
    clock.advance(5)

    body = api.patch(f"{kind}/{one}", {"name": "Um só"}).json()

    assert (body["id"], body["updated_at"]) == (one, NOW + 5)
    assert body["_links"]["self"]["href"].endswith(f"/{kind}/{one}")
    assert "_embedded" not in body
    assert api.get(f"{kind}/{one}").json()["name"] == "Um só"


def test_patch_needs_ids_that_exist(api: Api, world: World) -> None:
    deal = world.ids("leads")[0]
    before = world.record("leads", deal)

    found = errors(api.patch("leads", [{"id": deal, "name": "x"}, {"id": 1, "name": "y"}, {"name": "z"}]))

    assert found == [("1", "id", "NotSupportedChoice"), ("2", "id", "FieldMissing")]
    assert world.record("leads", deal) == before
    assert api.patch("leads/1", {"name": "x"}).status_code == 204
    assert api.patch(f"leads/{deal}", [{"name": "x"}]).status_code == 400


def test_a_trashed_record_cannot_be_patched(api: Api, world: World) -> None:
    deal = world.ids("leads")[0]
    world.delete("leads", deal)

    assert api.patch(f"leads/{deal}", {"name": "x"}).status_code == 204
    assert errors(api.patch("leads", [{"id": deal, "name": "x"}])) == [("0", "id", "NotSupportedChoice")]


def test_a_patch_that_changes_nothing_leaves_updated_at(api: Api, world: World, clock: MovableClock) -> None:
    deal = world.ids("leads")[0]
    before = world.record("leads", deal)
    clock.advance(100)

    api.patch(f"leads/{deal}", {"name": before["name"]})

    assert world.record("leads", deal) == before


def test_what_is_only_read_is_ignored(api: Api, world: World) -> None:
    contact = world.ids("contacts")[0]
    sent = {"account_id": 1, "is_deleted": True, "group_id": 9, "closest_task_at": 5, "is_unsorted": True, "_links": {}}

    assert api.patch(f"contacts/{contact}", sent).status_code == 200
    stored = world.record("contacts", contact)
    assert (stored["account_id"], stored["is_deleted"], stored["group_id"]) == (30001000, False, 0)


def test_creation_time_can_be_given_once(api: Api, world: World) -> None:
    deal = _made(api, "leads", name="Antigo", created_at=1_700_000_000, updated_at=1_700_000_000)

    api.patch(f"leads/{deal}", {"created_at": 5, "name": "Antigo mesmo"})

    assert world.record("leads", deal)["created_at"] == 1_700_000_000
    assert world.record("leads", deal)["updated_at"] == NOW


def test_times_may_come_as_floats_and_are_kept_whole(api: Api, world: World) -> None:
    deal = _made(api, "leads", name="x", created_at=1_700_000_000.75, status_id=142, closed_at=1_790_000_000.0)

    record = world.record("leads", deal)
    assert (record["created_at"], record["closed_at"]) == (1_700_000_000, 1_790_000_000)
    assert type(record["closed_at"]) is int


def test_writes_are_signed_by_nobody_or_by_whom_they_say(api: Api, world: World) -> None:
    deal = _made(api, "leads", name="x", created_by=7002)

    api.patch(f"leads/{deal}", {"name": "y"})
    assert (world.record("leads", deal)["created_by"], world.record("leads", deal)["updated_by"]) == (7002, 0)
    api.patch(f"leads/{deal}", {"name": "z", "updated_by": 7003})
    assert world.record("leads", deal)["updated_by"] == 7003


def test_a_deal_without_a_name_gets_one(api: Api, world: World) -> None:
    deal = _made(api, "leads", price=10)

    assert world.record("leads", deal)["name"] == f"Lead #{deal}"


def test_a_deal_lands_in_the_main_pipeline_s_first_stage(api: Api, world: World) -> None:
    deal = world.record("leads", _made(api, "leads", name="x"))
    stages = world.state.lists["pipelines"][8400101]["statuses"]

    assert (deal["pipeline_id"], deal["status_id"]) == (8400101, stages[1]["id"])


def test_prices_keep_their_cents_beside(api: Api, world: World) -> None:
    deal = _made(api, "leads", name="x", price=1200)
    assert (world.record("leads", deal)["price"], world.record("leads", deal)["price_with_minor_units"]) == (1200, 1200)

    api.patch(f"leads/{deal}", {"price": 1200.5})

    assert (world.record("leads", deal)["price"], world.record("leads", deal)["price_with_minor_units"]) == (
        1200,
        1200.5,
    )


def test_closing_and_reopening(api: Api, world: World, clock: MovableClock) -> None:
    deal = _made(api, "leads", name="x")
    reason = min(world.state.lists["loss_reasons"])
    clock.advance(10)

    api.patch(f"leads/{deal}", {"status_id": 143, "pipeline_id": 8400101, "loss_reason_id": reason})
    lost = world.record("leads", deal)
    assert (lost["closed_at"], lost["loss_reason_id"]) == (NOW + 10, reason)

    clock.advance(10)
    api.patch(f"leads/{deal}", {"status_id": 142})
    won = world.record("leads", deal)
    assert (won["closed_at"], won["loss_reason_id"]) == (NOW + 20, None)

    clock.advance(10)
    api.patch(f"leads/{deal}", {"name": "outro nome"})
    assert world.record("leads", deal)["closed_at"] == NOW + 20

    api.patch(f"leads/{deal}", {"status_id": world.state.lists["pipelines"][8400101]["statuses"][2]["id"]})
    assert world.record("leads", deal)["closed_at"] is None


def test_a_closing_time_can_be_given(api: Api, world: World) -> None:
    deal = _made(api, "leads", name="x", status_id=142, pipeline_id=8400102, closed_at=1_790_000_000)

    assert world.record("leads", deal)["closed_at"] == 1_790_000_000


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"pipeline_id": 1}, "pipeline_id"),
        ({"status_id": 1}, "status_id"),
        ({"pipeline_id": 8400102, "status_id": 68100102}, "status_id"),
        ({"loss_reason_id": 9501}, "loss_reason_id"),
        ({"status_id": 143, "loss_reason_id": 1}, "loss_reason_id"),
    ],
)
def test_where_a_deal_cannot_stand(api: Api, item: dict[str, Any], path: str) -> None:
    assert errors(api.post("leads", [item])) == [("0", path, "NotSupportedChoice")]


def test_moving_to_another_pipeline_without_a_stage_takes_its_first(api: Api, world: World) -> None:
    deal = _made(api, "leads", name="x")

    api.patch(f"leads/{deal}", {"pipeline_id": 8400102})

    assert world.record("leads", deal)["status_id"] == world.state.lists["pipelines"][8400102]["statuses"][1]["id"]


def test_a_deal_is_made_with_its_people(api: Api, world: World) -> None:
    ana, bruno = _made(api, "contacts", name="Ana"), _made(api, "contacts", name="Bruno")
    cafe = _made(api, "companies", name="Café")
    embedded = {"contacts": [{"id": ana}, {"id": bruno, "is_main": True}], "companies": [{"id": cafe}]}

    deal = _made(api, "leads", name="x", _embedded=embedded)

    body = api.query(f"leads/{deal}", "with=contacts").json()["_embedded"]
    assert [(one["id"], one["is_main"]) for one in body["contacts"]] == [(bruno, True), (ana, False)]
    assert [one["id"] for one in body["companies"]] == [cafe]


def test_tags_are_replaced_added_and_taken_away(api: Api, world: World) -> None:
    deal = _made(api, "leads", name="x", _embedded={"tags": [{"name": "vip"}, {"name": "inédita"}]})

    def tags() -> list[str]:
        return [tag["name"] for tag in world.record("leads", deal)["_embedded"]["tags"]]

    assert tags() == ["vip", "inédita"]
    api.patch(f"leads/{deal}", {"tags_to_add": [{"name": "varejo"}], "tags_to_delete": [{"name": "vip"}]})
    assert tags() == ["inédita", "varejo"]
    number = next(tag["id"] for tag in world.state.lists["leads/tags"].values() if tag["name"] == "atacado")
    api.patch(f"leads/{deal}", {"_embedded": {"tags": [{"id": number}]}})
    assert tags() == ["atacado"]
    api.patch(f"leads/{deal}", {"_embedded": {"tags": None}})
    assert tags() == []
    assert [tag["name"] for tag in api.rows("leads/tags", "query=inédita")] == ["inédita"]


def test_first_and_last_name_make_the_name(api: Api, world: World) -> None:
    contact = _made(api, "contacts", name="Ana")

    api.patch(f"contacts/{contact}", {"first_name": "Ana", "last_name": "Souza"})
    assert world.record("contacts", contact)["name"] == "Ana Souza"
    api.patch(f"contacts/{contact}", {"name": "Dona Ana"})
    assert world.record("contacts", contact)["name"] == "Dona Ana"


def test_the_same_record_twice_in_one_batch_keeps_both_changes(api: Api, world: World) -> None:
    deal = _made(api, "leads", name="Antes", price=1)
    body = [
        {"id": deal, "name": "Depois", "tags_to_add": [{"name": "vip"}]},
        {"id": deal, "price": 9, "tags_to_add": [{"name": "varejo"}]},
    ]

    rows = api.patch("leads", body).json()["_embedded"]["leads"]

    stored = world.record("leads", deal)
    assert [row["id"] for row in rows] == [deal, deal]
    assert (stored["name"], stored["price"]) == ("Depois", 9)
    assert [tag["name"] for tag in stored["_embedded"]["tags"]] == ["vip", "varejo"]


def test_a_later_item_may_rest_on_an_earlier_one(api: Api, world: World) -> None:
    deal = _made(api, "leads", name="x")
    stage = world.state.lists["pipelines"][8400102]["statuses"][2]["id"]

    answer = api.patch("leads", [{"id": deal, "pipeline_id": 8400102}, {"id": deal, "status_id": stage}])

    assert answer.status_code == 200
    assert world.record("leads", deal)["status_id"] == stage


@pytest.mark.parametrize("path", ["contacts", "leads/complex", "leads/tags", "leads/custom_fields", "tasks"])
def test_a_request_id_that_is_null_counts_as_none(api: Api, path: str) -> None:
    item = {"tasks": {"text": "x", "complete_till": 5}, "leads/custom_fields": {"name": "x", "type": "text"}}

    body = api.post(path, [item.get(path, {"name": "x"}) | {"request_id": None}]).json()

    row = body[0] if isinstance(body, list) else next(iter(body["_embedded"].values()))[0]
    assert row["request_id"] in ("0", ["0"])


def test_complaints_name_the_place_where_request_id_is_null(api: Api) -> None:
    wrong = [{"name": "x"}, {"name": 7, "request_id": None}]

    assert errors(api.post("contacts", wrong)) == [("1", "name", "InvalidType")]
    assert errors(api.post("leads/tags", [{"name": "x"}, {"request_id": None}])) == [("1", "name", "FieldMissing")]


def test_the_group_is_that_of_who_is_responsible(api: Api, world: World) -> None:
    deal = _made(api, "leads", name="x", responsible_user_id=7002)
    assert world.record("leads", deal)["group_id"] == 1

    api.patch(f"leads/{deal}", {"responsible_user_id": 7005})

    assert world.record("leads", deal)["group_id"] == 2
