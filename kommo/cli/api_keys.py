"""`flask kommo key`: the keys of people's programs."""

import click
from flask.cli import with_appcontext

from kommo.access.rules import PERMISSION_WORDS, PERMISSIONS, Role
from kommo.cli.people import NAME, found_by_name
from kommo.cli.refusals import Group
from kommo.cli.shared import fail, note, tools
from kommo.db import now, reading, writing
from kommo.store import api_keys
from kommo.store.people import PeopleError

key = Group("key", help="As chaves de programas, para X-API-Key.")
_DAY = 86_400.0


@key.command("add", help="Cria uma chave para um programa de uma pessoa, e a mostra uma vez.")
@NAME
@click.option("--for", "program", required=True, help="Qual programa a usa.")
@click.option("--scope", "scopes", multiple=True, help="O que ela pode; repita para várias. Sem nenhuma, read.")
@click.option("--days", type=click.IntRange(1, 3650), help="Validade em dias; sem ela, não vence.")
@with_appcontext
def add(name: str, program: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Make a key. It can do no more than the person may: what goes beyond is refused and named."""
    wanted = scopes or ("read",)
    try:
        with writing(tools().engine) as session:
            found = found_by_name(session, name)
            given = [each.value for each in PERMISSION_WORDS if each in PERMISSIONS[Role(found.role)]]
            beyond = sorted(set(wanted) - set(given))
            if beyond:
                fail(f"{found.name} não pode dar {', '.join(beyond)}; pode dar {', '.join(given)}.")
            until = now(session) + days * _DAY if days else None
            row, made = api_keys.make(session, found.id, program, wanted, until)
            note(session, "key.added", row.name, found.owner, scopes=row.scopes)
    except PeopleError as error:
        fail(str(error))
    click.echo(f"Chave nº {row.id}, para {row.name}. Ela não aparece nunca mais:", err=True)
    click.echo(made)


@key.command("list", help="Mostra as chaves de todas as pessoas, sem o segredo delas.")
@with_appcontext
def show() -> None:
    """One line a key."""
    with reading(tools().engine) as session:
        found, moment = api_keys.everyones(session), now(session)
    if not found:
        click.echo("Nenhuma chave: crie uma com `flask kommo key add`.")
    for row, whose in found:
        over = ", vencida" if row.expires_at is not None and row.expires_at <= moment else ""
        click.echo(f"{row.id}: {row.hint}… {row.name}, de {whose.name}: {', '.join(row.scopes)}{over}")


@key.command("revoke", help="Revoga uma chave pelo número dela.")
@click.argument("number", metavar="NÚMERO", type=click.IntRange(1, 2**31 - 1))
@with_appcontext
def revoke(number: int) -> None:
    """Revoke a key: the program that used it gets in no more."""
    with writing(tools().engine) as session:
        whose = {row.id: user.owner for row, user in api_keys.everyones(session)}
        found = api_keys.revoke(session, number) or fail(f"Não há chave nº {number}: veja `flask kommo key list`.")
        note(session, "key.revoked", found.name, whose[number])
    click.echo(f"A chave nº {number}, {found.name}, está revogada.")
