"""The list of deals: what a row shows, filters by pipeline, stage and person, order, and that accounts never mix."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy.orm import Session

from kommo.store.deals import DealRow, deal_list
from kommo.store.filters import SORTS, Filters
from kommo.store.names import Name
from kommo.store.tables.wallet import CONTACT, DEAL
from kommo.text import fold
from tests.factories import (
    NOON,
    StatementCounter,
    bury_record,
    contact_record,
    deal_record,
    store_contacts,
    store_deals,
)
from tests.store.conftest import Copies

NEWEST = Filters(sort="-atualizado")


def only(copies: Copies, session: Session, **changes: Any) -> DealRow:
    store_deals(copies.engine, copies.bakery, [deal_record(6001, **changes)])
    [row] = deal_list(session, copies.bakery, NEWEST).rows
    return row


def test_a_row_shows_what_a_person_looks_for(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(501, "Márcia Fontes")])
    row = only(copies, session, price=12050, status_id=440102, contacts=[501])
    assert (row.id, row.title, row.value) == (6001, "Café Serra Azul: contrato anual", 12050.0)
    assert (row.pipeline, row.stage, row.state) == (Name(4401, "Vendas"), Name(440102, "Proposta"), "open")
    assert row.responsible == Name(7001, "Paula Nogueira")
    assert row.updated_at == NOON - 7200
    assert row.contact is not None
    assert (row.contact.id, row.contact.title, row.contact.held, row.contact.gone) == (
        501,
        "Márcia Fontes",
        True,
        False,
    )


@pytest.mark.parametrize(
    ("pipeline", "stage", "named", "state"),
    [
        (4401, 142, "Venda ganha", "won"),
        (4402, 143, "Venda perdida", "lost"),
        (9999, 142, "Ganha", "won"),
        (9999, 143, "Perdida", "lost"),
        (4401, 55, "Etapa 55", "open"),
        (4402, 440101, "Etapa 440101", "open"),
        (None, None, None, "open"),
    ],
)
def test_a_stage_is_known_by_pipeline_and_number(
    copies: Copies, session: Session, pipeline: int | None, stage: int | None, named: str | None, state: str
) -> None:
    row = only(copies, session, pipeline_id=pipeline, status_id=stage)
    assert ((row.stage.text if row.stage else None), row.state) == (named, state)


def test_the_main_contact_comes_first_whatever_its_place(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(number, f"Pessoa {number}") for number in (1, 2, 3)])
    contacts = [{"id": 3, "is_main": False}, {"id": 2, "is_main": True}, {"id": 1, "is_main": False}]
    row = only(copies, session, _embedded={"contacts": contacts})
    assert row.contact is not None
    assert row.contact.title == "Pessoa 2"


def test_without_a_main_contact_the_first_one_stands_in(copies: Copies, session: Session) -> None:
    row = only(copies, session, _embedded={"contacts": [{"id": 9}, {"id": 1}]})
    assert row.contact is not None
    assert (row.contact.id, row.contact.title, row.contact.held) == (9, "Contato 9", False)


def test_a_contact_gone_from_kommo_is_marked(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(501)])
    bury_record(copies.engine, copies.bakery, CONTACT, 501)
    row = only(copies, session, contacts=[501])
    assert row.contact is not None
    assert (row.contact.title, row.contact.gone) == ("Ana Beatriz Souza", True)


def test_a_deal_without_contact_or_name(copies: Copies, session: Session) -> None:
    row = only(copies, session, name=" ")
    assert (row.contact, row.title) == (None, "Negociação 6001")


def test_contacts_of_another_copy_are_not_borrowed(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.workshop, [contact_record(501, "Da Oficina")])
    store_contacts(copies.engine, copies.brunos, [contact_record(501, "Do Bruno")])
    store_deals(copies.engine, copies.brunos, [deal_record(6001, contacts=[502])])
    row = only(copies, session, contacts=[501])
    assert row.contact is not None
    assert (row.contact.title, row.contact.held) == ("Contato 501", False)


def test_each_copy_shows_its_own(copies: Copies, session: Session) -> None:
    store_deals(copies.engine, copies.bakery, [deal_record(1, "Venda da Padaria")])
    store_deals(copies.engine, copies.workshop, [deal_record(1, "Venda da Oficina")])
    store_deals(copies.engine, copies.brunos, [deal_record(1, "Venda do Bruno"), deal_record(2, "Venda dois")])
    store_contacts(copies.engine, copies.bakery, [contact_record(1, "Venda")])
    for connection, titles in (
        (copies.bakery, {"Venda da Padaria"}),
        (copies.workshop, {"Venda da Oficina"}),
        (copies.brunos, {"Venda do Bruno", "Venda dois"}),
    ):
        for filters in (NEWEST, Filters(query="venda", sort="nome"), Filters(pipeline=4401, sort="-valor")):
            assert {row.title for row in deal_list(session, connection, filters).rows} == titles


def test_every_combination_of_filter_order_and_page(copies: Copies, session: Session) -> None:
    """Against the same thing done by hand in Python, on 120 deals with many equal names, values and times."""
    records = [
        deal_record(
            number,
            ("Pão", "pao de queijo", "Bolo")[number % 3],
            price=number % 4 * 10,
            pipeline_id=(4401, 4402)[number % 2],
            status_id=(142, 440101, 440201, 143)[number % 4],
            responsible_user_id=(7001, 7002, 7003)[number % 3],
            updated_at=NOON - number % 5,
        )
        for number in range(1, 121)
    ]
    store_deals(copies.engine, copies.bakery, records)
    keys = {
        "nome": lambda record: fold(record["name"]),
        "valor": lambda record: record["price"],
        "atualizado": lambda record: record["updated_at"],
    }
    people: tuple[tuple[int, ...], ...] = ((), (7001,), (7002, 7003))
    places: tuple[tuple[int | None, tuple[int, int] | None], ...] = (
        (None, None), (4401, None), (4401, (4401, 440101)), (4402, (4402, 143)), (4402, (4402, 142)), (9, None),
    )  # fmt: skip
    for query, chosen, (pipeline, stage), sort, page in product(("", "pao"), people, places, SORTS[DEAL], (1, 2, 9)):
        kept = [
            record
            for record in records
            if query in fold(record["name"])
            and (not chosen or record["responsible_user_id"] in chosen)
            and (not pipeline or record["pipeline_id"] == pipeline)
            and (not stage or (record["pipeline_id"], record["status_id"]) == stage)
        ]
        key = keys[sort.removeprefix("-")]
        kept.sort(key=lambda record: (key(record), record["id"]), reverse=sort.startswith("-"))
        at = min(page, max(-(-len(kept) // 50), 1))
        found = deal_list(session, copies.bakery, Filters(query, chosen, pipeline, stage, sort, page))
        expected = [record["id"] for record in kept[(at - 1) * 50 : at * 50]]
        assert [row.id for row in found.rows] == expected, (query, chosen, pipeline, stage, sort, page)
        assert (found.matched, found.total, found.page) == (len(kept), 120, at)


def test_the_number_of_queries_does_not_grow_with_the_rows(copies: Copies, session: Session) -> None:
    filters = Filters("café", (7001,), 4401, (4401, 440101), "-valor")

    def queries() -> int:
        with StatementCounter(copies.engine) as counter:
            assert deal_list(session, copies.bakery, filters).matched
        return len(counter.seen)

    store_contacts(copies.engine, copies.bakery, [contact_record(number) for number in range(1, 61)])
    store_deals(copies.engine, copies.bakery, [deal_record(1, contacts=[1])])
    queries()
    with_one = queries()
    store_deals(copies.engine, copies.bakery, [deal_record(number, contacts=[number, 1]) for number in range(1, 61)])
    assert queries() == with_one
    assert with_one <= 9
