"""/: before an account, before a copy, and the overview: its numbers, its words, its chart, its table."""

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import update

from kommo.db import writing
from kommo.pages.home import Change, change
from kommo.store.tables import Connection, SyncStream
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
from tests.pages.dom import Element


@pytest.fixture
def bakery(person: Person) -> Connection:
    connection = make_account(person.engine)
    store_catalogues(person.engine, connection)
    return connection


def closed(number: int, price: float, day: str, status_id: int = 142, **changes: object) -> dict[str, object]:
    moment = datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=ZoneInfo("America/Sao_Paulo"))
    return deal_record(number, price=price, status_id=status_id, closed_at=int(moment.timestamp()), **changes)


@pytest.fixture
def november(person: Person, bakery: Connection) -> Person:
    """Three contacts, some deals, a proof; the time is Ana's noon of 25/11/2026."""
    store_contacts(person.engine, bakery, [contact_record(number) for number in (1, 2, 3)])
    deals = [
        deal_record(1, price=1_000_000),
        deal_record(2, price=547_410, status_id=440102),
        closed(3, 300, "2026-11-10"),
        closed(4, 100, "2026-11-11", responsible_user_id=7002),
        closed(5, 200, "2026-10-10"),
        closed(6, 50, "2026-11-10", 143, loss_reason_id=81),
        closed(7, 50, "2026-10-10", 143),
        closed(8, 50, "2026-10-11", 143),
        closed(9, 77, "2026-10-30"),
        deal_record(10, price=9, status_id=142),
    ]
    store_deals(person.engine, bakery, deals)
    make_run(person.engine, bakery, contacts=(3, 3), deals=(10, 10))
    return person


def overview(person: Person) -> Element:
    with time_machine.travel(NOON, tick=False):
        return person.open("/")


def tiles(page: Element) -> dict[str, tuple[str, str]]:
    found = {}
    for tile in page.all("div", class_="tile"):
        parts = [tile.one("span", class_=f"tile-{part}").text for part in ("label", "figure", "note")]
        found[parts[0]] = (parts[1], parts[2])
    return found


def test_a_fresh_installation_says_what_this_is_and_offers_two_ways(person: Person) -> None:
    page = person.open("/")
    main = page.one("main")
    assert main.one("a", class_="primary")["href"] == "/conexao"
    form = main.one("form", action="/conexao/demonstracao")
    assert (form["hx-post"], form["hx-disabled-elt"]) == ("/conexao/demonstracao", "find button")
    assert main.one("span", id=form["hx-indicator"].removeprefix("#")).text == "Preparando a demonstração…"
    assert form["method"] == "post"
    assert form.one("input", name="csrf_token")["value"]
    assert page.all("div", class_="tile") == []


def test_another_owner_s_account_is_none_of_ours(person: Person) -> None:
    make_account(person.engine, BRUNO, "Segredo do Bruno")
    page = person.open("/")
    assert "Segredo" not in page.text
    assert page.one("form", action="/conexao/demonstracao")


def test_connected_but_never_synchronised_it_has_one_button(person: Person, bakery: Connection) -> None:
    page = person.open("/")
    assert page.one("h2", text="Ainda não há cópia desta conta")
    assert [button.text for button in page.one("main").all(class_="primary")] == ["Sincronizar"]
    assert page.one("form", action="/sincronizacao").one("input", name="csrf_token")


def test_an_account_known_to_be_empty_has_an_overview_of_zeros(person: Person, bakery: Connection) -> None:
    make_run(person.engine, bakery, contacts=(0, 0), deals=(0, 0))
    page = overview(person)
    assert tiles(page)["Em aberto hoje"] == ("R$ 0,00", "0 negociações")
    assert "Nenhuma negociação com valor foi encerrada nos últimos doze meses." in page.text
    assert "Nenhuma negociação ganha em novembro ainda." in page.text


def test_the_tiles_tell_their_period_and_compare_with_the_same_day(november: Person) -> None:
    assert tiles(overview(november)) == {
        "Em aberto hoje": ("R$ 1.547.410,00", "2 negociações"),
        "Ganhas em novembro": (
            "R$ 400,00",
            "2 negociações · valor mais 100 % ante o mesmo dia de out",
        ),
        "Perdidas em novembro": (
            "1",
            "menos 50 % ante o mesmo dia de out · maior motivo: Preço",
        ),
        "Taxa de ganho em novembro": ("66,7 %", "2 de 3 encerradas"),
        "Ticket médio em novembro": ("R$ 200,00", "mediana R$ 200,00"),
    }
    assert overview(november).one("p", class_="axis").text == "Os números de novembro vão pela data de fechamento."


