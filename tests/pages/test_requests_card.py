"""The card of the requests: who used how many, how fast it goes, and why; of all accounts or of one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kommo.connect.client import budget_for
from kommo.db import now, reading
from kommo.pages.requests import pace, standing
from kommo.settings import Settings
from kommo.store.budget import SqlBudget
from kommo.store.pace import Slots
from tests.clocks import clock_moved
from tests.conftest import make_settings
from tests.factories import ANA, StatementCounter, make_account, make_run
from tests.pages.conftest import Person, at_panel
from tests.pages.dom import Element, parse

NOON = 1_795_618_800.0
BLOCKED = "bloqueado pelo Kommo até"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(tmp_path, rate_limit=6.0)


@pytest.fixture
def rows(person: Person) -> Iterator[SqlBudget]:
    """The budget of an installation with an account and a run, at a minute's beginning."""
    make_run(person.engine, make_account(person.engine), contacts=(40, 40), deals=(20, 20), requests=46)
    with reading(person.engine) as session:
        ahead = 61 - now(session) % 60
    with clock_moved(person.engine, ahead):
        yield budget_for(person.services, 30001000).rows


def card(person: Person, path: str = "/sincronizacao") -> Element:
    return person.open(path).one("section", id="requests")


def counts(found: Element) -> list[str]:
    return [row.text for row in found.one("table", class_="uses").one("tbody").all("tr")]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ("good", "na velocidade plena", None)),
        ({"pace": 0.5, "slowed_at": NOON}, ("warning", "voltando a 6 por segundo, agora 3", None)),
        ({"pace": 0.5, "slowed_at": NOON - 10}, ("warning", "voltando a 6 por segundo, agora 3,5", None)),
        ({"pace": 0.125, "slowed_at": NOON - 10}, ("warning", "voltando a 6 por segundo, agora 1,2", None)),
        ({"pace": 0.5, "slowed_at": NOON - 60}, ("good", "na velocidade plena", None)),
        ({"slow_until": NOON + 30}, ("warning", "em pausa depois de um 429 até", NOON + 30)),
        ({"blocked_until": NOON + 900, "pace": 0.5, "slowed_at": NOON}, ("bad", BLOCKED, NOON + 900)),
        ({"limit": 0.0, "slow_until": NOON + 30}, ("warning", "em pausa depois de um 429 até", NOON + 30)),
    ],
)  # fmt: skip
def test_how_it_stands_in_words(values: dict[str, float], words: tuple[str, str, float | None]) -> None:
    assert standing(Slots(**{"limit": 6.0, "now": NOON} | values)) == words


@pytest.mark.parametrize(("value", "words"), [(6.0, "6"), (3.5, "3,5"), (0.75, "0,8"), (5.99, "6"), (0.875, "0,9")])
def test_a_pace_is_short(value: float, words: str) -> None:
    assert pace(value) == words


def test_a_fresh_installation_has_used_nothing(person: Person, rows: SqlBudget) -> None:
    found = card(person)
    assert found.one("span", class_="note").text == "limite: 6 por segundo"
    assert found.one("span", class_="badge").text == "na velocidade plena"
    assert counts(found) == ["Sincronização 0 0 0", "Páginas 0 0 0", "API 0 0 0", "Total 0 0 0"]
    assert found.one("figcaption").text == "Nenhuma requisição na última hora."
    assert "valem para todas as contas juntas" in found.text
    assert "429" not in found.text


