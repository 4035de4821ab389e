"""Bodies and parameters that are not what they have to be: 400 or 415, in Portuguese, and nothing is sent or stored."""

import json
from typing import Any

import pytest

from kommo.api.body import Written, parse
from kommo.api.errors import ApiError
from kommo.sandbox import Server
from tests.api.conftest import Api, expect_error, expect_good

BROKEN = {
    "empty": b"",
    "a list": b"[]",
    "null": b"null",
    "a text": b'"eyJ"',
    "a number": b"7",
    "not closed": b'{"userId": "1"',
    "something behind": b'{"userId": "1"}}',
    "single quotes": b"{'userId': '1'}",
    "a form": b"userId=1&contactId=2",
    "NaN": b'{"contactId": NaN}',
    "Infinity": b'{"contactId": -Infinity}',
    "a key twice": b'{"userId": "1", "userId": "2"}',
    "a key twice, deep inside": b'{"x": {"a": 1, "a": 2}}',
    "a byte order mark": b'\xef\xbb\xbf{"userId": "1"}',
    "UTF-16": '{"userId": "1"}'.encode("utf-16"),
    "latin-1": '{"userId": "João"}'.encode("latin-1"),
    "half a surrogate pair": rb'{"userId": "\ud800"}',
    "nested 10,000 deep": b'{"x":' * 10_000 + b"1" + b"}" * 10_000,
    "lists nested 30,000 deep": b"[" * 30_000 + b"]" * 30_000,
    "a number of 5,000 digits": b'{"contactId": ' + b"9" * 5_000 + b"}",
}
POSTS = ("/test-connection", "/contacts", "/deals", "/sync")
ID = "um número inteiro de 1 a 9223372036854775807"


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_no_json_object_is_refused(api: Api, padaria: Server, data: bytes) -> None:
    before = padaria.world.requests
    for path in POSTS:
        body = expect_error(api.post(path, data=data, content_type="application/json"), 400, "invalid_json")
        assert body["message"] == "O corpo do pedido não é um JSON válido"
    assert padaria.world.requests == before


@pytest.mark.parametrize(
    "content_type",
    [
        None, "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "application/json; charset=utf-16", "application/json; charset=latin-1", "application/problem+json", "json",
    ],
)  # fmt: skip
def test_only_json_is_taken_as_json(api: Api, content_type: str | None) -> None:
    body = json.dumps({"contactId": 1})
    answer = api.post("/contacts", data=body, content_type=content_type)
    assert "application/json" in expect_error(answer, 415, "wrong_content_type")["error"]


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=UTF-8"])
def test_utf_8_may_be_said(api: Api, content_type: str) -> None:
    expect_good(api.post("/test-connection", data=b"{}", content_type=content_type))


def test_a_post_without_body_and_type_says_nothing(api: Api) -> None:
    """As the document writes it: `POST /api/kommo/sync`."""
    expect_good(api.post("/test-connection"))
    assert expect_error(api.post("/contacts"), 400, "missing_field")["field"] == "contactId"


def test_a_form_of_many_parts_is_not_read(api: Api) -> None:
    parts = (
        b"".join(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' for _ in range(1500)) + b"--x--\r\n"
    )
    answer = api.post("/sync", data=parts[:60_000], content_type="multipart/form-data; boundary=x")
    expect_error(answer, 415, "wrong_content_type")


def test_a_large_body_is_not_read(silent: Api) -> None:
    """20 MB of token: refused by its length."""
    data = b'{"jwtToken": "' + b"e" * 20_000_000 + b'"}'
    for path in POSTS:
        expect_error(silent.post(path, data=data, content_type="application/json"), 413, "too_large")


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        *[
            ("userId", value, "texto de 1 a 64 caracteres")
            for value in ("", "x" * 65, True, [], {"a": 1}, "a\0b", "a\nb")
        ],
        *[("accountId", value, ID) for value in ("30001000", 0, -1, 2**63, 1.5, True, [1], "")],
        *[("contactId", value, ID) for value in ("123", 0, -1, 2**63, 10**40, 1.5, 1e19, 1e-5, False, [], {})],
        *[("jwtToken", value, "precisa ser um texto") for value in (123, True, ["eyJ"], {"token": "eyJ"}, 1.5)],
    ],
)
def test_a_wrong_value_is_named(api: Api, field: str, value: Any, rule: str) -> None:
    body = expect_error(api.post("/contacts", json={"contactId": 1} | {field: value}), 400, "invalid_field")
    assert body["field"] == field
    assert body["message"] == f"Valor inválido no campo {field}"
    assert rule in body["error"]


