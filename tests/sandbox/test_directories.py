"""Account, users, pipelines, loss reasons, custom fields, tags, webhooks: reading and setting up."""

from __future__ import annotations

from typing import Any

import pytest

from kommo.sandbox import OFICINA, World, make_world, serve

from .conftest import NOW, Api, errors

FIELD_TYPES = {
    "contacts": {
        "multitext", "text", "select", "textarea", "smart_address", "legal_entity", "file", "birthday", "multiselect",
        "checkbox", "monetary", "numeric", "url", "date", "date_time", "radiobutton", "streetaddress",
    },
    "leads": {
        "select", "textarea", "smart_address", "legal_entity", "file", "date", "date_time", "radiobutton",
        "multiselect", "checkbox", "monetary", "numeric", "url", "birthday", "text", "streetaddress", "chained_list",
        "tracking_data", "ai_forecast",
    },
    "companies": {
        "multitext", "url", "select", "textarea", "smart_address", "legal_entity", "file", "numeric", "date",
        "checkbox",
    },
}  # fmt: skip


def test_the_account(api: Api) -> None:
    body = api.get("account").json()

    assert (body["id"], body["name"], body["subdomain"]) == (30001000, "Padaria Estrela", "padariaestrela")
    assert (body["currency"], body["currency_symbol"], body["language"]) == ("BRL", "R$", "pt")
    assert {"created_at", "created_by", "updated_at", "updated_by", "current_user_id", "country"} <= set(body)
    assert "_embedded" not in body


def test_the_account_with_everything(api: Api) -> None:
    names = "amojo_id,amojo_rights,users_groups,task_types,version,entity_names,datetime_settings,drive_url"

    body = api.query("account", f"with={names}").json()

    settings = body["_embedded"]["datetime_settings"]
    assert (settings["timezone"], settings["timezone_offset"]) == ("America/Sao_Paulo", "-03:00")
    assert [one["name"] for one in body["_embedded"]["users_groups"]] == ["Vendas", "Produção"]
    assert [one["code"] for one in body["_embedded"]["task_types"]] == ["FOLLOW_UP", "MEETING"]
    assert {"amojo_id", "version", "drive_url", "entity_names"} <= set(body)


def test_eight_users_one_of_them_inactive(api: Api) -> None:
    body = api.query("users", "limit=250&with=group,role").json()

    people = body["_embedded"]["users"]
    assert (body["_total_items"], body["_page"], body["_page_count"]) == (8, 1, 1)
    assert [one["name"] for one in people if not one["rights"]["is_active"]] == ["Hugo Braga"]
    assert [one["name"] for one in people if one["rights"]["is_admin"]] == ["Ana Martins"]
    assert {"view", "edit", "add", "delete", "export"} == set(people[0]["rights"]["leads"])
    assert people[1]["_embedded"]["groups"][0]["name"] == "Vendas"
    assert "uuid" not in people[0]
    assert "uuid" in api.query("users", "with=uuid").json()["_embedded"]["users"][0]


def test_one_user(api: Api) -> None:
    assert api.get("users/7002").json()["name"] == "Bruno Teixeira"
    assert api.get("users/1").status_code == 404


def test_users_are_paged_with_totals(api: Api) -> None:
    body = api.query("users", "limit=3&page=2").json()

    assert [one["id"] for one in body["_embedded"]["users"]] == [7004, 7005, 7006]
    assert (body["_total_items"], body["_page_count"]) == (8, 3)
    assert set(body["_links"]) == {"self", "next", "prev", "last"}
    assert api.query("users", "limit=3&page=4").status_code == 204


def test_three_pipelines_with_the_four_kinds_of_stages(api: Api) -> None:
    body = api.get("leads/pipelines").json()

    found = body["_embedded"]["pipelines"]
    assert body["_total_items"] == 3
    assert [one["name"] for one in found] == ["Vendas", "Pós-venda", "Atacado"]
    assert [one["is_main"] for one in found] == [True, False, False]
    for one in found:
        stages = one["_embedded"]["statuses"]
        assert stages[0]["type"] == 1
        assert [stage["id"] for stage in stages[-2:]] == [142, 143]
        assert [stage["sort"] for stage in stages] == sorted(stage["sort"] for stage in stages)
        assert {stage["pipeline_id"] for stage in stages} == {one["id"]}
        assert not stages[0]["is_editable"]
        assert stages[1]["is_editable"]
    ids = [stage["id"] for one in found for stage in one["_embedded"]["statuses"] if stage["id"] > 143]
    assert len(ids) == len(set(ids))


