"""`flask kommo user` and `key`: the first person, the forgotten password, the lost telephone, a program's key."""

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from kommo.access import login, passwords
from kommo.db import reading
from kommo.store import api_keys, people
from kommo.store.tables import Audit, User

PASSWORD, OTHER = "girassol tango neblina 7", "trapezio coral vinte e dois"


def call(app: Flask, *arguments: str, typed: str | None = None) -> Result:
    """`flask kommo …`, with what a person types."""
    return app.test_cli_runner().invoke(args=["kommo", *arguments], input=typed)


def refused(done: Result) -> str:
    """The sentence of a command that changed nothing."""
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def logs_in(app: Flask, name: str, password: str) -> bool:
    return login.login(app.extensions["kommo"], name, password, "", "127.0.0.1", "").token is not None


def user(app: Flask, name: str) -> User:
    with reading(app.extensions["kommo"].engine) as session:
        found = people.by_name(session, name)
    assert found is not None
    return found


@pytest.fixture
def ana(app: Flask) -> Flask:
    """An installation whose administrator is Ana."""
    done = call(app, "user", "add", "ana", "--password-stdin", typed=f"{PASSWORD}\n")
    assert (done.exit_code, done.stdout) == (0, "ana tem acesso: Administração.\n"), done.output
    return app


def test_the_first_person_administers(ana: Flask) -> None:
    assert (user(ana, "ana").role, user(ana, "ana").owner) == ("administrator", "1")
    assert logs_in(ana, "ana", PASSWORD)


def test_the_first_person_has_to_administer(app: Flask) -> None:
    done = call(app, "user", "add", "ana", "--role", "viewer", "--password-stdin", typed=f"{PASSWORD}\n")
    assert "A primeira pessoa precisa administrar" in refused(done)


def test_a_password_is_asked_for_twice_and_not_shown(ana: Flask) -> None:
    done = call(ana, "user", "add", "bruno", typed=f"{OTHER}\n{OTHER}\n")
    assert done.exit_code == 0
    assert OTHER not in done.output
    assert user(ana, "bruno").role == "viewer"
    differs = call(ana, "user", "password", "bruno", typed=f"{PASSWORD}\noutra\n")
    assert (differs.exit_code, "As duas senhas são diferentes" in differs.stderr) == (2, True)
    assert logs_in(ana, "bruno", OTHER)


@pytest.mark.parametrize(
    ("arguments", "typed", "sentence"),
    [
        (("add", "ana", "--password-stdin"), PASSWORD, "Já existe uma pessoa com o nome ana"),
        (("add", "Ana", "--password-stdin"), PASSWORD, "Já existe uma pessoa"),
        (("add", "a b", "--password-stdin"), PASSWORD, "O nome precisa de 2 a 64 letras"),
        (("add", "bruno", "--password-stdin"), "curta", "A senha precisa de 10 caracteres ou mais"),
        (("add", "bruno", "--password-stdin"), "", "A senha precisa de 10 caracteres ou mais"),
        (("add", "bruno", "--password-stdin"), "x" * 2000, "A senha pode ter até 128 caracteres"),
        (("add", "bruno", "--owner", "", "--password-stdin"), PASSWORD, "O dono (--owner) precisa"),
        (("password", "eva", "--password-stdin"), PASSWORD, "Ninguém se chama eva"),
        (("role", "eva", "viewer"), "", "Ninguém se chama eva"),
        (("role", "ana", "viewer"), "", "única pessoa que administra"),
        (("disable", "ana"), "", "única pessoa que administra"),
        (("remove", "ana"), "", "única pessoa que administra"),
        (("totp-off", "\x00"), "", "Ninguém se chama"),
    ],
)
def test_what_would_not_do_is_refused_in_a_sentence(
    ana: Flask, arguments: tuple[str, ...], typed: str, sentence: str
) -> None:
    assert sentence in refused(call(ana, "user", *arguments, typed=f"{typed}\n"))
    assert (user(ana, "ana").role, user(ana, "ana").disabled) == ("administrator", False)
    assert logs_in(ana, "ana", PASSWORD)


def test_a_forgotten_password_a_lost_telephone_a_person_who_goes(ana: Flask) -> None:
    assert call(ana, "user", "add", "bruno", "--owner", "2", "--password-stdin", typed=f"{OTHER}\n").exit_code == 0
    assert call(ana, "user", "password", "Bruno", "--password-stdin", typed=f"{PASSWORD}\n").exit_code == 0
    assert (logs_in(ana, "bruno", OTHER), logs_in(ana, "bruno", PASSWORD)) == (False, True)
    assert call(ana, "user", "role", "bruno", "operator").stdout == "bruno: Operação.\n"
    assert call(ana, "user", "disable", "bruno").exit_code == 0
    assert not logs_in(ana, "bruno", PASSWORD)
    assert call(ana, "user", "list").stdout == "ana: Administração\nbruno: Operação, dono 2, suspensa\n"
    assert call(ana, "user", "enable", "bruno").exit_code == 0
    with ana.extensions["kommo"].engine.begin() as connection:
        connection.execute(User.__table__.update().values(totp="v1:x:y"))  # type: ignore[attr-defined]
    assert "bruno: Operação, dono 2, segundo fator" in call(ana, "user", "list").stdout
    assert call(ana, "user", "totp-off", "bruno").exit_code == 0
    assert logs_in(ana, "bruno", PASSWORD)
    assert call(ana, "user", "remove", "bruno").exit_code == 0
    assert call(ana, "user", "list").stdout == "ana: Administração, segundo fator\n"
    with reading(ana.extensions["kommo"].engine) as session:
        told = list(session.scalars(select(Audit).where(Audit.actor_kind == "shell").order_by(Audit.id)))
    assert [row.action for row in told] == [
        "user.added", "user.added", "password.changed", *["user.changed"] * 3, "totp.off", "user.removed"
    ]  # fmt: skip
    assert not [row for row in told if PASSWORD in repr(vars(row))]


def test_a_program_s_key(ana: Flask) -> None:
    call(ana, "user", "add", "bruno", "--password-stdin", typed=f"{OTHER}\n")
    beyond = call(ana, "key", "add", "bruno", "--for", "robo", "--scope", "sync")
    assert "bruno não pode dar sync; pode dar read." in refused(beyond)
    assert "até 20 chaves" not in beyond.output
    made = call(ana, "key", "add", "ana", "--for", "Planilha", "--scope", "read", "--scope", "sync", "--days", "30")
    key = made.stdout.strip()  # alone on standard output, for a script to take
    with reading(ana.extensions["kommo"].engine) as session:
        found = api_keys.find(session, key)
    assert found is not None
    assert found.scopes == ("read", "sync")
    listed = call(ana, "key", "list").stdout
    assert listed == f"{found.id}: {key[:8]}… Planilha, de ana: read, sync\n"
    assert call(ana, "key", "revoke", str(found.id)).exit_code == 0
    assert f"Não há chave nº {found.id}" in refused(call(ana, "key", "revoke", str(found.id)))
    with reading(ana.extensions["kommo"].engine) as session:
        assert api_keys.find(session, key) is None


def test_a_password_is_never_an_argument(app: Flask) -> None:
    """Others would see it in the list of processes."""
    for name in ("add", "password"):
        command = app.cli.commands["kommo"].commands["user"].commands[name]  # type: ignore[attr-defined]
        assert [each.name for each in command.params if "password" in (each.name or "")] == ["password_stdin"]
        assert all(each.is_flag for each in command.params if each.name == "password_stdin")
    assert passwords.LONGEST < 1024
