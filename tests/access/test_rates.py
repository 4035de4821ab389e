"""No address takes the whole server, and nobody who works with the panel ever notices."""

import random

import pytest
import requests
from flask.testing import FlaskClient

from kommo import create_app
from kommo.access.rates import BURST, REMEMBERED, SHARES, Buckets, caller
from kommo.settings import load
from tests import databases, processes
from tests.conftest import make_settings

pytestmark = pytest.mark.only_on("sqlite", reason="who is refused has asked no database")
DEFAULT = load(_env_file=None).request_limit


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_answered_and_what_comes_after_it_waits() -> None:
    clock = Clock()
    buckets = Buckets(2, 5, clock)
    assert [buckets.take("a") for _ in range(5)] == [0] * 5
    assert buckets.take("a") == pytest.approx(0.5)
    assert buckets.take("b") == 0  # another address
    clock.now += 0.5
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0
    clock.now += 3600
    assert [buckets.take("a") for _ in range(5)] == [0] * 5
    assert buckets.take("a") > 0  # an hour of silence earns no more than a burst


def test_a_refused_request_costs_nothing() -> None:
    """Who goes on asking while there is none is answered as soon as there is."""
    clock = Clock()
    buckets = Buckets(1, 1, clock)
    buckets.take("a")
    for _ in range(1000):
        assert buckets.take("a") > 0
    clock.now += 1
    assert buckets.take("a") == 0


def test_what_is_remembered_has_an_end() -> None:
    clock = Clock()
    buckets = Buckets(1, 1, clock)
    for number in range(REMEMBERED + 1):
        buckets.take(str(number))
    assert buckets.take("0") == 0  # forgotten, as the one that was silent for the longest
    assert buckets.take(str(REMEMBERED)) > 0


def test_an_office_of_fifty_is_never_refused() -> None:
    """An hour of 50 people behind one address: each follows a run, and opens a page with its files now and then."""
    chance, clock = random.Random(3), Clock()
    buckets = Buckets(DEFAULT, DEFAULT * BURST, clock)
    clicks = sorted(chance.uniform(0, 3600) for _ in range(50 * 3600 // 8))
    polls = [second + chance.random() for second in range(3600) for _ in range(50)]
    moments = sorted([moment for moment in clicks for _ in range(6)] + polls)
    refused = 0
    for moment in moments:
        clock.now = 1000 + moment
        refused += buckets.take("203.0.113.9") > 0
    assert refused == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.9", "203.0.113.10", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.9", "::ffff:203.0.113.10", False),
        ("", "", True),
    ],
)
def test_whose_requests_are_counted_together(one: str, other: str, same: bool) -> None:
    assert (caller(one) == caller(other)) is same


@pytest.fixture
def limited(tmp_path):
    """A caller of an installation with one request a second, four at once."""
    settings = make_settings(tmp_path, request_limit=1)
    databases.prepare(settings)
    app = create_app(settings)
    client = app.test_client()
    client.environ_base |= {"HTTP_HOST": "127.0.0.1:3000", "SERVER_PROTOCOL": "HTTP/1.1"}
    yield client
    app.extensions["kommo"].engine.dispose()


def test_what_is_too_much_gets_429_in_words(limited: FlaskClient) -> None:
    answers = [limited.get("/healthz").status_code for _ in range(BURST)]
    assert answers == [200] * BURST
    api = limited.get("/api/kommo/sync")
    assert (api.status_code, api.json["code"], api.json["success"]) == (429, "too_many_requests", False)
    assert api.headers["Retry-After"] == "1"
    page = limited.get("/contatos")
    assert (page.status_code, page.headers["Retry-After"]) == (429, "1")
    assert "Muitos pedidos em pouco tempo" in page.text
    fragment = limited.get("/contatos", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.mimetype) == (429, "text/plain")
    assert limited.get("/contatos", environ_overrides={"REMOTE_ADDR": "127.0.0.9"}).status_code == 200


def test_a_refused_stranger_uses_nothing_up(limited: FlaskClient) -> None:
    """The guard comes first: who may not call is not counted against who may."""
    for _ in range(20):
        limited.get("/healthz", environ_overrides={"HTTP_X_FORWARDED_FOR": "1.2.3.4"})
    assert limited.get("/healthz").status_code == 200


def test_pasting_tokens_is_limited_more_than_looking(limited: FlaskClient) -> None:
    first = limited.post("/api/kommo/test-connection", json={"jwtToken": "a"}).status_code
    assert (first, limited.get("/healthz").status_code) == (429, 200)


def test_every_endpoint_with_a_share_exists(limited: FlaskClient) -> None:
    assert [name for name in SHARES if name not in limited.application.view_functions] == []


def test_following_a_run_is_never_refused_by_the_server_as_it_is_shipped(tmp_path) -> None:
    """A hundred looks at the progress, as quick as they can, and the files of a page: over a socket."""
    values = {"KOMMO_REQUEST_LIMIT": str(DEFAULT)}
    with (
        processes.server(tmp_path / "instance", "--no-worker", **values) as (address, _child),
        requests.Session() as one,
    ):
        found = [one.get(f"{address}/sincronizacao", timeout=60).status_code for _ in range(100)]
        found += [one.get(f"{address}/static/js/app.js", timeout=60).status_code for _ in range(100)]
    assert set(found) == {200}
