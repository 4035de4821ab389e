"""Everything that can go wrong on command, as a client sees it."""

from __future__ import annotations

import contextlib
import json
import socket
from urllib.parse import urlsplit

import pytest
import requests

from kommo.sandbox import World
from kommo.sandbox.faults import AFTER, BEFORE

from .conftest import Api


def _fails(api: Api, world: World, how: str, **options: float | str) -> requests.Response:
    world.fail("/contacts", 1, how, **options)
    return api.query("contacts", "limit=3&with=leads")


@pytest.mark.parametrize(
    ("how", "status", "kind"),
    [
        ("400", 400, "application/problem+json"),
        ("401", 401, "application/problem+json"),
        ("402", 402, "application/problem+json"),
        ("403_scope", 403, "application/problem+json"),
        ("403_html", 403, "text/html"),
        ("404", 404, "application/problem+json"),
        ("429", 429, "text/html"),
        ("429_json", 429, "application/problem+json"),
        ("500", 500, "text/html"),
        ("502", 502, "text/html"),
        ("504", 504, "text/html"),
        ("500_after", 500, "text/html"),
        ("502_after", 502, "text/html"),
        ("504_after", 504, "text/html"),
        ("html_200", 200, "text/html"),
        ("empty_200", 200, "application/hal+json"),
    ],
)
def test_a_status_once_and_then_all_is_well(api: Api, world: World, how: str, status: int, kind: str) -> None:
    answer = _fails(api, world, how)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, kind)
    assert ("<h1>" in answer.text) == (kind == "text/html" and status != 200)
    assert api.get("contacts").status_code == 200


def test_204_and_empty_bodies(api: Api, world: World) -> None:
    assert _fails(api, world, "204").status_code == 204
    assert _fails(api, world, "empty_200").content == b""
    assert b"<form>" in _fails(api, world, "html_200").content


def test_a_page_without_rows_that_links_a_next(api: Api, world: World) -> None:
    body = _fails(api, world, "empty_next").json()

    assert "_embedded" not in body
    assert body["_links"]["next"]["href"]


def test_429_as_json_says_when(api: Api, world: World) -> None:
    answer = _fails(api, world, "429_json", seconds=3)

    assert (answer.json()["retry_after"], answer.headers["Retry-After"]) == (3, "3")


def test_a_redirect_to_elsewhere(api: Api, world: World) -> None:
    answer = _fails(api, world, "redirect", url="https://evil.example/x")

    assert (answer.status_code, answer.headers["Location"]) == (302, "https://evil.example/x")


@pytest.mark.parametrize("how", ["reset", "no_answer", "reset_after", "cut", "long_length"])
def test_a_connection_that_breaks(api: Api, world: World, how: str) -> None:
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        _fails(api, world, how)
    assert api.get("contacts").status_code == 200


def test_a_reset_is_one_and_an_end_is_one(api: Api, world: World) -> None:
    """On the bare socket: a RST raises, an orderly close reads as nothing."""
    address = urlsplit(api.server.address)

    def ask(how: str) -> bytes:
        world.fail("/contacts", 1, how)
        with socket.create_connection((address.hostname, address.port), timeout=60) as bare:
            bare.sendall(b"GET /api/v4/contacts HTTP/1.1\r\nHost: x\r\n\r\n")
            return bare.recv(100)

    with pytest.raises(ConnectionResetError):
        ask("reset")
    assert ask("no_answer") == b""


def test_truncated_json_with_a_right_length(api: Api, world: World) -> None:
    answer = _fails(api, world, "truncated")

    assert len(answer.content) == int(answer.headers["Content-Length"])
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)


def test_gzip_that_is_none(api: Api, world: World) -> None:
    with pytest.raises(requests.exceptions.ContentDecodingError):
        _fails(api, world, "bad_gzip")


def test_json_that_no_standard_knows(api: Api, world: World) -> None:
    first = world.ids("contacts")[0]
    rows = {how: json.loads(_fails(api, world, how).content)["_embedded"]["contacts"] for how in (
        "nan", "surrogate", "huge_id", "no_id", "null_updated_at",
    )}  # fmt: skip

    assert rows["nan"][0]["created_at"] != rows["nan"][0]["created_at"]
    assert rows["surrogate"][0]["name"].startswith("\ud800")
    assert rows["huge_id"][0]["id"] == 2**70
    assert "id" not in rows["no_id"][0]
    assert rows["null_updated_at"][0]["updated_at"] is None
    for how, found in rows.items():
        assert [row.get("id") for row in found[1:]] == [first + 1, first + 2], how


