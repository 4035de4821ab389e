"""The pages of one contact and of one deal: every field in human form, links, what is gone, whose it is."""

import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from kommo.db import writing
from kommo.store.tables import Connection, CustomField
from tests.factories import (
    BRUNO,
    StatementCounter,
    bury_record,
    contact_record,
    deal_record,
    make_account,
    store_catalogues,
    store_contacts,
    store_deals,
)
from tests.pages.conftest import Person
from tests.pages.dom import Element

FIELDS: list[dict[str, Any]] = [
    {"field_id": 11, "field_name": "Origem", "field_type": "select", "values": [{"value": "Indicação", "enum_id": 1}]},
    {
        "field_id": 12,
        "field_name": "Produtos",
        "field_type": "multiselect",
        "values": [{"value": "Pão"}, {"value": "Bolo"}],
    },
    {"field_id": 13, "field_name": "Nota fiscal", "field_type": "checkbox", "values": [{"value": True}]},
    {"field_id": 14, "field_name": "Previsão", "field_type": "date", "values": [{"value": 1_796_472_000}]},
    {"field_id": 15, "field_name": "Entrada", "field_type": "monetary", "values": [{"value": "2400"}]},
    {"field_id": 16, "field_name": "Site", "field_type": "url", "values": [{"value": "https://exemplo.com.br/a"}]},
    {"field_id": 17, "field_name": "Mau", "field_type": "url", "values": [{"value": "javascript:alert(1)"}]},
    {"field_id": 18, "field_name": "Observação", "field_type": "textarea", "values": [{"value": "uma\nduas"}]},
    {"field_id": 19, "field_name": "Novo", "field_type": "holograma", "values": [{"value": {"a": [1, 2]}}]},
]


@pytest.fixture
def bakery(person: Person) -> Connection:
    connection = make_account(person.engine)
    store_catalogues(person.engine, connection)
    return connection


def facts(page: Element) -> dict[str, str]:
    """What stands in the list of names and values."""
    parts = [child for child in page.one("dl", class_="facts").children if isinstance(child, Element)]
    return {name.text: value.text for name, value in zip(parts[::2], parts[1::2], strict=True)}


def define(person: Person, connection: Connection, entity: str, *fields: tuple[int, str, int, dict[str, Any]]) -> None:
    with writing(person.engine) as session:
        for key, name, sort, more in fields:
            session.add(CustomField(connection_id=connection.id, entity=entity, id=key, name=name, sort=sort, **more))


def test_a_contact_with_every_field(person: Person, bakery: Connection) -> None:
    record = contact_record(
        501,
        "Márcia Fontes",
        phones=["+55 11 98812-4410", "32"],
        emails=["marcia@exemplo.com.br"],
        tags=["vip", "atacado"],
        company=801,
        fields=FIELDS,
    )
    store_contacts(person.engine, bakery, [record])
    page = person.open("/contatos/501")
    assert page.one("h1").text == "Márcia Fontes"
    assert page.one("title").text == "Márcia Fontes · Painel Kommo"
    assert facts(page) == {
        "Telefone": "+55 11 98812-4410 comercial 32 comercial",
        "E-mail": "marcia@exemplo.com.br comercial",
        "Responsável": "Paula Nogueira",
        "Empresa": "Café Serra Azul Ltda",
        "Etiquetas": "vip atacado",
        "Origem": "Indicação",
        "Produtos": "Pão Bolo",
        "Nota fiscal": "Sim",
        "Previsão": "05/12/2026",
        "Entrada": "R$ 2.400,00",
        "Site": "https://exemplo.com.br/a",
        "Mau": "javascript:alert(1)",
        "Observação": "uma duas",
        "Novo": "a: 1, 2",
        "Criado": "26/10/2026 12:00",
        "Atualizado": "25/11/2026 11:00",
        "Número no Kommo": "501",
    }
    links = [link["href"] for link in page.one("dl", class_="facts").all("a")]
    assert links == ["tel:+5511988124410", "mailto:marcia@exemplo.com.br", "https://exemplo.com.br/a"]


def test_a_contact_s_deals_lead_to_their_pages(person: Person, bakery: Connection) -> None:
    store_contacts(person.engine, bakery, [contact_record(501)])
    deals = [deal_record(1, "Aberta", price=10, contacts=[501]), deal_record(2, "Ganha", status_id=142, contacts=[501])]
    store_deals(person.engine, bakery, deals)
    page = person.open("/contatos/501")
    assert [(link.text, link["href"]) for link in page.all("a", class_="row-link")] == [
        ("Aberta", "/negociacoes/1"),
        ("Ganha", "/negociacoes/2"),
    ]
    first, second = page.one("tbody").all("tr")
    assert first.text == "Aberta Vendas → Contato inicial R$ 10,00"
    assert second.one("span", class_="good-text").text == "Venda ganha"


