"""/contatos: rows, search, filters, order, pages, fragments, empty states, and nonsense in the address."""

from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from sqlalchemy import update

from kommo.db import writing
from kommo.store.tables import Connection
from tests.factories import (
    BRUNO,
    NOON,
    StatementCounter,
    contact_record,
    deal_record,
    make_account,
    make_run,
    store_catalogues,
    store_contacts,
    store_deals,
)
from tests.pages.conftest import Person
from tests.pages.dom import Element, parse


@pytest.fixture
def bakery(person: Person) -> Connection:
    connection = make_account(person.engine)
    store_catalogues(person.engine, connection)
    return connection


@pytest.fixture
def people(person: Person, bakery: Connection) -> Person:
    """Sixty contacts; the first has everything, every third belongs to Rafael."""
    first = contact_record(1, "Ana Beatriz Souza", phones=["+55 11 98812-4410"], emails=["ana@exemplo.com.br"])
    others = [
        contact_record(number, f"Pessoa {number:02}", responsible_user_id=7002 if number % 3 == 0 else 7001)
        for number in range(2, 61)
    ]
    store_contacts(person.engine, bakery, [first, *others])
    store_deals(person.engine, bakery, [deal_record(1, price=8400, contacts=[1])])
    make_run(person.engine, bakery, contacts=(60, 60), deals=(1, 1))
    return person


def rows(page: Element) -> list[list[str]]:
    return [[cell.text for cell in row.children if isinstance(cell, Element)] for row in page.one("tbody").all("tr")]


def names(page: Element) -> list[str]:
    return [link.text for link in page.all("a", class_="row-link")]


def test_a_row_is_one_link_with_what_a_person_looks_for(people: Person) -> None:
    with time_machine.travel(NOON + 3 * 86_400, tick=False):  # on the day itself it would say "hoje"
        page = people.open("/contatos")
    assert page.one("h1").text == "Contatos"
    first = page.one("tbody").all("tr")[0]
    assert [link["href"] for link in first.all("a")] == ["/contatos/1"]
    name, phone, email, person, value, updated = rows(page)[0]
    assert name == "Ana Beatriz Souza +55 11 98812-4410 · ana@exemplo.com.br"  # the second line is for smaller screens
    assert (phone, email, person, value) == ("+55 11 98812-4410", "ana@exemplo.com.br", "Paula Nogueira", "R$ 8.400,00")
    assert first["title"].splitlines() == [
        "Ana Beatriz Souza",
        "+55 11 98812-4410",
        "ana@exemplo.com.br",
        "Paula Nogueira",
    ]
    assert updated.startswith("25/11/2026")
    assert rows(page)[2][1:5] == ["—", "—", "Rafael Teixeira (excluído)", "—"]


def test_fifty_rows_a_page_and_real_links_to_the_others(people: Person) -> None:
    first = people.open("/contatos")
    assert len(names(first)) == 50
    assert first.one("div", class_="pager").text.startswith("1–50 de 60")
    assert first.all("a", rel="prev") == []
    second = people.open(first.one("a", rel="next")["href"])
    assert names(second) == [f"Pessoa {number}" for number in range(51, 61)]
    assert second.one("div", class_="pager").text.startswith("51–60 de 60")
    assert second.one("a", rel="prev")["href"] == "/contatos"


def test_a_search_keeps_its_words_and_counts(people: Person) -> None:
    page = people.open("/contatos?q=ana+souza")
    assert names(page) == ["Ana Beatriz Souza"]
    assert page.one("input", name="q")["value"] == "ana souza"
    assert page.one(id="count").text == "1 de 60"
    assert people.open("/contatos").one(id="count").text == "60"


@pytest.mark.parametrize("query", ["SOUZA", "98812-4410", "11988124410", "ana@exemplo", "souzá"])
def test_it_searches_name_phone_and_e_mail(people: Person, query: str) -> None:
    assert names(people.open(f"/contatos?q={query}")) == ["Ana Beatriz Souza"]


