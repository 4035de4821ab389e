"""How Alembic reaches our database: on the connection it is given, else on the one that the settings name."""

from alembic import context
from sqlalchemy import Connection

import kommo.store.tables
from kommo.db import Base, writing
from kommo.services import open_services
from kommo.settings import load

assert kommo.store.tables  # imported so that every table is known


def include_object(_thing: object, name: str | None, kind: str, *_rest: object) -> bool:
    """The search index's own tables are made by hand, not compared."""
    return not (kind == "table" and name is not None and name.startswith("wallet_search"))


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        transactional_ddl=True,
        compare_type=True,
        include_object=include_object,
    )
    context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = open_services(load()).engine
    with writing(engine) as session:
        run(session.connection())
    engine.dispose()
