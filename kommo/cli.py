"""The shell: `flask kommo …`. The work itself is done by the worker; Ctrl-C here does not stop it."""

import sys
import time
from typing import NoReturn

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from kommo.db import reading, writing
from kommo.services import Services
from kommo.store import connections, progress, runs, schedule_words, schedules
from kommo.store.progress import RunView
from kommo.store.tables import Connection
from kommo.store.timetable import LONGEST, SHORTEST, Timetable, minute_of
from kommo.sync import control
from kommo.text import number, plural

group = AppGroup("kommo", help="Comandos do Painel Kommo.")
_NOBODY_AFTER = 15.0  # seconds a run may stay queued before the person is told to start a worker
_GIVE_UP_AFTER = 60.0  # seconds after which the command ends without it: a scheduler must not pile them up
_NO_ACCOUNT = "Nenhuma conta conectada: abra a página Conexão e cole o token de longa duração."


def register(app: Flask) -> None:
    """Give the application its commands."""
    app.cli.add_command(group)


_USER = click.option("--user", "user_id", default=connections.DEFAULT_OWNER, show_default=True, help="Dono da conexão.")
_ACCOUNT = click.option("--account", "account_id", type=int, help="Conta, quando o dono tem várias.")


@group.command("sync", help="Sincroniza uma conta e mostra o andamento.")
@_USER
@_ACCOUNT
@click.option("--full", is_flag=True, help="Lê tudo de novo, também o que não mudou.")
@click.option("--no-wait", is_flag=True, help="Só pede a sincronização e termina.")
def sync(user_id: str, account_id: int | None, full: bool, no_wait: bool) -> None:
    """Ask for a run, or join the one that is under way; exit code 1 when it does not end proved."""
    services: Services = current_app.extensions["kommo"]
    with reading(services.engine) as session:
        connection = _connected(session, user_id, account_id)
    if not connection.token:
        _fail(_NO_ACCOUNT)
    try:
        run_id = control.start(services, connection.id, "shell", sweep=full)
    except runs.AlreadyRunning as running:
        run_id = running.run_id
        click.echo(f"Já há uma sincronização em andamento (nº {run_id}).")
    if not no_wait and not _follow(services, connection.id, run_id):
        sys.exit(1)


def _minute(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """ "22:00" as minutes after midnight. Raises click.BadParameter for another text."""
    try:
        return None if text is None else minute_of(text)
    except ValueError:
        raise click.BadParameter("escreva a hora como 22:00.") from None


@group.command("schedule", help="Mostra a agenda de uma conta, ou a muda.")
@_USER
@_ACCOUNT
@click.option("--every", type=click.IntRange(SHORTEST, LONGEST), help="Liga a agenda: minutos entre sincronizações.")
@click.option("--quiet-from", callback=_minute, metavar="HH:MM", help="Começo das horas de silêncio, com --every.")
@click.option("--quiet-to", callback=_minute, metavar="HH:MM", help="Fim das horas de silêncio, com --every.")
@click.option("--sweep", callback=_minute, metavar="HH:MM", help="Hora da leitura completa de cada dia, com --every.")
@click.option("--pause/--resume", "paused", default=None, help="Pausa a agenda, ou a retoma.")
@click.option("--off", is_flag=True, help="Desliga a agenda.")
def schedule(
    user_id: str, account_id: int | None, every: int | None, quiet_from: int | None, quiet_to: int | None,
    sweep: int | None, paused: bool | None, off: bool,
) -> None:  # fmt: skip
    """Change the schedule where options say so, and show what it is then."""
    if every is None and (quiet_from, quiet_to, sweep) != (None, None, None):
        _fail("Informe também --every: a agenda é dita inteira.")
    if (quiet_from is None) != (quiet_to is None):
        _fail("Informe --quiet-from e --quiet-to, ou nenhuma das duas.")
    if off and (every is not None or paused is not None):
        _fail("--off desliga a agenda: não o junte a outras opções.")
    services: Services = current_app.extensions["kommo"]
    opened = reading if every is None and paused is None and not off else writing
    with opened(services.engine) as session:
        connection = _connected(session, user_id, account_id)
        if off:
            schedules.remove(session, connection.id)
        if every is not None:
            plan = Timetable(every, quiet_from, quiet_to, sweep)
            schedules.save(session, connection, plan, paused=bool(paused))
        elif paused is not None and not schedules.set_paused(session, connection, paused):
            _fail("Não há agenda: ligue-a com --every.")
        shown = schedules.view(session, connection)
    if shown is None:
        click.echo("Sem agenda: a cópia só é atualizada quando alguém pede.")
    else:
        click.echo(f"{schedule_words.rule(shown.plan)} {schedule_words.outlook(shown)}")


def _connected(session: Session, user_id: str, account_id: int | None) -> Connection:
    """The owner's connection; ends the command where there is none."""
    return connections.current(session, user_id, account_id) or _fail(_NO_ACCOUNT)


def _follow(services: Services, connection_id: int, run_id: int) -> bool:
    """Print a line whenever something moved; gives whether the run ended proved. False too if no worker takes it."""
    queued_since, last, warned = time.monotonic(), "", False
    while True:
        with reading(services.engine) as session:
            view = progress.run_view(session, connection_id, run_id)
        if view is None:
            _fail("A sincronização não existe mais.")
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


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(2)
