"""What fails on the way to Kommo is in the log by its code, a failure of the secured connection like any other."""

import pytest
from structlog.testing import capture_logs

from kommo.db import writing
from kommo.sandbox import Server
from kommo.services import Services
from kommo.store.tables import Connection
from tests.crm.servers import OK, RawServer, says
from tests.sync.accounts import connect, run


@pytest.mark.only_on("sqlite", reason="no database has a part in it")
def test_a_failure_of_tls_is_logged(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    with RawServer(says(OK), greeting=OK) as plain:
        with writing(services.engine) as session:
            session.get_one(Connection, account).base_address = f"https://127.0.0.1:{plain.port}"
        with capture_logs() as logged:
            view = run(services, account)
    assert not view.proved
    assert [line["code"] for line in logged if line["event"] == "sync_refused"] == ["tls_failed"]
