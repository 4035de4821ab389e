"""A token that does not say whose it is: Kommo does, and nothing is refused before it was asked."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kommo.settings import Settings
from tests.api.conftest import Api, expect_error, expect_good
from tests.conftest import make_settings
from tests.crm.people import token as made_up
from tests.crm.servers import RawServer, answer, says

ACCOUNT = 30001000
CALLS = [
    ("GET", "/test-connection"), ("POST", "/test-connection"), ("GET", "/contacts"), ("GET", "/deals"),
    ("POST", "/sync"),
]  # fmt: skip
EACH = pytest.mark.parametrize(("method", "path"), CALLS)


@pytest.fixture
def kommo() -> Iterator[RawServer]:
    """Answers everything for one account, whatever the token says."""
    held = {"_embedded": {"contacts": [{"id": 1, "name": "Ana"}], "leads": [{"id": 1, "name": "Bolo"}]}}
    body = {"id": ACCOUNT, "name": "Padaria", "subdomain": "padaria"} | held
    with RawServer(says(answer(200, body))) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, kommo: RawServer) -> Settings:
    return make_settings(tmp_path, api_url=kommo.address, retry_attempts=0)


@pytest.fixture(params=["x", None, 0, 1.5])
def nameless(request: pytest.FixtureRequest, silent: Api) -> Api:
    """Ana, with a token whose `account_id` is none."""
    silent.token = made_up(account_id=request.param)
    return silent


def call(api: Api, method: str, path: str, account_id: int) -> Any:
    options: dict[str, Any] = {"query_string": {"accountId": account_id}, "headers": {"Prefer": "respond-async"}}
    return api.get(path, **options) if method == "GET" else api.post(path, **options)


@EACH
def test_the_right_account_is_taken(nameless: Api, method: str, path: str) -> None:
    expect_good(call(nameless, method, path, ACCOUNT), 202 if path == "/sync" else 200)


@EACH
def test_another_account_is_refused_after_kommo_was_asked(
    nameless: Api, kommo: RawServer, method: str, path: str
) -> None:
    body = expect_error(call(nameless, method, path, ACCOUNT + 1), 403, "account_mismatch")
    assert body["field"] == "accountId"
    assert kommo.heads


def test_the_copy_is_found_by_the_account_that_is_named(nameless: Api) -> None:
    expect_good(call(nameless, "POST", "/sync", ACCOUNT), 202)
    assert expect_good(call(nameless, "GET", "/sync", ACCOUNT))["data"]["accountId"] == ACCOUNT
    expect_error(call(nameless, "GET", "/sync", ACCOUNT + 1), 404, "account_unknown")


@EACH
def test_a_claim_that_is_known_and_another_is_refused_unasked(
    silent: Api, kommo: RawServer, method: str, path: str
) -> None:
    silent.token = made_up(account_id=ACCOUNT + 5)
    expect_error(call(silent, method, path, ACCOUNT), 403, "account_mismatch")
    assert kommo.heads == []


def test_a_token_of_a_header_that_does_not_begin_as_usual_is_read(silent: Api) -> None:
    """JSON may begin with a line break."""
    _, payload, signature = made_up(account_id=ACCOUNT).split(".")
    header = base64.urlsafe_b64encode(b'{\n  "typ": "JWT",\n  "alg": "HS256"\n}').rstrip(b"=").decode()
    silent.token = f"{header}.{payload}.{signature}"
    assert silent.token.startswith("ewog")
    expect_good(call(silent, "GET", "/contacts", ACCOUNT))