def test_who_used_how_many_and_when(person: Person, rows: SqlBudget) -> None:
    for minutes, purposes in ((-1500, ["api"]), (-90, ["sync"]), (-5, ["page", "page"]), (0, ["page", "api"])):
        with clock_moved(person.engine, 60.0 * minutes):
            for purpose in purposes:
                rows.reserve(purpose)
    found = card(person)
    assert counts(found) == ["Sincronização 0 0 1", "Páginas 1 3 3", "API 1 1 1", "Total 2 4 5"]
    drawn = [rect["class"] for rect in found.one("svg", class_="chart").all("rect")]
    assert drawn == ["use-page", "use-page", "use-api"]
    spoken = found.one("figure").one("table")
    assert [row.text.split(" ", 2)[2] for row in spoken.one("tbody").all("tr")] == ["0 2 0", "0 1 1"]
    assert [cell["scope"] for cell in spoken.all("th")] == ["col"] * 4 + ["row"] * 2


def test_after_a_429_it_tells_the_way_back(person: Person, rows: SqlBudget) -> None:
    rows.slow_down(1, "sync", 0.1)
    found = card(person)
    assert found.one("span", class_="badge").text == "voltando a 6 por segundo, agora 3"
    assert "Recusadas por excesso (429) nas últimas 24 horas: 1." in found.text
    with clock_moved(person.engine, 30):
        assert card(person).one("span", class_="badge").text == "voltando a 6 por segundo, agora 4,5"
    with clock_moved(person.engine, 60):
        assert card(person).one("span", class_="badge").text == "na velocidade plena"


def test_a_block_is_told_with_its_end(person: Person, rows: SqlBudget) -> None:
    rows.block(900)
    badge = card(person).one("span", class_="badge")
    assert badge["class"] == "badge bad"
    assert badge.text.startswith("bloqueado pelo Kommo até ")
    assert badge.one("time")


def test_it_stands_there_before_the_first_run(person: Person) -> None:
    account = make_account(person.engine)
    budget_for(person.services, account.account_id).rows.reserve("page")
    found = card(person)
    assert counts(found)[1] == "Páginas 1 1 1"
    assert found.all("dl") == []


def test_each_account_has_its_own_where_that_is_set(tmp_path: Path) -> None:
    for person in at_panel(make_settings(tmp_path, rate_limit=5.5, rate_scope="account")):
        for account_id, name in ((30001000, "Padaria Estrela"), (30002000, "Oficina Norte")):
            make_run(person.engine, make_account(person.engine, ANA, name, account_id))
        budget_for(person.services, 30002000).rows.reserve("api")
        found = [card(person, f"/sincronizacao?conta={number}") for number in (30001000, 30002000)]
        assert [counts(each)[3] for each in found] == ["Total 0 0 0", "Total 1 1 1"]
        assert all("são só desta conta" in each.text for each in found)
        assert all(each.one("span", class_="note").text == "limite: 5,5 por segundo" for each in found)


def test_the_demonstration_account_says_that_the_numbers_are_its_own(person: Person) -> None:
    make_account(person.engine, is_demo=True)
    assert "são só da conta de demonstração" in card(person).text


def test_without_a_limit_it_says_that_nothing_is_counted(tmp_path: Path) -> None:
    for person in at_panel(make_settings(tmp_path, rate_limit=0)):
        make_account(person.engine)
        found = card(person)
        assert found.one("span", class_="note").text == "sem limite"
        assert "Sem limite, as requisições não são contadas." in found.text


def test_watching_writes_nothing_and_costs_the_same_after_a_busy_hour(person: Person, rows: SqlBudget) -> None:
    """What the page asks for every second: the card's four reads beside those of the run."""
    make_run(person.engine, make_account(person.engine), "running")
    address = person.open("/sincronizacao").one("div", id="progress")["hx-get"]
    seen = []
    for minutes in (0, 60):
        for minute in range(minutes):
            with clock_moved(person.engine, -60.0 * minute):
                rows.reserve("api")
        with StatementCounter(person.engine) as counter:
            fragment = parse(person.fragment(address))
        seen.append(len(counter.seen))
        assert {statement for statement in counter.seen if not statement.startswith("SELECT")} <= {"BEGIN"}
        assert fragment.one("section", id="requests")["hx-swap-oob"] == "true"
    assert seen[0] == seen[1]
