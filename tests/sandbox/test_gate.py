"""Rate limit, block, log and counters."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from requests.adapters import HTTPAdapter

from kommo.sandbox import Switches, World, serve
from kommo.sandbox.gate import Gate
from kommo.sandbox.requests import Request

from .conftest import Api


def _at(gate: Gate, at: float, client: str = "a") -> int:
    """The status with which the gate itself answers a request that arrives at `at`; 200 = let through."""
    _, answer = gate.enter(Request("GET", "/x", "", b"", {}, client, "", at))
    return 200 if answer is None else answer.status


def test_seven_in_any_second_pass_and_the_eighth_does_not() -> None:
    gate = Gate(Switches(), rate=7)

    assert [_at(gate, 10 + place / 10) for place in range(8)] == [200] * 7 + [429]
    assert _at(gate, 10.95) == 429
    assert _at(gate, 11.0) == 200
    assert _at(gate, 11.05) == 429
    assert _at(gate, 11.1) == 200


def test_the_window_slides_over_the_border_of_seconds() -> None:
    gate = Gate(Switches(), rate=7)

    assert [_at(gate, 0.9 + place / 100) for place in range(7)] == [200] * 7
    assert [_at(gate, 1.1), _at(gate, 1.89), _at(gate, 1.95)] == [429, 429, 200]


def test_requests_count_at_their_arrival_whatever_thread_comes_first() -> None:
    gate = Gate(Switches(), rate=2)

    assert [_at(gate, at) for at in (5.5, 5.4, 6.45)] == [200, 200, 200]
    assert _at(gate, 6.46) == 429


def test_each_client_has_its_own_window() -> None:
    gate = Gate(Switches(), rate=1)

    assert [_at(gate, 1.0, "a"), _at(gate, 1.1, "b"), _at(gate, 1.2, "a")] == [200, 200, 429]


def test_without_a_rate_everything_passes() -> None:
    gate = Gate(Switches())

    assert {_at(gate, 1.0) for _ in range(50)} == {200}
    assert (gate.requests, gate.max_in_one_second(), gate.rejected_429) == (50, 50, 0)


def test_the_most_in_one_second_counts_what_was_refused_too() -> None:
    gate = Gate(Switches(), rate=2)
    for at in (1.0, 1.5, 1.9, 2.0, 2.4, 7.0):
        _at(gate, at)

    assert (gate.max_in_one_second(), gate.requests, gate.rejected_429) == (4, 6, 2)


def test_blocked_after_so_many_violations() -> None:
    gate = Gate(Switches(block_after=3), rate=1)

    assert [_at(gate, at) for at in (1.0, 1.1, 1.2, 1.3, 9.0, 99.0)] == [200, 429, 429, 429, 403, 403]
    gate.reset()
    assert [_at(gate, 200.0), gate.requests, gate.rejected_429] == [200, 1, 0]


def test_over_the_rate_is_html_without_retry_after(world: World) -> None:
    with serve(world, rate=1) as server:
        api = Api(server, server.token)
        with api.session, ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: api.get("account"), range(6)))

    refused = [one for one in answers if one.status_code == 429]
    assert sum(one.status_code == 200 for one in answers) >= 1
    assert refused
    assert refused[0].headers["Content-Type"] == "text/html"
    assert "<h1>429 Too Many Requests</h1>" in refused[0].text
    assert "Retry-After" not in refused[0].headers
    assert world.rejected_429 == len(refused)


def test_a_second_address_is_another_client(world: World) -> None:
    class From(HTTPAdapter):
        def init_poolmanager(self, *args: object, **kwargs: object) -> None:  # type: ignore[override]
            super().init_poolmanager(*args, source_address=("127.0.0.2", 0), **kwargs)  # type: ignore[arg-type]

    with serve(world, rate=1) as server, requests.Session() as other:
        other.mount("http://", From())
        api = Api(server, server.token)
        with api.session:
            while api.get("account").status_code != 429:
                pass
        try:
            answer = other.get(f"{server.address}/api/v4/account", headers={"Authorization": f"Bearer {api.token}"})
        except requests.ConnectionError:
            pytest.skip("127.0.0.2 is no address of this machine")
        assert answer.status_code == 200


@pytest.mark.parametrize("path", ["account", "contacts", "/oauth2/account/subdomain", "/oauth2/access_token", "banana"])
def test_the_block_is_html_for_everything(api: Api, world: World, path: str) -> None:
    world.block()

    answer = api.get(path)

    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/html")
    assert "<h1>403 Forbidden</h1>" in answer.text
    world.unblock()
    assert api.get("account").status_code == 200


def test_the_log_says_who_asked_what_and_how_it_ended(api: Api, world: World) -> None:
    api.query("contacts", "page=9&limit=250")
    api.post("leads", {"x": 1})

    seen = [(one.method, one.path, one.query, one.status, one.client) for one in world.log]

    assert seen == [
        ("GET", "/api/v4/contacts", "page=9&limit=250", 204, "127.0.0.1"),
        ("POST", "/api/v4/leads", "", 400, "127.0.0.1"),
    ]
    assert world.log[0].at <= world.log[1].at
    assert world.requests == 2
    assert 1 <= world.max_in_one_second <= 2
    world.reset()
    assert (world.log, world.requests) == ([], 0)


def test_requests_are_carried_out_side_by_side(api: Api, world: World) -> None:
    """Two requests meet in the hook: neither waits for the other to end."""
    meeting = threading.Barrier(2)
    world.before_request = lambda *_: meeting.wait(60) and None

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: api.get("account").status_code, range(2)))

    assert answers == [200, 200]


def test_the_wrong_token_counts_too(api: Api, world: World) -> None:
    api.token = "nonsense"

    assert api.get("account").status_code == 401
    assert world.requests == 1


def test_a_block_that_is_lifted_takes_as_many_violations_again(api: Api, world: World) -> None:
    world.turn(block_after=2)
    for _ in range(2):
        world.gate.rate = 1
        seen = [api.get("account").status_code for _ in range(4)]
        assert seen[-1] == 403
        assert seen.count(429) == 2
        world.gate.rate = 0
        world.unblock()
        assert api.get("account").status_code == 200
