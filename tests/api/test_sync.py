"""Synchronising over JSON: the answer comes when the run is over, or says where to look."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from kommo.api.waiting import WAITERS
from kommo.crm.errors import ServerFault
from kommo.db import reading, writing
from kommo.sandbox import PADARIA, Server
from kommo.services import Services
from kommo.settings import Settings
from kommo.store import connections, runs
from kommo.store.tables import SyncRun
from kommo.sync import control
from tests.api.conftest import Api, expect_error, expect_good, held_run
from tests.conftest import make_settings
from tests.crm.servers import RawServer, answer, says
from tests.factories import ANA
from tests.processes import wait_for
from tests.sync.accounts import connect, run

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
NOW = {"Prefer": "respond-async"}


def number_of_runs(services: Services) -> int:
    with reading(services.engine) as session:
        return session.query(SyncRun).count()


@pytest.mark.usefixtures("worker")
def test_the_answer_comes_when_the_run_is_over(api: Api, padaria: Server) -> None:
    answer = api.post("/sync", json={"jwtToken": padaria.token})
    body = expect_good(answer)
    data = body["data"]
    assert body["message"] == "Sincronização concluída: 60 contatos, 30 negociações"
    assert (data["contactsCount"], data["dealsCount"], data["errors"], data["warnings"]) == (60, 30, [], [])
    assert (data["state"], data["syncSuccess"], data["waiting"]) == ("done", True, None)
    assert ISO.fullmatch(data["lastSync"])
    assert data["changes"]["contacts"] == {"created": 60, "updated": 0, "unchanged": 0, "deleted": 0}
    assert data["mode"] == "sweep"
    for stream, count in (("contacts", 60), ("deals", 30)):
        proof = data["proof"][stream]
        assert ISO.fullmatch(proof.pop("at"))
        assert proof == {
            "kommo": count, "local": count, "erased": 0, "equal": True, "sampled": count, "differing": 0, "requests": 1,
        }  # fmt: skip
    assert data["progress"]["deals"] == {
        "state": "done", "rows": 30, "pages": 1, "total": 30, "pagesTotal": 1, "percent": 100.0,
    }  # fmt: skip
    assert "Location" not in answer.headers


@pytest.mark.usefixtures("worker")
def test_a_later_run_tells_what_changed(api: Api, padaria: Server) -> None:
    world = padaria.world
    expect_good(api.post("/sync"))
    first, second, *_ = world.ids("contacts")
    world.update("contacts", first, name="Outro nome")
    world.delete("contacts", second)
    world.add("contacts", name="Nova")
    world.add("leads", name="Nova")
    data = expect_good(api.post("/sync"))["data"]
    assert data["changes"]["contacts"] == {"created": 1, "updated": 1, "unchanged": 58, "deleted": 1}
    assert data["changes"]["deals"] == {"created": 1, "updated": 0, "unchanged": 30, "deleted": 0}
    assert (data["contactsCount"], data["dealsCount"]) == (world.count("contacts"), world.count("leads")) == (60, 31)


@pytest.mark.usefixtures("worker")
def test_the_message_has_a_singular(api: Api, padaria: Server) -> None:
    padaria.world.delete("contacts", *padaria.world.ids("contacts")[1:])
    padaria.world.delete("leads", *padaria.world.ids("leads")[1:])
    assert expect_good(api.post("/sync"))["message"] == "Sincronização concluída: 1 contato, 1 negociação"


def test_a_caller_that_will_not_wait_is_told_where_to_look(api: Api) -> None:
    answer = api.post("/sync", headers=NOW)
    body = expect_good(answer, 202)
    assert (body["message"], body["data"]["state"], body["data"]["lastSync"]) == (
        "Sincronização em andamento",
        "queued",
        None,
    )
    assert answer.headers["Preference-Applied"] == "respond-async"
    where = answer.headers["Location"]
    assert where == f"/api/kommo/sync/{body['data']['runId']}"
    followed = expect_good(api.client.get(where))
    assert (followed["message"], followed["data"]) == ("Status de sincronização obtido", body["data"])


def test_a_stored_token_is_not_tried_for_a_caller_that_will_not_wait(silent: Api, padaria: Server) -> None:
    connect(silent.services, padaria)
    sent = padaria.world.requests
    expect_good(silent.post("/sync", headers=NOW), 202)
    assert padaria.world.requests == sent


@pytest.mark.parametrize("wish", ["wait=0", "respond-async, wait=1", "wait=1"])
def test_waiting_ends_when_the_caller_wants_it(api: Api, wish: str) -> None:
    """Nobody works on the run."""
    answer = api.post("/sync", headers={"Prefer": wish})
    expect_good(answer, 202)
    kept = int(answer.headers["Preference-Applied"].removeprefix("wait="))
    assert int(wish[-1]) <= kept <= int(wish[-1]) + 4  # more on a busy machine only


@pytest.mark.usefixtures("worker")
def test_the_owner_is_in_the_address_to_follow(silent: Api, padaria: Server) -> None:
    body = {"jwtToken": padaria.token, "userId": "Bruno & filhos"}
    answer = silent.post("/sync", json=body, headers=NOW)
    run_id = expect_good(answer, 202)["data"]["runId"]
    assert expect_good(silent.client.get(answer.headers["Location"]))["data"]["runId"] == run_id
    expect_error(silent.get(f"/sync/{run_id}"), 404, "run_unknown")
    wait_for(lambda: silent.get("/sync?userId=Bruno %26 filhos").get_json()["data"]["state"] == "done")


class TestTheServersPatience:
    """KOMMO_SYNC_WAIT is one second, and nobody works on the runs."""

    @pytest.fixture
    def settings(self, tmp_path: Path, padaria: Server) -> Settings:
        return make_settings(tmp_path, api_url=padaria.address, sync_wait=1)

    def test_it_is_over_by_itself(self, api: Api) -> None:
        assert expect_good(api.post("/sync"), 202)["data"]["state"] == "queued"

    def test_no_caller_waits_longer(self, api: Api) -> None:
        expect_good(api.post("/sync", headers={"Prefer": "wait=3600"}), 202)


def test_a_second_one_is_told_of_the_first(api: Api, padaria: Server) -> None:
    first = expect_good(api.post("/sync", headers=NOW), 202)["data"]["runId"]
    for body in ({}, {"jwtToken": padaria.token}):
        answer = api.post("/sync", json=body)
        refused = expect_error(answer, 409, "sync_running")
        assert refused["data"]["runId"] == first
        assert answer.headers["Location"] == f"/api/kommo/sync/{first}"
    assert number_of_runs(api.services) == 1


def test_a_stored_token_is_not_tried_while_a_run_goes_on(silent: Api, padaria: Server) -> None:
    connection = connect(silent.services, padaria)
    sent = padaria.world.requests
    with held_run(silent.services, connection) as run_id:
        assert expect_error(silent.post("/sync"), 409, "sync_running")["data"]["runId"] == run_id
    assert padaria.world.requests == sent


@pytest.mark.usefixtures("worker")
def test_ten_callers_at_once_start_one_run(app: Flask, api: Api, padaria: Server) -> None:
    connect(api.services, padaria)
    begin, answered = threading.Barrier(10), threading.Event()
    found: list[int] = []

    def call() -> None:
        client = app.test_client()
        client.environ_base |= api.client.environ_base
        begin.wait()
        found.append(client.post("/api/kommo/sync", headers=NOW).status_code)

    padaria.world.before_request = lambda *_: answered.wait(60) and None  # no run is over before all have called
    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    answered.set()
    assert sorted(found) == [202] + [409] * 9
    assert number_of_runs(api.services) == 1


def test_half_of_the_threads_wait_and_no_more(app: Flask, silent: Api, padaria: Server) -> None:
    """Four of eight threads may wait. Callers beyond that are answered at once, and the places are given back."""
    places = app.extensions[WAITERS]
    running = [control.start(silent.services, connect(silent.services, padaria, f"dono {n}"), "page") for n in range(4)]
    with writing(silent.services.engine) as session:
        for run_id in running:
            runs.cancel(session, run_id)
    threads = [threading.Thread(target=_wait_for_run, args=(app, silent, f"dono {n}")) for n in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: places._value == 0)  # not by taking one: a caller would find it taken
    connect(silent.services, padaria, "quinto")
    expect_good(silent.post("/sync", json={"userId": "quinto"}), 202)
    expect_good(silent.get("/sync?userId=quinto"))
    with writing(silent.services.engine) as session:
        for run_id in runs.due_ids(session):
            runs.cancel(session, run_id)
    for thread in threads:
        thread.join(60)
    for _ in range(4):
        assert places.acquire(blocking=False)
    assert not places.acquire(blocking=False)


def _wait_for_run(app: Flask, api: Api, owner: str) -> None:
    client = app.test_client()
    client.environ_base |= api.client.environ_base
    answer = client.post("/api/kommo/sync", json={"userId": owner})
    assert answer.get_json()["code"] == "sync_cancelled"


@pytest.mark.usefixtures("worker")
def test_a_run_that_ends_with_errors_keeps_what_it_stored(api: Api, padaria: Server) -> None:
    """Kommo takes the token away after the contacts were read."""
    padaria.world.fail(r"/api/v4/leads\?page=1&limit=250", None, "401")
    body = api.post("/sync").get_json()
    assert body["success"] is False
    assert (body["message"], body["code"]) == ("Sincronização interrompida: 60 contatos, 0 negociações", "sync_failed")
    assert body["data"]["errors"] == [body["error"]]
    assert "recusou este token" in body["error"]
    assert (body["data"]["state"], body["data"]["syncSuccess"]) == ("failed", False)
    status = expect_good(api.get("/sync"))["data"]
    assert (status["syncSuccess"], status["errors"]) == (False, body["data"]["errors"])
    assert status["lastSync"] == body["data"]["lastSync"]


@pytest.mark.usefixtures("worker")
def test_a_run_that_is_not_proved_is_no_success(api: Api, padaria: Server) -> None:
    """A row without an id cannot be kept: the run ends, and says so."""
    padaria.world.fail("/api/v4/contacts", None, "no_id")
    answer = api.post("/sync")
    body = answer.get_json()
    assert (answer.status_code, body["success"], body["code"]) == (200, False, "sync_incomplete")
    assert body["message"] == "Sincronização concluída com erros: 59 contatos, 30 negociações"
    assert body["data"]["errors"][0] == body["error"]


def test_a_cancelled_run(app: Flask, api: Api, padaria: Server) -> None:
    connection = connect(api.services, padaria)
    canceller = threading.Thread(target=_cancel_when_there_is_one, args=(api.services, connection))
    canceller.start()
    body = api.post("/sync").get_json()
    canceller.join(60)
    assert (body["success"], body["code"], body["error"]) == (False, "sync_cancelled", "Sincronização cancelada.")
    assert body["message"] == "Sincronização cancelada: 0 contatos, 0 negociações"


def _cancel_when_there_is_one(services: Services, connection: int) -> None:
    def cancelled() -> bool:
        with reading(services.engine) as session:
            found = runs.active(session, connection)
            number = found.id if found else None
        return number is not None and control.cancel(services, connection, number)

    wait_for(cancelled)


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [("401", 401, "token_refused"), ("402", 402, "unpaid"), ("403_scope", 403, "scope_missing")],
)
@pytest.mark.parametrize("path", ["/api/v4/account", "/api/v4/contacts"])
@pytest.mark.parametrize("stored", [True, False], ids=["a stored token", "a token in the call"])
def test_a_run_that_cannot_begin_answers_with_its_cause(
    api: Api, padaria: Server, how: str, status: int, code: str, path: str, stored: bool
) -> None:
    if stored:
        connect(api.services, padaria)
        api.token = None
    padaria.world.fail(path, None, how)
    expect_error(api.post("/sync"), status, code)
    assert number_of_runs(api.services) == 0
    with reading(api.services.engine) as session:
        found = connections.current(session, ANA)
        assert (found is not None) == stored
        assert found is None or found.token_refused == (status == 401)


class TestAnAccountThatIsNotTheTokens:
    """The token says Padaria Estrela, and Kommo answers for account 30009999."""

    @pytest.fixture
    def elsewhere(self) -> Iterator[RawServer]:
        body = {"id": 30009999, "name": "Outra", "subdomain": "outra", "_embedded": {"contacts": []}}
        with RawServer(says(answer(200, body))) as server:
            yield server

    @pytest.fixture
    def settings(self, tmp_path: Path, elsewhere: RawServer) -> Settings:
        return make_settings(tmp_path, api_url=elsewhere.address, retry_attempts=0)

    def test_it_is_not_stored_where_the_caller_named_the_first(self, api: Api, elsewhere: RawServer) -> None:
        body = expect_error(api.post("/sync", json={"accountId": PADARIA.account_id}), 403, "account_mismatch")
        assert body["field"] == "accountId"
        assert len(elsewhere.heads) == 2
        with reading(api.services.engine) as session:
            assert connections.all_of(session, ANA) == []

    def test_it_is_kommos_word_that_counts_otherwise(self, api: Api) -> None:
        assert expect_good(api.post("/sync", headers=NOW), 202)["data"]["accountId"] == 30009999


def test_a_new_run_is_answered_with_the_last_ones_time(silent: Api, padaria: Server) -> None:
    """The 202, the run by its number and the status say the same."""
    connection = connect(silent.services, padaria)
    run(silent.services, connection)
    before = expect_good(silent.get("/sync"))["data"]
    accepted = expect_good(silent.post("/sync", headers=NOW), 202)["data"]
    assert (accepted["lastSync"], accepted["syncSuccess"]) == (before["lastSync"], True)
    alone = expect_good(silent.get(f"/sync/{accepted['runId']}"))["data"]
    assert accepted == alone == expect_good(silent.get("/sync"))["data"]
    assert expect_good(silent.get(f"/sync/{before['runId']}"))["data"] == before


def test_before_any_run(silent: Api, padaria: Server) -> None:
    nothing = {"success": True, "message": "Nenhuma sincronização anterior encontrada", "data": None}
    assert silent.get("/sync").get_json() == nothing
    connect(silent.services, padaria)
    assert silent.get("/sync").get_json() == nothing
    assert silent.get("/sync?userId=alguem").get_json() == nothing


def test_during_a_run_the_last_one_still_counts(silent: Api, padaria: Server) -> None:
    connection = connect(silent.services, padaria)
    over = run(silent.services, connection)
    before = expect_good(silent.get("/sync"))["data"]
    with held_run(silent.services, connection) as run_id:
        during = expect_good(silent.get("/sync"))["data"]
        alone = expect_good(silent.get(f"/sync/{run_id}"))["data"]
        listed = expect_good(silent.get("/contacts?source=local"))
    assert (before["runId"], before["state"], before["syncSuccess"]) == (over.id, "done", True)
    assert (during["runId"], during["state"], during["syncSuccess"]) == (run_id, "queued", True)
    assert during["lastSync"] == before["lastSync"] == listed["lastSync"]
    assert alone == during
    assert during["progress"]["contacts"]["total"] is None


@pytest.mark.usefixtures("worker")
def test_a_paused_run_says_what_it_waits_for(api: Api, padaria: Server) -> None:
    """Kommo fails for longer than the retries: the run goes on later by itself, and is no error."""
    padaria.world.fail(r"/api/v4/leads\?page=1&limit=250", None, "502")
    answer = api.post("/sync", headers={"Prefer": "respond-async"})
    where = answer.headers["Location"]
    wait_for(lambda: expect_good(api.client.get(where))["data"]["state"] == "paused")
    data = expect_good(api.client.get(where))["data"]
    assert data["waiting"] == f"{ServerFault.sentence} A sincronização continua sozinha daqui a pouco."
    assert (data["errors"], data["syncSuccess"], data["contactsCount"]) == ([], False, 60)
    expect_error(api.post("/sync"), 409, "sync_running")
