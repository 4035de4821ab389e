"""The log: every act of the list leaves one entry, with who, when and from where; none holds a personal value."""

import threading

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from kommo.connect import flow
from kommo.db import now, reading, writing
from kommo.sandbox import Server
from kommo.services import Services
from kommo.store import audit, audit_words
from kommo.store.audit import Actor, Wanted
from kommo.store.tables import Audit
from kommo.sync import control
from tests.factories import ANA, BRUNO, make_account
from tests.privacy.conftest import BY, NAME, VALUES, Scene
from tests.sync.accounts import connect


def entries(services: Services) -> list[Audit]:
    with reading(services.engine) as session:
        return list(session.scalars(select(Audit).order_by(Audit.id)))


def only(services: Services, action: str) -> Audit:
    (found,) = [row for row in entries(services) if row.action == action]
    return found


def test_an_entry_says_who_what_when_and_from_where(services: Services) -> None:
    with writing(services.engine) as session:
        before = now(session)
        audit.note(session, BY, "person.found", owner=ANA, account_id=7, subject="contato 5", details={"found": 1})
    row = only(services, "person.found")
    assert (row.actor_kind, row.actor, row.address) == ("user", "marta", "203.0.113.9")
    assert (row.owner, row.account_id, row.subject, row.details) == (ANA, 7, "contato 5", {"found": 1})
    assert before <= row.at <= before + 60


def test_an_entry_goes_with_its_transaction(services: Services) -> None:
    with pytest.raises(RuntimeError), writing(services.engine) as session:
        audit.note(session, BY, "login.ok")
        raise RuntimeError
    assert entries(services) == []


def test_what_a_caller_made_long_is_cut(services: Services) -> None:
    with writing(services.engine) as session:
        audit.note(session, Actor("user", "x" * 9999, "y" * 9999), "login.refused", subject="z" * 9999)
    row = only(services, "login.refused")
    assert (len(row.actor), len(row.address), len(row.subject)) == (audit.LONGEST,) * 3


def test_codes_fit_their_column_and_have_words() -> None:
    assert max(map(len, audit_words.WORDS)) <= 32
    assert set(audit_words.KINDS) == set(audit.KINDS)
    assert audit_words.action("something.newer") == "something.newer"


def test_pages_come_newest_first_and_meet_nowhere(services: Services) -> None:
    with writing(services.engine) as session:
        for number in range(25):
            audit.note(session, BY, "login.ok", owner=ANA, subject=str(number))
    seen, before = [], None
    with reading(services.engine) as session:
        while True:
            found = audit.page(session, Wanted(ANA, before=before), size=10)
            seen += [row.subject for row in found.rows]
            if (before := found.older) is None:
                break
    assert seen == [str(number) for number in reversed(range(25))]


