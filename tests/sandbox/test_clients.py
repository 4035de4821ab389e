"""Client libraries for Kommo's API v4 work against the sandbox, unchanged, reading and writing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from amocrm_api import AmoOAuthClient
from amocrm_api.errors import AmoException

from kommo.sandbox import Server, World, make_world, serve


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(make_world(contacts=120, deals=110)) as running:
        yield running


@pytest.fixture
def world(server: Server) -> World:
    return server.world


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    made = AmoOAuthClient(server.token, "refresh", server.address, "id", "secret", "https://painel.example")
    with made._session:
        yield made


def _only(answer: dict[str, Any], key: str) -> Any:
    (found,) = answer["_embedded"][key]
    return found


def test_account_users_and_directories(client: Any) -> None:
    account = client.get_account_info(with_users_groups=True, with_task_types=True, with_datetime_settings=True)
    assert account["name"] == "Padaria Estrela"
    assert account["_embedded"]["datetime_settings"]["timezone"] == "America/Sao_Paulo"

    assert len(client.get_users(with_role=True, with_group=True)["_embedded"]["users"]) == 8
    assert client.get_user(7002)["name"] == "Bruno Teixeira"
    assert {one["type"] for one in client.get_contacts_custom_fields()["_embedded"]["custom_fields"]} >= {"multitext"}
    assert client.get_leads_custom_fields(page=1)["_embedded"]["custom_fields"]
    assert client.get_companies_custom_fields()["_embedded"]["custom_fields"]
    assert len(client.get_events_type()["_embedded"]["events_types"]) > 10
    assert client.get_webhooks() == {}


def test_pipelines_read_and_written(client: Any) -> None:
    pipelines = client.get_pipelines()["_embedded"]["pipelines"]
    first = client.get_pipeline(pipelines[0]["id"])
    stages = client.get_pipeline_statuses(first["id"])["_embedded"]["statuses"]

    assert first["name"] == pipelines[0]["name"]
    assert client.get_pipeline_status(first["id"], stages[1]["id"])["name"] == stages[1]["name"]
    made = _only(client.create_pipeline("Eventos", 90, False, [{"name": "Novo", "sort": 10}]), "pipelines")
    added = _only(client.add_statuses_to_pipeline(made["id"], [{"name": "Depois", "sort": 30}]), "statuses")
    names = [one["name"] for one in client.get_pipeline_statuses(made["id"])["_embedded"]["statuses"]]
    assert "Novo" in names
    assert added["name"] in names


def test_contacts_page_by_page(client: Any, world: World) -> None:
    seen: list[int] = []
    page = 1
    while answer := client.get_contacts(limit=50, page=page, with_params=["leads"], order={"id": "asc"}):
        seen += [row["id"] for row in answer["_embedded"]["contacts"]]
        page += 1

    assert seen == world.ids("contacts")


def test_contacts_created_changed_and_read(client: Any, world: World) -> None:
    phone = {"field_code": "PHONE", "values": [{"value": "+5511987654321", "enum_code": "MOB"}]}
    made = _only(client.create_contacts([{"name": "Ana Lima", "custom_fields_values": [phone]}]), "contacts")

    changed = _only(client.update_contacts([{"id": made["id"], "name": "Ana Souza"}]), "contacts")
    found = client.get_contact(made["id"])

    assert changed["id"] == made["id"]
    assert found["name"] == "Ana Souza"
    assert found["custom_fields_values"][0]["values"][0]["enum_code"] == "MOB"
    since = client.get_contacts(
        filters={"updated_at__from": found["updated_at"], "updated_at__to": found["updated_at"]}
    )
    assert made["id"] in [row["id"] for row in since["_embedded"]["contacts"]]


def test_deals_created_moved_and_filtered(client: Any, world: World) -> None:
    pipeline = min(world.state.lists["pipelines"])
    made = _only(client.create_leads([{"name": "Bolo", "price": 300, "pipeline_id": pipeline}]), "leads")
    client.update_leads([{"id": made["id"], "status_id": 142, "pipeline_id": pipeline}])

    found = _only(client.get_leads(filter_ids=[made["id"]], with_params=["contacts", "loss_reason"]), "leads")

    assert (found["status_id"], found["price"]) == (142, 300)
    assert found["closed_at"] is not None
    assert client.get_lead(made["id"])["name"] == "Bolo"
    assert client.get_lead(1) == {}
    assert client.get_unsorted_leads() == {} or client.get_unsorted_leads()["_embedded"]["unsorted"]


def test_companies(client: Any) -> None:
    made = _only(client.create_companies([{"name": "Café Central"}]), "companies")

    assert client.get_company(made["id"])["name"] == "Café Central"
    assert client.get_companies(limit=5, with_params=["contacts", "leads"])["_embedded"]["companies"]


def test_links(client: Any, world: World) -> None:
    deal, contact = world.add("leads", name="x"), world.add("contacts", name="Ana")

    client.link_leads_entity(deal, [{"to_entity_id": contact, "to_entity_type": "contacts"}])

    assert _only(client.get_leads_links(deal), "links")["to_entity_id"] == contact
    assert _only(client.get_contacts_links(contact, {"to_entity_type": "leads"}), "links")["to_entity_id"] == deal
    # This library asks for …/unlinks, which Kommo does not have either.
    with pytest.raises(AmoException, match="404"):
        client.unlink_leads_entity(deal, [{"to_entity_id": contact, "to_entity_type": "contacts"}])


def test_tags_notes_and_tasks(client: Any, world: World) -> None:
    deal = world.add("leads", name="x")
    tag = _only(client.add_tags_for_entity_type("leads", [{"name": "biblioteca"}]), "tags")
    assert tag["id"] in [one["id"] for one in client.get_tags_by_entity_type("leads")["_embedded"]["tags"]]

    note = _only(client.create_entity_note("leads", [{"note_type": "common", "params": {"text": "a"}}], deal), "notes")
    client.update_entity_note("leads", deal, note["id"], {"note_type": "common", "params": {"text": "b"}})
    client.update_entity_many_notes("leads", [{"id": note["id"], "entity_id": deal, "params": {"text": "c"}}])
    assert client.get_entity_note("leads", note["id"], deal)["params"]["text"] == "c"
    by_record = client.get_notes_by_entity_type_and_entity_id("leads", deal, filter_by_note_type="common")
    assert [one["id"] for one in by_record["_embedded"]["notes"]] == [note["id"]]
    assert client.get_notes_by_entity_type("leads", filter_by_id=note["id"])["_embedded"]["notes"]

    body = {"text": "Ligar", "complete_till": 2_000_000_000, "entity_id": deal, "entity_type": "leads"}
    task = _only(client.add_tasks([body]), "tasks")
    client.update_tasks([{"id": task["id"], "text": "Ligar já"}])
    client.execution_task(task["id"], True, "feito")
    assert client.get_task(task["id"])["result"] == {"text": "feito"}
    assert client.get_tasks(filters={"is_completed": 1})["_embedded"]["tasks"]


def test_custom_fields_written(client: Any) -> None:
    made = _only(client.create_leads_custom_fields([{"name": "Cor", "type": "text"}]), "custom_fields")

    client.update_leads_custom_fields([{"id": made["id"], "name": "Cores"}])

    assert client.get_leads_custom_field(made["id"])["name"] == "Cores"


def test_events_and_webhooks(client: Any, world: World) -> None:
    one = world.add("contacts", name="Ana")
    world.delete("contacts", one)

    (row,) = client.get_events(limit=1, filter_by_type="contact_deleted")["_embedded"]["events"]
    assert row["entity_id"] == one
    assert client.get_event(row["id"])["type"] == "contact_deleted"
    hook = client.subscribe_webhook("https://painel.example/k", ["add_lead"])
    assert _only(client.get_webhooks(), "webhooks")["id"] == hook["id"]


def test_errors_arrive_as_the_library_s_own(client: Any) -> None:
    with pytest.raises(AmoException, match="Code: 400"):
        client.create_contacts([{"nome": "x"}])