def test_one_pipeline_its_stages_and_one_stage(api: Api) -> None:
    one = api.get("leads/pipelines/8400101").json()
    stage = one["_embedded"]["statuses"][1]

    assert one["name"] == "Vendas"
    assert api.rows("leads/pipelines/8400101/statuses") == one["_embedded"]["statuses"]
    assert api.get(f"leads/pipelines/8400101/statuses/{stage['id']}").json() == stage
    assert api.get("leads/pipelines/8400101/statuses/142").json()["name"] == "Fechado - ganho"
    assert "descriptions" in api.rows("leads/pipelines/8400101/statuses", "with=descriptions")[0]
    for path in ("leads/pipelines/8400101/statuses/7", "leads/pipelines/7/statuses", "leads/pipelines/7/statuses/142"):
        assert api.get(path).status_code == 404, path


def test_five_loss_reasons(api: Api) -> None:
    found = api.rows("leads/loss_reasons")

    assert len(found) == 5
    assert {"id", "name", "sort", "created_at", "updated_at", "_links"} == set(found[0])
    assert api.get(f"leads/loss_reasons/{found[0]['id']}").json() == found[0]
    assert api.get("leads/loss_reasons/1").status_code == 404


@pytest.mark.parametrize("kind", ["contacts", "leads", "companies"])
def test_custom_fields_of_every_type_that_fits(api: Api, kind: str) -> None:
    body = api.query(f"{kind}/custom_fields", "limit=250").json()

    found = body["_embedded"]["custom_fields"]
    assert {one["type"] for one in found} == FIELD_TYPES[kind]
    assert body["_total_items"] == len(found)
    assert {one["entity_type"] for one in found} == {kind}
    choices = [one for one in found if one["type"] in ("select", "multiselect", "radiobutton", "multitext")]
    assert all({"id", "value", "sort"} <= set(enum) for one in choices for enum in one["enums"])
    assert all(one["currency"] == "BRL" for one in found if one["type"] == "monetary")
    assert api.get(f"{kind}/custom_fields/{found[0]['id']}").json() == found[0]
    assert api.get(f"{kind}/custom_fields/1").status_code == 404


def test_custom_fields_by_type_and_order(api: Api) -> None:
    names = [one["name"] for one in api.rows("contacts/custom_fields", "filter[type][0]=select")]
    by_id = api.ids("contacts/custom_fields", "order[id]=desc")

    assert names == ["Origem"]
    assert by_id == sorted(by_id, reverse=True)


def test_phone_and_email_are_predefined(api: Api) -> None:
    for kind in ("contacts", "companies"):
        found = {one["code"]: one for one in api.rows(f"{kind}/custom_fields") if one["code"]}
        assert [enum["code"] for enum in found["PHONE"]["enums"]] == ["WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER"]
        assert [enum["code"] for enum in found["EMAIL"]["enums"]] == ["WORK", "PRIV", "OTHER"]
        assert found["PHONE"]["is_predefined"]


def test_tags_by_query_id_and_name(api: Api) -> None:
    vip = next(one for one in api.rows("contacts/tags") if one["name"] == "vip")

    assert vip == {"id": vip["id"], "name": "vip", "color": None}
    assert api.rows("contacts/tags", "query=VIP") == [vip]
    assert api.rows("contacts/tags", f"filter[id][]={vip['id']}") == [vip]
    assert api.rows("contacts/tags", "filter[name]=vip") == [vip]
    assert api.rows("contacts/tags", "query=nada") == []


def test_two_accounts_use_the_same_ids_for_different_things(world: World) -> None:
    other = make_world(OFICINA, contacts=60, deals=40, clock=world.state.clock)

    assert (other.account_id, other.state.profile.currency) == (30002000, "USD")
    assert set(other.ids("contacts")) & set(world.ids("contacts"))
    shared = world.ids("contacts")[0]
    assert other.record("contacts", shared)["name"] != world.record("contacts", shared)["name"]
    names = [[one["name"] for one in each.state.lists["pipelines"].values()] for each in (world, other)]
    assert set(world.state.lists["pipelines"]) == set(other.state.lists["pipelines"])
    assert not set(names[0]) & set(names[1])


