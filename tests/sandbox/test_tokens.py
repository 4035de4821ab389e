"""Which tokens open the door."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from kommo.sandbox import OFICINA, MovableClock, World, make_world

from .conftest import NOW, Api


def test_the_claims_of_a_long_lived_token(world: World) -> None:
    token = world.token()

    claims = jwt.decode(token, options={"verify_signature": False})
    assert jwt.get_unverified_header(token)["typ"] == "JWT"
    assert set(claims) == {
        "aud", "jti", "iat", "nbf", "exp", "sub", "grant_type", "account_id", "base_domain", "version", "scopes",
        "hash_uuid", "api_domain",
    }  # fmt: skip
    assert claims["iat"] == claims["nbf"] == NOW
    assert claims["exp"] == NOW + 365 * 24 * 3600
    assert (claims["sub"], claims["grant_type"], claims["account_id"], claims["version"]) == ("7001", "", 30001000, 2)
    assert (claims["base_domain"], claims["api_domain"]) == ("kommo.com", "api-c.kommo.com")
    assert sorted(claims["scopes"]) == ["crm", "files", "files_delete", "notifications", "push_notifications"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer a.b.c", "Basic dTpw", "Bearer eyJhbGciOiJub25lIn0.e30.", "{token}"]
)
def test_what_is_no_token_is_401_json(api: Api, header: str) -> None:
    answer = api.ask("GET", "account", headers={"Authorization": header.format(token=api.token)})

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "title": "Unauthorized", "type": "https://httpstatus.es/401", "status": 401,
        "detail": "Invalid user name or password",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["account", "contacts", "/oauth2/account/subdomain", "banana"])
def test_every_door_asks_for_it(api: Api, path: str) -> None:
    assert api.ask("GET", path, headers={"Authorization": ""}).status_code == 401


def test_bearer_in_any_case(api: Api) -> None:
    assert api.ask("GET", "account", headers={"Authorization": f"bearer  {api.token}"}).status_code == 200


def test_an_expired_token(api: Api, world: World, clock: MovableClock) -> None:
    api.token = world.token(lifetime=60)
    assert api.get("account").status_code == 200

    clock.advance(61)

    assert api.get("account").status_code == 401


def test_a_revoked_token_and_another_one(api: Api, world: World) -> None:
    other = world.token(lifetime=1000)
    assert api.get("account").status_code == 200
    world.revoke(api.token)
    assert api.get("account").status_code == 401

    api.token = other

    assert api.get("account").status_code == 200


def test_a_token_of_another_account(api: Api, world: World) -> None:
    api.token = make_world(OFICINA, contacts=0, deals=0, clock=world.state.clock).token()

    assert api.get("account").status_code == 401


def test_a_token_signed_for_somebody_else_s_account(api: Api, world: World) -> None:
    api.token = world.token(account_id=1)

    assert api.get("account").status_code == 401


def test_without_the_scope_crm(api: Api, world: World) -> None:
    api.token = world.token(scopes=("files", "notifications"))

    answer = api.get("contacts")

    assert (answer.status_code, answer.json()["detail"]) == (403, "Client doesn't have the required scope")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert api.ask("GET", "/oauth2/account/subdomain").status_code == 200


@pytest.mark.parametrize("claims", [{"api_domain": "evil.com\\.kommo.com"}, {"api_domain": None}, {"exp": 9e9}])
def test_any_claim_can_be_forged(api: Api, world: World, claims: dict[str, Any]) -> None:
    api.token = world.token(**claims)

    assert jwt.decode(api.token, options={"verify_signature": False}).items() >= claims.items()
    assert api.get("account").status_code == 200
