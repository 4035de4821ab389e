"""`flask kommo retention`: how long things are kept, shown or set."""

import click
from flask.cli import with_appcontext

from kommo.cli.shared import shell, tools
from kommo.db import reading, writing
from kommo.privacy import keeping
from kommo.privacy.keeping import LONGEST
from kommo.text import plural

_FOREVER = "sempre"


def _days(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """Days; 0 for "sempre", None where nothing was said. Raises click.BadParameter for another text."""
    if text is None or text == _FOREVER:
        return 0 if text else None
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= LONGEST):
        raise click.BadParameter(f"escreva de 1 a {LONGEST} dias, ou {_FOREVER}.")
    return int(text)


@click.command("retention", help="Mostra por quanto tempo as coisas se guardam, ou o muda.")
@click.option("--runs", callback=_days, metavar="DIAS", help=f"Dias das sincronizações terminadas, ou {_FOREVER}.")
@click.option("--audit", callback=_days, metavar="DIAS", help=f"Dias dos registros de auditoria, ou {_FOREVER}.")
@click.option(
    "--copies", callback=_days, metavar="DIAS", help=f"Dias das cópias de contas desconectadas, ou {_FOREVER}."
)
@click.option("--backups", callback=_days, metavar="DIAS", help=f"Dias das cópias de segurança, ou {_FOREVER}.")
@with_appcontext
def retention(**given: int | None) -> None:
    """Change what options say, and show what holds then; the workers do the rest."""
    services = tools()
    wanted = {name: days or None for name, days in given.items() if days is not None}
    if wanted:
        with writing(services.engine) as session:
            keeping.save(session, wanted, shell())
    with reading(services.engine) as session:
        found = keeping.terms(session)
    for kind in keeping.KINDS:
        days = found[kind.name]
        click.echo(f"{kind.label}: {'sem prazo' if days is None else plural(days, 'dia', 'dias')}")
