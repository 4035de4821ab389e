"""Which error a status and a content type mean."""

import json
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from kommo.crm import errors
from kommo.crm.answers import Answer, raise_for
from tests.crm.servers import HTML

PROBLEM = "application/problem+json"


def answered(status: int, body: Any = b"", kind: str = PROBLEM, **headers: str) -> Answer:
    """An answer as the transport gives it; `Retry_After="5"` is a header."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, raw, CaseInsensitiveDict({"Content-Type": kind} | named), 100.0, 100.25)


def meant(answer: Answer) -> errors.KommoError:
    """The error that an answer means."""
    with pytest.raises(errors.KommoError) as caught:
        raise_for(answer)
    return caught.value


def said(status: int, detail: str = "", **more: Any) -> dict[str, Any]:
    """Kommo's problem+json."""
    return {"title": "X", "type": f"https://httpstatus.es/{status}", "status": status, "detail": detail} | more


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_no_error(status: int) -> None:
    body = b"" if status == 204 else {"id": 1}
    assert raise_for(answered(status, body, "application/hal+json")) is None


CASES = [
    (300, b"", errors.WrongHost),
    (301, b"", errors.WrongHost),
    (304, b"", errors.WrongHost),
    (302, HTML, errors.WrongHost),
    (400, said(400, "Request validation failed"), errors.Rejected),
    (401, said(401, "Invalid user name or password"), errors.TokenRefused),
    (401, HTML, errors.TokenRefused),
    (401, b"", errors.TokenRefused),
    (402, said(402), errors.Unpaid),
    (402, HTML, errors.Unpaid),
    (403, said(403, "Access denied"), errors.Forbidden),
    (403, HTML, errors.Blocked),
    (403, b"", errors.Blocked),
    (403, b"[]", errors.Blocked),
    (403, b'{"cut', errors.Blocked),
    (404, said(404), errors.NotFound),
    (404, b"", errors.NotFound),
    (404, HTML, errors.WrongHost),
    (405, said(405), errors.Rejected),
    (408, HTML, errors.TimedOut),
    (409, said(409), errors.Rejected),
    (415, said(415), errors.Rejected),
    (422, said(422), errors.Rejected),
    (429, HTML, errors.RateLimited),
    (429, said(429), errors.RateLimited),
    (500, said(500), errors.ServerFault),
    (502, HTML, errors.ServerFault),
    (503, b"", errors.ServerFault),
    (504, HTML, errors.ServerFault),
    (599, b"", errors.ServerFault),
    (600, b"", errors.Nonsense),
    (999, HTML, errors.Nonsense),
]


@pytest.mark.parametrize(("status", "body", "kind"), CASES)
def test_each_status_has_its_error(status: int, body: Any, kind: type[errors.KommoError]) -> None:
    error = meant(answered(status, body, "text/html" if body is HTML else PROBLEM))
    assert type(error) is kind
    assert error.status == status


@pytest.mark.parametrize("body", [HTML, b"<!doctype html><title>Entrar</title>", b"\r\n  <html></html>"])
@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8", "TEXT/HTML", "application/hal+json", ""])
def test_a_page_with_success_is_nonsense_whatever_it_calls_itself(body: bytes, kind: str) -> None:
    assert type(meant(answered(200, body, kind))) is errors.Nonsense


def test_json_that_calls_itself_html_is_a_page() -> None:
    assert type(meant(answered(200, {"id": 1}, "text/html"))) is errors.Nonsense


def test_an_html_404_by_its_body_alone() -> None:
    assert type(meant(answered(404, HTML, ""))) is errors.WrongHost


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        (said(403, "Client doesn't have the required scope"), True),
        (said(403, "", hint="No scope: crm"), True),
        (said(403, "Falta o escopo crm"), True),
        (said(403, "Access denied"), False),
        (said(403, ""), False),
        ({"detail": None}, False),
        ({"detail": ["scope"]}, True),
    ],
)
def test_a_missing_scope_is_told_from_a_missing_right(body: Any, missing: bool) -> None:
    error = meant(answered(403, body))
    assert isinstance(error, errors.Forbidden) and error.scope_missing is missing


DATE = "Mon, 23 Nov 2026 16:00:00 GMT"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (HTML, {}, None),
        (HTML, {"Retry_After": "7"}, 7.0),
        (HTML, {"Retry_After": " 7 "}, 7.0),
        (HTML, {"Retry_After": "0"}, 0.0),
        (HTML, {"Retry_After": "1.5"}, 1.5),
        (HTML, {"Retry_After": "Mon, 23 Nov 2026 16:00:30 GMT", "Date": DATE}, 30.0),
        (HTML, {"Retry_After": "Mon, 23 Nov 2026 15:59:00 GMT", "Date": DATE}, 0.0),
        (HTML, {"Retry_After": "Sun, 01 Jan 2040 00:00:00 GMT", "Date": DATE}, 2_208_988_800.0 - 1_795_449_600.0),
        (HTML, {"Retry_After": "soon"}, None),
        (HTML, {"Retry_After": "-5"}, None),
        (HTML, {"Retry_After": "nan"}, None),
        (HTML, {"Retry_After": "inf"}, None),
        (HTML, {"Retry_After": "1e400"}, None),
        (HTML, {"Retry_After": "9" * 5000}, 99_999_999_999_999_999_999.0),
        (said(429, retry_after=300), {}, 300.0),
        (said(429, retry_after="20"), {}, 20.0),
        (said(429, retry_after=300), {"Retry_After": "5"}, 5.0),
        (said(429, retry_after=None), {}, None),
        (said(429, retry_after=[1]), {}, None),
        (said(429, retry_after=-1), {}, None),
        (b"[]", {}, None),
        (b'{"retry_after": NaN}', {}, None),
    ],
)
def test_how_long_to_wait(status: int, body: Any, headers: dict[str, str], seconds: float | None) -> None:
    assert meant(answered(status, body, **headers)).retry_after == seconds


def test_a_date_to_wait_for_counts_from_our_clock_where_kommo_names_none() -> None:
    assert meant(answered(429, HTML, Retry_After="Thu, 01 Jan 1970 00:00:00 GMT")).retry_after == 0.0


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        (DATE, 1_795_449_600.0),
        ("Mon, 23 Nov 2026 13:00:00 -0300", 1_795_449_600.0),
        ("", None),
        ("yesterday", None),
        ("Mon, 99 Nov 2026 16:00:00 GMT", None),
        ("Mon, 23 Nov 99999999999 16:00:00 GMT", None),
        ("1795449600", None),
    ],
)
def test_kommos_clock(header: str, moment: float | None) -> None:
    assert answered(200, {}, Date=header).server_time == moment


def test_kommos_clock_may_be_missing() -> None:
    assert answered(200, {}).server_time is None


def test_how_long_an_answer_took() -> None:
    assert answered(200, {}).elapsed == 0.25
