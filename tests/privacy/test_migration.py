"""An installation of before: what was disconnected begins its term with the upgrade; the lists keep their indexes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, inspect, text

from kommo.db import engine_options, now, prepare_engine, reading, writing
from kommo.store import schema

_ACCOUNT = (
    "INSERT INTO connection (user_id, account_id, base_address, is_demo, token, token_refused, scopes, base_domain, "
    "name, subdomain, currency, timezone, account, connected_at, claims, erasing) VALUES ('1', {account}, 'x', {no}, "
    "{token}, {no}, '[]', 'kommo.com', '', '', 'BRL', 'UTC', '{{}}', 1.0, 0, {no})"
)


@pytest.fixture
def before(database: str, tmp_path: Path) -> Iterator[Engine]:
    """A database as it was before erasing was known, with a connected and a disconnected account."""
    (tmp_path / "instance").mkdir(exist_ok=True)
    made = create_engine(database, **engine_options(database))
    prepare_engine(made)
    schema.upgrade(made, tmp_path / "backups")
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with writing(made) as session:
        config.attributes["connection"] = session.connection()
        command.downgrade(config, "0003")
    with writing(made) as session:
        session.execute(text("INSERT INTO owner (id, created_at) VALUES ('1', 1.0)"))
        for account, token in ((7, "'v1:x:y'"), (8, "NULL")):
            session.execute(text(_ACCOUNT.format(account=account, token=token, no="false")))
    yield made
    made.dispose()


def test_the_term_of_what_was_disconnected_begins_with_the_upgrade(before: Engine, tmp_path: Path) -> None:
    with reading(before) as session:
        moment = now(session)
    schema.upgrade(before, tmp_path / "backups")
    with reading(before) as session:
        rows = dict(session.execute(text("SELECT account_id, disconnected_at FROM connection")).all())
    assert rows[7] is None
    assert moment - 5 <= rows[8] <= moment + 300


def test_the_lists_indexes_know_who_was_erased(before: Engine, tmp_path: Path) -> None:
    assert _with_erased(before) == 0
    schema.upgrade(before, tmp_path / "backups")
    assert _with_erased(before) == 5


def _with_erased(engine: Engine) -> int:
    return sum("erased_at" in index["column_names"] for index in inspect(engine).get_indexes("Wallet"))
