"""Whatever a caller sends is answered as the API's document says, and never with a 5xx."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from kommo import create_app
from kommo.api import ROUTES
from kommo.sandbox import Server, make_world, serve
from kommo.sync import engine
from tests import databases, told
from tests.conftest import make_settings
from tests.promises import callers
from tests.promises.soak import CALLS, note, often
from tests.sync.accounts import connect

WORKED_ON = 15  # runs that are worked on before their caller is answered; the later ones stay queued, or are refused


@pytest.fixture
def account() -> Iterator[Server]:
    """A small account, so that many calls cost little; it has the two records of the document's examples."""
    world = make_world(contacts=6, deals=4)
    world.add("contacts", id=123, name="João Silva")
    world.add("leads", id=456, name="Bolo de casamento", price=5000)
    with serve(world) as server:
        yield server


@pytest.fixture
def app(tmp_path: Path, account: Server) -> Iterator[Flask]:
    """An installation with that account connected and copied, whose runs are worked on as they are asked for."""
    settings = make_settings(tmp_path, api_url=account.address, retry_attempts=0, sync_wait=0)
    databases.prepare(settings)
    made = create_app(settings)
    left = iter(range(WORKED_ON))

    def ring(_kind: str, number: int) -> None:
        if next(left, None) is not None:
            engine.run_one(made.extensions["kommo"], number, "test", threading.Event())

    connect(made.extensions["kommo"], account)
    made.extensions["kommo"] = replace(made.extensions["kommo"], ring=ring)
    yield made
    made.extensions["kommo"].engine.dispose()


@pytest.mark.timeout(3600)  # a crowded machine takes longer than the usual five minutes
@pytest.mark.only_on("sqlite", reason="what is tried is the border, before any database")
def test_every_made_up_call_is_answered_as_the_document_says(
    app: Flask, account: Server, request: pytest.FixtureRequest
) -> None:
    """Good and bad calls of every route, one after the other, and sequences that go on from an answer."""
    revoked = account.world.token(lifetime=86_400)  # not the one that `account.token` is, made in the same second
    account.world.revoke(revoked)
    tokens = [account.token, account.token, revoked, account.world.token(lifetime=-86_400)]
    known = {"accountId": account.world.account_id, "contactId": 123, "dealId": 456}
    outcome = callers.call(app, tokens, known, often(90, 720))
    note(CALLS, outcome.total)
    told.count(request, CALLS, outcome.total)
    assert not outcome.failures, "\n\n".join(outcome.failures[:5])
    assert outcome.total >= often(2000, 10_000), outcome.calls
    assert not [answer for answer in outcome.answers if answer[1] >= 500]
    routes, succeeded = ({call for call, status in outcome.answers if status < below} for below in (600, 300))
    assert len(routes) == len(ROUTES)
    assert succeeded == routes, "a route whose success nobody saw was not tried"
