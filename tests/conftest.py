"""What all tests share: an installation of its own each, two people, two Kommo accounts, and a caller's manners.

Ana is owner "1", Bruno is owner "2". The accounts are the sandbox's Padaria Estrela and Oficina Norte; both people
may hold either, so that mixing anything up makes a test fail.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from kommo.sandbox import OFICINA, Server, make_world, serve
from kommo.services import Services, open_services
from kommo.settings import Settings, load
from kommo.store import schema
from tests import databases


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's own machine reaches a test."""
    for name in list(os.environ):
        if name.startswith("KOMMO_") or name in ("HOST", "PORT", "DATABASE_URL", "SECRET_KEY"):
            monkeypatch.delenv(name)


def make_settings(tmp_path: Path, **values: Any) -> Settings:
    """Settings of a fresh installation without a rate limit and with short waits; `values` by attribute name."""
    usual = {"instance": tmp_path / "instance", "rate_limit": 0, "retry_delay_ms": 0, "lease": 5.0, "assets": "local"}
    return load(_env_file=None, **usual | values)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a fresh installation on SQLite."""
    return make_settings(tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database with the newest schema, on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'instance' / 'kommo.sqlite3'}"
    else:
        with databases.postgres_database() as address:
            yield address


@pytest.fixture
def padaria() -> Iterator[Server]:
    """Padaria Estrela, small: 60 contacts, 30 deals; changes, faults and switches through `.world`."""
    with serve(make_world(contacts=60, deals=30)) as server:
        yield server


@pytest.fixture
def oficina() -> Iterator[Server]:
    """Oficina Norte: another account, whose ids overlap those of the first."""
    with serve(make_world(OFICINA, contacts=40, deals=20)) as server:
        yield server


_opened: list[Engine] = []


@pytest.fixture(autouse=True)
def _close_engines() -> Iterator[None]:
    """Close what `make_services` opened in a test."""
    yield
    while _opened:
        _opened.pop().dispose()


def make_services(settings: Settings) -> Services:
    """The tools of a process, on a database with the newest schema; closed when the test is over."""
    services = open_services(settings)
    _opened.append(services.engine)
    schema.upgrade(services.engine, settings.instance / "backups")
    return services


@pytest.fixture
def services(tmp_path: Path, database: str) -> Iterator[Services]:
    """The tools of a worker's process, on each engine."""
    found = make_services(make_settings(tmp_path, database_url=database))
    yield found
    found.engine.dispose()


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The web application of a fresh installation."""
    from kommo import create_app

    made = create_app(settings)
    yield made
    made.extensions["kommo"].engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A caller from this machine."""
    found = app.test_client()
    found.environ_base |= {"HTTP_HOST": "127.0.0.1:3000", "SERVER_PROTOCOL": "HTTP/1.1"}
    return found
