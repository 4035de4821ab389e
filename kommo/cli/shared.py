"""What all commands share: the tools of this process, the account they are about, and how one that cannot work ends."""

import getpass
import sys
from typing import Any, NoReturn

import click
from flask import current_app
from sqlalchemy.orm import Session

from kommo import logs
from kommo.services import Services
from kommo.store import audit, connections
from kommo.store.audit import Actor
from kommo.store.tables import Connection

NO_ACCOUNT = "Nenhuma conta conectada: abra a página Conexão e cole o token de longa duração."
USER = click.option("--user", "user_id", default=connections.DEFAULT_OWNER, show_default=True, help="Dono da conexão.")
ACCOUNT = click.option("--account", "account_id", type=int, help="Conta, quando o dono tem várias.")


def tools() -> Services:
    """The settings, the database and the vault of this process."""
    found = current_app.extensions["kommo"]
    assert isinstance(found, Services)
    return found


def shell() -> Actor:
    """Whoever types at this machine, by the name of their account there, for the audit log."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may have no name for its user
        name = ""
    return Actor("shell", name)


def connected(session: Session, user_id: str, account_id: int | None) -> Connection:
    """The owner's connection; ends the command where there is none. No owner's key has a character without a sign."""
    if not user_id.isprintable():
        fail(NO_ACCOUNT)
    found = connections.current(session, user_id, account_id) or fail(NO_ACCOUNT)
    logs.bind(account=found.account_id)
    return found


def fail(sentence: str) -> NoReturn:
    """Say in one line why nothing was done, and end with exit code 2."""
    click.echo(sentence, err=True)
    sys.exit(2)


def note(session: Session, action: str, subject: str, owner: str, **details: Any) -> None:
    """Append to the audit log, in the caller's transaction, that somebody did something in the shell."""
    audit.note(session, shell(), action, owner=owner, subject=subject, details=details)
