"""`flask kommo sync`. The work itself is done by the worker; Ctrl-C here does not stop it."""

import sys
import time

import click
from flask.cli import with_appcontext

from kommo.cli.shared import ACCOUNT, NO_ACCOUNT, USER, connected, fail, shell, tools
from kommo.db import reading
from kommo.services import Services
from kommo.store import connections, progress, runs
from kommo.store.progress import RunView
from kommo.sync import control
from kommo.text import number, plural

_NOBODY_AFTER = 15.0  # seconds a run may stay queued before the person is told to start a worker
_GIVE_UP_AFTER = 60.0  # seconds after which the command ends without it: a scheduler must not pile them up


@click.command("sync", help="Sincroniza uma conta e mostra o andamento.")
@USER
@ACCOUNT
@click.option("--full", is_flag=True, help="Lê tudo de novo, também o que não mudou.")
@click.option("--no-wait", is_flag=True, help="Só pede a sincronização e termina.")
@with_appcontext
def sync(user_id: str, account_id: int | None, full: bool, no_wait: bool) -> None:
    """Ask for a run, or join the one that is under way; exit code 1 when it does not end proved."""
    services = tools()
    with reading(services.engine) as session:
        connection = connected(session, user_id, account_id)
    if not connection.token:
        fail(NO_ACCOUNT)
    if locked := connections.lock_of(services.vault, connection):
        fail(str(locked))
    try:
        run_id = control.start(services, connection.id, "shell", sweep=full, by=shell())
    except runs.AlreadyRunning as running:
        run_id = running.run_id
        click.echo(f"Já há uma sincronização em andamento (nº {run_id}).")
    if not no_wait and not _follow(services, connection.id, run_id):
        sys.exit(1)


def _follow(services: Services, connection_id: int, run_id: int) -> bool:
    """Print a line whenever something moved; gives whether the run ended proved. False too if no worker takes it."""
    queued_since, last, warned = time.monotonic(), "", False
    while True:
        with reading(services.engine) as session:
            view = progress.run_view(session, connection_id, run_id)
        if view is None:
            fail("A sincronização não existe mais.")
        line = _line(view)
        if line != last:
            click.echo(line)
            last = line
        if not view.active:
            for sentence in [*view.errors, *view.warnings]:
                click.echo(sentence, err=True)
            return view.proved
        if view.state != "queued":
            queued_since = time.monotonic()
        waited = time.monotonic() - queued_since
        if waited > _GIVE_UP_AFTER:
            click.echo(f"A sincronização nº {run_id} continua na fila; o primeiro trabalhador a pega.", err=True)
            return False
        if waited > _NOBODY_AFTER and not warned:
            click.echo(
                "Nenhum trabalhador respondeu: inicie `python app.py` ou `python -m kommo.jobs.worker`.", err=True
            )
            warned = True
        time.sleep(0.5)


def _line(view: RunView) -> str:
    if view.waiting:
        return view.waiting
    contacts, deals = view.stream("contacts"), view.stream("deals")
    if not view.active:
        state = {"done": "Concluída", "failed": "Falhou", "cancelled": "Cancelada"}[view.state]
        return (
            f"{state}: {plural(contacts.local_count or 0, 'contato', 'contatos')} aqui, "
            f"{number(contacts.remote_count or 0)} no Kommo; "
            f"{plural(deals.local_count or 0, 'negociação', 'negociações')} aqui, "
            f"{number(deals.remote_count or 0)} no Kommo."
        )
    return f"Contatos: {_of(contacts)}. Negociações: {_of(deals)}."


def _of(view: progress.StreamView) -> str:
    return f"{number(view.rows)} de {number(view.total)}" if view.total is not None else number(view.rows)
