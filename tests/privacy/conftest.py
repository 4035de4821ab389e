"""A person with values that occur nowhere else: on every surface they can be looked for byte by byte."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from kommo.db import reading
from kommo.sandbox import Server
from kommo.services import Services
from kommo.store.audit import Actor
from kommo.store.tables import Connection
from tests.sync.accounts import connect, run

NAME = "Quitéria Xisto Brandão"
PHONE = "+55 (47) 98123-4567"
EMAIL = "quiteria.xisto@exemplo.test"
CPF = "529.982.247-25"
NOTE = "Prefere que liguem depois das 18 horas"
VALUES = (NAME, "quiteria xisto brandao", PHONE, "98123-4567", "5547981234567", EMAIL, CPF, "52998224725", NOTE)
BY = Actor("user", "marta", "203.0.113.9")


def field(field_id: int, name: str, code: str | None, kind: str, *values: str) -> dict[str, Any]:
    """A custom field as Kommo gives it."""
    return {
        "field_id": field_id, "field_name": name, "field_code": code, "field_type": kind,
        "values": [{"value": value} for value in values],
    }  # fmt: skip


FIELDS = [
    field(900101, "Telefone", "PHONE", "multitext", PHONE),
    field(900102, "E-mail", "EMAIL", "multitext", EMAIL),
    field(900190, "CPF", None, "text", CPF),
    field(900105, "Observações", None, "textarea", NOTE),
]


@dataclass(frozen=True, slots=True)
class Scene:
    """Padaria Estrela copied, with Quitéria in it: her deal, one that only names her, and one of somebody else."""

    services: Services
    kommo: Server
    connection_id: int
    person: int
    own: int
    naming: int
    other: int
    company: int

    @property
    def connection(self) -> Connection:
        """The account, detached."""
        with reading(self.services.engine) as session:
            return session.scalars(select(Connection).where(Connection.id == self.connection_id)).one()


def people(server: Server) -> dict[str, int]:
    """Put Quitéria, her deals and her company into an account; gives their numbers."""
    world = server.world
    company = world.add("companies", name=f"{NAME} 52998224725 MEI")
    person = world.add("contacts", name=NAME, custom_fields_values=FIELDS, first_name="Quitéria", last_name="Xisto")
    world.link("contacts", person, "companies", company)
    own = world.add("leads", name=f"Bolo de casamento, {NAME}", price=900, custom_fields_values=[FIELDS[3]])
    world.link("leads", own, "contacts", person, is_main=True)
    naming = world.add("leads", name="Entrega para 047 98123 4567", price=150)
    other = world.add("leads", name="Café Serra Azul", price=70)
    world.link("leads", other, "contacts", world.ids("contacts")[0], is_main=True)
    return {"person": person, "own": own, "naming": naming, "other": other, "company": company}


@pytest.fixture
def scene(services: Services, padaria: Server) -> Scene:
    """The account with Quitéria, copied once."""
    numbers = people(padaria)
    account = connect(services, padaria)
    assert run(services, account).proved
    return Scene(services, padaria, account, **numbers)