def test_a_contact_without_anything(person: Person, bakery: Connection) -> None:
    store_contacts(person.engine, bakery, [contact_record(501, "", responsible_user_id=None)])
    page = person.open("/contatos/501")
    assert page.one("h1").text == "Contato 501"
    assert (facts(page)["Responsável"], facts(page)["Empresa"], facts(page)["Etiquetas"]) == ("—", "—", "—")
    assert "Este contato não tem negociações." in page.text


def test_a_deal_with_every_field(person: Person, bakery: Connection) -> None:
    contacts = [contact_record(501, "Márcia", phones=["11 3333-0000"], emails=["m@x.br"]), contact_record(502, "Otto")]
    store_contacts(person.engine, bakery, contacts)
    record = deal_record(
        6001,
        price=12050,
        status_id=143,
        closed_at=1_795_000_000,
        loss_reason_id=81,
        company=801,
        contacts=[501, 502, 503],
        fields=FIELDS[:1],
        closest_task_at=1_796_000_000,
    )
    store_deals(person.engine, bakery, [record])
    page = person.open("/negociacoes/6001")
    assert page.one("h1").text == "Café Serra Azul: contrato anual"
    assert [link["href"] for link in page.one("nav", class_="crumbs").all("a")] == [
        "/negociacoes",
        "/negociacoes?funil=4401",
    ]
    assert page.one("div", class_="head").one("span", class_="bad").text == "Venda perdida"
    assert facts(page) == {
        "Valor": "R$ 12.050,00",
        "Funil e etapa": "Vendas → Venda perdida",
        "Fechamento": "18/11/2026 08:06",
        "Motivo da perda": "Preço",
        "Responsável": "Paula Nogueira",
        "Empresa": "Café Serra Azul Ltda",
        "Etiquetas": "—",
        "Origem": "Indicação",
        "Próxima tarefa": "29/11/2026 21:53",
        "Criada": "05/11/2026 12:00",
        "Atualizada": "25/11/2026 10:00",
        "Número no Kommo": "6001",
    }
    assert [(link.text, link["href"]) for link in page.all("a", class_="row-link")] == [
        ("Márcia", "/contatos/501"),
        ("Otto", "/contatos/502"),
    ]
    assert [row.text for row in page.one("tbody").all("tr")] == [
        "Márcia 11 3333-0000 · m@x.br · principal",
        "Otto sem telefone",
        "Contato 503 não está na cópia",
    ]


def test_money_is_in_the_currency_of_the_account_or_the_field(person: Person) -> None:
    connection = make_account(person.engine, currency="USD")
    define(person, connection, "leads", (15, "Entrada", 0, {"currency": "EUR"}))
    other = FIELDS[4] | {"field_id": 99, "field_name": "Saldo"}
    store_deals(person.engine, connection, [deal_record(1, price=5, fields=[FIELDS[4], other])])
    found = facts(person.open("/negociacoes/1"))
    assert (found["Valor"], found["Entrada"], found["Saldo"]) == ("US$ 5,00", "€ 2.400,00", "US$ 2.400,00")


def test_fields_come_in_the_order_and_under_the_names_of_now(person: Person, bakery: Connection) -> None:
    define(
        person,
        bakery,
        "contacts",
        (12, "Mercadorias", 1, {}),
        (11, "De onde veio", 2, {}),
        (13, "Nota fiscal", 3, {"gone_at": 1.0}),
        (30, "Vazio", 4, {}),
        (31, "Vazio e excluído", 5, {"gone_at": 1.0}),
    )
    store_contacts(person.engine, bakery, [contact_record(501, fields=FIELDS[:4])])
    page = person.open("/contatos/501")
    assert list(facts(page))[3:7] == ["Mercadorias", "De onde veio", "Nota fiscal (campo excluído)", "Previsão"]
    without = page.one("details", text="1 campo sem valor")
    assert without.one("p").text == "Vazio"


def test_the_whole_record_can_be_read(person: Person, bakery: Connection) -> None:
    store_contacts(person.engine, bakery, [contact_record(501, score="<b>7</b>", group_id=12)])
    raw = person.open("/contatos/501").one("pre").text
    assert '"score": "<b>7</b>"' in raw
    assert '"group_id": 12' in raw


def test_a_link_opens_the_record_in_kommo(person: Person, bakery: Connection) -> None:
    store_contacts(person.engine, bakery, [contact_record(501)])
    store_deals(person.engine, bakery, [deal_record(6001)])
    for path, address in (
        ("/contatos/501", "https://padariaestrela.kommo.com/contacts/detail/501"),
        ("/negociacoes/6001", "https://padariaestrela.kommo.com/leads/detail/6001"),
    ):
        link = person.open(path).one("a", text="Abrir no Kommo")
        assert (link["href"], link["rel"]) == (address, "noopener noreferrer")