def test_good_news_is_green_and_bad_news_red(november: Person) -> None:
    page = overview(november)
    assert [part["class"] for part in page.all("span", class_="change")] == ["change good-text", "change good-text"]
    with time_machine.travel(NOON - 40 * 86_400, tick=False):  # 16 October: nothing was closed in September
        page = november.open("/")
    assert page.all("span", class_="change") == []
    assert tiles(page)["Ganhas em outubro"][1] == "2 negociações · nenhum valor até o mesmo dia de set"


def test_it_says_how_many_are_held_and_how_that_is_known(november: Person) -> None:
    head = overview(november).one("div", class_="head")
    assert head.one("span", class_="head-note").text == "3 contatos e 10 negociações, aqui e no Kommo"
    badge = head.one("a", class_="badge")
    assert badge["title"].startswith("Conferido por contagem: 3 contatos no Kommo, 3 aqui")
    assert overview(november).all("p", class_="notice", text="Conferido") == []


def test_a_partial_copy_says_so_in_amber_and_claims_nothing_of_kommo(november: Person, bakery: Connection) -> None:
    make_run(november.engine, bakery, contacts=(5, 3), deals=(10, 10))
    page = overview(november)
    assert page.one("p", class_="warning").text.startswith("Parcial: 5 contatos no Kommo, 3 aqui")
    head = page.one("div", class_="head")
    assert head.one("span", class_="head-note").text == "3 contatos e 10 negociações"
    assert head.one("a", class_="warning")["title"].startswith("Parcial: 5 contatos no Kommo, 3 aqui")


@pytest.mark.parametrize("how", ["refused", "over"])
def test_with_a_token_of_no_use_the_button_leads_to_another_one(november: Person, bakery: Connection, how: str) -> None:
    values = {"token_refused": True} if how == "refused" else {"expires_at": NOON - 60}
    with writing(november.engine) as session:
        session.execute(update(Connection).values(**values))
    actions = overview(november).one("div", class_="head-actions")
    assert (actions.one("a", class_="primary").text, actions.one("a")["href"]) == ("Colar outro token", "/conexao")
    assert actions.all("form") == []


def test_during_a_run_the_button_leads_to_it(november: Person, bakery: Connection) -> None:
    make_run(november.engine, bakery, "running")
    actions = overview(november).one("div", class_="head-actions")
    assert actions.one("a").text == "Ver o andamento"
    assert actions.all("form") == []


def test_a_disconnected_account_keeps_its_overview(november: Person, bakery: Connection) -> None:
    november.send(f"/conexao/{bakery.id}/desconectar", copia="manter")
    page = overview(november)
    assert tiles(page)["Em aberto hoje"][0] == "R$ 1.547.410,00"
    assert page.one("div", class_="head-actions").one("a")["href"] == "/conexao"


def test_the_chart_has_its_numbers_in_a_table_and_the_present_month_paler(november: Person) -> None:
    page = overview(november)
    rows = [row.text for row in page.one("figure").one("tbody").all("tr")]
    assert len(rows) == 12
    assert rows[-2:] == [
        "outubro de 2026 2 R$ 277,00 2 R$ 100,00",
        "novembro de 2026, incompleto 2 R$ 400,00 1 R$ 50,00",
    ]
    chart = page.one("svg", class_="months")
    assert chart["aria-hidden"] == "true"
    assert [len(chart.all("rect", class_=kind)) for kind in ("first", "second", "pale")] == [12, 12, 1]
    assert chart.one("text", class_="name-first").text == "Ganhas"
    assert chart.all("title")[-1].text == "novembro de 2026, incompleto Ganhas: R$ 400,00 (2) Perdidas: R$ 50,00 (1)"
    assert page.one("section", text="Ganhas e perdidas por mês").one("span", class_="note").text == (
        "valor, por data de fechamento · novembro incompleto"
    )


def test_closed_deals_without_a_date_are_told(november: Person) -> None:
    sentence = "1 negociação encerrada não tem data de fechamento no Kommo e fica fora dos meses."
    assert sentence in overview(november).text


