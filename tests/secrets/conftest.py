"""An installation whose keys are in its own file, as most are: the ring, and who works with it."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kommo import create_app
from kommo.db import reading
from kommo.keyfile import KeyFile
from kommo.sandbox import Server
from kommo.services import Services
from kommo.settings import Settings
from kommo.store import connections
from kommo.store.tables import Connection
from tests import databases
from tests.conftest import make_settings
from tests.pages.conftest import Person

IN_FILE = {"KOMMO_ENCRYPTION_KEY": ""}  # for processes


@pytest.fixture
def settings(tmp_path: Path, padaria: Server) -> Settings:
    """Settings of an installation that makes its own key; every token goes to Padaria Estrela."""
    return make_settings(tmp_path, encryption_key=None, api_url=padaria.address)


@pytest.fixture
def ring(settings: Settings) -> KeyFile:
    """The installation's key file, there or not."""
    return KeyFile(settings.instance)


@pytest.fixture
def ana(client: FlaskClient) -> Person:
    """Ana at her browser."""
    return Person(client)


def started(settings: Settings) -> Flask:
    """The web application, as it is after a start of its own."""
    databases.prepare(settings)
    return create_app(settings)


def token_of(services: Services, connection_id: int) -> str | None:
    """The stored token in clear. Raises VaultError."""
    with reading(services.engine) as session:
        return connections.open_token(services.vault, session.get_one(Connection, connection_id))


def sealed_of(services: Services, connection_id: int) -> str | None:
    """The stored token as it is in the database."""
    with reading(services.engine) as session:
        return session.get_one(Connection, connection_id).token
