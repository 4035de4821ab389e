"""The shell: `flask kommo …`. Each command parses, calls one function and says in Portuguese what came of it."""

from flask import Flask
from flask.cli import AppGroup

from kommo.cli import database, person, retention, schedule, sync

group = AppGroup("kommo", help="Comandos do Painel Kommo.")
for command in (sync.sync, schedule.schedule, database.backup, database.move_to, person.person, retention.retention):
    group.add_command(command)


def register(app: Flask) -> None:
    """Give the application its commands."""
    app.cli.add_command(group)
