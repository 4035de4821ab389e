"""The list of contacts: what a row shows, order, filters, windows, and that accounts never mix."""

from itertools import product

import pytest
from sqlalchemy.orm import Session

from kommo.ids import MAX_ID
from kommo.store.contacts import contact_list
from kommo.store.filters import SORTS, Filters
from kommo.store.names import Name
from kommo.store.tables.wallet import CONTACT
from kommo.text import fold, sort_key
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

BY_NAME = Filters(sort="nome")


def test_a_row_shows_what_a_person_looks_for(copies: Copies, session: Session) -> None:
    record = contact_record(501, phones=["+55 11 98812-4410", "+55 11 3333-0000"], emails=["ana.souza@exemplo.com.br"])
    store_contacts(copies.engine, copies.bakery, [record])
    [row] = contact_list(session, copies.bakery, BY_NAME).rows
    assert (row.id, row.title) == (501, "Ana Beatriz Souza")
    assert (row.phone, row.email) == ("+55 11 98812-4410", "ana.souza@exemplo.com.br")
    assert row.responsible == Name(7001, "Paula Nogueira")
    assert row.open_value is None
    assert row.updated_at == NOON - 3600


def test_the_value_in_progress_counts_open_deals_alone(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(501), contact_record(502)])
    deals = [
        deal_record(1, price=100, contacts=[501]),
        deal_record(2, price=20, contacts=[502, 501]),
        deal_record(3, price=3000, contacts=[501], status_id=142),
        deal_record(4, price=40000, contacts=[501], status_id=143),
        deal_record(5, price=7, contacts=[501], status_id=None, pipeline_id=None),
        deal_record(6, price=500000, contacts=[501]),
        deal_record(7, price=0.25, contacts=[502]),
    ]
    store_deals(copies.engine, copies.bakery, deals)
    store_deals(copies.engine, copies.workshop, [deal_record(1, price=9e9, contacts=[501])])
    bury_record(copies.engine, copies.bakery, "deal", 6)
    values = {row.id: row.open_value for row in contact_list(session, copies.bakery, BY_NAME).rows}
    assert values == {501: 127.0, 502: 20.25}


@pytest.mark.parametrize(
    ("user_id", "name"),
    [
        (7002, Name(7002, "Rafael Teixeira", "excluído")),
        (7003, Name(7003, "Sônia Prado", "inativo")),
        (7999, Name(7999, "Usuário 7999")),
        (None, None),
        (0, None),
    ],
)
def test_the_responsible_person_is_named_honestly(
    copies: Copies, session: Session, user_id: int | None, name: Name | None
) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(501, responsible_user_id=user_id)])
    [row] = contact_list(session, copies.bakery, BY_NAME).rows
    assert row.responsible == name


@pytest.mark.parametrize("name", ["", "   ", "\u200b\u200e", "\u3164", "\u2800\u00a0"])
def test_a_contact_without_a_visible_name_is_called_by_its_number(copies: Copies, session: Session, name: str) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(501, name)])
    [row] = contact_list(session, copies.bakery, BY_NAME).rows
    assert row.title == "Contato 501"


def test_a_name_of_a_megabyte_does_not_reach_the_list(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(501, "A" * 1_000_000, phones=["1" * 5000])])
    [row] = contact_list(session, copies.bakery, BY_NAME).rows
    assert row.title == "A" * 200
    assert row.phone == "1" * 200


def test_each_copy_shows_its_own(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(501, "Ana da Padaria")])
    store_contacts(copies.engine, copies.workshop, [contact_record(501, "Ana da Oficina"), contact_record(502, "Aldo")])
    store_contacts(copies.engine, copies.brunos, [contact_record(501, "Ana do Bruno")])
    store_deals(copies.engine, copies.bakery, [deal_record(501)])
    for connection, title, total in (
        (copies.bakery, "Ana da Padaria", 1),
        (copies.workshop, "Ana da Oficina", 2),
        (copies.brunos, "Ana do Bruno", 1),
    ):
        for query in ("", "ana d"):
            found = contact_list(session, connection, Filters(query=query, sort="nome"))
            assert [row.title for row in found.rows][-1] == title
            assert found.total == total
    assert contact_list(session, copies.brunos, BY_NAME).rows[0].responsible == Name(7001, "Usuário 7001")


