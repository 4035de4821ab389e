"""The connections with PostgreSQL: as many as the document counts, and none that holds rows for ever."""

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.exc import DBAPIError

from kommo import db
from kommo.db import engine_options, prepare_engine, reading, writing
from kommo.services import Services
from kommo.store.tables import Owner

pytestmark = pytest.mark.only_on("postgresql", reason="a file has no connections to run out of")


def test_a_transaction_of_a_machine_that_is_gone_keeps_nobody_waiting(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row would be locked until the network notices, hours later: no other worker could take its run."""
    monkeypatch.setattr(db, "LEFT_OPEN", 1)
    address = services.settings.database
    frozen = create_engine(address, **engine_options(address))
    prepare_engine(frozen)
    with pytest.raises(DBAPIError), writing(frozen) as session:
        session.add(Owner(id="1", created_at=1.0))
        session.flush()
        with writing(services.engine) as other:
            other.add(Owner(id="1", created_at=2.0))
    frozen.dispose()
    with reading(services.engine) as session:
        assert session.scalars(select(Owner.created_at)).all() == [2.0]


def test_a_process_has_no_more_connections_than_are_counted(services: Services) -> None:
    held = [services.engine.connect() for _ in range(db.POOL_SIZE)]
    assert services.engine.pool.checkedout() == db.POOL_SIZE  # type: ignore[attr-defined]
    assert services.engine.pool.overflow() == 0  # type: ignore[attr-defined]
    assert services.engine.pool._max_overflow == 0  # type: ignore[attr-defined]
    for connection in held:
        connection.close()
