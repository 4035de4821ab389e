"""/metrics: numbers by route and kind, never by path; nothing of the CRM; for nobody but who may read them."""

import math
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from kommo.db import writing
from kommo.store import runs, use, workers
from kommo.store.tables import RateSlot, SyncRun
from tests.factories import contact_record, deal_record, make_account, store_contacts, store_deals

Samples = dict[tuple[str, str], float]


def read(client: FlaskClient) -> Samples:
    """Every sample by its name and its labels' values, as Prometheus' own parser reads them."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_are_counted_by_route_and_never_by_path(client: FlaskClient) -> None:
    for path in ("/contatos/1", "/contatos/2?q=Maria", "/nada/Maria", "/outra"):
        client.get(path)
    client.open("/contatos", method="PROPFIND")
    found = read(client)
    assert found["painel_requests_total", "GET /contatos/<int:contact_id> 404"] == 2
    assert found["painel_requests_total", "GET (nenhuma) 404"] == 2
    assert found["painel_requests_total", "OTHER (nenhuma) 405"] == 1
    assert found["painel_request_seconds_count", "GET /contatos/<int:contact_id>"] == 2
    text = client.get("/metrics").text
    assert "Maria" not in text
    assert "/contatos/1" not in text


def test_the_refused_are_counted_too(client: FlaskClient) -> None:
    client.get("/contatos", environ_overrides={"REMOTE_ADDR": "8.8.8.8"})
    assert read(client)["painel_requests_total", "GET /contatos 403"] == 1


def test_what_the_worker_does_is_read_from_the_database(app: Flask, client: FlaskClient) -> None:
    engine = app.extensions["kommo"].engine
    connection = make_account(engine)
    store_contacts(engine, connection, [contact_record(each, "Maria Segredo") for each in (1, 2, 3)])
    store_deals(engine, connection, [deal_record(1, "Reforma Segredo")])
    with writing(engine) as session:
        queued = runs.request(session, connection.id, "page")
        workers.note(session, "maquina-7")
        session.add(RateSlot(scope="installation", requests=41))
        use.note(session, "installation", time.time(), "sync", requests=12)
        use.note(session, "installation", time.time(), "sync", refused=2)
    with writing(engine) as session:
        moved = update(SyncRun).where(SyncRun.id == queued).values(requested_at=SyncRun.requested_at - 30)
        session.execute(moved)
    found = read(client)
    assert {kind: found["painel_rows", kind] for kind in ("contact", "deal")} == {"contact": 3, "deal": 1}
    assert (found["painel_accounts", ""], found["painel_runs", "queued"], found["painel_runs", "done"]) == (1, 1, 0)
    assert 30 <= found["painel_queue_age_seconds", ""] < 3600
    assert found["painel_kommo_requests_total", ""] == 41
    assert found["painel_kommo_requests_last_hour", "sync"] == 12
    assert found["painel_kommo_refused_last_hour", ""] == 2
    assert found["painel_workers", ""] == 1
    assert found["painel_worker_memory_bytes", "maquina-7"] > 1_000_000
    assert found["painel_worker_open_files", "maquina-7"] >= 3
    assert found["painel_database_up", ""] == 1
    assert found["painel_database_bytes", ""] > 10_000
    assert found["process_resident_memory_bytes", ""] > 1_000_000
    assert found["process_open_fds", ""] >= 3
    text = client.get("/metrics").text
    assert "Segredo" not in text
    assert "padaria" not in text.lower()


def test_a_lease_that_is_over_grows_old(app: Flask, client: FlaskClient) -> None:
    engine = app.extensions["kommo"].engine
    connection = make_account(engine)
    with writing(engine) as session:
        run_id = runs.request(session, connection.id, "page")
        assert runs.claim(session, run_id, "maquina-7", 60)
    assert read(client)["painel_lease_overdue_seconds", ""] == 0
    with writing(engine) as session:
        session.execute(update(SyncRun).values(lease_until=SyncRun.lease_until - 100))
    assert 30 <= read(client)["painel_lease_overdue_seconds", ""] < 3600


@pytest.mark.only_on("sqlite", reason="PostgreSQL has no -wal file of ours")
def test_the_sizes_are_those_of_the_files(app: Flask, client: FlaskClient) -> None:
    folder = app.extensions["kommo"].settings.instance
    found = read(client)
    assert found["painel_database_bytes", ""] == (folder / "kommo.sqlite3").stat().st_size
    assert found["painel_database_wal_bytes", ""] == (folder / "kommo.sqlite3-wal").stat().st_size


@pytest.mark.only_on("sqlite", reason="the file is what is broken")
def test_without_a_database_it_says_that_alone(app: Flask, client: FlaskClient) -> None:
    services = app.extensions["kommo"]
    services.engine.dispose()
    for path in services.settings.instance.glob("kommo.sqlite3*"):
        path.write_bytes(b"isto nao e um banco de dados" * 100)
    found = read(client)
    assert found["painel_database_up", ""] == 0
    assert "painel_rows" not in {name for name, _ in found}
    assert not math.isnan(found["process_open_fds", ""])


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"REMOTE_ADDR": "8.8.8.8"}, 403),
        ({"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 403),
        ({"SERVER_PROTOCOL": "HTTP/1.0"}, 403),
        ({"HTTP_HOST": "painel.exemplo.com.br"}, 400),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, 403),
    ],
)
def test_it_is_not_open_by_accident(client: FlaskClient, environ: dict[str, str], status: int) -> None:
    answer = client.get("/metrics", environ_overrides=environ)
    assert answer.status_code == status
    assert "painel_" not in answer.text


def test_its_own_door_is_closed_where_the_guard_is_open(app: Flask, client: FlaskClient) -> None:
    """A guard that lets a network in must not let it in here, too."""
    for functions in app.before_request_funcs.values():
        functions[:] = [each for each in functions if each.__module__ != "kommo.access.guard"]
    answer = client.get("/metrics", environ_overrides={"REMOTE_ADDR": "192.168.0.7"})
    assert (answer.status_code, answer.mimetype) == (403, "text/plain")
    assert "painel_" not in answer.text
    assert client.get("/sincronizacao", environ_overrides={"REMOTE_ADDR": "192.168.0.7"}).status_code == 200