def test_a_contact_and_a_deal_may_have_the_same_id(world: World) -> None:
    assert set(world.ids("contacts")) & set(world.ids("leads"))


def test_a_pipeline_is_made_renamed_and_removed(api: Api) -> None:
    stages = [{"name": "Novo"}, {"name": "Velho"}, {"id": 142, "name": "Ganho"}]
    (made,) = api.post(
        "leads/pipelines", [{"name": "Eventos", "sort": 40, "is_main": False, "_embedded": {"statuses": stages}}]
    ).json()["_embedded"]["pipelines"]

    assert [one["name"] for one in made["_embedded"]["statuses"]][1:3] == ["Novo", "Velho"]
    assert made["request_id"] == "0"
    assert api.patch(f"leads/pipelines/{made['id']}", {"name": "Festas"}).json()["name"] == "Festas"
    assert api.ask("DELETE", f"leads/pipelines/{made['id']}").status_code == 204
    assert api.get(f"leads/pipelines/{made['id']}").status_code == 404
    assert api.patch("leads/pipelines/1", {"name": "x"}).status_code == 404
    assert api.ask("DELETE", "leads/pipelines/1").status_code == 404


def test_a_pipeline_with_deals_stays(api: Api) -> None:
    assert api.ask("DELETE", "leads/pipelines/8400101").status_code == 422
    assert api.get("leads/pipelines/8400101").status_code == 200


def test_a_stage_is_made_renamed_and_removed(api: Api) -> None:
    path = "leads/pipelines/8400103/statuses"
    (made,) = api.post(path, [{"name": "Assinatura", "sort": 65, "color": "#ffcc66"}]).json()["_embedded"]["statuses"]

    assert (made["name"], made["sort"], made["pipeline_id"]) == ("Assinatura", 65, 8400103)
    assert api.patch(f"{path}/{made['id']}", {"name": "Firma"}).json()["name"] == "Firma"
    assert api.patch(f"{path}/142", {"name": "Vendido"}).json()["name"] == "Vendido"
    assert api.get("leads/pipelines/8400101/statuses/142").json()["name"] == "Fechado - ganho"
    assert api.ask("DELETE", f"{path}/{made['id']}").status_code == 204
    assert api.ask("DELETE", f"{path}/{made['id']}").status_code == 404
    assert api.ask("DELETE", f"{path}/142").status_code == 422
    assert api.post("leads/pipelines/7/statuses", [{"name": "x"}]).status_code == 404
    assert api.patch(f"{path}/7", {"name": "x"}).status_code == 404


def test_a_stage_with_deals_stays(api: Api, world: World) -> None:
    deal = world.record("leads", world.add("leads", name="Aqui"))

    path = f"leads/pipelines/{deal['pipeline_id']}/statuses/{deal['status_id']}"

    assert api.ask("DELETE", path).status_code == 422


def test_a_custom_field_is_made_with_201_and_changed(api: Api) -> None:
    sent = {"name": "Cor", "type": "select", "enums": [{"value": "Azul", "sort": 1}, {"value": "Verde", "sort": 2}]}

    answer = api.post("leads/custom_fields", [sent])

    (made,) = answer.json()["_embedded"]["custom_fields"]
    assert answer.status_code == 201
    assert [enum["value"] for enum in made["enums"]] == ["Azul", "Verde"]
    kept, dropped = made["enums"]
    enums = [{"id": kept["id"], "value": "Anil"}, {"value": "Verde"}]
    changed = api.patch(f"leads/custom_fields/{made['id']}", {"name": "Cores", "enums": enums}).json()
    assert changed["name"] == "Cores"
    assert changed["enums"][0]["id"] == kept["id"]
    assert changed["enums"][1]["id"] != dropped["id"]
    assert api.patch("leads/custom_fields", [{"id": made["id"], "name": "Tons"}]).status_code == 200
    assert api.get(f"leads/custom_fields/{made['id']}").json()["name"] == "Tons"
    assert api.patch("leads/custom_fields/7", {"name": "x"}).status_code == 404


def test_a_custom_field_needs_name_and_type(api: Api) -> None:
    assert errors(api.post("leads/custom_fields", [{"name": "Cor"}])) == [("0", "type", "FieldMissing")]


