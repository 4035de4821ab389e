"""What the shell says of a call it does not understand: click's English as one Portuguese line and exit code 2."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from kommo.cli.shared import fail
from kommo.store import trouble

_SENTENCES = (
    (r"'(.*)' is not a valid (?:integer|int).*", r"\1 não é um número inteiro."),
    (r"'(.*)' is not a valid (?:float|number).*", r"\1 não é um número."),
    (r"(\S+) is not in the range (\S+)<=x<=(\S+?)\.?", r"\1 não está entre \2 e \3."),
    (r"(\S+) is not in the range x>=(\S+?)\.?", r"\1 é menor que \2."),
    (r"(\S+) is not in the range x<=(\S+?)\.?", r"\1 é maior que \2."),
    (r"'(.*)' is not one of (.*?)\.?", r"\1 não é um destes: \2."),
    (r"Option '(.*)' requires an argument\.", r"Falta o valor da opção \1."),
    (r"Option '(.*)' requires \d+ arguments\.", r"Faltam valores da opção \1."),
    (r"Option '(.*)' does not take a value\.", r"A opção \1 não leva valor."),
    (r"Got unexpected extra arguments? \((.*)\)", r"Há texto a mais: \1."),
    (r"(?:File|Path|Directory) '(.*)' does not exist\.", r"\1 não existe."),
    (r"(?:File|Path) '(.*)' is a directory\.", r"\1 é uma pasta."),
)


class Group(AppGroup):
    """Commands whose refusals are for people; a database in trouble is told in a line, too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the group's own options."""
        with _told():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Find the command, read its options, and do it."""
        with _told():
            return super().invoke(ctx)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        words = error.ctx.command_path.rpartition("kommo")[2] if error.ctx else ""
        fail(f"{sentence(error)} Veja flask kommo{words} --help.")
    except SQLAlchemyError as error:
        found = trouble.of(error)
        if found is None:
            raise
        fail(found.sentence)


def sentence(error: click.UsageError) -> str:
    """What is wrong with the call, in Portuguese; a sentence of our own as it is."""
    if isinstance(error, click.NoSuchOption):
        return f"Não conheço a opção {error.option_name}."
    if isinstance(error, click.exceptions.NoSuchCommand):
        return f"Não conheço o comando {error.command_name}."
    if isinstance(error, click.MissingParameter):
        return f"Falta {_name(error)}."
    said = _translated(error.message)
    return f"{_name(error)}: {said}" if isinstance(error, click.BadParameter) and error.param else said


def _name(error: click.BadParameter) -> str:
    """The option as it is written, or the argument as the help names it."""
    if isinstance(error.param, click.Option):
        return max(error.param.opts, key=len)
    return error.param.make_metavar(error.ctx or click.Context(click.Command(""))) if error.param else "um valor"


def _translated(message: str) -> str:
    for english, portuguese in _SENTENCES:
        if found := re.fullmatch(english, message, re.DOTALL):
            return found.expand(portuguese)
    return message
