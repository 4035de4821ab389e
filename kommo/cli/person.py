"""`flask kommo person`: find a person, hand over what is kept of them, erase them."""

import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from kommo.cli.shared import ACCOUNT, USER, connected, fail, shell, tools
from kommo.db import reading, sqlite_file, writing
from kommo.privacy import erase, export, files, find, ledger
from kommo.refusals import reason
from kommo.store import audit
from kommo.text import plural

_UNKNOWN = "Não há contato com este número nesta conta."
_ID = click.argument("contact_id", metavar="NÚMERO", type=click.IntRange(1, 2**63 - 1))


@click.group("person", help="Encontra, exporta ou apaga uma pessoa (LGPD).")
def person() -> None:
    """The three commands."""


@person.command("find", help="Procura por nome, telefone, e-mail, documento ou número no Kommo.")
@USER
@ACCOUNT
@click.argument("query", metavar="TEXTO")
@with_appcontext
def find_person(user_id: str, account_id: int | None, query: str) -> None:
    """One line for each person: account, number, name, phone, e-mail; exit code 1 where there is nobody."""
    services = tools()
    with reading(services.engine) as session:
        try:
            found, more = find.find(session, user_id, query, account_id)
        except ValueError:
            fail("Escreva pelo menos 3 letras ou algarismos.")
    with writing(services.engine) as session:
        find.note(session, shell(), user_id, len(found), account_id)
    for one in found:
        state = " (apagada)" if one.erased_at else " (fora do Kommo)" if one.deleted_at else ""
        cells = (str(one.connection.account_id), str(one.id), one.title + state, one.phone or "", one.email or "")
        click.echo("\t".join(" ".join(cell.split()) for cell in cells))
    if more:
        click.echo(f"Há mais de {len(found)}: escreva mais letras.", err=True)
    if not found:
        click.echo("Ninguém encontrado.", err=True)
        sys.exit(1)


@person.command("export", help="Grava tudo que está guardado de uma pessoa, em JSON ou CSV.")
@USER
@ACCOUNT
@_ID
@click.option("--format", "kind", type=click.Choice(["json", "csv"]), default="json", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="Arquivo novo; sem ele, a saída padrão.")
@with_appcontext
def export_person(user_id: str, account_id: int | None, contact_id: int, kind: str, output: Path | None) -> None:
    """Write the document; exit code 2 where there is no such contact, or the file is there already."""
    services = tools()
    with reading(services.engine) as session:
        connection = connected(session, user_id, account_id)
        found = export.collect(session, connection, contact_id)
    if found is None:
        fail(_UNKNOWN)
    with writing(services.engine) as session:
        audit.note(
            session, shell(), "person.exported", owner=user_id, account_id=connection.account_id,
            subject=erase.subject_of(contact_id), details={"format": kind},
        )  # fmt: skip
    body = export.as_json(found) if kind == "json" else export.as_csv(found).encode()
    if output is None:
        click.echo(body, nl=False)
        return
    try:
        with output.open("xb") as file:
            file.write(body)
    except FileExistsError:
        fail(f"O arquivo {output} já existe: escolha outro nome; nada foi gravado.")
    except OSError as error:
        fail(f"O arquivo {output} não pôde ser gravado ({reason(error)}): escolha outro lugar.")
    click.echo(f"Dados gravados em {output}.")


@person.command("erase", help="Apaga uma pessoa da cópia; as sincronizações não a trazem de volta.")
@USER
@ACCOUNT
@_ID
@click.option("--yes", is_flag=True, help="Não pergunta.")
@with_appcontext
def erase_person(user_id: str, account_id: int | None, contact_id: int, yes: bool) -> None:
    """Name what goes, ask, erase, clean the files where nothing runs; exit code 2 for an unknown contact."""
    services = tools()
    with reading(services.engine) as session:
        connection = connected(session, user_id, account_id)
        found = erase.reach(session, connection, contact_id)
    if found is None:
        fail(_UNKNOWN)
    if found.person.erased_at is None:
        deals = plural(len(found.deals), "negociação perde", "negociações perdem")
        click.echo(f"Sai o contato {contact_id} com todos os campos; {deals} os textos. Não há como desfazer.")
        click.echo("O Kommo continua com a pessoa: apague-a também lá.")
        if not yes and not click.confirm("Apagar?"):
            fail("Nada foi apagado.")
        ledger.erase_for_good(services, connection, contact_id, shell())
    click.echo("Apagada: as sincronizações não trazem os dados de volta.")
    _clean(sqlite_file(services.settings.database) is not None)


def _clean(on_sqlite: bool) -> None:
    """Write SQLite's file anew at once, or say who does it."""
    if not files.clean(tools()):
        click.echo("Uma sincronização está em andamento: o trabalhador regrava o arquivo quando ela terminar.")
    elif on_sqlite:
        click.echo("O arquivo do banco foi regravado: os bytes saíram dele e de instance/backups.")
    else:
        click.echo(
            "No PostgreSQL os bytes ficam até VACUUM FULL; descarte também WAL arquivado, réplicas e backups "
            "(docs/privacidade.md)."
        )
