"""/schedule: set, read, turned off; on each engine, for each owner; what is wrong is named and nothing is stored."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from kommo.db import reading, writing
from kommo.sandbox import OFICINA, PADARIA, Server
from kommo.settings import Settings
from kommo.store.tables import Connection, Schedule, SyncRun
from tests.api.conftest import Api, expect_error, expect_good
from tests.conftest import make_settings
from tests.factories import ANA, BRUNO
from tests.sync.accounts import connect

FULL = {"everyMinutes": 15, "quietFrom": "22:00", "quietTo": "06:00", "sweepAt": "03:00", "paused": False}
NOW = {"Prefer": "respond-async"}


@pytest.fixture
def settings(tmp_path: Path, database: str) -> Settings:
    """On each engine; each connection has the address of its own account."""
    return make_settings(tmp_path, retry_attempts=0, database_url=database)


@pytest.fixture
def ana(silent: Api, padaria: Server) -> Api:
    """Ana, whose Padaria Estrela is connected."""
    connect(silent.services, padaria)
    return silent


def rows(api: Api) -> list[tuple[int, int]]:
    """Connection and interval of every schedule."""
    with reading(api.services.engine) as session:
        found = session.execute(select(Schedule.connection_id, Schedule.every).order_by(Schedule.connection_id))
        return [(*row,) for row in found]


def moment(text: str) -> float:
    """A time as the contract writes it, as Unix seconds."""
    return datetime.fromisoformat(text).timestamp()


def test_it_is_set_read_and_turned_off(ana: Api) -> None:
    body = expect_good(ana.put("/schedule", json=FULL))
    assert body["message"] == "Agenda salva"
    data = body["data"]
    assert {name: data[name] for name in FULL} == FULL
    assert (data["accountId"], data["timezone"], data["waiting"]) == (PADARIA.account_id, "America/Sao_Paulo", None)
    assert set(data) == {*FULL, "accountId", "nextRun", "nextSweep", "waiting", "timezone"}
    for name in ("nextRun", "nextSweep"):
        assert data[name].endswith(":00.000Z")
    assert expect_good(ana.get("/schedule")) == {"success": True, "message": "Agenda obtida", "data": data}
    off = expect_good(ana.delete("/schedule"))
    assert off == {"success": True, "message": "Agenda desligada", "data": None}
    none = {"success": True, "message": "Nenhuma agenda definida", "data": None}
    assert expect_good(ana.get("/schedule")) == none
    assert expect_good(ana.delete("/schedule")) == none


def test_what_is_left_out_is_none(ana: Api) -> None:
    expect_good(ana.put("/schedule", json=FULL))
    nothing = {"quietFrom": None, "quietTo": None, "sweepAt": None, "paused": False}
    for body in ({"everyMinutes": 90}, {"everyMinutes": 90} | nothing | {"other": 1}):
        data = expect_good(ana.put("/schedule", json=body))["data"]
        assert {name: data[name] for name in nothing} == nothing
        assert (data["everyMinutes"], data["nextSweep"]) == (90, None)


@pytest.mark.parametrize("minutes", [5, 17, 1440])
def test_any_whole_number_of_minutes_is_taken(ana: Api, minutes: int) -> None:
    data = expect_good(ana.put("/schedule", json={"everyMinutes": minutes}))["data"]
    assert data["everyMinutes"] == minutes
    assert rows(ana)[0][1] == minutes


def test_saying_the_same_again_moves_nothing(ana: Api) -> None:
    before = expect_good(ana.put("/schedule", json=FULL))["data"]
    with writing(ana.services.engine) as session:
        session.execute(update(Schedule).values(next_at=Schedule.next_at - 60))
    again = expect_good(ana.put("/schedule", json=FULL))["data"]
    assert moment(again["nextRun"]) == moment(before["nextRun"]) - 60
    assert again["nextSweep"] == before["nextSweep"]


def test_a_pause_has_no_next_run_and_says_so(ana: Api) -> None:
    data = expect_good(ana.put("/schedule", json=FULL | {"paused": True}))["data"]
    assert (data["paused"], data["nextRun"], data["nextSweep"]) == (True, None, None)
    assert data["waiting"] == "A agenda está em pausa."
    assert data["everyMinutes"] == 15
    assert expect_good(ana.put("/schedule", json=FULL))["data"]["nextRun"]


def test_it_says_why_it_waits(ana: Api) -> None:
    expect_good(ana.put("/schedule", json=FULL))
    with writing(ana.services.engine) as session:
        session.execute(update(Connection).values(token=None))
    assert "A conta está desconectada" in expect_good(ana.get("/schedule"))["data"]["waiting"]


TIME = "precisa ser uma hora como 22:00, de 00:00 a 23:59, ou null."


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        *[("everyMinutes", value, "everyMinutes precisa ser um número inteiro de 5 a 1440.")
          for value in (4, 0, -15, 1441, 2**63, 10**40, 15.5, 1.5, "15", True, [15], {}, "")],
        *[(name, value, f"{name} {TIME}") for name in ("quietFrom", "quietTo", "sweepAt")
          for value in ("24:00", "7:00", "22h", "22:00:00", "", 22, 22.5, 1320, True, ["22:00"], "٢٢:٠٠", "22:00\n")],
        *[("paused", value, "paused precisa ser true ou false.") for value in (0, 1, "true", "", [], {})],
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_and_nothing_is_stored(ana: Api, field: str, value: Any, rule: str) -> None:
    body = expect_error(ana.put("/schedule", json=FULL | {field: value}), 400, "invalid_field")
    assert (body["field"], body["error"]) == (field, rule)
    assert rows(ana) == []


def test_a_missing_interval_is_named(ana: Api) -> None:
    for body in ({}, {"everyMinutes": None}, {"sweepAt": "03:00"}):
        assert expect_error(ana.put("/schedule", json=body), 400, "missing_field")["field"] == "everyMinutes"
    assert expect_error(ana.put("/schedule"), 400, "missing_field")["field"] == "everyMinutes"
    assert rows(ana) == []


@pytest.mark.parametrize(("here", "missing"), [("quietFrom", "quietTo"), ("quietTo", "quietFrom")])
def test_half_of_the_quiet_hours_is_no_quiet_hours(ana: Api, here: str, missing: str) -> None:
    body = expect_error(ana.put("/schedule", json={"everyMinutes": 15, here: "22:00"}), 400, "missing_field")
    assert (body["field"], body["error"]) == (missing, f"Informe {missing} junto com {here}, ou nenhum dos dois.")
    assert rows(ana) == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_only_a_json_object_is_read(ana: Api, method: str) -> None:
    expect_good(ana.put("/schedule", json=FULL))
    for data, kind, status, code in (
        (b'{"everyMinutes": 30', "application/json", 400, "invalid_json"),
        (b"[]", "application/json", 400, "invalid_json"),
        (b'{"everyMinutes": 30, "everyMinutes": 60}', "application/json", 400, "invalid_json"),
        (b"everyMinutes=30", "application/x-www-form-urlencoded", 415, "wrong_content_type"),
        (b'{"x": "' + b"e" * 70_000 + b'"}', "application/json", 413, "too_large"),
    ):
        answer = ana.client.open("/api/kommo/schedule", method=method, data=data, content_type=kind)
        expect_error(answer, status, code)
    assert [every for _, every in rows(ana)] == [15]


def test_the_schedule_itself_is_not_read_from_the_address(ana: Api) -> None:
    answer = ana.put("/schedule?everyMinutes=30", json={})
    assert expect_error(answer, 400, "missing_field")["field"] == "everyMinutes"
    expect_good(ana.put("/schedule?everyMinutes=30&paused=true", json={"everyMinutes": 60}))
    assert [every for _, every in rows(ana)] == [60]


def test_each_owner_and_account_has_its_own(ana: Api, padaria: Server, oficina: Server) -> None:
    bruno = connect(ana.services, padaria, BRUNO)
    workshop = connect(ana.services, oficina, ANA)
    expect_good(ana.put("/schedule", json={"everyMinutes": 30}))  # the last connected one
    expect_good(ana.put("/schedule", json={"everyMinutes": 60, "userId": BRUNO}))
    expect_good(ana.put(f"/schedule?accountId={PADARIA.account_id}", json={"everyMinutes": 120}))
    assert rows(ana) == [(1, 120), (bruno, 60), (workshop, 30)]
    for choice, every in (("", 30), (f"userId={BRUNO}", 60), (f"accountId={PADARIA.account_id}", 120)):
        assert expect_good(ana.get(f"/schedule?{choice}"))["data"]["everyMinutes"] == every
    expect_good(ana.delete("/schedule", json={"accountId": PADARIA.account_id}))
    assert rows(ana) == [(bruno, 60), (workshop, 30)]
    ana.token = padaria.token  # a token chooses its account, as everywhere
    assert expect_good(ana.get("/schedule"))["data"] is None


def test_a_foreign_account_looks_like_an_unknown_one(ana: Api, oficina: Server) -> None:
    connect(ana.services, oficina, BRUNO)
    expect_good(ana.put("/schedule", json=FULL | {"userId": BRUNO}))
    before, seen = rows(ana), []
    for account in (OFICINA.account_id, 999):
        for answer in (
            ana.get(f"/schedule?accountId={account}"),
            ana.put("/schedule", json=FULL | {"accountId": account}),
            ana.delete(f"/schedule?accountId={account}"),
        ):
            seen.append(expect_error(answer, 404, "account_unknown"))
    assert len({str(body) for body in seen}) == 1
    assert rows(ana) == before


def test_nobody_without_an_account_has_a_schedule(silent: Api) -> None:
    assert expect_good(silent.get("/schedule"))["data"] is None
    for answer in (silent.put("/schedule", json=FULL), silent.delete("/schedule")):
        body = expect_error(answer, 404, "account_unknown")
        assert body["error"] == "Nenhuma conta está conectada para este userId."
    with reading(silent.services.engine) as session:
        assert session.scalars(select(Connection)).all() == []


def test_nothing_is_asked_of_kommo(ana: Api, padaria: Server) -> None:
    before = padaria.world.requests
    expect_good(ana.put("/schedule", json=FULL))
    expect_good(ana.get("/schedule"))
    expect_good(ana.delete("/schedule"))
    assert padaria.world.requests == before


@pytest.mark.parametrize(("body", "mode"), [({"full": True}, "sweep"), ({"full": False}, None), ({}, None)])
def test_a_synchronisation_reads_everything_where_that_is_asked(
    ana: Api, body: dict[str, Any], mode: str | None
) -> None:
    run_id = expect_good(ana.post("/sync", json=body, headers=NOW), 202)["data"]["runId"]
    with reading(ana.services.engine) as session:
        assert session.get_one(SyncRun, run_id).mode == mode


@pytest.mark.parametrize("value", ["true", 1, 0, "", [True]])
def test_full_is_true_or_false(ana: Api, value: Any) -> None:
    body = expect_error(ana.post("/sync", json={"full": value}, headers=NOW), 400, "invalid_field")
    assert (body["field"], body["error"]) == ("full", "full precisa ser true ou false.")
    with reading(ana.services.engine) as session:
        assert session.scalars(select(SyncRun)).all() == []