def test_an_export_reads_all_in_lots(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_LOT", 7)
    with writing(services.engine) as session:
        for number in range(25):
            audit.note(session, BY, "login.ok", owner=ANA, subject=str(number))
    assert len([row.subject for row in audit.every(services.engine, Wanted(ANA))]) == 25


@pytest.mark.parametrize(
    ("wanted", "subjects"),
    [
        (Wanted(ANA), "5 4 3 2 1"),
        (Wanted(BRUNO), "6 5"),
        (Wanted(ANA, action="logout"), "4 3"),
        (Wanted(ANA, kind="shell"), "2"),
        (Wanted(ANA, actor="rui"), "4"),
        (Wanted(ANA, account_id=7), "3"),
        (Wanted(ANA, since=2000.0), "5 4 3 2"),
        (Wanted(ANA, until=3000.0), "2 1"),
        (Wanted(ANA, since=2000.0, until=3000.0), "2"),
    ],
)
def test_filters(services: Services, wanted: Wanted, subjects: str) -> None:
    rows: list[tuple[Actor, str, str | None, int | None]] = [
        (BY, "login.ok", ANA, None), (Actor("shell", "root"), "login.ok", ANA, None), (BY, "logout", ANA, 7),
        (Actor("user", "rui"), "logout", ANA, None), (audit.SYSTEM, "retention.applied", None, None),
        (BY, "login.ok", BRUNO, None),
    ]  # fmt: skip
    with writing(services.engine) as session:
        for number, (by, action, owner, account) in enumerate(rows, 1):
            audit.note(session, by, action, owner=owner, account_id=account, subject=str(number))
            session.scalars(select(Audit).order_by(Audit.id.desc()).limit(1)).one().at = number * 1000.0
    with reading(services.engine) as session:
        assert " ".join(row.subject for row in audit.page(session, wanted).rows) == subjects


def test_connecting_replacing_the_token_and_disconnecting(services: Services, padaria: Server) -> None:
    from kommo.connect.access import Access
    from kommo.crm.token import read_token

    def keep(token: str) -> int:
        access = Access(token, read_token(token), padaria.address)
        made = flow.keep(services, ANA, access, flow.test(services, access, full=False), by=BY).connection_id
        assert made is not None
        return made

    account = keep(padaria.token)
    keep(padaria.token)  # the same token again is no act
    keep(padaria.world.token(lifetime=1000))
    flow.disconnect(services, ANA, account, with_copy=False, by=BY)
    actions = [row.action for row in entries(services)]
    assert actions == ["account.connected", "account.token_replaced", "account.disconnected"]
    assert {(row.owner, row.account_id, row.actor) for row in entries(services)} == {(ANA, 30001000, "marta")}
    flow.disconnect(services, ANA, account, with_copy=True, by=BY)
    assert entries(services)[-1].action == "account.copy_erased"


def test_what_is_done_to_runs(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    run_id = control.start(services, account, "page", sweep=True, by=BY)
    control.resume(services, account, run_id, by=BY)
    control.cancel(services, account, run_id, by=BY)
    found = [(row.action, row.subject, row.details) for row in entries(services)]
    subject = f"sincronização {run_id}"
    assert found == [
        ("sync.started", subject, {"full": True}),
        ("sync.resumed", subject, {}),
        ("sync.cancelled", subject, {}),
    ]


def test_a_run_of_a_schedule_is_nobodys_act(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    control.start(services, account, "schedule")
    assert entries(services) == []


DOINGS: list[tuple[str, str, dict[str, str], str]] = [
    ("POST", "/sincronizacao", {}, "sync.started"),
    ("POST", "/sincronizacao/agenda", {"intervalo": "30"}, "schedule.saved"),
    ("POST", "/sincronizacao/agenda/pausar", {}, "schedule.paused"),
    ("POST", "/sincronizacao/agenda/retomar", {}, "schedule.resumed"),
    ("POST", "/sincronizacao/agenda/desligar", {}, "schedule.removed"),
    ("POST", "/privacidade", {"busca": NAME}, "person.found"),
    ("POST", "/privacidade/prazos", {"runs": "30"}, "retention.changed"),
    ("GET", "/auditoria.csv", {}, "audit.exported"),
    ("GET", "/auditoria.json", {}, "audit.exported"),
    ("POST", "/conexao/1/desconectar", {"copia": "manter"}, "account.disconnected"),
]


def test_what_is_done_on_pages_leaves_one_entry_each(client: FlaskClient) -> None:
    services: Services = client.application.extensions["kommo"]
    make_account(services.engine)
    token = _csrf(client)
    for method, path, fields, action in DOINGS:
        before = len(entries(services))
        answer = client.open(path, method=method, data={"csrf_token": token} | fields)
        assert answer.status_code in (200, 303), (path, answer.status_code)
        answer.get_data()
        after = entries(services)
        assert [row.action for row in after[before:]] == [action], path
        assert (after[-1].actor_kind, after[-1].address) == ("local", "127.0.0.1")
        assert after[-1].owner == ANA


def _csrf(client: FlaskClient) -> str:
    page = client.get("/conexao").get_data(as_text=True)
    return page.partition('name="csrf-token" content="')[2].partition('"')[0]


def test_what_is_done_by_the_json_api(app: Flask, client: FlaskClient) -> None:
    services: Services = app.extensions["kommo"]
    make_account(services.engine)
    body = {"everyMinutes": 30}
    assert client.put("/api/kommo/schedule", json=body).status_code == 200
    assert client.delete("/api/kommo/schedule", json={}).status_code == 200
    assert [row.action for row in entries(services)] == ["schedule.saved", "schedule.removed"]


SHELL: list[tuple[list[str], str]] = [
    (["sync", "--no-wait"], "sync.started"),
    (["schedule", "--every", "30"], "schedule.saved"),
    (["schedule", "--pause"], "schedule.paused"),
    (["schedule", "--resume"], "schedule.resumed"),
    (["schedule", "--off"], "schedule.removed"),
    (["retention", "--runs", "30"], "retention.changed"),
]


def test_what_is_done_in_the_shell(app: Flask) -> None:
    services: Services = app.extensions["kommo"]
    make_account(services.engine)
    runner = app.test_cli_runner()
    for arguments, action in SHELL:
        done = runner.invoke(args=["kommo", *arguments])
        assert done.exit_code == 0, done.output
        row = entries(services)[-1]
        assert (row.action, row.actor_kind) == (action, "shell")
    assert len(entries(services)) == len(SHELL)


def test_no_entry_holds_a_personal_value_or_a_token(scene: Scene) -> None:
    from kommo.privacy import erase, find

    with writing(scene.services.engine) as session:
        find.note(session, BY, ANA, 1)
    control.start(scene.services, scene.connection_id, "page", by=BY)
    erase.erase(scene.services, scene.connection, scene.person, BY)
    flow.disconnect(scene.services, ANA, scene.connection_id, with_copy=False, by=BY)
    rows = entries(scene.services)
    assert len(rows) == 4
    for row in rows:
        text = repr([getattr(row, column.name) for column in Audit.__table__.columns])
        assert not any(value in text for value in VALUES)
        assert scene.kommo.token not in text


def test_many_at_once_lose_no_entry(services: Services) -> None:
    def write() -> None:
        for _ in range(20):
            with writing(services.engine) as session:
                audit.note(session, BY, "login.ok", owner=ANA)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(entries(services)) == 80
