"""What Kommo can do to a run: passing troubles pause it, refusals end it, and what was stored stays."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import select, update

from kommo.db import reading, writing
from kommo.sandbox import Server
from kommo.services import Services
from kommo.store import runs
from kommo.store.progress import RunView
from kommo.store.tables import Connection, SyncRun
from kommo.sync import control, engine
from tests.conftest import make_services, make_settings
from tests.sync.accounts import connect, copy_of, difference, run, run_view

DEALS = r"GET /api/v4/leads\?page=1&limit=250"


@pytest.mark.parametrize(
    "how",
    ["429", "429_json", "500", "502", "504", "truncated", "html_200", "empty_200", "bad_gzip", "reset", "no_answer",
     "empty_next", "cut", "long_length", "wrong_type"],
)  # fmt: skip
def test_a_fault_that_passes_is_got_over(services: Services, padaria: Server, how: str) -> None:
    """Two failures in a row, in every stream: the same page is asked for again, nothing is lost."""
    account = connect(services, padaria)
    padaria.world.fail(r"GET /api/v4/(leads|contacts)\?page=1", times=2, how=how)
    view = run(services, account)
    assert (view.state, view.errors) == ("done", [])
    assert difference(services, account, padaria.world) == []


@pytest.mark.parametrize(("how", "word"), [("429", "limite"), ("500", "falha interna"), ("reset", "chegar ao Kommo")])
def test_a_trouble_that_lasts_pauses_the_run(services: Services, padaria: Server, how: str, word: str) -> None:
    """It keeps what it has, says what it waits for, and goes on by itself later."""
    account = connect(services, padaria)
    trouble = padaria.world.fail(DEALS, times=None, how=how)
    view = run(services, account)
    assert (view.state, view.active) == ("paused", True)
    assert word in (view.waiting or "")
    assert view.resume_at is not None
    assert len(copy_of(services, account, "contact")) == 60
    with reading(services.engine) as session:
        assert runs.due_ids(session) == []

    padaria.world.heal()
    assert trouble.hits > 3
    assert control.resume(services, account, view.id)
    assert engine.run_one(services, view.id, "test", threading.Event())
    assert run_view(services, account).proved
    assert difference(services, account, padaria.world) == []


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("401", "recusou este token"),
        ("402", "não está paga"),
        ("403_scope", "escopo"),
        ("403_html", "bloqueou"),
        ("redirect", "endereço"),
        ("html_200", "não se pode ler"),
    ],
)
def test_a_refusal_ends_the_run_and_keeps_what_is_there(
    services: Services, padaria: Server, how: str, words: str
) -> None:
    account = connect(services, padaria)
    run(services, account)
    padaria.world.fail(DEALS, times=None, how=how)
    view = run(services, account)
    assert (view.state, view.proved) == ("failed", False)
    assert words in view.errors[0]
    assert difference(services, account, padaria.world) == []  # nothing was buried
    with reading(services.engine) as session:
        connection = session.get_one(Connection, account)
        assert connection.token_refused is (how == "401")


def test_an_expired_token_is_told_from_a_revoked_one(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    with writing(services.engine) as session:
        session.get_one(Connection, account).expires_at = 1_700_000_000
    padaria.world.fail(DEALS, times=None, how="401")
    assert "O token venceu em 14/11/2023" in run(services, account).errors[0]


def test_what_it_waits_for_is_said_while_it_waits(tmp_path: Path, padaria: Server) -> None:
    """A pause of a second or more stands on the run's row, and is gone with the next page."""
    services = make_services(make_settings(tmp_path, retry_delay_ms=1000, lease=60.0))
    account = connect(services, padaria)
    padaria.world.fail(DEALS, times=1, how="429")
    said: list[str | None] = []
    padaria.world.before_request = lambda *_: said.append(run_view(services, account).waiting)
    view = run(services, account)
    assert [sentence for sentence in said if sentence] == [
        "O limite de requisições do Kommo foi atingido. Nova tentativa em 2\u00a0s."
    ]
    assert (view.waiting, view.proved) == (None, True)
    services.engine.dispose()


def test_a_block_stops_everybody_until_a_person_tries(services: Services, padaria: Server) -> None:
    """After the blanket 403 not one request leaves; a test by a person is the first to go out again."""
    account = connect(services, padaria)
    padaria.world.fail("GET /api/v4/leads", times=1, how="403_html")
    assert run(services, account).state == "failed"
    padaria.world.reset()
    again = run(services, account)
    assert again.state == "failed"
    assert padaria.world.requests == 0
    connect(services, padaria, full=True)
    assert run(services, account).proved


def test_rights_that_lack_leave_names_out_and_say_so(services: Services, padaria: Server) -> None:
    padaria.world.turn(users="403")
    account = connect(services, padaria)
    view = run(services, account)
    assert view.proved
    assert any("usuários" in sentence for sentence in view.warnings)
    assert difference(services, account, padaria.world) == []


