"""Whatever happens at Kommo, and whenever somebody is erased: nobody comes back, and the copy is proved at the end."""

import random

import pytest
from sqlalchemy import Text, cast, or_, select

from kommo.db import reading
from kommo.privacy import erase
from kommo.sandbox import Server
from kommo.services import Services
from kommo.store.tables import Connection, Wallet
from kommo.store.tables.wallet import CONTACT
from tests.privacy.conftest import BY
from tests.sync.accounts import connect, run

STEPS = 40
SEEDS = range(4)


def mark(contact: int) -> str:
    """A whole name that nobody else has."""
    return f"Pessoa Marcada{contact}"


class Life:
    """What people do in an account, a random step at a time; every contact carries its mark, deals that of theirs."""

    def __init__(self, services: Services, server: Server, seed: int) -> None:
        self.services, self.world, self.chance = services, server.world, random.Random(seed)
        for contact in self.world.ids("contacts"):
            self.world.update("contacts", contact, name=mark(contact), first_name="", last_name="")
        self.account = connect(services, server)
        self.erased: set[int] = set()
        run(services, self.account)

    def step(self) -> None:
        """One of what may happen."""
        do = self.chance.choice((self.touch, self.deal, self.unlink, self.delete, self.restore, self.erase, self.sync))
        do()

    def contact(self) -> int:
        return self.chance.choice(self.world.ids("contacts"))

    def touch(self) -> None:
        contact = self.contact()
        self.world.update("contacts", contact, first_name=f"Apelido{self.chance.randrange(9)}")

    def deal(self) -> None:
        contact = self.contact()
        deal = self.world.add("leads", name=f"Pedido, {mark(contact)}", price=self.chance.randrange(900))
        self.world.link("leads", deal, "contacts", contact, is_main=True)

    def unlink(self) -> None:
        deal = self.chance.choice(self.world.ids("leads"))
        for contact in self.world.contacts_of(deal)[:1]:
            self.world.unlink("leads", deal, "contacts", contact)

    def delete(self) -> None:
        self.world.delete("contacts", self.contact())

    def restore(self) -> None:
        gone = self.world.ids("contacts", deleted=True)
        if gone:
            self.world.restore("contacts", self.chance.choice(gone))

    def erase(self) -> None:
        with reading(self.services.engine) as session:
            connection = session.get_one(Connection, self.account)
            held = list(
                session.scalars(select(Wallet.remote_id).where(Wallet.kind == CONTACT).order_by(Wallet.remote_id))
            )
        contact = self.chance.choice(held)
        assert erase.erase(self.services, connection, contact, BY) is not None
        self.erased.add(contact)

    def sync(self) -> None:
        view = run(self.services, self.account, sweep=self.chance.random() < 0.3)
        assert view.state == "done"

    def leaks(self) -> list[int]:
        """Of those who were erased, whoever is named in any row."""
        with reading(self.services.engine) as session:
            for contact in self.erased:
                held = or_(cast(Wallet.record, Text).contains(f"{mark(contact)}"), Wallet.title.contains(mark(contact)))
                rows = session.scalars(select(cast(Wallet.record, Text)).where(held)).all()
                if any(f"{mark(contact)}{end}" in row for row in rows for end in ('"', " ")):
                    return [contact]
        return []


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_comes_back_and_the_copy_is_proved(services: Services, padaria: Server, seed: int) -> None:
    life = Life(services, padaria, seed)
    for _ in range(STEPS):
        life.step()
    life.erase()
    for sweep in (False, True):
        view = run(services, life.account, sweep=sweep)
        assert view.proved, view.errors
        alive = life.erased & set(life.world.ids("contacts"))
        assert view.stream("contacts").erased == len(alive)
        assert life.leaks() == []