def test_filters_by_person_are_kept_in_every_link(people: Person) -> None:
    page = people.open("/contatos?responsavel=7002&responsavel=7003&q=pessoa&ordem=-nome")
    assert names(page)[0] == "Pessoa 60"
    assert page.one(id="count").text == "20 de 60"
    assert page.one(id="who").text == "Rafael Teixeira, Sônia Prado"
    checked = [box["value"] for box in page.all("input", name="responsavel") if "checked" in box.attributes]
    assert sorted(checked) == ["7002", "7003"]
    [name, updated] = [parse_qs(urlsplit(link["href"]).query) for link in page.one("thead").all("a")]
    assert name == {"q": ["pessoa"], "responsavel": ["7002", "7003"]}
    assert updated == name | {"ordem": ["-atualizado"]}
    assert page.one(id="clear").one("a")["href"] == "/contatos?ordem=-nome"


def menu(page: Element) -> list[tuple[str, str]]:
    choices = page.one("form", class_="filters").all("label", class_="check")
    return [(choice.one("input")["value"], choice.text) for choice in choices]


def test_everyone_who_holds_a_record_can_be_chosen(people: Person, bakery: Connection) -> None:
    """Those who left stand behind, unknown ones have their number; a person without any record is left out."""
    assert menu(people.open("/contatos")) == [("7001", "Paula Nogueira"), ("7002", "Rafael Teixeira (excluído)")]
    more = [
        contact_record(61, "De quem saiu", responsible_user_id=7003),
        contact_record(62, "De um número", responsible_user_id=6990),
        contact_record(63, "De ninguém", responsible_user_id=None),
    ]
    store_contacts(people.engine, bakery, more)
    assert menu(people.open("/contatos")) == [
        ("7001", "Paula Nogueira"),
        ("6990", "Usuário 6990"),
        ("7002", "Rafael Teixeira (excluído)"),
        ("7003", "Sônia Prado (inativo)"),
        ("sem", "Sem responsável"),
    ]


def test_records_without_a_person_are_a_choice_like_any_other(people: Person, bakery: Connection) -> None:
    store_contacts(people.engine, bakery, [contact_record(63, "De ninguém", responsible_user_id=None)])
    page = people.open("/contatos?responsavel=sem")
    assert names(page) == ["De ninguém"]
    assert page.one(id="who").text == "Sem responsável"
    assert page.one("input", name="responsavel", value="sem").get("checked") == ""
    assert page.one("thead").all("a")[0]["href"] == "/contatos?responsavel=sem&ordem=-nome"
    both = people.open("/contatos?responsavel=sem&responsavel=7002")
    assert both.one(id="count").text == "21 de 61"
    assert people.fragment("/contatos?responsavel=sem").headers["HX-Push-Url"] == "/contatos?responsavel=sem"


def test_the_form_works_without_javascript(people: Person) -> None:
    """What a browser would send: every field of the form, the empty ones too."""
    form = people.open("/contatos?ordem=-nome").one("form", class_="filters")
    assert (form["method"], form["action"]) == ("get", "/contatos")
    fields = {field["name"]: field.get("value") or "" for field in form.all("input") if field.get("type") != "checkbox"}
    assert fields == {"q": "", "ordem": "-nome"}
    assert form.one("noscript").one("button").text == "Buscar"
    page = people.open("/contatos?ordem=-nome&q=&responsavel=7002")
    assert names(page)[:2] == ["Pessoa 60", "Pessoa 57"]


def test_the_sorted_column_is_marked_and_a_second_click_turns_it(people: Person) -> None:
    page = people.open("/contatos")
    [head] = [head for head in page.all("th") if head.get("aria-sort")]
    assert (head.text, head["aria-sort"]) == ("Nome", "ascending")
    turned = people.open(head.one("a")["href"])
    [head] = [head for head in turned.all("th") if head.get("aria-sort")]
    assert (head.text, head["aria-sort"], head.one("a")["href"]) == ("Nome", "descending", "/contatos")
    assert names(turned)[0] == "Pessoa 60"


