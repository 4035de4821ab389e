"""How pages write times and amounts: in the account's zone and currency, exact where it matters."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask, g

from kommo.pages import format as pages_format
from kommo.store.tables import Connection
from tests.pages.dom import parse

NOON = datetime(2026, 11, 25, 15, 0, tzinfo=UTC).timestamp()  # noon in São Paulo
HOUR = 3600


@pytest.fixture
def page() -> Iterator[Connection]:
    """A request at noon on a page of Padaria Estrela."""
    app = Flask("formats")
    with app.test_request_context("/"):
        g.moment = NOON
        g.connection = Connection(name="Padaria Estrela", currency="BRL", timezone="America/Sao_Paulo")
        yield g.connection


@pytest.mark.parametrize(
    ("moment", "near", "clock"),
    [
        (NOON - 20, "agora (25/11/2026 11:59)", "hoje, 11:59"),
        (NOON - 12 * 60, "há 12 min (25/11/2026 11:48)", "hoje, 11:48"),
        (NOON - 4 * HOUR, "hoje, 08:00 (25/11/2026 08:00)", "hoje, 08:00"),
        (NOON - 13 * HOUR, "ontem (24/11/2026 23:00)", "ontem, 23:00"),
        (NOON - 60 * HOUR, "23/11/2026 (23/11/2026 00:00)", "23/11/2026 00:00"),
        (NOON + 2 * HOUR, "hoje, 14:00 (25/11/2026 14:00)", "hoje, 14:00"),
        (NOON + 24 * HOUR, "26/11/2026 (26/11/2026 12:00)", "26/11/2026 12:00"),
    ],
)
def test_times_read_as_words_with_the_exact_time_beside(page: Connection, moment: float, near: str, clock: str) -> None:
    assert parse(str(pages_format.near(moment))).text == near
    assert parse(str(pages_format.clock(moment))).text == clock


def test_a_time_is_marked_up_for_machines_and_for_hovering(page: Connection) -> None:
    element = parse(str(pages_format.date(NOON))).one("time")
    assert element.attributes == {"datetime": "2026-11-25T15:00:00Z", "title": "25/11/2026 12:00"}
    assert element.text == "25/11/2026"
    assert parse(str(pages_format.date_time(NOON))).text == "25/11/2026 12:00"


def test_the_zone_is_the_accounts(page: Connection) -> None:
    page.timezone = "America/Manaus"
    assert parse(str(pages_format.date_time(NOON))).text == "25/11/2026 11:00"
    page.timezone = "Mars/Olympus"
    assert parse(str(pages_format.date_time(NOON))).text == "25/11/2026 12:00"


def test_money_is_in_the_accounts_currency(page: Connection) -> None:
    assert pages_format.money(1547410) == "R$\u00a01.547.410,00"
    assert pages_format.money(10, "USD") == "US$\u00a010,00"
    page.currency = "CLP"
    assert pages_format.money(1500) == "CLP$\u00a01.500"


@pytest.mark.parametrize("function", ["money", "number", "date", "date_time", "near", "clock", "duration", "dash"])
def test_nothing_is_written_as_a_dash(page: Connection, function: str) -> None:
    assert str(getattr(pages_format, function)(None)) == "—"


def test_times_beyond_the_calendar_are_a_dash_and_no_error(page: Connection) -> None:
    assert [str(pages_format.near(moment)) for moment in (1e18, -1e18)] == ["—", "—"]


def test_shares_counts_and_lengths(page: Connection) -> None:
    assert pages_format.percent(71, 100) == "71,0\u00a0%"
    assert pages_format.percent(1, 0) == "—"
    assert pages_format.plural(1, "contato", "contatos") == "1 contato"
    assert pages_format.number(1234.5, 2) == "1.234,50"
    assert pages_format.duration(61) == "1\u00a0min 1\u00a0s"
    assert pages_format.dash("") == "—"
    assert pages_format.dash(0) == 0
