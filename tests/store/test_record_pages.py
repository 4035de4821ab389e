"""What the page of one contact and of one deal is made from: links, names, what is gone, and whose it is."""

import pytest
from sqlalchemy.orm import Session

from kommo.store.contacts import contact_page
from kommo.store.deals import deal_page
from kommo.store.links import SHOWN
from kommo.store.names import Name
from kommo.store.tables.wallet import CONTACT, DEAL
from tests.factories import (
    StatementCounter,
    bury_record,
    contact_record,
    deal_record,
    store_contacts,
    store_deals,
)
from tests.store.conftest import Copies


def test_a_contact_with_all_that_belongs_to_it(copies: Copies, session: Session) -> None:
    record = contact_record(501, company=801, tags=["vip", "atacado"], phones=["+55 11 98812-4410"])
    store_contacts(copies.engine, copies.bakery, [record])
    deals = [
        deal_record(1, "Velha", price=10, status_id=142, contacts=[501], updated_at=9),
        deal_record(2, "Nova", price=20, status_id=440102, contacts=[502, 501], updated_at=5),
        deal_record(3, "Mais nova", price=30, contacts=[501], updated_at=6),
        deal_record(4, "De outra pessoa", contacts=[502]),
        deal_record(5, "Perdida", price=5, status_id=143, contacts=[501], updated_at=10),
    ]
    store_deals(copies.engine, copies.bakery, deals)
    page = contact_page(session, copies.bakery, 501)
    assert page is not None
    assert (page.title, page.record) == ("Ana Beatriz Souza", record)
    assert (page.responsible, page.company) == (Name(7001, "Paula Nogueira"), Name(801, "Café Serra Azul Ltda"))
    assert page.deals_total == 4
    assert [(deal.title, deal.value, deal.state) for deal in page.deals] == [
        ("Mais nova", 30.0, "open"),
        ("Nova", 20.0, "open"),
        ("Perdida", 5.0, "lost"),
        ("Velha", 10.0, "won"),
    ]
    assert (page.deals[1].pipeline, page.deals[1].stage) == (Name(4401, "Vendas"), Name(440102, "Proposta"))


def test_a_deal_with_all_that_belongs_to_it(copies: Copies, session: Session) -> None:
    contacts = [contact_record(501, "Márcia", phones=["11 3333-0000"]), contact_record(502, "Otto", emails=["o@x.br"])]
    store_contacts(copies.engine, copies.bakery, contacts)
    bury_record(copies.engine, copies.bakery, CONTACT, 502)
    record = deal_record(6001, status_id=143, loss_reason_id=81, company=802, contacts=[501, 502, 503], tags=["vip"])
    store_deals(copies.engine, copies.bakery, [record])
    page = deal_page(session, copies.bakery, 6001)
    assert page is not None
    assert (page.title, page.record, page.state) == ("Café Serra Azul: contrato anual", record, "lost")
    assert (page.pipeline, page.stage) == (Name(4401, "Vendas"), Name(143, "Venda perdida"))
    assert (page.loss_reason, page.company) == (Name(81, "Preço"), Name(802, "Empresa 802"))
    assert page.contacts_total == 3
    assert [(each.title, each.is_main, each.held, each.gone) for each in page.contacts] == [
        ("Márcia", True, True, False),
        ("Otto", False, True, True),
        ("Contato 503", False, False, False),
    ]
    assert (page.contacts[0].phone, page.contacts[1].email) == ("11 3333-0000", "o@x.br")


def test_reasons_of_loss_are_named_honestly(copies: Copies, session: Session) -> None:
    store_deals(copies.engine, copies.bakery, [deal_record(1, loss_reason_id=99), deal_record(2)])
    known, none = deal_page(session, copies.bakery, 1), deal_page(session, copies.bakery, 2)
    assert known is not None
    assert none is not None
    assert (known.loss_reason, none.loss_reason) == (Name(99, "Motivo 99"), None)


def test_a_record_gone_from_kommo_is_still_there_with_its_date(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(501)])
    store_deals(copies.engine, copies.bakery, [deal_record(6001, contacts=[501])])
    bury_record(copies.engine, copies.bakery, CONTACT, 501)
    bury_record(copies.engine, copies.bakery, DEAL, 6001)
    contact, deal = contact_page(session, copies.bakery, 501), deal_page(session, copies.bakery, 6001)
    assert contact is not None
    assert deal is not None
    assert contact.contact.deleted_at is not None
    assert deal.deal.deleted_at is not None
    assert contact.title == "Ana Beatriz Souza"
    assert contact.deals == []
    assert deal.contacts[0].gone


@pytest.mark.parametrize("number", [0, -1, 1, 502, 2**63 - 1])
def test_an_unknown_record_is_none(copies: Copies, session: Session, number: int) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(501)])
    store_deals(copies.engine, copies.bakery, [deal_record(6001)])
    assert contact_page(session, copies.bakery, number) is None
    assert deal_page(session, copies.bakery, number) is None


def test_a_foreign_record_looks_like_an_unknown_one(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.brunos, [contact_record(501)])
    store_deals(copies.engine, copies.workshop, [deal_record(6001), deal_record(501)])
    assert contact_page(session, copies.bakery, 501) is None
    assert contact_page(session, copies.workshop, 501) is None
    assert deal_page(session, copies.bakery, 6001) is None
    assert deal_page(session, copies.brunos, 6001) is None
    assert contact_page(session, copies.brunos, 501) is not None
    assert deal_page(session, copies.workshop, 6001) is not None


def test_links_stay_within_their_copy(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(501, company=801)])
    store_contacts(copies.engine, copies.brunos, [contact_record(501, company=801)])
    store_deals(copies.engine, copies.brunos, [deal_record(1, contacts=[501])])
    mine, his = contact_page(session, copies.bakery, 501), contact_page(session, copies.brunos, 501)
    assert mine is not None
    assert his is not None
    assert (mine.deals, mine.deals_total, his.deals_total) == ([], 0, 1)
    assert (mine.company, his.company) == (Name(801, "Café Serra Azul Ltda"), Name(801, "Empresa 801"))


def test_a_hundred_links_are_shown_and_all_are_counted(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(501)])
    store_deals(copies.engine, copies.bakery, [deal_record(n, contacts=[501]) for n in range(1, SHOWN + 31)])
    store_deals(copies.engine, copies.bakery, [deal_record(9000, contacts=range(501, 501 + SHOWN + 5))])
    contact, deal = contact_page(session, copies.bakery, 501), deal_page(session, copies.bakery, 9000)
    assert contact is not None
    assert deal is not None
    assert (len(contact.deals), contact.deals_total) == (SHOWN, SHOWN + 31)
    assert (len(deal.contacts), deal.contacts_total) == (SHOWN, SHOWN + 5)


def test_the_number_of_queries_does_not_grow_with_the_links(copies: Copies, session: Session) -> None:
    def queries() -> int:
        with StatementCounter(copies.engine) as counter:
            assert contact_page(session, copies.bakery, 501)
            assert deal_page(session, copies.bakery, 1)
        return len(counter.seen)

    store_contacts(copies.engine, copies.bakery, [contact_record(number) for number in range(501, 541)])
    store_deals(copies.engine, copies.bakery, [deal_record(1, contacts=[501])])
    queries()
    with_one = queries()
    deals = [deal_record(number, contacts=range(501, 541)) for number in range(1, 41)]
    store_deals(copies.engine, copies.bakery, deals)
    session.expire_all()
    assert queries() == with_one