def test_what_is_gone_from_kommo_is_in_no_list(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(501, "Ana"), contact_record(502, "Ana")])
    bury_record(copies.engine, copies.bakery, CONTACT, 501)
    for filters in (BY_NAME, Filters(query="ana", sort="nome"), Filters(responsible=(7001,), sort="nome")):
        found = contact_list(session, copies.bakery, filters)
        assert ([row.id for row in found.rows], found.matched, found.total) == ([502], 1, 1)


def test_an_empty_copy_is_one_empty_page(copies: Copies, session: Session) -> None:
    found = contact_list(session, copies.bakery, Filters(sort="nome", page=9))
    assert (found.rows, found.matched, found.total, found.page, found.pages) == ([], 0, 0, 1, 1)
    assert (found.first, found.last, found.filters.page) == (0, 0, 1)


def test_every_combination_of_filter_order_and_page(copies: Copies, session: Session) -> None:
    """Against the same thing done by hand in Python, on 130 contacts with many equal names and times."""
    records = [
        contact_record(
            number,
            ("Ávila", "avila", "Érica", "Zé", "")[number % 5],
            responsible_user_id=(7001, 7002, None)[number % 3],
            updated_at=NOON - number % 7,
            emails=[f"p{number}@exemplo.com"] if number % 2 else [],
        )
        for number in range(1, 131)
    ]
    store_contacts(copies.engine, copies.bakery, records)
    queries, people, pages = ("", "avila", "exemplo", "nobody"), ((), (7001,), (7001, 7002), (7999,)), (1, 2, 3, 50)
    for query, chosen, sort, page in product(queries, people, SORTS[CONTACT], pages):
        kept = [
            record
            for record in records
            if (not chosen or record["responsible_user_id"] in chosen)
            and (query in fold(record["name"]) or (query == "exemplo" and record["id"] % 2))
        ]
        column = "updated_at" if "atualizado" in sort else "name"
        kept.sort(
            key=lambda record: (sort_key(record["name"]) if column == "name" else record["updated_at"], record["id"]),
            reverse=sort.startswith("-"),
        )
        last = max(-(-len(kept) // 50), 1)
        at = min(page, last)
        found = contact_list(session, copies.bakery, Filters(query, chosen, sort=sort, page=page))
        expected = [record["id"] for record in kept[(at - 1) * 50 : at * 50]]
        assert [row.id for row in found.rows] == expected, (query, chosen, sort, page)
        assert (found.matched, found.total, found.page, found.pages) == (len(kept), 130, at, last)
        if expected:
            assert (found.first, found.last) == ((at - 1) * 50 + 1, (at - 1) * 50 + len(expected))


def test_the_largest_numbers_are_numbers_like_others(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(MAX_ID, responsible_user_id=MAX_ID)])
    found = contact_list(session, copies.bakery, Filters(responsible=(MAX_ID,), sort="nome", page=10**9))
    assert [row.id for row in found.rows] == [MAX_ID]


def test_the_number_of_queries_does_not_grow_with_the_rows(copies: Copies, session: Session) -> None:
    def queries() -> int:
        with StatementCounter(copies.engine) as counter:
            contact_list(session, copies.bakery, Filters(query="ana", responsible=(7001,), sort="nome"))
        return len(counter.seen)

    store_contacts(copies.engine, copies.bakery, [contact_record(1)])
    store_deals(copies.engine, copies.bakery, [deal_record(1, contacts=[1])])
    queries()
    with_one = queries()
    store_contacts(copies.engine, copies.bakery, [contact_record(number) for number in range(1, 61)])
    store_deals(copies.engine, copies.bakery, [deal_record(number, contacts=[number]) for number in range(1, 61)])
    assert queries() == with_one
    assert with_one <= 9
