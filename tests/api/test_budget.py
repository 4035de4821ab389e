"""GET /budget: how many requests go to Kommo, who used them, how fast they may go; and what a block tells programs."""

import itertools
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kommo.connect.client import budget_for
from kommo.crm.caller import BLOCK_PAUSE
from kommo.db import now, reading
from kommo.sandbox import Server
from kommo.settings import Settings
from tests.api.conftest import Api, expect_error, expect_good
from tests.clocks import clock_moved
from tests.conftest import make_settings
from tests.factories import ANA, BRUNO, StatementCounter, make_account

NONE = {"sync": 0, "page": 0, "api": 0, "total": 0, "refused": 0}


@pytest.fixture(params=["installation", "account"])
def scope(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def settings(tmp_path: Path, padaria: Server, scope: str) -> Settings:
    return make_settings(tmp_path, api_url=padaria.address, rate_limit=6.0, rate_scope=scope, retry_attempts=1)


def asked(api: Api, query: str = "") -> dict[str, Any]:
    body = expect_good(api.get(f"/budget{query}"))
    assert body["message"] == "Uso do limite de requisições obtido"
    return dict(body["data"])


def test_before_anything_was_asked(silent: Api) -> None:
    found = asked(silent)
    minutes = found.pop("minutes")
    assert found == {
        "scope": "installation", "accountId": None, "state": "full", "limit": 6.0, "speed": 6.0, "pausedUntil": None,
        "fullSpeedAt": None, "blockedUntil": None, "supportText": None,
        "used": {"minute": NONE, "hour": NONE, "day": NONE},
    }  # fmt: skip
    assert len(minutes) == 60
    assert all(minute.items() >= NONE.items() for minute in minutes)
    moments = [datetime.fromisoformat(minute["at"]) for minute in minutes]
    assert {(later - sooner).total_seconds() for sooner, later in itertools.pairwise(moments)} == {60}


def test_calls_are_counted_as_the_apis_own(api: Api, padaria: Server, scope: str) -> None:
    expect_good(api.get("/contacts"))
    expect_good(api.post("/deals", json={"dealId": min(row.id for row in padaria.world.state.tables["leads"])}))
    found = asked(api)
    assert found["used"]["hour"] == NONE | {"api": padaria.world.requests, "total": padaria.world.requests}
    assert sum(minute["api"] for minute in found["minutes"]) == padaria.world.requests
    assert padaria.world.requests == 2  # asking for the budget asks Kommo nothing


def test_a_token_that_names_its_account_is_enough(api: Api, padaria: Server, scope: str) -> None:
    found = asked(api)
    assert (found["scope"], found["accountId"]) == (scope, 30001000)


def test_whose_numbers_they_are(silent: Api, scope: str) -> None:
    """The installation's for every owner, or each account's own."""
    for owner, account_id in ((ANA, 30001000), (ANA, 30002000), (BRUNO, 30001000)):
        make_account(silent.services.engine, owner, f"Conta {owner} {account_id}", account_id)
    budget_for(silent.services, 30002000).rows.reserve("page")
    totals = {
        query: (found["scope"], found["accountId"], found["used"]["day"]["total"])
        for query in ("?accountId=30001000", "?accountId=30002000", f"?userId={BRUNO}", "?userId=9")
        for found in [asked(silent, query)]
    }
    assert list(totals.values()) == (
        [("account", 30001000, 0), ("account", 30002000, 1), ("account", 30001000, 0), ("installation", None, 0)]
        if scope == "account"
        else [("installation", number, 1) for number in (30001000, 30002000, 30001000, None)]
    )
    expect_error(silent.get(f"/budget?userId={BRUNO}&accountId=30002000"), 404, "account_unknown")
    expect_error(silent.get("/budget?accountId=x"), 400, "invalid_field")


def test_a_demonstration_account_is_called_one(silent: Api) -> None:
    make_account(silent.services.engine, is_demo=True)
    assert asked(silent)["scope"] == "demo"


def test_after_a_429_it_tells_the_way_back(silent: Api) -> None:
    engine, rows = silent.services.engine, budget_for(silent.services, None).rows
    rows.slow_down(30, "sync", 0.1)
    found = asked(silent)
    assert (found["state"], found["speed"], found["used"]["minute"]["refused"]) == ("slowed", 3.0, 1)
    slots = rows.slots()
    assert datetime.fromisoformat(found["fullSpeedAt"]).timestamp() == pytest.approx(slots.slowed_at + 60, abs=0.01)
    assert datetime.fromisoformat(found["pausedUntil"]).timestamp() == pytest.approx(slots.slow_until, abs=0.01)
    with clock_moved(engine, 45):
        found = asked(silent)
        assert (found["state"], found["speed"], found["pausedUntil"]) == ("slowed", 5.0, None)
    with clock_moved(engine, 61):
        assert (asked(silent)["state"], asked(silent)["fullSpeedAt"]) == ("full", None)


def test_a_block_is_told_with_its_end_and_the_words_for_the_support(api: Api, padaria: Server) -> None:
    """By the call that met it, by those that are not sent any more, and by the budget."""
    padaria.world.block()
    with reading(api.services.engine) as session:
        began = now(session)
    told = [expect_error(api.get("/contacts"), 503, "blocked") for _ in range(2)]
    told.append(asked(api, "?jwtToken=" + padaria.token))
    for body in told:
        until = datetime.fromisoformat(body["blockedUntil"]).timestamp()
        assert until == pytest.approx(began + BLOCK_PAUSE, abs=30)
        assert "desbloqueiem esse IP" in body["supportText"]
        assert padaria.token not in str(body)
    for body in told[:2]:
        assert "a conta de ID 30001000" in body["supportText"]
        assert "Nada é enviado ao Kommo por mais 15 minutos." in body["error"]
    assert told[2]["state"] == "blocked"
    assert padaria.world.requests == 1


def test_a_connected_account_is_named_by_its_address(api: Api, padaria: Server) -> None:
    account = make_account(api.services.engine)
    budget_for(api.services, account.account_id).block(300)
    body = asked(api)
    assert "padariaestrela.kommo.com (ID 30001000)" in body["supportText"]


def test_without_a_limit_it_says_so(tmp_path: Path, silent: Api) -> None:
    from kommo import create_app

    app = create_app(make_settings(tmp_path / "other"))
    client = app.test_client()
    client.environ_base |= silent.client.environ_base
    found = expect_good(client.get("/api/kommo/budget"))["data"]
    assert (found["limit"], found["speed"], found["state"]) == (None, None, "full")
    app.extensions["kommo"].engine.dispose()


def test_asking_writes_nothing(silent: Api) -> None:
    make_account(silent.services.engine)
    with StatementCounter(silent.services.engine) as counter:
        asked(silent)
    assert {statement for statement in counter.seen if not statement.startswith("SELECT")} <= {"BEGIN"}