def test_a_fragment_is_the_results_of_the_page(people: Person) -> None:
    address = "/contatos?q=pessoa&responsavel=7002"
    answer = people.fragment(address)
    fragment, page = parse(answer), people.open(address)
    assert fragment.all("html") == []
    assert fragment.one("table").text == page.one("table").text
    assert fragment.one("div", class_="pager").text == page.one("div", class_="pager").text
    told = {
        part["hx-swap-oob"].removeprefix("innerHTML:#"): part.text
        for part in fragment.walk()
        if part.get("hx-swap-oob")
    }
    assert told == {
        "count": page.one(id="count").text,
        "who": page.one(id="who").text,
        "clear": page.one(id="clear").text,
        "announced": "20 contatos",
    }
    assert answer.headers["HX-Push-Url"] == address


def test_one_more_letter_takes_the_place_of_the_last_search_in_the_history(people: Person) -> None:
    typing = {"HX-Request": "true", "HX-Trigger": "q"}
    first = people.client.get("/contatos?q=a", headers=typing | {"HX-Current-URL": "http://127.0.0.1:3000/contatos"})
    assert first.headers["HX-Push-Url"] == "/contatos?q=a"
    then = people.client.get(
        "/contatos?q=an", headers=typing | {"HX-Current-URL": "http://127.0.0.1:3000/contatos?q=a"}
    )
    assert "HX-Push-Url" not in then.headers
    assert then.headers["HX-Replace-Url"] == "/contatos?q=an"
    filtered = people.client.get(
        "/contatos?q=an&responsavel=7002",
        headers={"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1:3000/contatos?q=an"},
    )
    assert filtered.headers["HX-Push-Url"] == "/contatos?q=an&responsavel=7002"


def test_the_address_is_the_shortest_that_gives_the_same(people: Person) -> None:
    answer = people.fragment("/contatos?q=&ordem=nome&responsavel=&pagina=1&funil=&x=y")
    assert answer.headers["HX-Push-Url"] == "/contatos"


def test_nothing_found_says_how_to_find_more(people: Person) -> None:
    page = people.open("/contatos?q=<b>zzz&responsavel=7002")
    empty = page.one("div", class_="empty")
    assert "“<b>zzz”" in empty.text
    assert empty.one("a")["href"] == "/contatos"
    assert page.one(id="count").text == "0 de 60"
    only = people.open("/contatos?q=zzz").one("div", class_="empty")
    assert "Nenhum registro tem “zzz”. Tente" in only.text  # no filter is chosen
    assert only.one("a").text == "Limpar busca"
    assert "“<b>zzz” com os filtros escolhidos." in empty.text
    assert "Tire um deles" in people.open("/contatos?responsavel=7003").one("div", class_="empty").text


@pytest.mark.parametrize(
    "query",
    [
        "pagina=-5", "pagina=0", "pagina=1000000000", "pagina=99999999999999999999", "pagina=1&pagina=2", "pagina=x",
        "pagina=%00", "pagina=1.5", "ordem=unknown", "ordem=valor", "ordem=%27%3B--", "ordem=", "q=%00", "q=%25",
        "q=_", "q='", "q=%22", "q=%5C", "q=NEAR(", "q=*", "q=%F0%9F%91%A9", "q=" + "a" * 10_000,
        "q=" + "%22" * 3000, "responsavel=9223372036854775807", "responsavel=", "funil=x", "etapa=x", "limit=1000000",
        "x=y&x=z", "q[]=a", "&&&==", "%00=%00", "q=a&q=b", "conta=30001000",
    ],
)  # fmt: skip
def test_nonsense_in_the_address_is_bent_into_range(people: Person, query: str) -> None:
    page = people.open(f"/contatos?{query}")
    assert page.one("h1").text == "Contatos"
    assert people.fragment(f"/contatos?{query}").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "responsavel=x", "responsavel=0", "responsavel=-1", "responsavel=9223372036854775808", "responsavel=%00",
        "responsavel=" + "9" * 5000, "responsavel=7001&responsavel=1%27--",
        "&".join(f"responsavel={number}" for number in range(1, 300)),
    ],
)  # fmt: skip
def test_a_filter_that_is_no_id_is_refused_with_a_sentence(people: Person, query: str) -> None:
    page = people.open(f"/contatos?{query}", status=400)
    assert page.one("h1").text.startswith("O filtro responsavel")
    assert people.fragment(f"/contatos?{query}").status_code == 400


