"""Custom field values as a person reads them, for every type of Kommo, and the links that are safe to follow."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kommo.crm.fields import custom_fields
from kommo.crm.human import HumanValue, human_values
from kommo.crm.shown import decimal, mail_link, phone_link, readable, size, tax_number, web_link
from tests.crm.shapes import field, phone

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
LISBON = ZoneInfo("Europe/Lisbon")
DECEMBER = 1_764_903_600  # 2025-12-05 00:00 in São Paulo


def shown(item: dict[str, Any], zone: ZoneInfo = SAO_PAULO, currency: str | None = "BRL") -> list[HumanValue]:
    """The values of one v4 field as a record page shows them."""
    (made,) = custom_fields({"custom_fields_values": [item]})
    return human_values(made, zone, currency=currency)


def texts(kind: str, *values: Any, **options: Any) -> list[str]:
    """The texts of a field of this type."""
    return [value.text for value in shown(field(kind, *values), **options)]


@pytest.mark.parametrize(
    "kind", ["text", "select", "multiselect", "radiobutton", "category", "tracking_data", "org_legal_name"]
)
def test_words_are_shown_as_they_are(kind: str) -> None:
    found = shown(field(kind, {"value": "Pão <b>francês</b>", "enum_id": 1}, {"value": "Bolo"}))
    assert [(one.text, one.href, one.kind) for one in found] == [
        ("Pão <b>francês</b>", None, "text"),
        ("Bolo", None, "text"),
    ]


@pytest.mark.parametrize("kind", ["textarea", "streetaddress"])
def test_long_text_keeps_its_lines(kind: str) -> None:
    assert shown(field(kind, {"value": "Linha 1\nLinha 2"})) == [HumanValue("Linha 1\nLinha 2", kind="long")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.5", "1,5"),
        ("1234567.80", "1.234.567,80"),
        (12, "12"),
        (0, "0"),
        (-3.25, "-3,25"),
        ("0.001", "0,001"),
        ("007", "7"),
        ("1e5", "1e5"),
        ("abc", "abc"),
        (True, "Sim"),
        ("9" * 31, "9" * 31),
    ],
)
def test_numbers(value: Any, text: str) -> None:
    assert texts("numeric", {"value": value}) == [text]


@pytest.mark.parametrize("kind", ["monetary", "price"])
@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("99.90", "BRL", "R$\u00a099,90"),
        (1234567, "BRL", "R$\u00a01.234.567,00"),
        ("-5", "BRL", "-R$\u00a05,00"),
        ("99.90", "USD", "US$\u00a099,90"),
        ("99.90", "EUR", "€\u00a099,90"),
        ("99", "XYZ", "XYZ\u00a099,00"),
        ("99.90", None, "R$\u00a099,90"),
        ("a combinar", "BRL", "a combinar"),
        (0, "BRL", "R$\u00a00,00"),
    ],
)
def test_money(kind: str, value: Any, currency: str | None, text: str) -> None:
    assert texts(kind, {"value": value}, currency=currency) == [text]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "Sim"),
        (1, "Sim"),
        ("1", "Sim"),
        ("true", "Sim"),
        (False, "Não"),
        (0, "Não"),
        ("0", "Não"),
        ("", "Não"),
        (None, "Não"),
        ([], "Não"),
    ],
)
def test_flags(value: Any, text: str) -> None:
    assert shown(field("checkbox", {"value": value})) == [HumanValue(text, kind="flag")]


@pytest.mark.parametrize("kind", ["date", "birthday"])
@pytest.mark.parametrize(
    ("value", "zone", "text"),
    [
        (DECEMBER, SAO_PAULO, "05/12/2025"),
        (DECEMBER - 1, SAO_PAULO, "04/12/2025"),
        (str(DECEMBER), SAO_PAULO, "05/12/2025"),
        (DECEMBER + 75_000, LISBON, "05/12/2025"),
        ("2025-12-05T00:00:00-03:00", SAO_PAULO, "05/12/2025"),
        ("2025-12-05", SAO_PAULO, "05/12/2025"),
        (-299_106_000, SAO_PAULO, "10/07/1960"),
        (0, LISBON, "01/01/1970"),
        (-60_000_000_000, SAO_PAULO, "03/09/0068"),
        (10**15, SAO_PAULO, "1.000.000.000.000.000"),
        (-(10**15), SAO_PAULO, "-1.000.000.000.000.000"),
        ("amanhã", SAO_PAULO, "amanhã"),
        (True, SAO_PAULO, "Sim"),
        ([1], SAO_PAULO, "1"),
    ],
)
def test_dates_in_the_accounts_zone(kind: str, value: Any, zone: ZoneInfo, text: str) -> None:
    assert texts(kind, {"value": value}, zone=zone) == [text]


@pytest.mark.parametrize(("zone", "text"), [(SAO_PAULO, "05/12/2025 00:00"), (LISBON, "05/12/2025 03:00")])
def test_moments_in_the_accounts_zone(zone: ZoneInfo, text: str) -> None:
    assert shown(field("date_time", {"value": DECEMBER}), zone=zone) == [HumanValue(text, kind="date")]


def test_a_legacy_date_without_an_object() -> None:
    assert texts("date", DECEMBER) == ["05/12/2025"]


@pytest.mark.parametrize(
    ("enum", "label"),
    [
        ("WORK", "comercial"),
        ("WORKDD", "direto"),
        ("MOB", "celular"),
        ("FAX", "fax"),
        ("HOME", "residencial"),
        ("OTHER", "outro"),
        ("NEW", ""),
    ],
)
def test_phones(enum: str, label: str) -> None:
    assert shown(phone("+55 (11) 99999-0000", enum=enum)) == [
        HumanValue("+55 (11) 99999-0000", "tel:+5511999990000", "phone", label)
    ]


def test_e_mail_addresses() -> None:
    assert shown(phone("ana@padaria.example", code="EMAIL", enum="PRIV")) == [
        HumanValue("ana@padaria.example", "mailto:ana@padaria.example", "email", "pessoal")
    ]


def test_another_field_of_several_texts() -> None:
    assert shown(phone("@ana", code="INSTAGRAM", enum="OTHER")) == [HumanValue("@ana", None, "text", "outro")]
    assert shown(phone("@ana", code=None)) == [HumanValue("@ana", None, "text", "comercial")]


def test_an_address_on_one_line_in_the_order_of_people() -> None:
    parts = [
        {"value": "BR", "enum_id": 6, "enum_code": "country"},
        {"value": "Rua das Acácias, 992", "enum_id": 1, "enum_code": "address_line_1"},
        {"value": "Goiânia", "enum_id": 3, "enum_code": "city"},
        {"value": "", "enum_id": 2, "enum_code": "address_line_2"},
        {"value": "30558-247", "enum_id": 5, "enum_code": "zip"},
        {"value": "GO", "enum_id": 4, "enum_code": "state"},
        {"value": "quarto 9", "enum_id": 7, "enum_code": "room"},
    ]
    assert shown(field("smart_address", *parts)) == [
        HumanValue("Rua das Acácias, 992, Goiânia, GO, 30558-247, BR, quarto 9", kind="address")
    ]
    assert shown(field("smart_address", {"value": None}, {"value": " "})) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"name": "Padaria Estrela Ltda", "entity_type": 2, "vat_id": "61499045000111"},
            "Padaria Estrela Ltda, CNPJ 61.499.045/0001-11",
        ),
        ({"name": "Ana Lima", "entity_type": 1, "vat_id": "123.456.789-09"}, "Ana Lima, CPF 123.456.789-09"),
        ({"name": "Nova", "vat_id": "12abc34501de35"}, "Nova, CNPJ 12.ABC.345/01DE-35"),
        ({"name": "Acme", "vat_id": "DE 811"}, "Acme, DE 811"),
        ({"name": "Acme", "address": "Rua 1"}, "Acme, Rua 1"),
        ({"name": "Acme", "real_address": "Rua 2"}, "Acme, Rua 2"),
        ({"vat_id": "61499045000111"}, "CNPJ 61.499.045/0001-11"),
        ({"director": "Bruno"}, "director: Bruno"),
        ("Acme", "Acme"),
    ],
)
@pytest.mark.parametrize("kind", ["legal_entity", "payer", "supplier"])
def test_companies_with_their_tax_number(kind: str, value: Any, text: str) -> None:
    assert texts(kind, {"value": value}) == [text]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"name": "Forno", "entity_id": 5, "entity_type": "contacts", "catalog_id": None}, "Forno"),
        ({"name": "", "entity_id": 5}, "Item 5"),
        ({"catalog_id": 7}, "catalog id: 7"),
    ],
)
def test_linked_entities(value: Any, text: str) -> None:
    assert texts("linked_entity", {"value": value}) == [text]


def test_chained_lists_have_no_value_key() -> None:
    assert texts(
        "chained_list", {"catalog_id": 1001, "catalog_element_id": 12}, {"catalog_id": 1002, "catalog_element_id": 3}
    ) == [
        "Item 12 da lista 1001",
        "Item 3 da lista 1002",
    ]
    assert texts("chained_list", {"catalog_id": 1001}) == ["catalog id: 1.001"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"file_uuid": "u", "file_name": "orçamento.pdf", "file_size": 3_456_789}, "orçamento.pdf (3,5\u00a0MB)"),
        ({"file_name": "a.txt", "file_size": 12}, "a.txt (12\u00a0B)"),
        ({"file_name": "a.txt", "file_size": 0}, "a.txt"),
        ({"file_name": "../../etc/passwd"}, "../../etc/passwd"),
        ({"file_uuid": "u"}, "file uuid: u"),
    ],
)
def test_files(value: Any, text: str) -> None:
    found = shown(field("file", {"value": value}))
    assert [one.text for one in found] == [text] and found[0].href is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"description": "Pão francês", "quantity": 120, "unit_type": "un", "unit_price": 0.9},
            "Pão francês: 120 un × R$\u00a00,90",
        ),
        ({"description": "Bolo", "quantity": "1.5"}, "Bolo: 1,5"),
        ({"description": "Bolo", "unit_price": "80"}, "Bolo: R$\u00a080,00"),
        ({"sku": "B-1"}, "B-1"),
        ({"unit_price": 5}, "unit price: 5"),
    ],
)
def test_items_of_an_invoice(value: Any, text: str) -> None:
    assert texts("items", {"value": value}) == [text]


@pytest.mark.parametrize(
    "kind", ["ai_forecast", "", "novo tipo", "monetary", "date", "file", "url", "numeric", "text", "textarea"]
)
def test_a_value_of_another_shape_is_readable(kind: str) -> None:
    found = shown(field(kind, {"value": {"score": 4, "why": ["a", None, True], "none": None}}))
    assert found == [HumanValue("score: 4; why: a, Sim", kind="unknown")]


@pytest.mark.parametrize(
    "kind", ["text", "numeric", "date", "url", "file", "select", "items", "legal_entity", "x", "multitext", "monetary"]
)
@pytest.mark.parametrize("value", [None, "", "   ", [], {}])
def test_nothing_is_shown_for_nothing(kind: str, value: Any) -> None:
    assert shown(field(kind, {"value": value})) == []


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"type": "text"},
        {"type": "text", "values": None},
        {"values": ["solto", 5, None]},
        {"type": None, "values": []},
    ],
)
def test_a_field_that_is_hardly_one(item: dict[str, Any]) -> None:
    assert human_values(item, SAO_PAULO) == []


@pytest.mark.parametrize(
    ("value", "href"),
    [
        ("https://padaria.example/cardapio?a=1#b", "https://padaria.example/cardapio?a=1#b"),
        ("HTTP://Padaria.example", "HTTP://Padaria.example"),
        (" https://padaria.example ", "https://padaria.example"),
        ("www.padaria.com.br", "https://www.padaria.com.br"),
        ("www.padaria.com.br/bolos", "https://www.padaria.com.br/bolos"),
        ("javascript:alert(1)", None),
        ("JaVaScRiPt:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,x", None),
        ("vbscript:x", None),
        ("file:///etc/passwd", None),
        ("//evil.example", None),
        ("\x01javascript:alert(1)", None),
        ("https://a b.example", None),
        ('https://a.example/"onmouseover="x', None),
        ("https://a.example/<b>", None),
        ("https:\\\\evil.example", None),
        ("https://", None),
        ("padaria.com.br", None),
        ("mailto:a@b.example", None),
        ("", None),
        ("https://a.example\njavascript:alert(1)", None),
    ],
)
def test_only_addresses_of_the_web_become_links(value: str, href: str | None) -> None:
    assert web_link(value) == href
    if value:
        assert shown(field("url", {"value": value})) == [HumanValue(value, href, "link")]


@pytest.mark.parametrize(
    ("value", "href"),
    [
        ("ana.lima+vip@padaria.example", "mailto:ana.lima+vip@padaria.example"),
        (" a@b.example ", "mailto:a@b.example"),
        ("a@b.example?bcc=evil@x.example", None),
        ("a@b.example%0d%0aBcc:x@y.example", None),
        ("a@b\r\nBcc: x@y", None),
        ("a%0ab@c.example", None),
        ("a@b,c@d", None),
        ("<a@b.example>", None),
        ("javascript:alert(1)@x", None),
        ("ana", None),
        ("", None),
    ],
)
def test_an_e_mail_link_carries_no_headers(value: str, href: str | None) -> None:
    assert mail_link(value) == href


@pytest.mark.parametrize(
    ("value", "href"),
    [
        ("+55 (11) 99999-0000", "tel:+5511999990000"),
        ("11 3333 4444 ramal 5", "tel:11333344445"),
        ("190", None),
        ("", None),
        ("1" * 21, None),
        ("sem telefone", None),
        ("٥٥٥٥٥٥", None),
        ("javascript:alert(12345)", "tel:12345"),
    ],
)
def test_a_phone_link_is_digits(value: str, href: str | None) -> None:
    assert phone_link(value) == href


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0\u00a0B"), (999, "999\u00a0B"), (1000, "1,0\u00a0kB"), (1.2e6, "1,2\u00a0MB"), (5e12, "5.000,0\u00a0GB")],
)
def test_sizes(number: float, text: str) -> None:
    assert size(number) == text


def test_decimals_keep_their_places() -> None:
    assert [decimal(text) for text in ("1000", "-1000.10", "", ".5", "1,5")] == ["1.000", "-1.000,10", "", ".5", "1,5"]


def test_tax_numbers_are_told_apart_by_their_length() -> None:
    assert [tax_number(text) for text in ("", " 12 ", "1234567890", "ABCDEFGHIJK")] == [
        "",
        "12",
        "1234567890",
        "ABCDEFGHIJK",
    ]


def test_deep_values_end_in_dots() -> None:
    value: Any = "fim"
    for _ in range(50):
        value = {"a": value}
    assert readable(value).endswith("a: …") and len(readable(value)) < 50
    assert readable([[[]], {"a": {}}]) == ""
