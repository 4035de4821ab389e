"""amocrm-api, which maps Kommo's records to Python objects, works against the sandbox, unchanged.

It builds `https://<subdomain>.amocrm.ru` itself; a transport adapter on its own session (a feature of requests) carries
what it sends there to the sandbox.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from amocrm import v2 as amocrm
from requests.adapters import HTTPAdapter

from kommo.sandbox import Server, World, make_world, serve

# The library still calls datetime.utcfromtimestamp, which Python 3.12 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning")
HOST = "https://padariaestrela.amocrm.ru/"


class ToSandbox(HTTPAdapter):
    """Sends what goes to the account's host to a base address instead."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace(HOST, f"{self.address}/")
        return super().send(request, *args, **options)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    from amocrm.v2 import interaction
    from amocrm.v2.tokens import MemoryTokensStorage, default_token_manager

    with serve(make_world(contacts=120, deals=110)) as running:
        storage = MemoryTokensStorage()
        storage.save_tokens(running.token, "refresh")
        default_token_manager._storage = None
        default_token_manager("id", "secret", "padariaestrela", "https://painel.example", storage=storage)
        adapter = ToSandbox(running.address)
        interaction._session.mount(HOST, adapter)
        yield running
        adapter.close()
        interaction._session.adapters.pop(HOST)


@pytest.fixture
def world(server: Server) -> World:
    return server.world


@pytest.mark.usefixtures("server")
def test_account_and_users() -> None:
    from amocrm.v2.account import Account, AccountInteraction

    account = Account(data=AccountInteraction().get(include=["users_groups"]))

    assert (account.name, account.subdomain) == ("Padaria Estrela", "padariaestrela")
    assert account.users_groups[0]["name"] == "Vendas"
    people = list(amocrm.User.objects.all())
    assert [one.name for one in people if not one.is_active] == ["Hugo Braga"]
    assert amocrm.User.objects.get(7002).name == "Bruno Teixeira"


def test_every_contact_page_by_page(world: World) -> None:
    assert sorted(one.id for one in amocrm.Contact.objects.all()) == world.ids("contacts")


def test_a_contact_from_start_to_end(world: World) -> None:
    made = amocrm.Contact(name="Ana Lima", first_name="Ana")
    made.save()
    assert world.record("contacts", made.id)["first_name"] == "Ana"

    made.name = "Ana Quixaba"
    made.save()

    assert world.record("contacts", made.id)["name"] == "Ana Quixaba"
    assert amocrm.Contact.objects.get(query="quixaba").id == made.id


def test_custom_fields_by_name(world: World) -> None:
    from amocrm.v2.entity import custom_field

    class Person(amocrm.Contact):
        phone = custom_field.ContactPhoneField("Telefone", enum_code="MOB")
        job = custom_field.TextCustomField("Cargo")
        origin = custom_field.SelectCustomField("Origem")

    person = Person.objects.get(world.add("contacts", name="Ana"))
    person.phone, person.job, person.origin = "+5511987654321", "Dona", "Google"
    person.save()

    again = Person.objects.get(person.id)
    assert (again.phone, again.job, again.origin.value) == ("+5511987654321", "Dona", "Google")


def test_a_deal_its_pipeline_and_its_stage(world: World) -> None:
    deal = amocrm.Lead.objects.get(world.add("leads", name="Bolo", price=100))

    assert deal.pipeline.name == "Vendas"
    assert deal.status.name == "Primeiro contato"
    deal.status = "Negociação"
    deal.price = 250
    deal.save()

    record = world.record("leads", deal.id)
    stages = {one["id"]: one["name"] for one in world.state.lists["pipelines"][8400101]["statuses"]}
    assert (record["price"], stages[record["status_id"]]) == (250, "Negociação")
    assert len(list(amocrm.Pipeline.objects.all())) == 3


def test_filters_by_time_and_stage(world: World) -> None:
    from datetime import UTC, datetime

    from amocrm.v2 import filters

    at = int(time.time()) - 400 * 86400
    deal = world.add("leads", name="Antiga", created_at=at, updated_at=at, status_id=142)
    span = filters.DateRangeFilter("updated_at")(datetime.fromtimestamp(at - 1, UTC), datetime.fromtimestamp(at, UTC))
    stage = filters.FiltersByPipelineAndStatus("statuses")(8400101, 142)

    assert [one.id for one in amocrm.Lead.objects.filter(filters=(span, stage))] == [deal]


def test_links_tags_notes_and_tasks(world: World) -> None:
    deal = amocrm.Lead.objects.get(world.add("leads", name="x"))
    contact = amocrm.Contact.objects.get(world.add("contacts", name="Ana"))
    company = amocrm.Company.objects.get(world.add("companies", name="Café"))

    deal.contacts.add(contact)
    contact.company = company
    deal.tags.add("biblioteca")
    deal.save()
    note = deal.notes(text="ligou")
    note.save()
    deal.tasks.add(amocrm.Task(text="Ligar", complete_till=_at(3600), task_type_id=1))

    assert world.contacts_of(deal.id) == [contact.id]
    assert [one.id for one in amocrm.Lead.objects.get(deal.id).contacts] == [contact.id]
    assert amocrm.Contact.objects.get(contact.id).company.id == company.id
    assert [one.name for one in amocrm.Lead.objects.get(deal.id).tags] == ["biblioteca"]
    assert [one.text for one in deal.notes.objects.all()] == ["ligou"]
    assert [one.text for one in deal.tasks] == ["Ligar"]


def _at(seconds: int) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(time.time()) + seconds, UTC)


def test_events(world: World) -> None:
    from amocrm.v2 import filters

    one = world.add("contacts", name="Ana")
    world.delete("contacts", one)

    (row,) = amocrm.Event.objects.filter(filters=(filters.SingleFilter("type")("contact_deleted"),))
    assert (row.entity_id, row.entity_type) == (one, "contact")


def test_what_is_not_there_and_what_is_refused(world: World) -> None:
    from amocrm.v2 import exceptions

    with pytest.raises(exceptions.NotFound):
        amocrm.Contact.objects.get(1)
    with pytest.raises(exceptions.ValidationError):
        amocrm.Contact.objects.create(nome="x")
    world.fail("/users", 1, "403_scope")
    with pytest.raises(exceptions.PermissionsDenyException):
        amocrm.User.objects.get(7001)


def test_events_by_the_stage_that_was_left(world: World) -> None:
    from amocrm.v2 import filters

    deal = world.add("leads", name="Pedido")
    stage = world.record("leads", deal)["status_id"]
    world.update("leads", deal, status_id=142)
    wanted = filters.EventsFiltersByPipelineAndStatus("")(8400101, stage)
    other = filters.EventsFiltersByPipelineAndStatus("")(8400101, 143)

    assert deal in [row.entity_id for row in amocrm.Event.objects.filter(filters=(wanted,))]
    assert list(amocrm.Event.objects.filter(filters=(other,))) == []
