"""Faults of a database server: away, all its connections ended, read-only, a table locked by somebody else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests import processes
from tests.fire.faults import ON_POSTGRESQL, fault
from tests.fire.site import Site

PAGE = "GET /api/v4/contacts?"
AWAY = "O banco de dados não respondeu"
AGENDA = {"intervalo": "15"}


@contextmanager
def _other(site: Site, database: str = "postgres") -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A connection of somebody else's to the server."""
    url = site.services.engine.url.set(drivername="postgresql", database=database)
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


def _command(site: Site, command: str) -> None:
    with _other(site) as connection:
        connection.execute(command.encode())


def _end_connections(site: Site) -> None:
    name = site.services.engine.url.database
    _command(site, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


@fault("o servidor PostgreSQL não aceita conexões por um tempo", ON_POSTGRESQL)
def away(site: Site) -> None:
    name = site.services.engine.url.database
    site.meet(PAGE, lambda: _command(site, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
    _end_connections(site)
    for path in ("/contatos", "/", "/sincronizacao"):
        status, words = site.get(path)
        assert status == 503 and AWAY in words, words
    status, words = site.api("GET", "/sync")
    assert status == 503 and '"database_unavailable"' in words, words
    assert site.workers()
    _command(site, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    site.services.engine.dispose()
    site.over()
    processes.wait_for(lambda: site.get("/contatos")[0] == 200)


@fault("o servidor PostgreSQL encerra todas as conexões", ON_POSTGRESQL)
def ended(site: Site) -> None:
    site.meet(PAGE, lambda: _end_connections(site))
    site.services.engine.dispose()
    site.over()
    processes.wait_for(lambda: site.get("/contatos")[0] == 200)


@fault("o servidor PostgreSQL só aceita leitura (troca de servidor)", ON_POSTGRESQL)
def read_only(site: Site) -> None:
    name = site.services.engine.url.database
    _command(site, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    _end_connections(site)
    processes.wait_for(lambda: site.get("/contatos")[0] == 200)
    status, words = site.post("/sincronizacao/agenda", **AGENDA)
    assert status == 503 and "não aceita leitura ou gravação" in words, words
    _command(site, f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    _end_connections(site)
    site.services.engine.dispose()
    site.over()
    processes.wait_for(lambda: site.get("/contatos")[0] == 200)


@fault("uma tabela do PostgreSQL trancada por outro, por um instante", ON_POSTGRESQL)
def locked(site: Site) -> None:
    site.meet(PAGE, lambda: None)
    with _other(site, str(site.services.engine.url.database)) as other, other.transaction():
        other.execute('LOCK TABLE "Wallet" IN ACCESS EXCLUSIVE MODE')
        time.sleep(0.5)
    site.over()
    assert site.get("/contatos")[0] == 200