@pytest.mark.parametrize(("path", "field"), [("/contacts", "contactId"), ("/deals", "dealId")])
@pytest.mark.parametrize("said", [{}, {"other": 1}, None])
def test_a_missing_id_is_named(api: Api, path: str, field: str, said: dict[str, Any] | None) -> None:
    body = expect_error(api.post(path, json={field: None} if said is None else said), 400, "missing_field")
    assert (body["message"], body["field"]) == (f"Falta o campo {field}", field)
    assert ID in body["error"]


def test_an_id_in_the_address_is_not_one_in_the_body(api: Api, padaria: Server) -> None:
    record = padaria.world.ids("contacts")[0]
    expect_error(api.post(f"/contacts?contactId={record}", json={}), 400, "missing_field")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *[(f"page={text}", "page") for text in ("0", "-5", "1000001", "99999999", "1.0", "abc", "", "+1", "１", "1e3")],
        *[(f"limit={text}", "limit") for text in ("0", "-1", "251", "1000000", "50.5", "tudo", "", "0x10", " 5")],
        ("page=1&page=2", "page"), ("limit=1&limit=1", "limit"), ("query=a&query=b", "query"),
        ("source=cache", "source"), ("source=", "source"), ("source=LOCAL", "source"),
        ("userId=", "userId"), ("userId=" + "x" * 65, "userId"), ("userId=a%00b", "userId"),
        ("userId=1&userId=2", "userId"),
        ("accountId=x", "accountId"), ("accountId=0", "accountId"), ("accountId=9223372036854775808", "accountId"),
        ("accountId=99999999999999999999", "accountId"), ("jwtToken=a&jwtToken=b", "jwtToken"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(api: Api, padaria: Server, query: str, field: str) -> None:
    before = padaria.world.requests
    for path in ("/contacts", "/deals"):
        assert expect_error(api.get(f"{path}?{query}"), 400, "invalid_field")["field"] == field
    assert padaria.world.requests == before


@pytest.mark.parametrize("path", ["/contacts", "/deals"])
@pytest.mark.parametrize("query", ["page=1000000", "limit=250", "limit=1&page=1", "other=1&other=2", "page=007"])
def test_the_ends_of_a_range_are_in_it(api: Api, path: str, query: str) -> None:
    expect_good(api.get(f"{path}?{query}"))


def test_unknown_fields_change_nothing(api: Api, padaria: Server) -> None:
    record = padaria.world.ids("contacts")[0]
    body = {
        "contactId": record,
        "source": "local",
        "name": "Outro",
        "is_admin": True,
        "baseAddress": "https://evil.com",
    }
    assert expect_good(api.post("/contacts", json=body))["data"]["id"] == record
    assert padaria.world.record("contacts", record)["name"] != "Outro"


@pytest.mark.parametrize(("written", "owner"), [("123", "123"), ("1.50", "1.50"), ("1e3", "1e3"), ("-7", "-7")])
def test_a_number_is_taken_as_its_text(silent: Api, padaria: Server, written: str, owner: str) -> None:
    """What is stored for a number is found again under its text."""
    data = f'{{"userId": {written}, "jwtToken": "{padaria.token}"}}'
    headers = {"Prefer": "respond-async"}
    expect_good(silent.post("/sync", data=data, content_type="application/json", headers=headers), 202)
    assert expect_good(silent.get("/sync", query_string={"userId": owner}))["data"]["state"] == "queued"


def test_the_reader_keeps_how_a_number_was_written() -> None:
    found = parse(b'{"a": 1.50, "b": 2}')
    assert (found["a"], found["b"]) == (1.5, 2)
    assert isinstance(found["a"], Written)
    assert found["a"].text == "1.50"


def test_the_reader_says_which_rule_was_broken() -> None:
    with pytest.raises(ApiError) as caught:
        parse(b'{"a": 1, "a": 1}')
    assert caught.value.error == "Cada campo pode aparecer uma só vez."