def test_keys_that_come_twice(api: Api, world: World) -> None:
    pairs: list[tuple[str, object]] = []
    text = _fails(api, world, "duplicate_keys").text

    json.loads(text, object_pairs_hook=lambda found: pairs.extend(found) or dict(found))

    assert ("name", "primeiro") in pairs
    assert text.count('"name":"primeiro"') == 1


def test_faults_spoil_one_record_s_answer_too(api: Api, world: World) -> None:
    contact = world.ids("contacts")[0]
    world.fail(f"/contacts/{contact}", 1, "no_id")

    assert "id" not in api.get(f"contacts/{contact}").json()


def test_json_under_another_name(api: Api, world: World) -> None:
    answer = _fails(api, world, "wrong_type")

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["_embedded"]["contacts"]


def test_a_huge_body(api: Api, world: World) -> None:
    world.fail("/contacts", 1, "huge", megabytes=5)

    with api.ask("GET", "contacts", stream=True) as answer:
        assert int(answer.headers["Content-Length"]) > 5_000_000
        assert len(next(answer.iter_content(1000))) == 1000


def test_a_body_that_never_ends_arriving(api: Api, world: World) -> None:
    world.fail("/contacts", 1, "drip", seconds=0.01)

    with api.ask("GET", "contacts", stream=True) as answer:
        pieces = answer.iter_content(1)
        assert b"".join(next(pieces) for _ in range(8)) == b'{"_page"'


def test_an_answer_that_is_too_late(api: Api, world: World) -> None:
    world.fail("/contacts", 1, "slow", seconds=30)

    with pytest.raises(requests.ReadTimeout):
        api.ask("GET", "contacts", timeout=0.2)
    assert api.get("leads").status_code == 200


@pytest.mark.parametrize("how", ["500", "502", "504", "429", "reset"])
def test_a_write_that_is_refused_is_not_carried_out(api: Api, world: World, how: str) -> None:
    before = world.count("contacts")
    world.fail("POST /api/v4/contacts", 1, how)

    with contextlib.suppress(requests.ConnectionError):
        api.post("contacts", [{"name": "Ana"}])

    assert world.count("contacts") == before


@pytest.mark.parametrize("how", ["500_after", "502_after", "504_after", "reset_after", "cut"])
def test_a_write_whose_answer_is_lost_has_landed(api: Api, world: World, how: str) -> None:
    before = world.count("contacts")
    world.fail("POST /api/v4/contacts", 1, how)

    with contextlib.suppress(requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        api.post("contacts", [{"name": "Ana"}])

    assert world.count("contacts") == before + 1


def test_a_fault_strikes_so_many_times_after_so_many(api: Api, world: World) -> None:
    made = world.fail("/leads", 2, "502", skip=1)

    assert [api.get(path).status_code for path in ("leads", "contacts", "leads", "leads", "leads")] == [
        200, 200, 502, 502, 200,
    ]  # fmt: skip
    assert made.hits == 2


def test_a_fault_for_ever_until_healed(api: Api, world: World) -> None:
    world.fail("", None, "500")

    assert {api.get("account").status_code for _ in range(5)} == {500}
    world.heal()
    assert api.get("account").status_code == 200


@pytest.mark.parametrize(
    "match",
    [
        "page=2",
        "GET /api/v4/contacts?",
        r"page=2$|nothing",
        "order[id]=asc",
        "order%5Bid%5D=asc",
        r"contacts\?.*page=2",
    ],
)
def test_what_a_fault_matches(api: Api, world: World, match: str) -> None:
    world.fail(match, None, "500")

    assert api.query("contacts", "order%5Bid%5D=asc&page=2").status_code == 500
    assert api.get("leads").status_code == 200


def test_faults_one_after_the_other(api: Api, world: World) -> None:
    world.fail("/contacts", 1, "500")
    world.fail("/contacts", 1, "502")

    assert [api.get("contacts").status_code for _ in range(3)] == [500, 502, 200]


def test_a_fault_that_does_not_exist_is_an_error(world: World) -> None:
    with pytest.raises(ValueError, match="unknown fault: nope"):
        world.fail("x", 1, "nope")
    with pytest.raises(ValueError, match="unknown option: colour"):
        world.fail("x", 1, "500", colour="red")


def test_every_fault_gives_something_else_than_the_right_answer(api: Api, world: World) -> None:
    """No name in the list is a dead one."""
    right = api.query("contacts", "limit=3&with=leads")
    for how in (*BEFORE, *AFTER):
        if how in ("slow", "drip", "huge"):
            continue
        try:
            answer = _fails(api, world, how)
        except requests.RequestException:
            continue
        shown, wanted = ((one.status_code, one.headers.get("Content-Type"), one.content) for one in (answer, right))
        assert shown != wanted, how