def test_who_won_how_much_this_month(november: Person) -> None:
    table = overview(november).one("caption", text="Ganhas em novembro por responsável")
    page = overview(november)
    rows = next(each for each in page.all("table") if each.all("caption", text=table.text)).one("tbody").all("tr")
    assert [row.text for row in rows] == ["Paula Nogueira 1 R$ 300,00", "Rafael Teixeira (excluído) 1 R$ 100,00"]
    assert [row.one("a")["href"] for row in rows] == ["/negociacoes?responsavel=7001", "/negociacoes?responsavel=7002"]


def test_what_nobody_is_responsible_for_leads_to_its_list_too(november: Person, bakery: Connection) -> None:
    store_deals(november.engine, bakery, [closed(11, 9000, "2026-11-12", responsible_user_id=None)])
    link = overview(november).one("a", class_="row-link", text="Sem responsável")
    assert link["href"] == "/negociacoes?responsavel=sem"
    page = november.open(link["href"])
    assert len(page.all("a", class_="row-link")) == 1
    assert page.one(id="who").text == "Sem responsável"


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo("America/Sao_Paulo")).timestamp()


def test_an_old_copy_speaks_for_its_own_day(november: Person) -> None:
    """The copy is of 25/11, 11:59; a person looks at it nine days later, in the next month."""
    with time_machine.travel(at("2026-12-04T10:00"), tick=False):
        page = november.open("/")
    assert page.one("p", id="as-of").text.startswith("A cópia vai até 25/11, 11:59:")
    assert page.one("span", class_="head-note").text == "3 contatos e 10 negociações, aqui e no Kommo em 25/11"
    assert tiles(page)["Em aberto em 25/11, 11:59"][0] == "R$ 1.547.410,00"
    figure, note = tiles(page)["Ganhas em novembro"]
    assert (figure, note.rpartition("· ")[2]) == ("R$ 400,00", "valor mais 100 % ante o mesmo dia de out")
    assert not [label for label in tiles(page) if "dezembro" in label]
    assert (
        page.one("section", text="Ganhas e perdidas por mês")
        .one("span", class_="note")
        .text.endswith("· novembro até 25/11")
    )


def test_a_copy_of_another_year_names_it(november: Person) -> None:
    with time_machine.travel(at("2027-01-02T10:00"), tick=False):
        page = november.open("/")
    assert page.one("p", id="as-of").text.startswith("A cópia vai até 25/11/2026, 11:59:")
    assert "Ganhas em novembro de 2026" in tiles(page)


def test_an_old_copy_without_anything_won_does_not_say_yet(person: Person, bakery: Connection) -> None:
    make_run(person.engine, bakery, contacts=(0, 0), deals=(0, 0))
    with time_machine.travel(at("2026-12-04T10:00"), tick=False):
        page = person.open("/")
    assert "Nenhuma negociação ganha em novembro até 25/11." in page.text
    assert "nos doze meses até 25/11." in page.text


def test_the_day_of_the_copy_is_that_of_the_account(november: Person) -> None:
    """25/11, 23:30 in São Paulo is the next day by UTC, and still today in the account."""
    with time_machine.travel(at("2026-11-25T23:30"), tick=False):
        assert "Em aberto hoje" in tiles(november.open("/"))
    with time_machine.travel(at("2026-11-26T00:10"), tick=False):
        assert "Em aberto em 25/11, 11:59" in tiles(november.open("/"))


def test_while_a_run_is_under_way_the_last_one_that_is_over_counts(november: Person, bakery: Connection) -> None:
    later = at("2026-12-04T10:00")
    run_id = make_run(november.engine, bakery, "running", finished_at=later)
    read_deals(november, run_id)
    with time_machine.travel(later, tick=False):
        assert "Em aberto em 25/11, 11:59" in tiles(november.open("/"))


def read_deals(person: Person, run_id: int) -> None:
    """The run has read all deals."""
    with writing(person.engine) as session:
        session.execute(
            update(SyncStream)
            .where(SyncStream.run_id == run_id, SyncStream.stream == "deals")
            .values(state="read", finished_at=NOON)
        )


@pytest.mark.parametrize("state", ["running", "cancelled", "failed"])
def test_deals_that_no_run_has_read_are_no_zeros(person: Person, bakery: Connection, state: str) -> None:
    store_contacts(person.engine, bakery, [contact_record(1)])
    run_id = make_run(person.engine, bakery, state)
    page = overview(person)
    assert set(tiles(page).values()) == {("—", "as negociações ainda não chegaram")}
    assert len(tiles(page)) == 5
    assert "R$" not in page.one("main").text
    assert "Nenhuma negociação" not in page.text
    assert page.one("span", class_="head-note").text == "1 contato até agora; as negociações ainda não chegaram"
    assert [each.text for each in page.one("header", id="side").all("span", class_="count")] in (["1"], [])
    store_deals(person.engine, bakery, [deal_record(1)])
    assert {note for _, note in tiles(overview(person)).values()} == {"as negociações ainda não chegaram todas"}
    read_deals(person, run_id)
    assert tiles(overview(person))["Em aberto hoje"] == ("R$ 1.200,00", "1 negociação")


