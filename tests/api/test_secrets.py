"""No answer, header, log line or address of ours ever holds a token, whatever is wrong and at any KOMMO_DEBUG."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from kommo.sandbox import Server
from tests.crm.people import token as made_up
from tests.processes import server, wait_for

# The block comes last: nothing is sent after it.
FAULTS = (None, "401", "403_scope", "402", "429", "500", "html_200", "redirect", "reset", "truncated", "403_html")


def parts(token: str) -> list[str]:
    """What must not be seen: the whole, and the beginnings of payload and signature."""
    _, payload, signature = token.split(".")
    return [token, payload[:24], signature[:12]]


def calls(address: str, token: str) -> Iterator[requests.Response]:
    """The token in every place where a caller may put it, rightly or wrongly."""
    base, query = f"{address}/api/kommo", {"jwtToken": token}
    with requests.Session() as caller:
        yield caller.post(f"{base}/test-connection", json=query)
        yield caller.post(f"{base}/test-connection", json={"jwtToken": [token]})
        yield caller.post(f"{base}/contacts", json={"jwtToken": token, "contactId": token})
        yield caller.post(
            f"{base}/deals", data=f'{{"jwtToken": "{token}"', headers={"Content-Type": "application/json"}
        )
        yield caller.post(f"{base}/deals", data=token, headers={"Content-Type": "text/plain"})
        yield caller.get(f"{base}/contacts", headers={"Authorization": f"Bearer {token}"})
        yield caller.get(f"{base}/contacts", headers={"Authorization": token, "X-API-Key": token})
        yield caller.get(f"{base}/deals", params=query | {"page": token})
        yield caller.get(f"{base}/deals", params=query | {"source": token})
        yield caller.get(f"{base}/contacts", params=query | {"userId": token[:64], "limit": token})
        yield caller.get(f"{base}/sync/{token}")
        yield caller.get(f"{base}/{token}", params=query)
        yield caller.post(f"{base}/sync", params=query, headers={"Prefer": "wait=20"})
        yield caller.get(f"{base}/sync", params=query)


@pytest.mark.timeout(180)
def test_a_token_is_never_told(tmp_path: Path, padaria: Server) -> None:
    """The whole of `python app.py`, web server and worker, telling as much as it can, through every fault."""
    hostile, damaged = made_up(api_domain="evil.com"), f"{padaria.token[:-9]}!{padaria.token[-8:]}"
    tokens = [padaria.token, hostile, damaged]
    values = {"KOMMO_API_URL": padaria.address, "KOMMO_DEBUG": "true", "KOMMO_RETRY_ATTEMPTS": "0"}
    told, statuses = "", set()
    with server(tmp_path / "instance", **values) as (address, _child):
        for how in FAULTS:
            padaria.world.reset()
            if how:
                padaria.world.fail("/api/v4", None, how)
            requests.post(f"{address}/api/kommo/test-connection", json={"jwtToken": padaria.token}, timeout=60)
            for token in tokens:
                for answer in calls(address, token):
                    told += answer.text + str(answer.headers)
                    statuses.add(answer.status_code)
        log = tmp_path / "server.log"
        wait_for(lambda: "sync_over" in log.read_text("utf-8"))
    told += log.read_text("utf-8")
    assert [part for token in tokens for part in parts(token) if part in told] == []
    assert {200, 400, 401, 402, 403, 404, 415, 429, 502, 503} <= statuses
