"""Half of the threads at most are busy with Kommo or wait for a run, and none of them for long: pages never hang."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask

from kommo.api import sync
from kommo.api.waiting import WAITERS
from kommo.connect import client
from kommo.crm import errors
from kommo.sandbox import Server
from kommo.settings import Settings
from tests import processes
from tests.api.conftest import Api, expect_error, expect_good, held_run
from tests.conftest import make_settings
from tests.sync.accounts import connect

ASKING: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/test-connection", None), ("POST", "/test-connection", {}), ("GET", "/contacts", None),
    ("POST", "/contacts", {"contactId": 1}), ("GET", "/deals", None), ("POST", "/deals", {"dealId": 1}),
]  # fmt: skip
EACH = pytest.mark.parametrize(("method", "path", "body"), ASKING)


def ask(api: Api, method: str, path: str, body: dict[str, Any] | None, **options: Any) -> Any:
    return api.get(path, **options) if method == "GET" else api.post(path, json=body, **options)


@pytest.fixture
def crowded(app: Flask) -> Iterator[None]:
    """All places are taken."""
    places = app.extensions[WAITERS]
    for _ in range(4):
        assert places.acquire(blocking=False)
    yield
    for _ in range(4):
        places.release()


@pytest.mark.usefixtures("crowded")
class TestWithoutAPlace:
    @EACH
    def test_what_has_to_ask_kommo_is_told_to_come_again(
        self, api: Api, padaria: Server, method: str, path: str, body: dict[str, Any] | None
    ) -> None:
        answer = ask(api, method, path, body)
        assert expect_error(answer, 503, "unavailable")["message"] == "Servidor ocupado"
        assert answer.headers["Retry-After"] == "1"
        assert padaria.world.requests == 0

    def test_a_new_token_is_told_to_come_again(self, api: Api, padaria: Server) -> None:
        for headers in ({}, {"Prefer": "respond-async"}, {"Prefer": "wait=5"}):
            assert expect_error(api.post("/sync", headers=headers), 503, "unavailable")
        assert padaria.world.requests == 0

    def test_a_stored_token_is_accepted_at_once(self, silent: Api, padaria: Server) -> None:
        connect(silent.services, padaria)
        sent = padaria.world.requests
        answer = silent.post("/sync", headers={"Prefer": "wait=5"})
        run_id = expect_good(answer, 202)["data"]["runId"]
        assert int(answer.headers["Preference-Applied"].removeprefix("wait=")) < 4  # 0, but on a busy machine
        assert expect_error(silent.post("/sync"), 409, "sync_running")["data"]["runId"] == run_id
        assert padaria.world.requests == sent

    def test_the_copy_and_the_status_need_none(self, silent: Api) -> None:
        for path in ("/sync", "/contacts?source=local", "/deals?source=local"):
            expect_good(silent.get(path))


@EACH
def test_a_place_is_given_back_whatever_happens(
    app: Flask, api: Api, padaria: Server, method: str, path: str, body: dict[str, Any] | None
) -> None:
    for how in (None, "401", "reset"):
        if how:
            padaria.world.fail("/api/v4/", None, how)
        for _ in range(5):
            assert ask(api, method, path, body).status_code != 503
    assert app.extensions[WAITERS]._value == 4


def test_a_sync_gives_its_place_back_too(app: Flask, api: Api, padaria: Server) -> None:
    with held_run(api.services, connect(api.services, padaria)):
        for _ in range(5):
            expect_error(api.post("/sync"), 409, "sync_running")
    padaria.world.fail("/api/v4/account", None, "401")
    for _ in range(5):
        expect_error(api.post("/sync"), 401, "token_refused")
    assert app.extensions[WAITERS]._value == 4


class TestASlowKommo:
    """Each of its answers takes longer than any call may, and KOMMO_SYNC_WAIT is two seconds."""

    @pytest.fixture
    def settings(self, tmp_path: Path, padaria: Server) -> Settings:
        return make_settings(tmp_path, api_url=padaria.address, retry_attempts=3, sync_wait=2)

    @pytest.fixture
    def connected(self, silent: Api, padaria: Server) -> Api:
        connect(silent.services, padaria)
        padaria.world.fail("/api/v4/", None, "slow", seconds=600)
        return silent

    @pytest.mark.parametrize(("wish", "kept"), [("wait=1", "wait=1"), ("wait=60", "wait=2"), ("", None)])
    def test_a_caller_waits_no_longer_than_it_was_told(self, connected: Api, wish: str, kept: str | None) -> None:
        """The clock runs from the first moment; what Kommo would have said, the run finds out."""
        answer = connected.post("/sync", headers={"Prefer": wish})
        expect_good(answer, 202)  # had it asked to the end, it would be an error
        said = answer.headers.get("Preference-Applied")
        assert (said == kept) or (said and kept and 0 < int(said[5:]) - int(kept[5:]) < 20)  # on a busy machine

    def test_who_will_not_wait_does_not_ask(self, connected: Api, padaria: Server) -> None:
        sent = padaria.world.requests
        expect_good(connected.post("/sync", headers={"Prefer": "respond-async"}), 202)
        assert padaria.world.requests == sent

    @pytest.mark.parametrize("wish", ["wait=1", "respond-async"])
    def test_a_new_token_has_to_be_known_first(
        self, connected: Api, padaria: Server, monkeypatch: pytest.MonkeyPatch, wish: str
    ) -> None:
        """Within a short time; what it took is told."""
        padaria.world.heal()
        padaria.world.fail("/api/v4/", None, "slow", seconds=1.5)
        headers = {"Prefer": wish, "Authorization": f"Bearer {padaria.token}"}
        answer = connected.post("/sync", json={"userId": "2"}, headers=headers)
        expect_good(answer, 202)
        name, _, seconds = answer.headers["Preference-Applied"].partition("=")
        assert int(seconds) >= 3 if wish == "wait=1" else (name, seconds) == (wish, "")
        monkeypatch.setattr(sync, "FIRST_CHECK", 1.0)
        late = connected.post("/sync", json={"userId": "3"}, headers=headers)
        expect_error(late, 504, "timed_out")

    @EACH
    def test_no_call_is_busy_with_kommo_for_long(
        self, api: Api, padaria: Server, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any
    ) -> None:
        """All attempts together: the first one takes the time of all."""
        monkeypatch.setattr(client, "longest_call", lambda _settings: 1.0)
        monkeypatch.setattr("kommo.api.accounts.longest_call", lambda _settings: 1.0)
        padaria.world.fail("/api/v4/", None, "slow", seconds=600)
        expect_error(ask(api, method, path, body), 504, "timed_out")
        assert padaria.world.requests == 1


def test_one_request_has_its_whole_time(tmp_path: Path) -> None:
    assert client.longest_call(make_settings(tmp_path)) == 60
    assert client.longest_call(make_settings(tmp_path, timeout_ms=90_000)) == 90


@pytest.mark.parametrize(("path", "match"), [("/test-connection", "account"), ("/contacts", "contacts")])
def test_as_many_attempts_as_are_set(
    tmp_path: Path, api: Api, padaria: Server, path: str, match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KOMMO_RETRY_ATTEMPTS counts for the test of a connection as for the rest of the API."""
    settings = api.services.settings.model_copy(update={"retry_attempts": 3})
    object.__setattr__(api.services, "settings", settings)
    fault = padaria.world.fail(f"/api/v4/{match}", None, "500")
    expect_error(api.get(path), 502, errors.ServerFault.code)
    assert fault.hits == 4


@pytest.mark.parametrize("call", ["contacts", "sync"])
def test_pages_never_hang_behind_kommo(tmp_path: Path, padaria: Server, call: str) -> None:
    """Eight callers at once, a Kommo that answers nobody until the page is there."""
    values = {"KOMMO_API_URL": padaria.address, "KOMMO_JWT_TOKEN": padaria.token, "KOMMO_SYNC_WAIT": "1"}
    with processes.server(tmp_path / "instance", "--no-worker", **values) as (address, _child):
        answering = threading.Event()
        padaria.world.before_request = lambda *_: answering.wait(120) and None
        found: list[int] = []

        def one() -> None:
            method = "GET" if call == "contacts" else "POST"
            found.append(requests.request(method, f"{address}/api/kommo/{call}", timeout=60).status_code)

        threads = [threading.Thread(target=one, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        processes.wait_for(lambda: len(found) == 4)
        assert requests.get(address, timeout=60).status_code == 200
        assert found[:4] == [503] * 4
        answering.set()
        for thread in threads:
            thread.join(60)
