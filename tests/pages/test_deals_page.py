"""/negociacoes: rows, filters by pipeline and stage, order, fragments, and nonsense in the address."""

import pytest

from kommo.store.tables import Connection
from tests.factories import (
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
def deals(person: Person, bakery: Connection) -> Person:
    """Four deals: two open ones, a won one of sales, a lost one of wholesale."""
    store_contacts(person.engine, bakery, [contact_record(501, "Márcia Fontes")])
    records = [
        deal_record(1, "Contrato anual", price=12050, status_id=440102, contacts=[501], updated_at=40),
        deal_record(2, "Amostra", price=10.5, updated_at=30, responsible_user_id=7003),
        deal_record(3, "Cesta", price=300, status_id=142, closed_at=20, updated_at=20),
        deal_record(4, "Reforma", price=2000, pipeline_id=4402, status_id=143, closed_at=10, updated_at=10),
    ]
    store_deals(person.engine, bakery, records)
    make_run(person.engine, bakery, contacts=(1, 1), deals=(4, 4))
    return person


def names(page: Element) -> list[str]:
    return [link.text for link in page.all("a", class_="row-link")]


def options(page: Element, name: str) -> list[str]:
    return [option["value"] for option in page.one(id=name).all("option")]


def selected(page: Element, name: str) -> list[str]:
    return [option["value"] for option in page.one(id=name).all("option") if "selected" in option.attributes]


def test_a_row_shows_what_a_person_looks_for(deals: Person) -> None:
    page = deals.open("/negociacoes")
    assert names(page) == ["Contrato anual", "Amostra", "Cesta", "Reforma"]
    first = page.one("tbody").all("tr")[0]
    assert [link["href"] for link in first.all("a")] == ["/negociacoes/1"]
    cells = [cell.text for cell in first.children if isinstance(cell, Element)]
    assert cells[:5] == [
        "Contrato anual Vendas → Proposta · Márcia Fontes",  # the second line is for smaller screens
        "Márcia Fontes",
        "Vendas → Proposta",
        "Paula Nogueira",
        "R$ 12.050,00",
    ]
    assert page.one("tbody").all("tr")[1].all("td")[2].text == "Sônia Prado (inativo)"
    assert first["title"].splitlines() == ["Contrato anual", "Márcia Fontes", "Vendas → Proposta", "Paula Nogueira"]


@pytest.mark.parametrize("query", ["funil=4401", "etapa=4401-142"])
def test_where_all_are_of_one_pipeline_only_the_stage_is_told(deals: Person, query: str) -> None:
    page = deals.open(f"/negociacoes?{query}")
    row = page.one("tbody").all("tr")[-1]
    assert [row.all("td")[1].text, row.one("span", class_="sub").text] == ["Venda ganha", "Venda ganha"]
    assert [cell.text for cell in page.one("thead").all("th")][2] == "Etapa"
    assert "Vendas → Venda ganha" in row["title"]


def test_won_and_lost_are_told_in_words_and_colour(deals: Person) -> None:
    rows = deals.open("/negociacoes").one("tbody").all("tr")
    assert rows[2].one("td", text="Vendas → Venda ganha").one("span", class_="good-text").text == "Venda ganha"
    assert rows[3].one("td", text="Atacado → Venda perdida").one("span", class_="bad-text").text == "Venda perdida"
    assert rows[0].all(class_="good-text") + rows[0].all(class_="bad-text") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("funil=4401", ["Contrato anual", "Amostra", "Cesta"]),
        ("funil=4402", ["Reforma"]),
        ("etapa=4401-142", ["Cesta"]),
        ("etapa=4402-142", []),
        ("etapa=4402-143&funil=4402", ["Reforma"]),
        ("funil=4401&etapa=4402-143", ["Contrato anual", "Amostra", "Cesta"]),
        ("responsavel=7003", ["Amostra"]),
        ("responsavel=7003&responsavel=7001&funil=4401&ordem=valor", ["Amostra", "Cesta", "Contrato anual"]),
        ("ordem=-valor", ["Contrato anual", "Reforma", "Cesta", "Amostra"]),
        ("ordem=nome", ["Amostra", "Cesta", "Contrato anual", "Reforma"]),
        ("ordem=-nome&q=a&pagina=1", ["Reforma", "Contrato anual", "Cesta", "Amostra"]),
        ("ordem=atualizado", ["Reforma", "Cesta", "Amostra", "Contrato anual"]),
        ("q=CONTRATO", ["Contrato anual"]),
        ("funil=999", []),
    ],
)
def test_filters_and_orders(deals: Person, query: str, found: list[str]) -> None:
    assert names(deals.open(f"/negociacoes?{query}")) == found


