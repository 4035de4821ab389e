"""`flask kommo backup` and `flask kommo move-to`: the whole database into a file, or into another database."""

import sqlite3
import time
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy import make_url

from kommo.cli.shared import fail, tools
from kommo.db import sqlite_file
from kommo.refusals import reason
from kommo.settings import SettingError
from kommo.store import move, schema
from kommo.store.schema import SchemaError
from kommo.text import plural


@click.command("backup", help="Copia o banco SQLite para um arquivo novo; o painel pode estar em execução.")
@click.argument("file", metavar="[ARQUIVO]", required=False, type=click.Path(path_type=Path))
@with_appcontext
def backup(file: Path | None) -> None:
    """Copy the SQLite file, into `instance/backups` unless told where; exit code 2 where there is no such copy."""
    services = tools()
    source = sqlite_file(services.settings.database)
    if source is None:
        fail("O banco está no PostgreSQL: copie-o com pg_dump, como docs/operation.md mostra.")
    target = file or services.settings.instance / "backups" / f"copia-{time.strftime('%Y%m%d-%H%M%S')}.sqlite3"
    try:
        if file is None:
            target.parent.mkdir(mode=0o700, exist_ok=True)
        schema.copy_file(source, target)
    except FileExistsError:
        fail(f"O arquivo {target} já existe: escolha outro nome; nada foi gravado.")
    except OSError as error:
        fail(f"O arquivo {target} não pôde ser gravado ({reason(error)}): escolha outro lugar.")
    except sqlite3.Error as error:
        fail(f"A cópia parou ({error}), e nada ficou dela: libere espaço e tente de novo.")
    click.echo(f"Banco copiado para {target}. As chaves de instance/ não vão junto: guarde-as em outro lugar.")


@click.command("move-to", help="Copia o banco inteiro para outro, vazio, e o compara linha por linha.")
@click.argument("address", metavar="URL")
@with_appcontext
def move_to(address: str) -> None:
    """Copy every table into an empty database and compare; exit code 2 where that is refused or fails."""
    services = tools()
    try:
        target = move.open_target(address, services.engine)
        try:
            tables = move.move(services.engine, target, services.settings.instance / "backups", _tell)
        finally:
            target.dispose()
    except (move.MoveError, SchemaError, SettingError) as error:
        fail(str(error))
    rows = plural(sum(tables.values()), "linha", "linhas")
    click.echo(f"{rows} em {len(tables)} tabelas, comparadas uma a uma: iguais.")
    click.echo("Ponha esta linha em .env, em todas as máquinas, e inicie o painel e os trabalhadores:")
    click.echo(f"DATABASE_URL={_without_secrets(address)}")


def _tell(table: str, rows: int) -> None:
    click.echo(f"{table}: {plural(rows, 'linha', 'linhas')}")


def _without_secrets(address: str) -> str:
    """An address with `***` for its password, wherever it stands."""
    url = make_url(address)
    hidden = {name: "***" for name in url.query if "password" in name.lower()}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)
