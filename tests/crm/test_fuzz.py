"""Whatever comes in, only the declared errors come out."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kommo.addresses import check_configured
from kommo.crm.answers import raise_for
from kommo.crm.errors import BadToken, KommoError
from kommo.crm.fields import custom_fields
from kommo.crm.hosts import base_address
from kommo.crm.human import _MAKERS, human_values
from kommo.crm.json import loads
from kommo.crm.pages import Stream, page_from
from kommo.crm.records import contact_from, deal_from, documented
from kommo.crm.token import Claims, claims_from, read_token
from tests.crm.people import NOW, part
from tests.crm.shapes import contact, lead
from tests.crm.test_answers import answered

FUZZ = settings(deadline=None, derandomize=True, max_examples=150)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
CLAIMS = st.dictionaries(
    st.sampled_from(["exp", "iat", "account_id", "scopes", "api_domain", "base_domain", "sub", "x"]), ANYTHING
)
KINDS = [*_MAKERS, "multitext", "smart_address", "ai_forecast"]
ZONE = ZoneInfo("America/Sao_Paulo")


def read_or_refuse(text: str) -> None:
    """Read a token; only BadToken may stop it."""
    try:
        claims = read_token(text)
    except BadToken as error:
        assert error.sentence
        return
    look_at(claims)


def look_at(claims: Claims) -> None:
    """Everything that a page asks of claims."""
    assert claims.account_id is None or 0 < claims.account_id < 2**63
    assert all(isinstance(scope, str) and scope.isprintable() for scope in claims.scopes)
    claims.days_left(NOW), claims.expired(NOW), claims.missing_scopes, claims.expires_iso
    (claims.subject or "").encode(), (claims.base_domain or "").encode()
    try:
        address = base_address(claims, configured=None)
    except BadToken as error:
        assert error.code == "host_refused"
    else:
        assert address.endswith(".kommo.com") and check_configured(address) == address


@FUZZ
@given(st.text())
@example("Bearer " * 2000)
@example("\"'" * 8000)
def test_any_text_is_a_token_or_refused(text: str) -> None:
    read_or_refuse(text)


@FUZZ
@given(st.binary(max_size=60), st.binary(max_size=200), st.binary(max_size=20))
def test_any_three_parts(header: bytes, payload: bytes, signature: bytes) -> None:
    read_or_refuse(f"{part(header)}.{part(payload)}.{part(signature)}")


@FUZZ
@given(ANYTHING, ANYTHING)
def test_any_json_in_a_token(header: Any, payload: Any) -> None:
    read_or_refuse(f"{part(json.dumps(header))}.{part(json.dumps(payload))}.{part(b'x')}")


@FUZZ
@given(CLAIMS)
def test_any_claims(claims: dict[str, Any]) -> None:
    read_or_refuse(f"{part({'alg': 'RS256'})}.{part(json.dumps(claims))}.")
    look_at(claims_from(claims))


@FUZZ
@given(
    st.dictionaries(st.sampled_from(sorted(contact().keys() | lead().keys() | {"price_with_minor_units"})), ANYTHING)
)
def test_any_change_of_a_record(changes: dict[str, Any]) -> None:
    for make, usual in ((contact_from, contact()), (deal_from, lead())):
        try:
            made = make(usual | changes)
        except ValueError:
            continue
        assert 0 < made.id < 2**63
        assert list(documented(made))[:2] == ["id", "name"]


@FUZZ
@given(ANYTHING)
def test_anything_as_a_record(raw: Any) -> None:
    for make in (contact_from, deal_from):
        try:
            made = make(raw)
        except ValueError:
            continue
        assert 0 < made.id < 2**63


@FUZZ
@given(
    st.sampled_from(KINDS),
    st.lists(
        ANYTHING | st.fixed_dictionaries({"value": ANYTHING, "enum_id": SCALARS, "enum_code": SCALARS}), max_size=4
    )
    | ANYTHING,
    st.sampled_from(["PHONE", "EMAIL", None]),
)
def test_any_value_of_any_field_type(kind: str, values: Any, code: str | None) -> None:
    raw = {"custom_fields_values": [{"field_id": 1, "field_type": kind, "field_code": code, "values": values}]}
    for item in custom_fields(raw):
        for value in human_values(item, ZONE, currency="BRL"):
            assert value.text.strip()
            assert value.href is None or value.href.lower().startswith(("http://", "https://", "mailto:", "tel:"))


@FUZZ
@given(st.binary(max_size=200) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_json_or_nonsense(body: bytes) -> None:
    try:
        value = loads(body)
    except KommoError:
        return
    assert orjson.loads(orjson.dumps(value)) == value


@FUZZ
@given(
    ANYTHING,
    st.integers(100, 999),
    st.sampled_from(["text/html", "application/hal+json", "application/problem+json", ""]),
)
def test_any_answer_is_a_page_or_one_of_our_errors(body: Any, status: int, kind: str) -> None:
    answer = answered(status, json.dumps(body).encode(), kind)
    try:
        raise_for(answer)
        page_from(answer, Stream.CONTACTS, 1)
    except KommoError as error:
        assert error.sentence and (error.status == status or error.code == "nonsense")


@FUZZ
@given(st.text())
def test_any_text_as_an_address(text: str) -> None:
    try:
        assert check_configured(text).startswith(("http://", "https://"))
    except ValueError as error:
        assert "https://servidor" in str(error)
