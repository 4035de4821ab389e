"""`flask kommo sync` where no worker runs: it ends by itself, and the run stays queued."""

import pytest
from flask import Flask

from kommo import cli
from kommo.sandbox import Server
from kommo.store import runs
from tests.sync.accounts import connect, run_view


def test_without_a_worker_it_gives_up_in_time(app: Flask, padaria: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    services = app.extensions["kommo"]
    account = connect(services, padaria)
    monkeypatch.setattr(cli, "_NOBODY_AFTER", 0.1)
    monkeypatch.setattr(cli, "_GIVE_UP_AFTER", 0.8)

    done = app.test_cli_runner().invoke(args=["kommo", "sync"])

    assert done.exit_code == 1, done.output
    view = run_view(services, account)
    assert view.state == "queued"
    assert f"A sincronização nº {view.id} continua na fila" in done.stderr
    assert "Nenhum trabalhador respondeu" in done.stderr
    with pytest.raises(runs.AlreadyRunning):
        from kommo.sync import control

        control.start(services, account, "page")