def test_records_without_an_id_are_counted_and_said(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    padaria.world.fail(r"GET /api/v4/contacts\?page=1", times=None, how="no_id")
    view = run(services, account)
    assert view.state == "done"
    assert not view.proved
    assert view.stream("contacts").malformed > 0
    assert any("sem identificação" in sentence for sentence in view.errors)


def test_a_cancelled_run_keeps_what_it_read(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    run_id = control.start(services, account, "page")

    def cancel(_method: str, path: str, query: str) -> None:
        if path == "/api/v4/leads" and "limit=250" in query:
            control.cancel(services, account, run_id)

    padaria.world.before_request = cancel
    engine.run_one(services, run_id, "test", threading.Event())
    view = run_view(services, account)
    assert (view.state, view.active, view.proved) == ("cancelled", False, False)
    assert len(copy_of(services, account, "contact")) == 60
    assert changes(view, "contacts") == (60, 0, 0)


def test_a_run_that_stopped_tells_what_it_had_changed(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    run(services, account)
    padaria.world.update("contacts", padaria.world.ids("contacts")[0], name="Outro nome")
    padaria.world.fail(DEALS, times=None, how="402")
    view = run(services, account, sweep=True)
    assert view.state == "failed"
    assert changes(view, "contacts") == (0, 1, 59)
    assert changes(view, "deals") == (0, 0, 0)


def test_a_paused_run_that_is_cancelled_tells_what_it_had_changed(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    padaria.world.fail(DEALS, times=None, how="500")
    paused = run(services, account)
    assert control.cancel(services, account, paused.id)
    view = run_view(services, account)
    assert (view.state, changes(view, "contacts")) == ("cancelled", (60, 0, 0))


def changes(view: RunView, stream: str) -> tuple[int, int, int]:
    found = view.stream(stream)
    return found.created, found.updated, found.unchanged


def test_a_queued_run_is_cancelled_at_once(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    run_id = control.start(services, account, "page")
    assert control.cancel(services, account, run_id)
    assert run_view(services, account).state == "cancelled"
    assert not engine.run_one(services, run_id, "test", threading.Event())


def test_a_worker_that_ends_gives_the_run_back(services: Services, padaria: Server) -> None:
    """SIGTERM: the run stops at a page's end and is taken up where it is."""
    account = connect(services, padaria)
    run_id, stopping = control.start(services, account, "page"), threading.Event()

    def stop(_method: str, path: str, query: str) -> None:
        if path == "/api/v4/leads" and "limit=250" in query:
            stopping.set()

    padaria.world.before_request = stop
    engine.run_one(services, run_id, "first", stopping)
    assert run_view(services, account).state == "queued"
    padaria.world.before_request = None
    padaria.world.reset()
    engine.run_one(services, run_id, "second", threading.Event())
    assert run_view(services, account).proved
    pages = [seen for seen in padaria.world.log if seen.path == "/api/v4/contacts" and "order%5Bid%5D" in seen.query]
    assert len(pages) <= 2  # the count at the end: contacts were not read again
    assert difference(services, account, padaria.world) == []


def test_a_worker_that_lost_its_lease_writes_nothing(services: Services, padaria: Server) -> None:
    """P6: paused past its lease, another took over; when it wakes, its page is refused."""
    account = connect(services, padaria)
    run_id = control.start(services, account, "page")
    took: list[int] = []

    def take_over(_method: str, path: str, query: str) -> None:
        if path == "/api/v4/contacts" and "limit=250" in query and not took:
            with writing(services.engine) as session:
                session.execute(update(SyncRun).where(SyncRun.id == run_id).values(lease_until=0.0))
                claim = runs.claim(session, run_id, "another", 60.0)
            assert claim is not None
            took.append(claim.fence)

    padaria.world.before_request = take_over
    assert engine.run_one(services, run_id, "sleeper", threading.Event())
    assert took == [2]
    assert copy_of(services, account, "contact") == {}
    with reading(services.engine) as session:
        assert session.scalars(select(SyncRun.worker).where(SyncRun.id == run_id)).one() == "another"


def test_one_run_an_account(services: Services, padaria: Server, oficina: Server) -> None:
    """A second one is refused and named; another owner's and another account's are their own."""
    ana, ana_other, bruno = (
        connect(services, padaria), connect(services, oficina), connect(services, padaria, owner="2")
    )  # fmt: skip
    first = control.start(services, ana, "page")
    with pytest.raises(runs.AlreadyRunning) as refused:
        control.start(services, ana, "api")
    assert refused.value.run_id == first
    assert len({first, control.start(services, ana_other, "page"), control.start(services, bruno, "page")}) == 3


def test_two_owners_and_two_accounts_never_mix(services: Services, padaria: Server, oficina: Server) -> None:
    ana, ana_other, bruno = (
        connect(services, padaria), connect(services, oficina), connect(services, padaria, owner="2")
    )  # fmt: skip
    for account in (ana, ana_other, bruno):
        assert run(services, account).proved
    assert difference(services, ana, padaria.world) == []
    assert difference(services, ana_other, oficina.world) == []
    padaria.world.update("contacts", padaria.world.ids("contacts")[0], name="Só Bruno leu isto")
    assert run(services, bruno).stream("contacts").updated == 1
    assert difference(services, bruno, padaria.world) == []
    assert any("Só Bruno leu isto" in line for line in difference(services, ana, padaria.world))
