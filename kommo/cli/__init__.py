"""The shell: `flask kommo …`. Each command parses, calls one function and says in Portuguese what came of it."""

import uuid

from flask import Flask

from kommo import logs
from kommo.cli import api_keys, database, keys, people, person, retention, schedule, sync
from kommo.cli.refusals import Group

group = Group("kommo", help="Comandos do Painel Kommo.", callback=lambda: logs.bind(request=uuid.uuid4().hex))
for command in (
    sync.sync, schedule.schedule, database.backup, database.move_to, people.user, api_keys.key, keys.rotate_keys,
    person.person, retention.retention,
):  # fmt: skip
    group.add_command(command)


def register(app: Flask) -> None:
    """Give the application its commands."""
    app.cli.add_command(group)
