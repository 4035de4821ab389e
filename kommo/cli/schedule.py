"""`flask kommo schedule`: an account's timetable, shown or set."""

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from kommo.cli.shared import ACCOUNT, USER, connected, fail, shell, tools
from kommo.db import reading, writing
from kommo.store import audit, schedule_words, schedules
from kommo.store.tables import Connection
from kommo.store.timetable import LONGEST, SHORTEST, Timetable, minute_of


def _minute(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """ "22:00" as minutes after midnight. Raises click.BadParameter for another text."""
    try:
        return None if text is None else minute_of(text)
    except ValueError:
        raise click.BadParameter("escreva a hora como 22:00.") from None


@click.command("schedule", help="Mostra a agenda de uma conta, ou a muda.")
@USER
@ACCOUNT
@click.option("--every", type=click.IntRange(SHORTEST, LONGEST), help="Liga a agenda: minutos entre sincronizações.")
@click.option("--quiet-from", callback=_minute, metavar="HH:MM", help="Começo das horas de silêncio, com --every.")
@click.option("--quiet-to", callback=_minute, metavar="HH:MM", help="Fim das horas de silêncio, com --every.")
@click.option("--sweep", callback=_minute, metavar="HH:MM", help="Hora da leitura completa de cada dia, com --every.")
@click.option("--pause/--resume", "paused", default=None, help="Pausa a agenda, ou a retoma.")
@click.option("--off", is_flag=True, help="Desliga a agenda.")
@with_appcontext
def schedule(
    user_id: str, account_id: int | None, every: int | None, quiet_from: int | None, quiet_to: int | None,
    sweep: int | None, paused: bool | None, off: bool,
) -> None:  # fmt: skip
    """Change the schedule where options say so, and show what it is then."""
    if every is None and (quiet_from, quiet_to, sweep) != (None, None, None):
        fail("Informe também --every: a agenda é dita inteira.")
    if (quiet_from is None) != (quiet_to is None):
        fail("Informe --quiet-from e --quiet-to, ou nenhuma das duas.")
    if off and (every is not None or paused is not None):
        fail("--off desliga a agenda: não o junte a outras opções.")
    services = tools()
    opened = reading if every is None and paused is None and not off else writing
    with opened(services.engine) as session:
        connection = connected(session, user_id, account_id)
        if off and schedules.remove(session, connection.id):
            _note(session, connection, "schedule.removed")
        if every is not None:
            plan = Timetable(every, quiet_from, quiet_to, sweep)
            schedules.save(session, connection, plan, paused=bool(paused))
            _note(session, connection, "schedule.saved")
        elif paused is not None and not schedules.set_paused(session, connection, paused):
            fail("Não há agenda: ligue-a com --every.")
        elif paused is not None:
            _note(session, connection, "schedule.paused" if paused else "schedule.resumed")
        shown = schedules.view(session, connection, services.vault)
    if shown is None:
        click.echo("Sem agenda: a cópia só é atualizada quando alguém pede.")
    else:
        click.echo(f"{schedule_words.rule(shown.plan)} {schedule_words.outlook(shown)}")


def _note(session: Session, connection: Connection, action: str) -> None:
    audit.note(session, shell(), action, owner=connection.user_id, account_id=connection.account_id)
