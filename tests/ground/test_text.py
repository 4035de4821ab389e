"""Text as Brazilians read it, and folded for search."""

from zoneinfo import ZoneInfo

import pytest

from kommo import text

ZONE = ZoneInfo("America/Sao_Paulo")
NOW = 1_795_449_600.0  # 23/11/2026 13:00 in São Paulo
NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("João  Ávila ", "joao avila"),
        ("STRAßE", "strasse"),
        ("", ""),
        ("Ñandú", "nandu"),
        ("ﬁm", "fim"),
        ("\t a\nb", "a b"),
    ],
)
def test_fold(typed: str, folded: str) -> None:
    assert text.fold(typed) == folded


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [
        (1547410, "BRL", f"R${NBSP}1.547.410,00"),
        (0.1 + 0.2, "BRL", f"R${NBSP}0,30"),
        (-12.5, "USD", f"-US${NBSP}12,50"),
        (1200, "CLP", f"CLP${NBSP}1.200"),
        (3, "XYZ", f"XYZ{NBSP}3,00"),
        (None, "BRL", "—"),
        (5, None, f"R${NBSP}5,00"),
    ],
)
def test_money(value: float | None, currency: str | None, shown: str) -> None:
    assert text.money(value, currency) == shown


@pytest.mark.parametrize(
    ("seconds_ago", "shown"),
    [
        (5, "agora"),
        (720, "há 12 min"),
        (2 * 3600, "hoje, 11:00"),
        (86_400, "ontem"),
        (20 * 86_400, "03/11/2026"),
        (-3600, "hoje, 14:00"),
    ],
)
def test_near(seconds_ago: float, shown: str) -> None:
    assert text.near(NOW - seconds_ago, NOW, ZONE) == shown


def test_dates_of_nowhere_are_a_dash() -> None:
    for moment in (None, float("inf"), 1e30, float("nan")):
        assert text.date(moment, ZONE) == "—"
        assert text.date_time(moment, ZONE) == "—"
        assert text.near(moment, NOW, ZONE) == "—"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.84, f"0,8{NBSP}s"),
        (38, f"38{NBSP}s"),
        (125, f"2{NBSP}min 5{NBSP}s"),
        (120, f"2{NBSP}min"),
        (3840, f"1{NBSP}h 4{NBSP}min"),
        (3600, f"1{NBSP}h"),
        (-1, f"0,0{NBSP}s"),
    ],
)
def test_duration(seconds: float, shown: str) -> None:
    assert text.duration(seconds) == shown


def test_counts_and_shares() -> None:
    assert text.plural(1, "contato", "contatos") == "1 contato"
    assert text.plural(4300, "contato", "contatos") == "4.300 contatos"
    assert text.percent(71, 100) == f"71,0{NBSP}%"
    assert text.percent(1, 0) == "—"
    assert text.digits("+55 (11) 98812-4410") == "5511988124410"


def test_names_are_sorted_as_in_a_phone_book() -> None:
    names = ["", "Zélia", "<script>", "ana", '"Bia"', "Élcio", "   ", "10 de Maio", "李小龍", "_Caio"]
    assert sorted(names, key=text.sort_key) == [
        "10 de Maio", "ana", '"Bia"', "_Caio", "Élcio", "<script>", "Zélia", "李小龍", "", "   ",
    ]  # fmt: skip
    assert len(text.sort_key("x" * 1000)) == text.SORT_LENGTH
