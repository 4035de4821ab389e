"""GET of many and of one: envelope, paging, links, `with`, 204, shapes of records."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from kommo.sandbox import World

from .conftest import NOW, Api


def test_a_page_is_hal_with_links_and_without_totals(api: Api) -> None:
    answer = api.query("contacts", "page=2&limit=20&with=leads&order[updated_at]=asc")

    body = answer.json()
    assert answer.headers["Content-Type"] == "application/hal+json"
    assert list(body) == ["_page", "_links", "_embedded"]
    assert body["_page"] == 2
    assert len(body["_embedded"]["contacts"]) == 20
    assert set(body["_links"]) == {"self", "next", "prev"}
    assert body["_links"]["next"]["href"] == (
        f"{api.server.address}/api/v4/contacts?with=leads&order%5Bupdated_at%5D=asc&page=3&limit=20"
    )


def test_links_repeat_bracket_lists_with_their_places(api: Api, world: World) -> None:
    first, second, third = world.ids("leads")[:3]

    body = api.query("leads", f"filter[id][]={first}&filter[id][]={second}&filter[id][7]={third}&limit=1").json()

    assert f"?filter%5Bid%5D%5B0%5D={first}&filter%5Bid%5D%5B1%5D={second}" in body["_links"]["next"]["href"]
    query = urlsplit(body["_links"]["next"]["href"]).query
    assert api.ids("leads", query) == [second]
    assert parse_qs(query)["page"] == ["2"]


def test_walking_by_next_gives_every_row_once(api: Api, world: World) -> None:
    path, seen = "/api/v4/contacts?limit=7", []
    while path:
        body = api.ask("GET", path).json()
        seen += [row["id"] for row in body["_embedded"]["contacts"]]
        path = body["_links"].get("next", {}).get("href", "").removeprefix(api.server.address)

    assert seen == world.ids("contacts")


@pytest.mark.parametrize("kind", ["contacts", "leads", "companies"])
def test_past_the_end_is_204_without_a_body(api: Api, kind: str) -> None:
    answer = api.get(kind, page=1000)

    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer.headers


def test_an_empty_result_is_204(api: Api) -> None:
    assert api.query("contacts", "filter[id][]=1").status_code == 204
    assert api.query("leads", "query=nobody-has-this-name").status_code == 204


def test_fifty_rows_by_default_and_250_at_most(api: Api, world: World) -> None:
    for _ in range(200):
        world.add("contacts", name="Mais um")

    assert len(api.ids("contacts")) == 50
    assert len(api.ids("contacts", "limit=250")) == 250
    assert len(api.ids("contacts", "limit=9999")) == 250
    assert len(api.ids("contacts", "limit=banana")) == 50
    assert len(api.ids("contacts", "limit=0")) == 50


def test_the_last_full_page_links_no_next(api: Api) -> None:
    assert "next" not in api.get("contacts", page=3, limit=20).json()["_links"]
    assert "next" in api.get("contacts", page=2, limit=20).json()["_links"]
    assert "prev" not in api.get("contacts", page=1, limit=20).json()["_links"]


def test_a_contact_has_every_documented_key(api: Api, world: World) -> None:
    contact = api.get(f"contacts/{world.ids('contacts')[0]}").json()

    assert list(contact) == [
        "id", "name", "first_name", "last_name", "responsible_user_id", "group_id", "created_by", "updated_by",
        "created_at", "updated_at", "closest_task_at", "is_deleted", "is_unsorted", "custom_fields_values",
        "account_id", "_links", "_embedded",
    ]  # fmt: skip
    assert contact["account_id"] == 30001000
    assert set(contact["_embedded"]) == {"tags", "companies"}
    assert contact["_links"]["self"]["href"].endswith(f".kommo.com/api/v4/contacts/{contact['id']}")


def test_a_deal_has_every_documented_key(api: Api, world: World) -> None:
    deal = api.get(f"leads/{world.ids('leads')[0]}").json()

    assert list(deal) == [
        "id", "name", "price", "price_with_minor_units", "responsible_user_id", "group_id", "status_id",
        "pipeline_id", "loss_reason_id", "created_by", "updated_by", "created_at", "updated_at", "closed_at",
        "closest_task_at", "is_deleted", "custom_fields_values", "score", "account_id", "labor_cost",
        "is_price_computed", "_links", "_embedded",
    ]  # fmt: skip
    assert isinstance(deal["price"], int)


def test_a_company_has_no_person_s_names(api: Api, world: World) -> None:
    company = api.get(f"companies/{world.ids('companies')[0]}").json()

    assert not {"first_name", "last_name", "is_unsorted"} & set(company)
    assert set(company["_embedded"]) == {"tags"}


def test_with_adds_what_it_names_and_nothing_else(api: Api, world: World) -> None:
    ana, deal = world.add("contacts", name="Ana"), world.add("leads", name="Bolo")
    bruno = world.add("contacts", name="Bruno")
    world.link("leads", deal, "contacts", bruno)
    world.link("leads", deal, "contacts", ana, is_main=True)

    plain = api.get(f"leads/{deal}").json()
    expanded = api.query(f"leads/{deal}", "with=contacts,loss_reason,source_id,is_price_modified_by_robot").json()

    assert "contacts" not in plain["_embedded"]
    links = {one["id"]: one["is_main"] for one in expanded["_embedded"]["contacts"]}
    assert links == {ana: True, bruno: False}
    assert expanded["_embedded"]["contacts"][0]["_links"]["self"]["href"].endswith(f"/contacts/{ana}")
    assert expanded["_embedded"]["loss_reason"] == []
    assert (expanded["source_id"], expanded["is_price_modified_by_robot"]) == (None, False)
    assert [one["id"] for one in api.query(f"contacts/{ana}", "with=leads").json()["_embedded"]["leads"]] == [deal]


def test_every_with_of_every_list_is_valid_json(api: Api) -> None:
    wanted = {
        "contacts": "leads,catalog_elements,customers,social_profiles",
        "companies": "leads,contacts,catalog_elements,customers",
        "leads": "contacts,catalog_elements,loss_reason,is_price_modified_by_robot,source_id,source",
    }
    for kind, names in wanted.items():
        row = api.rows(kind, f"with={names}&limit=250")[0]
        keys = set(row) | set(row["_embedded"])
        assert set(names.split(",")) <= keys, kind


def test_a_company_s_members(api: Api, world: World) -> None:
    company = world.add("companies", name="Café Central")
    ana, deal = world.add("contacts", name="Ana"), world.add("leads", name="Pães")
    world.link("contacts", ana, "companies", company)
    world.link("companies", company, "leads", deal)

    embedded = api.query(f"companies/{company}", "with=contacts,leads").json()["_embedded"]

    assert [one["id"] for one in embedded["contacts"]] == [ana]
    assert [one["id"] for one in embedded["leads"]] == [deal]
    assert api.get(f"contacts/{ana}").json()["_embedded"]["companies"][0]["id"] == company


def test_a_lost_deal_embeds_its_reason(api: Api, world: World) -> None:
    pipeline = min(world.state.lists["pipelines"])
    reason = min(world.state.lists["loss_reasons"])
    deal = world.add("leads", pipeline_id=pipeline, status_id=143, loss_reason_id=reason)

    (found,) = api.query(f"leads/{deal}", "with=loss_reason").json()["_embedded"]["loss_reason"]

    assert (found["id"], found["name"]) == (reason, "Preço alto")
    assert {"sort", "created_at", "updated_at", "_links"} <= set(found)


@pytest.mark.parametrize("path", ["contacts/1", "leads/1", "companies/1", "contacts/99999999999999999999999"])
def test_a_record_that_does_not_exist_is_204(api: Api, path: str) -> None:
    assert api.get(path).status_code == 204


@pytest.mark.parametrize("path", ["banana", "contacts/1/banana", "/api/v3/contacts", "/", "leads/pipelines/1"])
def test_a_route_that_does_not_exist_is_404(api: Api, path: str) -> None:
    answer = api.get(path)

    assert answer.status_code == 404
    assert answer.json()["type"] == "https://httpstatus.es/404"


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "contacts"), ("DELETE", "leads/1"), ("PUT", "contacts/1"), ("POST", "account"), ("PATCH", "events")],
)
def test_a_method_that_a_path_does_not_have_is_405(api: Api, method: str, path: str) -> None:
    assert api.ask(method, path).status_code == 405


def test_every_answer_has_a_date_and_repeats_the_request_id(api: Api) -> None:
    answer = api.ask("GET", "contacts", headers={"X-Request-Id": "pedido-7"})
    other = api.get("banana")

    assert answer.headers["X-Request-Id"] == "pedido-7"
    assert answer.headers["Date"] == "Mon, 23 Nov 2026 16:00:00 GMT"
    assert re.fullmatch(r"[0-9a-f]{32}", other.headers["X-Request-Id"])


def test_the_same_question_twice_gives_the_same_bytes_until_something_changes(api: Api, world: World) -> None:
    first, again = (api.query("contacts", "with=leads&limit=5").content for _ in range(2))
    world.update("contacts", world.ids("contacts")[0], name="Outra")

    assert first == again
    assert api.query("contacts", "with=leads&limit=5").content != first


def test_times_are_whole_seconds_of_the_last_year(api: Api) -> None:
    for row in api.rows("leads", "limit=250"):
        assert NOW - 366 * 86400 < row["created_at"] <= row["updated_at"] <= NOW