@pytest.mark.parametrize(
    ("subdomain", "domain"),
    [
        ("evil.com/", "kommo.com"),
        ("evil.com#", "kommo.com"),
        ("evil.com\\", "kommo.com"),
        ("ana@evil.com:80", "kommo.com"),
        ("padaria", "kommo.com@evil.com"),
        ("padaria", "kommo.com/../evil"),
        ("evil.com ", "kommo.com"),
        ("padar\u0131a", "kommo.com"),
    ],
)
def test_a_name_that_leads_elsewhere_is_no_link(person: Person, subdomain: str, domain: str) -> None:
    """Kommo answers wrongly, or a token claims what it likes."""
    account = make_account(person.engine, subdomain=subdomain, base_domain=domain)
    store_contacts(person.engine, account, [contact_record(501)])
    page = person.open("/contatos/501")
    assert page.all("a", text="Abrir no Kommo") == []
    assert [link["href"] for link in page.all("a") if "evil" in link["href"]] == []


def test_the_demonstration_has_no_page_in_kommo_and_says_so(person: Person) -> None:
    demo = make_account(person.engine, is_demo=True)
    store_contacts(person.engine, demo, [contact_record(501)])
    page = person.open("/contatos/501")
    assert page.all("a", text="Abrir no Kommo") == []
    assert "Na conta de demonstração não há página no Kommo." in page.text


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/contatos/501", "Este contato não existe mais no Kommo."),
        ("/negociacoes/6001", "Esta negociação não existe mais no Kommo."),
    ],
)
def test_what_is_gone_is_marked_and_keeps_what_was_known(
    person: Person, bakery: Connection, path: str, sentence: str
) -> None:
    store_contacts(person.engine, bakery, [contact_record(501, phones=["11 3333-0000"])])
    store_deals(person.engine, bakery, [deal_record(6001, contacts=[501])])
    bury_record(person.engine, bakery, "contact", 501)
    bury_record(person.engine, bakery, "deal", 6001)
    page = person.open(path)
    notice = page.one("main").one("div", class_="warning")
    assert notice.text.startswith(f"{sentence} Aqui fica o que se sabia.")
    assert notice.one("time")
    assert page.all("a", text="Abrir no Kommo") == []
    assert "Número no Kommo" in facts(page)


UNKNOWN = ["502", "0", str(2**63 - 1), str(2**63), "9" * 40, "9" * 1500, "-1", "x", "1.5", "%00", "501%20"]


@pytest.mark.parametrize("path", ["/contatos", "/negociacoes"])
def test_an_unknown_record_is_not_found(person: Person, bakery: Connection, path: str) -> None:
    store_contacts(person.engine, bakery, [contact_record(501)])
    found = {key: person.client.get(f"{path}/{key}").status_code for key in UNKNOWN}
    assert found == dict.fromkeys(UNKNOWN, 404)


def without_token(answer: TestResponse) -> str:
    """The page without its CSRF token, which has the second of the request in it."""
    text, found = re.subn(r'(name="csrf-token" content=")[^"]+', r"\1", answer.get_data(as_text=True))
    assert found == 1
    return text


def test_a_foreign_record_looks_like_an_unknown_one(person: Person, bakery: Connection) -> None:
    brunos = make_account(person.engine, BRUNO)
    store_contacts(person.engine, brunos, [contact_record(501, "Segredo do Bruno")])
    store_deals(person.engine, brunos, [deal_record(501, "Segredo do Bruno")])
    for path in ("/contatos", "/negociacoes"):
        foreign, unknown = (person.client.get(f"{path}/{key}") for key in (501, 777))
        assert foreign.status_code == unknown.status_code == 404
        assert without_token(foreign) == without_token(unknown)


def test_with_several_accounts_links_stay_in_theirs(person: Person, bakery: Connection) -> None:
    make_account(person.engine, name="Oficina Norte", account_id=30002000)
    store_contacts(person.engine, bakery, [contact_record(501)])
    store_deals(person.engine, bakery, [deal_record(6001, contacts=[501])])
    person.open("/contatos/501", status=404)  # the workshop, connected last, has no such contact
    page = person.open("/contatos/501?conta=30001000")
    assert page.one("a", class_="row-link")["href"] == "/negociacoes/6001?conta=30001000"


def test_the_number_of_queries_does_not_grow_with_the_links(person: Person, bakery: Connection) -> None:
    def queries(path: str) -> int:
        with StatementCounter(person.engine) as counter:
            person.open(path)
        return len(counter.seen)

    contacts = [contact_record(number, fields=FIELDS) for number in range(501, 531)]
    store_contacts(person.engine, bakery, contacts)
    deals = [deal_record(1, contacts=[501]), deal_record(2, contacts=range(501, 531))]
    store_deals(person.engine, bakery, [*deals, *(deal_record(number, contacts=[530]) for number in range(10, 50))])
    queries("/negociacoes/1")
    assert queries("/negociacoes/1") == queries("/negociacoes/2")
    assert queries("/contatos/502") == queries("/contatos/530")