def test_a_page_past_the_end_is_the_last_one(people: Person) -> None:
    page = people.open("/contatos?pagina=9")
    assert names(page)[-1] == "Pessoa 60"
    assert page.one("a", rel="prev")["href"] == "/contatos"


def test_without_an_account_it_says_how_to_get_one(person: Person) -> None:
    page = person.open("/contatos")
    assert page.one("main").one("a", class_="primary")["href"] == "/conexao"
    assert page.all("table") == []


def test_without_a_copy_it_offers_the_one_next_step(person: Person, bakery: Connection) -> None:
    page = person.open("/contatos")
    assert page.one("h2", text="Ainda não há cópia desta conta")
    assert page.one("form", action="/sincronizacao")["method"] == "post"


def test_without_a_copy_and_with_a_refused_token_it_asks_for_another(person: Person, bakery: Connection) -> None:
    with writing(person.engine) as session:
        session.execute(update(Connection).values(token_refused=True))
    main = person.open("/contatos").one("main")
    assert "O Kommo não aceita mais o token desta conta." in main.text
    assert [each.text for each in main.all(class_="primary")] == ["Colar outro token"]


def test_during_the_first_run_it_leads_to_it(person: Person, bakery: Connection) -> None:
    make_run(person.engine, bakery, "running")
    assert person.open("/contatos").one("main").one("a", class_="primary")["href"] == "/sincronizacao"


def test_an_account_without_contacts_says_so(person: Person, bakery: Connection) -> None:
    make_run(person.engine, bakery, contacts=(0, 0), deals=(0, 0))
    assert "O Kommo não tem contatos nesta conta" in person.open("/contatos").text


def test_accounts_do_not_mix(people: Person) -> None:
    workshop = make_account(people.engine, name="Oficina Norte", account_id=30002000)
    brunos = make_account(people.engine, BRUNO, "Segredo do Bruno", 30003000)
    store_contacts(people.engine, workshop, [contact_record(1, "Ana da Oficina")])
    store_contacts(people.engine, brunos, [contact_record(1, "Ana do Bruno")])
    assert names(people.open("/contatos?q=ana")) == ["Ana da Oficina"]  # connected last
    page = people.open("/contatos?q=ana&conta=30001000")
    assert names(page) == ["Ana Beatriz Souza"]
    assert page.one("a", class_="row-link")["href"] == "/contatos/1?conta=30001000"
    assert page.one("form", class_="filters").one("input", name="conta")["value"] == "30001000"
    people.open("/contatos?conta=30003000", status=404)


def test_the_number_of_queries_does_not_grow_with_the_rows(people: Person) -> None:
    def queries(address: str) -> int:
        with StatementCounter(people.engine) as counter:
            people.open(address)
        return len(counter.seen)

    queries("/contatos?q=ana")
    assert queries("/contatos?q=ana") == queries("/contatos?q=pessoa")


def test_it_says_when_each_was_changed_for_screen_readers_too(people: Person) -> None:
    time = people.open("/contatos?q=ana").one("tbody").one("time")
    assert time["datetime"] == "2026-11-25T14:00:00Z"
    assert time["title"] == "25/11/2026 11:00"
    assert NOON - 3600 == 1_795_615_200
