"""What all tests share: an installation of its own each, two people, two Kommo accounts, and a caller's manners.

Ana is owner "1", Bruno is owner "2". The accounts are the sandbox's Padaria Estrela and Oficina Norte; both people
may hold either, so that mixing anything up makes a test fail.

A test that has a folder to put an installation into runs twice, on SQLite and on PostgreSQL; `--engine` picks one.
Those of the browser, which see of a database what the pages' tests have seen, do so only where one is picked.
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
from tests import databases, speed, told

ENGINES = (databases.SQLITE, databases.POSTGRESQL)
ONCE = ("browser",)
WITHOUT_DATABASE = ("crm", "ground", "sandbox")  # rooms whose tests would do the same thing twice


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=("both", *ENGINES), default="both", help="on which database the tests run")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that may have an installation once for each engine."""
    room = metafunc.definition.path.parent.name
    if room in WITHOUT_DATABASE or not {"tmp_path", "tmp_path_factory"} & set(metafunc.fixturenames):
        return
    only = metafunc.definition.get_closest_marker("only_on")
    asked = metafunc.config.getoption("engine")
    engines = [only.args[0]] if only else [asked] if asked in ENGINES else list(ENGINES)
    if asked == "both" and room in ONCE:
        engines = engines[:1]
    marks = {databases.POSTGRESQL: pytest.mark.postgres}
    params = [pytest.param(name, marks=marks.get(name, ())) for name in engines]
    metafunc.parametrize("engine_name", params, indirect=True, scope="session")


def pytest_configure() -> None:
    """Before the first application is made."""
    speed.remember_templates()
    speed.remember_statements()


def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means."""
    return speed.workers()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests say at their end what they hold."""
    told.tell(terminalreporter)


def pytest_collection_finish() -> None:
    """Everything is imported now."""
    speed.spare_the_collector()


@pytest.hookimpl(trylast=True)  # pytest has put the engines' halves together
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs the engine that was not asked for."""
    asked = config.getoption("engine")
    other = [item for item in items if asked != "both" and _only_engine(item) not in (None, asked)]
    if other:
        config.hook.pytest_deselected(items=other)
        items[:] = [item for item in items if item not in set(other)]
    if hasattr(config, "workerinput"):  # many processes; one alone keeps the order of the files
        speed.spread(items)


def _only_engine(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("only_on")
    return str(marker.args[0]) if marker else None


@pytest.fixture(scope="session", autouse=True)
def engine_name(request: pytest.FixtureRequest) -> str:
    """The engine that the test is on: of every installation whose database it does not name itself."""
    databases.engine = getattr(request, "param", databases.SQLITE)
    return databases.engine


@pytest.fixture(scope="session")
def tmp_path_factory(engine_name: str, tmp_path_factory: pytest.TempPathFactory) -> pytest.TempPathFactory:
    """Whatever has a folder ends with its engine: a module's installation is not kept for the tests on the other."""
    return tmp_path_factory


@pytest.fixture(autouse=True)
def _databases() -> Iterator[None]:
    """What a test has made on PostgreSQL goes with it."""
    with databases.dropping():
        yield


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's own machine reaches a test."""
    for name in list(os.environ):
        if name.startswith("KOMMO_") or name in ("HOST", "PORT", "DATABASE_URL", "SECRET_KEY"):
            monkeypatch.delenv(name)


def make_settings(tmp_path: Path, **values: Any) -> Settings:
    """Settings of a fresh installation without a rate limit and with short waits; `values` by attribute name."""
    usual = {"instance": tmp_path / "instance", "rate_limit": 0, "retry_delay_ms": 0, "lease": 5.0, "assets": "local"}
    usual |= {"request_limit": 0}  # tests are quicker than people
    usual["encryption_key"] = databases.KEY.hex()  # that of the factories; None where the file is what a test is about
    given = usual | values
    if databases.engine == databases.POSTGRESQL:
        given.setdefault("database_url", databases.address_for(given["instance"]))
    return load(_env_file=None, **given)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a fresh installation, on each engine."""
    return make_settings(tmp_path)


@pytest.fixture
def database(tmp_path: Path) -> str:
    """The address of the database of the installation in `tmp_path`, on each engine."""
    return databases.address_for(tmp_path / "instance")


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
def _close_engines(_databases: None) -> Iterator[None]:
    """Close what `make_services` opened in a test."""
    yield
    while _opened:
        _opened.pop().dispose()


def make_services(settings: Settings) -> Services:
    """The tools of a process, on a database with the newest schema; closed when the test is over."""
    databases.prepare(settings)
    services = open_services(settings)
    _opened.append(services.engine)
    schema.upgrade(services.engine, settings.instance / "backups")
    return services


@pytest.fixture
def services(settings: Settings) -> Services:
    """The tools of a worker's process, on each engine."""
    return make_services(settings)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The web application of a fresh installation."""
    from kommo import create_app

    databases.prepare(settings)
    made = create_app(settings)
    yield made
    made.extensions["kommo"].engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A caller from this machine."""
    found = app.test_client()
    found.environ_base |= {"HTTP_HOST": "127.0.0.1:3000", "SERVER_PROTOCOL": "HTTP/1.1"}
    return found