def test_a_tag_is_made_once(api: Api) -> None:
    (made,) = api.post("leads/tags", [{"name": "novíssima"}]).json()["_embedded"]["tags"]

    assert api.post("leads/tags", [{"name": "novíssima"}]).json()["_embedded"]["tags"][0]["id"] == made["id"]
    assert api.rows("leads/tags", "query=novíssima")[0]["id"] == made["id"]
    assert api.rows("contacts/tags", "query=novíssima") == []


HOOK = {"destination": "https://painel.example/k/segredo", "settings": ["add_contact", "update_contact"]}


def test_webhooks_come_and_go_by_destination(api: Api) -> None:
    assert api.get("webhooks").status_code == 204

    made = api.post("webhooks", HOOK).json()

    assert made["settings"] == HOOK["settings"]
    assert (made["disabled"], made["account_id"], made["created_by"], made["created_at"]) == (
        False,
        30001000,
        7001,
        NOW,
    )
    body = api.get("webhooks", **{"filter[destination]": HOOK["destination"]}).json()
    assert (body["_total_items"], body["_embedded"]["webhooks"]) == (1, [made])
    assert api.get("webhooks", **{"filter[destination]": "https://outra.example"}).status_code == 204
    gone = {"destination": HOOK["destination"]}
    assert api.ask("DELETE", "webhooks", gone).status_code == 204
    assert api.ask("DELETE", "webhooks", gone).status_code == 404


@pytest.mark.parametrize("body", [{}, {"destination": "ftp://x", "settings": []}, {"destination": "https://x"}, [HOOK]])
def test_a_webhook_needs_destination_and_settings(api: Api, body: Any) -> None:
    assert api.post("webhooks", body).status_code == 400
    assert api.get("webhooks").status_code == 204


def test_a_webhook_cannot_be_removed_without_naming_it(api: Api) -> None:
    api.post("webhooks", HOOK)

    assert api.ask("DELETE", "webhooks").status_code == 400
    assert len(api.rows("webhooks")) == 1


def test_which_host_the_account_has(api: Api) -> None:
    wanted = {
        "id": 30001000, "subdomain": "padariaestrela", "domain": "padariaestrela.kommo.com", "top_level_domain": "com",
    }  # fmt: skip

    assert api.ask("GET", "/oauth2/account/subdomain").json() == wanted
    header = {"X-Refresh-Token": api.token, "Authorization": ""}
    assert api.ask("GET", "/oauth2/account/current/subdomain", headers=header).json() == wanted
    assert api.ask("GET", "/oauth2/account/current/subdomain", headers={"Authorization": ""}).status_code == 401


def test_oauth_codes_are_refused(api: Api) -> None:
    answer = api.ask("POST", "/oauth2/access_token", {"grant_type": "refresh_token"}, headers={"Authorization": ""})

    assert answer.status_code == 400
    assert answer.json()["hint"] == "Authorization code has expired"


def test_incoming_requests(api: Api, world: World) -> None:
    pipeline = world.state.lists["pipelines"][8400101]
    for row in list(world.ids("leads")):
        world.delete("leads", row)
    assert api.get("leads/unsorted").status_code == 204
    deal = world.add("leads", name="Do site", pipeline_id=8400101, status_id=pipeline["statuses"][0]["id"])
    world.link("leads", deal, "contacts", ana := world.add("contacts", name="Ana", is_unsorted=True))

    (found,) = api.rows("leads/unsorted")

    assert [one["id"] for one in found["_embedded"]["leads"]] == [deal]
    assert [one["id"] for one in found["_embedded"]["contacts"]] == [ana]
    assert api.get(f"leads/unsorted/{found['uid']}").json() == found
    assert api.get(f"leads/unsorted/{'0' * 64}").status_code == 404
    assert api.rows("leads/unsorted", f"filter[uid][]={found['uid']}&filter[category][]=forms") == [found]
    assert api.rows("leads/unsorted", "filter[category][]=sip") == []
    assert api.get("leads/unsorted/summary").json()["total"] == 1


def test_the_first_pipeline_of_the_other_account(world: World) -> None:
    with serve(make_world(OFICINA, contacts=5, deals=5, clock=world.state.clock)) as server:
        api = Api(server, server.token)
        with api.session:
            assert api.get("account").json()["name"] == "Oficina Norte"
            assert [one["name"] for one in api.rows("leads/pipelines")] == ["Orçamentos", "Revisões", "Frotas"]
