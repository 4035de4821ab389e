"""The canary on each engine: no column of any table holds a piece of it, nor does the queue, wherever that is."""

import re
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import MetaData, select

from kommo.connect import flow
from kommo.connect.access import Access
from kommo.crm.token import read_token
from kommo.db import reading
from kommo.jobs import queue
from kommo.sandbox import Server
from kommo.services import ERASE, SYNC
from tests import databases
from tests.conftest import make_services, make_settings
from tests.secrets.canary import Canary
from tests.sync.accounts import run


def test_no_table_and_no_message_holds_it(tmp_path: Path, padaria: Server) -> None:
    settings = make_settings(tmp_path)
    if databases.engine == databases.POSTGRESQL:
        settings = settings.model_copy(update={"queue_url": settings.database.replace("+psycopg", "")})
    services = make_services(settings)
    canary = Canary.hatched(padaria.world)
    access = Access(canary.token, read_token(canary.token), padaria.address)
    account = flow.keep(services, "1", access, flow.test(services, access)).connection_id
    assert account is not None
    assert run(services, account).proved
    opened = queue.open_queue(settings.queue)
    ring = queue.bell(opened)
    for kind, number in ((SYNC, 1), (ERASE, account)):
        ring(kind, number)
    held = MetaData()
    held.reflect(services.engine, resolve_fks=False)
    content, seen = [], set()
    with reading(services.engine) as session:
        for table in held.sorted_tables:
            for row in session.execute(select(table)):
                seen.add(table.name)
                content += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    content += opened.storage.enqueued_items()
    opened.storage.close()
    assert {"connection", "Wallet", "sync_run"} <= seen
    assert re.search(rb"v1:[0-9a-f]{8}:", b"\n".join(content))  # the sealed token was there
    assert canary.found_in(b"\n".join(content)) == []


@pytest.mark.only_on("postgresql", reason="its own tool")
def test_what_pg_dump_writes_holds_none_of_it(tmp_path: Path, padaria: Server) -> None:
    services = make_services(make_settings(tmp_path))
    canary = Canary.hatched(padaria.world)
    access = Access(canary.token, read_token(canary.token), padaria.address)
    flow.keep(services, "1", access, flow.test(services, access))
    address = services.settings.database.replace("+psycopg", "")
    done = subprocess.run(["pg_dump", address], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert b"COPY public.connection" in done.stdout
    assert canary.found_in(done.stdout) == []