def test_each_pipeline_has_its_stages_with_number_value_and_link(november: Person) -> None:
    page = overview(november)
    sales, wholesale = (one for one in page.all("section") if (one.get("aria-labelledby") or "").startswith("funil-"))
    assert sales.one("div", class_="card-head").text == "Vendas 2 em aberto · R$ 1.547.410,00"
    assert [row.text for row in sales.all("li")] == [
        "Entrada 0 negociações, R$ 0,00",
        "Contato inicial 1 negociação, R$ 1.000.000,00",
        "Proposta 1 negociação, R$ 547.410,00",
        "Venda ganha desde o início 5 negociações, R$ 686,00",
        "Venda perdida desde o início 3 negociações, R$ 150,00",
    ]
    assert [link["href"] for link in sales.all("a")][1] == "/negociacoes?etapa=4401-440101"
    assert [bar["width"] for bar in sales.all("rect")] == ["0.0%", "100.0%", "100.0%"]
    assert wholesale.one("h2").text == "Atacado"
    names = [link.text for link in november.open("/negociacoes?etapa=4401-440102").all("a", class_="row-link")]
    assert len(names) == 1


def test_archived_pipelines_stand_apart_and_only_when_they_hold_deals(november: Person, bakery: Connection) -> None:
    assert overview(november).all("details", class_="more") == []
    store_deals(november.engine, bakery, [deal_record(50, pipeline_id=4403, status_id=440301)])
    aside = overview(november).one("details", class_="more")
    assert aside.one("summary").text == "1 funil arquivado com negociações"
    assert aside.one("h2").text == "Antigo"


def test_amounts_are_in_the_currency_of_the_account(person: Person) -> None:
    connection = make_account(person.engine, currency="CLP", timezone="America/Santiago")
    store_deals(person.engine, connection, [deal_record(1, price=1500)])
    make_run(person.engine, connection, contacts=(0, 0), deals=(1, 1))
    assert tiles(overview(person))["Em aberto hoje"][0] == "CLP$ 1.500"


def test_accounts_do_not_mix(november: Person) -> None:
    workshop = make_account(november.engine, name="Oficina Norte", account_id=30002000)
    store_deals(november.engine, workshop, [deal_record(1, price=5)])
    make_run(november.engine, workshop, contacts=(0, 0), deals=(1, 1))
    assert tiles(overview(november))["Em aberto hoje"][0] == "R$ 5,00"
    with time_machine.travel(NOON, tick=False):
        page = november.open("/?conta=30001000")
    assert tiles(page)["Em aberto hoje"][0] == "R$ 1.547.410,00"
    inside = [link["href"] for link in page.one("main").all("a") if link["href"].startswith("/negociacoes")]
    assert inside
    assert all("conta=30001000" in href for href in inside)


def test_the_number_of_queries_does_not_grow(november: Person, bakery: Connection) -> None:
    def queries() -> int:
        with StatementCounter(november.engine) as counter:
            november.open("/")
        return len(counter.seen)

    queries()
    before = queries()
    moment = int(time.time()) - 60
    many = [
        deal_record(n, status_id=142, closed_at=moment, responsible_user_id=n, pipeline_id=n) for n in range(100, 160)
    ]
    store_deals(november.engine, bakery, [closed(99, 1, "2026-11-10"), *many])
    assert queries() <= before + 1  # the median is asked for only where something was won


@pytest.mark.parametrize(
    ("now", "before", "found"),
    [
        (108, 100, Change(8, "up")),
        (88, 100, Change(12, "down")),
        (100.4, 100, Change(0.4, "same")),
        (5, 0, Change(0, "new")),
        (0, 0, Change(0, "same")),
        (0, 5, Change(100, "down")),
        (-5, 10, Change(150, "down")),
    ],
)
def test_how_a_number_stands_to_the_one_before(now: float, before: float, found: Change) -> None:
    assert change(now, before).direction == found.direction
    assert change(now, before).percent == pytest.approx(found.percent, abs=1e-9)
