"""The client against the sandbox: the account, users, pipelines, loss reasons, fields, companies."""

import pytest

from kommo.crm import errors
from kommo.crm.client import Kommo, Stage, Stream
from kommo.sandbox import Server
from tests.crm.conftest import Opener
from tests.crm.people import OFICINA, PADARIA


def test_the_account(kommo: Kommo) -> None:
    account = kommo.account()
    assert (account.id, account.name, account.subdomain) == (PADARIA, "Padaria Estrela", "padariaestrela")
    assert (account.currency, account.timezone, account.country, account.language) == (
        "BRL",
        "America/Sao_Paulo",
        "BR",
        "pt",
    )
    assert account.raw["currency_symbol"] == "R$" and "_links" not in account.raw


def test_two_accounts_are_two(shop: Server, workshop: Server, open_kommo: Opener) -> None:
    assert open_kommo(shop).account().id == PADARIA
    other = open_kommo(workshop).account()
    assert (other.id, other.name, other.currency) == (OFICINA, "Oficina Norte", "USD")


def test_the_token_of_one_account_opens_no_other(shop: Server, workshop: Server, open_kommo: Opener) -> None:
    with pytest.raises(errors.TokenRefused):
        open_kommo(workshop, token=shop.token).account()


def test_all_users(library: Server, kommo: Kommo) -> None:
    users = kommo.users()
    assert [user.id for user in users] == sorted(library.world.state.lists["users"])
    assert {user.is_active for user in users} == {True, False}
    assert any(user.is_admin for user in users) and all(user.name and "@" in user.email for user in users)


def test_many_users_come_in_pages(shop: Server, open_kommo: Opener) -> None:
    for number in range(510):
        shop.world.add_item("users", f"Pessoa {number}")
    assert len(open_kommo(shop).users()) == len(shop.world.state.lists["users"]) > 510


def test_pipelines_with_their_stages(library: Server, kommo: Kommo) -> None:
    pipelines = kommo.pipelines()
    assert [one.id for one in pipelines if one.is_main] == [pipelines[0].id]
    assert len(pipelines) == 3 and not any(one.is_archive for one in pipelines)
    for pipeline in pipelines:
        stages = pipeline.stages
        assert [stage.id for stage in stages][-2:] == [142, 143]
        assert [stage.sort for stage in stages] == sorted(stage.sort for stage in stages)
        assert stages[0].type == 1 and {stage.type for stage in stages[1:]} == {0}
        assert {stage.pipeline_id for stage in stages} == {pipeline.id}
    stage = pipelines[0].stages[-2]
    assert stage == Stage(pipelines[0].id, 142, stage.name, 10000, stage.color, 0) and stage.color.startswith("#")


def test_loss_reasons(library: Server, kommo: Kommo) -> None:
    reasons = kommo.loss_reasons()
    assert [one.name for one in reasons] == [
        one["name"] for _, one in sorted(library.world.state.lists["loss_reasons"].items())
    ]
    assert all(one.id and one.sort for one in reasons)


def test_an_account_without_loss_reasons(shop: Server, open_kommo: Opener) -> None:
    for key in list(shop.world.state.lists["loss_reasons"]):
        shop.world.remove_item("loss_reasons", key)
    assert open_kommo(shop).loss_reasons() == []


@pytest.mark.parametrize("entity", ["contacts", "leads", "companies"])
def test_definitions_of_custom_fields(library: Server, kommo: Kommo, entity: str) -> None:
    fields = kommo.custom_fields(entity)
    stored = library.world.state.lists[f"{entity}/custom_fields"]
    assert {one.id for one in fields} == set(stored) and {one.entity for one in fields} == {entity}
    assert {(one.id, one.type) for one in fields} == {(key, item["type"]) for key, item in stored.items()}
    assert [one.sort for one in fields] == sorted(one.sort for one in fields)
    assert all("_links" not in one.raw for one in fields)


def test_fields_know_their_code_their_choices_and_their_currency(kommo: Kommo) -> None:
    by_code = {one.code: one for one in kommo.custom_fields("contacts")}
    assert by_code["PHONE"].type == "multitext" and {enum["value"] for enum in by_code["PHONE"].enums} >= {
        "WORK",
        "MOB",
    }
    money = [one for one in kommo.custom_fields("leads") if one.type == "monetary"]
    assert money and all(one.currency for one in money) and all(one.enums == [] for one in money)


def test_there_are_no_fields_of_tasks(kommo: Kommo) -> None:
    with pytest.raises(ValueError, match="tasks"):
        kommo.custom_fields("tasks")


def test_companies_by_their_ids(library: Server, kommo: Kommo) -> None:
    ids = library.world.ids("companies")
    page = kommo.page(Stream.COMPANIES, 1, ids=[ids[5], ids[0], 999_999_999])
    assert [(one.id, one.name) for one in page.records] == [
        (key, library.world.record("companies", key)["name"]) for key in (ids[0], ids[5])
    ]
