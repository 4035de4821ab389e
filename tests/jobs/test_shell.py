"""`flask kommo …`: a run where no worker is, which ends by itself; the schedule, shown and set."""

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from kommo.cli import sync
from kommo.db import reading
from kommo.sandbox import Server
from kommo.store import runs
from kommo.store.tables import Connection, Schedule, SyncRun
from kommo.store.timetable import Timetable
from tests.factories import BRUNO, make_account, schedule_of
from tests.sync.accounts import connect, run_view


def test_without_a_worker_it_gives_up_in_time(app: Flask, padaria: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    services = app.extensions["kommo"]
    account = connect(services, padaria)
    monkeypatch.setattr(sync, "_NOBODY_AFTER", 0.1)
    monkeypatch.setattr(sync, "_GIVE_UP_AFTER", 0.8)

    done = app.test_cli_runner().invoke(args=["kommo", "sync"])

    assert done.exit_code == 1, done.output
    view = run_view(services, account)
    assert view.state == "queued"
    assert f"A sincronização nº {view.id} continua na fila" in done.stderr
    assert "Nenhum trabalhador respondeu" in done.stderr
    with pytest.raises(runs.AlreadyRunning):
        from kommo.sync import control

        control.start(services, account, "page")


def call(app: Flask, *arguments: str) -> Result:
    """`flask kommo …`"""
    return app.test_cli_runner().invoke(args=["kommo", *arguments])


@pytest.fixture
def bakery(app: Flask) -> Connection:
    return make_account(app.extensions["kommo"].engine)


@pytest.mark.parametrize(("options", "mode"), [(["--full"], "sweep"), ([], None)])
def test_a_run_reads_everything_where_that_is_asked(
    app: Flask, bakery: Connection, options: list[str], mode: str | None
) -> None:
    assert call(app, "sync", "--no-wait", *options).exit_code == 0
    with reading(app.extensions["kommo"].engine) as session:
        assert list(session.scalars(select(SyncRun.mode))) == [mode]


def test_the_schedule_is_set_shown_paused_and_turned_off(app: Flask, bakery: Connection) -> None:
    engine = app.extensions["kommo"].engine
    none = "Sem agenda: a cópia só é atualizada quando alguém pede.\n"
    assert call(app, "schedule").output == none
    night = ("--quiet-from", "22:00", "--quiet-to", "06:00", "--sweep", "03:00")
    done = call(app, "schedule", "--every", "15", *night)
    said = "A cada 15 minutos, das 6h às 22h; leitura completa às 3h. "
    assert done.output.startswith(f"{said}Próxima: "), done.output
    assert call(app, "schedule").output == done.output
    assert call(app, "schedule", "--pause").output == f"{said}A agenda está em pausa.\n"
    assert call(app, "schedule", "--resume").output.startswith(f"{said}Próxima: ")
    call(app, "schedule", "--every", "60", "--pause")
    found = schedule_of(engine, bakery)
    assert found is not None
    assert (found.plan, found.paused) == (Timetable(60), True)
    assert call(app, "schedule", "--off").output == none
    assert schedule_of(engine, bakery) is None


def test_the_schedule_of_the_account_that_is_named(app: Flask, bakery: Connection) -> None:
    engine = app.extensions["kommo"].engine
    brunos = make_account(engine, BRUNO)
    workshop = make_account(engine, name="Oficina Norte", account_id=30002000)
    assert call(app, "schedule", "--user", BRUNO, "--every", "30").exit_code == 0
    assert call(app, "schedule", "--account", "30001000", "--every", "45").exit_code == 0
    for account, every in ((brunos, 30), (bakery, 45)):
        found = schedule_of(engine, account)
        assert found is not None
        assert found.plan.every == every
    assert schedule_of(engine, workshop) is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--every", "4"], "4"),
        (["--every", "1441"], "1441"),
        (["--every", "15", "--sweep", "3h"], "escreva a hora como 22:00."),
        (["--every", "15", "--quiet-from", "22:00"], "Informe --quiet-from e --quiet-to"),
        (["--sweep", "03:00"], "Informe também --every"),
        (["--off", "--pause"], "--off desliga a agenda"),
        (["--pause"], "Não há agenda: ligue-a com --every."),
        (["--user", "carla", "--every", "15"], "Nenhuma conta conectada"),
        (["--account", "999", "--every", "15"], "Nenhuma conta conectada"),
    ],
)
def test_what_is_asked_wrong_is_told_and_nothing_is_stored(
    app: Flask, bakery: Connection, arguments: list[str], sentence: str
) -> None:
    done = call(app, "schedule", *arguments)
    assert done.exit_code == 2
    assert sentence in done.stderr
    with reading(app.extensions["kommo"].engine) as session:
        assert session.scalars(select(Schedule)).all() == []
