"""A person at a page: fetches it as a tree, and sends its forms with their token."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from kommo import create_app
from kommo.sandbox import Server
from kommo.services import Services
from kommo.settings import Settings
from tests.conftest import make_settings
from tests.pages.dom import Element, parse


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at this machine's browser."""

    client: FlaskClient

    @property
    def services(self) -> Services:
        """The tools of the application that answers."""
        found = self.client.application.extensions["kommo"]
        assert isinstance(found, Services)
        return found

    @property
    def engine(self) -> Engine:
        """The application's database."""
        return self.services.engine

    def open(self, path: str, status: int = 200) -> Element:
        """The page at an address, as a tree."""
        answer = self.client.get(path)
        assert answer.status_code == status, answer.get_data(as_text=True)[:800]
        return parse(answer)

    def fragment(self, path: str) -> TestResponse:
        """What htmx gets at an address."""
        return self.client.get(path, headers={"HX-Request": "true"})

    def send(self, path: str, *, htmx: bool = False, **fields: str) -> TestResponse:
        """Send a form with the token of this person's session; no redirect is followed."""
        token = self.open("/conexao").one("meta", name="csrf-token")["content"]
        headers = {"HX-Request": "true"} if htmx else {}
        return self.client.post(path, data={"csrf_token": token} | fields, headers=headers)


@pytest.fixture
def person(client: FlaskClient) -> Person:
    """Ana at a fresh installation."""
    return Person(client)


@pytest.fixture
def person_with_kommo(tmp_path: Path, padaria: Server) -> Iterator[Person]:
    """Ana at an installation whose Kommo is the sandbox's Padaria Estrela."""
    yield from at_panel(make_settings(tmp_path, api_url=padaria.address))


def at_panel(settings: Settings) -> Iterator[Person]:
    """Somebody at the browser of an installation with these settings."""
    app = create_app(settings)
    client = app.test_client()
    client.environ_base |= {"HTTP_HOST": "127.0.0.1:3000", "SERVER_PROTOCOL": "HTTP/1.1"}
    yield Person(client)
    app.extensions["kommo"].engine.dispose()