def test_stages_are_offered_by_pipeline(deals: Person) -> None:
    page = deals.open("/negociacoes")
    assert options(page, "funil") == ["", "4402", "4401", "4403"]
    assert [group["label"] for group in page.one(id="etapa").all("optgroup")] == ["Atacado", "Vendas", "Antigo"]
    assert "4401-142" in options(page, "etapa")
    assert "4402-142" in options(page, "etapa")
    assert selected(page, "etapa") == []


def test_a_chosen_stage_chooses_its_pipeline_and_narrows_the_stages(deals: Person) -> None:
    page = deals.open("/negociacoes?etapa=4401-440102")
    assert (selected(page, "funil"), selected(page, "etapa")) == (["4401"], ["4401-440102"])
    assert options(page, "etapa") == ["", "4401-440100", "4401-440101", "4401-440102", "4401-142", "4401-143"]


def test_an_unknown_choice_stays_visible(deals: Person) -> None:
    page = deals.open("/negociacoes?etapa=77-55&responsavel=7999")
    assert (selected(page, "funil"), selected(page, "etapa")) == (["77"], ["77-55"])
    assert page.one("option", text="Funil 77")
    assert page.one("option", text="Etapa 55")
    assert page.one(id="who").text == "Usuário 7999"


def test_a_fragment_brings_both_choices_along(deals: Person) -> None:
    answer = deals.fragment("/negociacoes?funil=4402&etapa=4401-142")
    fragment = parse(answer)
    assert answer.headers["HX-Push-Url"] == "/negociacoes?funil=4402"
    funnel, stage = (fragment.one(hx_swap_oob=f"innerHTML:#{name}") for name in ("funil", "etapa"))
    assert [option["value"] for option in funnel.all("option") if "selected" in option.attributes] == ["4402"]
    assert [option for option in stage.all("option") if "selected" in option.attributes] == []
    assert all(option["value"].startswith("4402-") for option in stage.all("option")[1:])
    assert fragment.one("table").text == deals.open("/negociacoes?funil=4402").one("table").text


def test_names_of_two_pipelines_may_be_the_same_and_hostile(deals: Person, bakery: Connection) -> None:
    records = [deal_record(9, '"><script>alert(1)</script>', pipeline_id=4401, status_id=1)]
    store_deals(deals.engine, bakery, records)
    page = deals.open("/negociacoes?q=script")
    assert names(page) == ['"><script>alert(1)</script>']
    assert len(page.all("script")) == len(deals.open("/conexao").all("script"))


@pytest.mark.parametrize(
    "query",
    [
        "etapa=x", "etapa=142", "etapa=4401-", "etapa=0-1", "etapa=9223372036854775808-1", "etapa=1-2-3", "etapa=%00",
        "funil=x", "funil=0", "funil=9223372036854775808", "funil=-1", "responsavel=%27",
    ],
)  # fmt: skip
def test_a_filter_that_is_no_id_is_refused_with_a_sentence(deals: Person, query: str) -> None:
    name = query.partition("=")[0]
    assert deals.open(f"/negociacoes?{query}", status=400).one("h1").text.startswith(f"O filtro {name}")


@pytest.mark.parametrize(
    "query",
    [
        "pagina=-5",
        "pagina=1e9",
        "ordem=x",
        "q=%00",
        "q=" + "x" * 9999,
        "funil=&etapa=",
        "etapa=9223372036854775807-9223372036854775807",
    ],
)
def test_nonsense_in_the_address_is_bent_into_range(deals: Person, query: str) -> None:
    assert deals.open(f"/negociacoes?{query}").one("h1").text == "Negociações"


def test_the_number_of_queries_does_not_grow_with_the_rows(deals: Person, bakery: Connection) -> None:
    def queries() -> int:
        with StatementCounter(deals.engine) as counter:
            deals.open("/negociacoes")
        return len(counter.seen)

    queries()
    with_four = queries()
    store_contacts(deals.engine, bakery, [contact_record(number) for number in range(1, 60)])
    store_deals(deals.engine, bakery, [deal_record(number, contacts=[number]) for number in range(1, 60)])
    assert queries() == with_four
    assert with_four <= 30


def test_without_an_account_or_a_copy_it_says_the_next_step(person: Person) -> None:
    assert person.open("/negociacoes").one("main").one("a", class_="primary")["href"] == "/conexao"
    make_account(person.engine)
    assert person.open("/negociacoes").one("main").one("button", class_="primary").text == "Sincronizar"
