"""`flask kommo user`: who may use the panel. The way back in where a password is forgotten, or a telephone lost."""

import sys
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from kommo.access import passwords
from kommo.access.passwords import WeakPassword
from kommo.access.rules import ROLE_WORDS, Role
from kommo.cli.refusals import Group
from kommo.cli.shared import fail, note, tools
from kommo.db import reading, writing
from kommo.store import connections, people
from kommo.store.people import PeopleError
from kommo.store.tables import User

user = Group("user", help="As pessoas que podem usar o painel.")
NAME = click.argument("name", metavar="NOME")
STDIN = click.option("--password-stdin", is_flag=True, help="Lê a senha da entrada padrão, em vez de a perguntar.")
ROLE = click.Choice([role.value for role in Role])
_LONGEST_LINE = 1024  # characters


@user.command("add", help="Dá acesso a uma pessoa; a senha é perguntada.")
@NAME
@click.option("--role", type=ROLE, help="Papel; sem ele, administrator para a primeira pessoa e viewer para as outras.")
@click.option("--owner", default=connections.DEFAULT_OWNER, show_default=True, help="De quem são os dados que ela vê.")
@STDIN
@with_appcontext
def add(name: str, role: str | None, owner: str, password_stdin: bool) -> None:
    """Make a person; the first one administers, or there would be nobody to make the others in the browser."""
    services = tools()
    if not 1 <= len(owner) <= 64 or not owner.isprintable():
        fail("O dono (--owner) precisa ter de 1 a 64 caracteres.")
    with reading(services.engine) as session:
        first = not people.any_user(session)
        if people.by_name(session, people.clean_name(name) or "") is not None:
            fail(f"Já existe uma pessoa com o nome {name}: escolha outro.")
    wanted = role or (Role.ADMINISTRATOR if first else Role.VIEWER)
    if first and wanted != Role.ADMINISTRATOR:
        fail("A primeira pessoa precisa administrar o painel: use --role administrator.")
    hashed = _new_password(name, from_stdin=password_stdin)
    try:
        with writing(services.engine) as session:
            made = people.add(session, name, wanted, hashed, owner)
            note(session, "user.added", made.name, owner, role=made.role)
    except PeopleError as error:
        fail(str(error))
    click.echo(f"{made.name} tem acesso: {ROLE_WORDS[Role(made.role)]}.")


@user.command("list", help="Mostra quem tem acesso.")
@with_appcontext
def show() -> None:
    """One line a person."""
    with reading(tools().engine) as session:
        found = people.everybody(session)
    if not found:
        click.echo("Ninguém tem acesso ainda: rode `flask kommo user add NOME`.")
    for each in found:
        extras = [word for word, holds in (("suspensa", each.disabled), ("segundo fator", each.totp)) if holds]
        owner = [] if each.owner == connections.DEFAULT_OWNER else [f"dono {each.owner}"]
        click.echo(", ".join([f"{each.name}: {ROLE_WORDS[Role(each.role)]}", *owner, *extras]))


@user.command("password", help="Troca a senha de uma pessoa; as sessões dela terminam.")
@NAME
@STDIN
@with_appcontext
def password(name: str, password_stdin: bool) -> None:
    """Give a forgotten password a successor."""
    with reading(tools().engine) as session:
        known = found_by_name(session, name).name
    hashed = _new_password(known, from_stdin=password_stdin)
    with writing(tools().engine) as session:
        found = found_by_name(session, name)
        people.set_password(session, found, hashed)
        note(session, "password.changed", found.name, found.owner)
    click.echo(f"A senha de {known} está trocada, e as sessões dela terminaram.")


@user.command("role", help="Muda o papel de uma pessoa.")
@NAME
@click.argument("role", metavar="PAPEL", type=ROLE)
@with_appcontext
def set_role(name: str, role: str) -> None:
    """Give a person another role."""
    _change(name, role=role)
    click.echo(f"{name}: {ROLE_WORDS[Role(role)]}.")


@user.command("disable", help="Suspende o acesso de uma pessoa.")
@NAME
@with_appcontext
def disable(name: str) -> None:
    """Let a person in no more, for now."""
    _change(name, disabled=True)
    click.echo(f"O acesso de {name} está suspenso.")


@user.command("enable", help="Devolve o acesso a uma pessoa suspensa.")
@NAME
@with_appcontext
def enable(name: str) -> None:
    """Let a person in again."""
    _change(name, disabled=False)
    click.echo(f"O acesso de {name} voltou.")


@user.command("remove", help="Retira o acesso de uma pessoa, com as sessões e chaves dela.")
@NAME
@with_appcontext
def remove(name: str) -> None:
    """Take a person's access away."""
    try:
        with writing(tools().engine) as session:
            found = found_by_name(session, name)
            note(session, "user.removed", found.name, found.owner)
            people.remove(session, found)
    except PeopleError as error:
        fail(str(error))
    click.echo(f"O acesso de {name} foi retirado.")


@user.command("totp-off", help="Desliga o segundo fator de uma pessoa que perdeu o telefone.")
@NAME
@with_appcontext
def totp_off(name: str) -> None:
    """Let a person in with the password alone."""
    with writing(tools().engine) as session:
        found = found_by_name(session, name)
        people.set_totp(session, found, None)
        note(session, "totp.off", found.name, found.owner)
    click.echo(f"O segundo fator de {name} está desligado.")


def found_by_name(session: Session, name: str) -> User:
    """The person of a login name; ends the command where there is none."""
    known = people.clean_name(name)
    return (people.by_name(session, known) if known else None) or fail(f"Ninguém se chama {name}: veja `user list`.")


def _change(name: str, **values: Any) -> None:
    try:
        with writing(tools().engine) as session:
            found = found_by_name(session, name)
            people.change(session, found, **values)
            note(session, "user.changed", found.name, found.owner, **values)
    except PeopleError as error:
        fail(str(error))


def _new_password(name: str, *, from_stdin: bool) -> str:
    """The hash of a password that is typed twice without being shown, or read from standard input."""
    if from_stdin:
        given = sys.stdin.readline(_LONGEST_LINE).rstrip("\r\n")
    else:
        given = click.prompt("Senha nova", hide_input=True, prompt_suffix=": ")
        if given != click.prompt("A mesma senha, outra vez", hide_input=True, prompt_suffix=": "):
            fail("As duas senhas são diferentes: nada foi mudado.")
    try:
        passwords.require_strong(given, name)
    except WeakPassword as error:
        fail(str(error))
    return passwords.hash_of(given)
