"""Searching: every word, anywhere, accents and case aside, literally, and true while the index is behind."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kommo.crm.records import contact_from, deal_from
from kommo.db import count, writing
from kommo.store import search
from kommo.store.contacts import contact_list
from kommo.store.filters import Filters, clean_query
from kommo.store.lists import local_page
from kommo.store.records import Incoming, Target, write_page
from kommo.store.tables import SearchPending, SyncRun
from kommo.store.tables.wallet import CONTACT, DEAL
from kommo.sync.rows import contact_row, deal_row
from tests.factories import bury_record, contact_record, deal_record, store_contacts, store_deals
from tests.store.conftest import Copies

PEOPLE = [
    contact_record(1, "Ana Beatriz Souza", phones=["+55 (11) 98812-4410"], emails=["Ana.Souza@Exemplo.com.br"]),
    contact_record(2, "Antônio d'Ávila", phones=["31 3224.9081", "0800 123 4567"], emails=[]),
    contact_record(3, "ÂNGELA CONCEIÇÃO", emails=["angela_c@exemplo.com.br"]),
    contact_record(4, "100% Orgânico \\ Cia", phones=["+5511988124411"]),
    contact_record(5, 'O "Rei" do Pão', emails=["rei%do@pao.com"]),
    contact_record(6, "Straße NEAR(Café) AND *OR* NOT"),
    contact_record(7, "Zé 👩‍💻 Silva"),
    contact_record(8, "李小龍"),
]


@pytest.fixture
def people(copies: Copies) -> Copies:
    store_contacts(copies.engine, copies.bakery, PEOPLE)
    store_contacts(copies.engine, copies.brunos, [contact_record(1, "Ana do Bruno"), contact_record(99, "Ana Souza")])
    store_deals(copies.engine, copies.bakery, [deal_record(1, "Ana Souza Antônio Zé")])
    return copies


def ids(session: Session, copies: Copies, query: str) -> list[int]:
    filters = Filters(query=clean_query(query), sort="nome")
    return sorted(row.id for row in contact_list(session, copies.bakery, filters).rows)


FOUND = {
    "ana": [1],
    "ANA souza": [1],
    "souza ana": [1],
    "souza xana": [],
    "antonio": [2],
    "António": [2],
    "d'avila": [2],
    "angela": [3],
    "conceicao": [3],
    "exemplo.com.br": [1, 3],
    "ana.souza@exemplo.com.br": [1],
    "988124410": [1],
    "98812-4410": [1],
    "8812-44": [1, 4],
    "(11) 98812": [1, 4],
    "+55 11 98812 4411": [4],
    "3224.9081": [2],
    "32249081": [2],
    "8001234": [2],
    "ze": [7],
    "an": [1, 2, 3, 4, 6],
    "a": [1, 2, 3, 4, 5, 6, 7],
    "an so": [1],
    "an ão": [3],
    "4 11": [1, 4],
    "zq": [],
    "👩‍💻": [7],
    "李": [8],
    "小龍": [8],
    "李小龍": [8],
    "strasse": [6],
    "%": [4, 5],
    "100%": [4],
    "0% o": [4],
    "_": [3],
    "a_c": [3],
    "\\": [4],
    "\\ cia": [4],
    '"': [5],
    '"rei"': [5],
    "'": [2],
    "*": [6],
    "*or*": [6],
    "NEAR(": [6],
    "NEAR(cafe)": [6],
    "near and not": [6],
    "an*": [],
    "a%a": [],
    "ana OR antonio": [],
    "search_text": [],
    "content:ana": [],
    "-ana": [],
    "^ana": [],
    "{ana}": [],
    "');--": [],
    "\0ana\0": [1],
    "ana\nsouza": [1],
}

LONGEST = ["a " * 5000, "x" * 10_000, '"' * 10_000, "%_" * 5000, "👩‍💻" * 3000, " ".join("abcdefghij") * 999]


def write(copies: Copies, kind: str, rows: Sequence[Incoming]) -> int:
    """Bring a page into the bakery's copy and leave the index behind; gives how many rows it is behind."""
    with writing(copies.engine) as session:
        run = SyncRun(connection_id=copies.bakery.id, trigger="page", state="done", requested_at=0.0)
        session.add(run)
        session.flush()
        target = Target(copies.bakery.user_id, copies.bakery.id, kind, run.id, f"{kind}s")
        write_page(session, target, rows, 10**12 + run.id)
        return count(session, select(SearchPending))


def test_what_is_found(people: Copies, session: Session) -> None:
    assert {query: ids(session, people, query) for query in FOUND} == FOUND


def test_the_longest_searches_are_answered(people: Copies, session: Session) -> None:
    """They are cut at 200 characters: what is left of them is still a literal search."""
    assert [ids(session, people, query) for query in LONGEST] == [[1, 2, 3, 4, 5, 6, 7], [], [], [], [], []]


def test_a_search_for_nothing_shows_everything(people: Copies, session: Session) -> None:
    for query in ("", "   ", "\0", "\u200b", "\n\t"):
        assert ids(session, people, query) == list(range(1, 9))


def test_a_new_name_is_found_and_an_old_one_is_not_before_the_index_catches_up(
    people: Copies, session: Session
) -> None:
    changed = [contact_record(1, "Beatriz Lima"), contact_record(50, "Ana Nova", phones=["11 97777-0000"])]
    write(people, CONTACT, [contact_row(contact_from(record)) for record in changed])

    def found() -> list[list[int]]:
        return [ids(session, people, query) for query in ("ana", "an", "lima", "li be", "ana souza", "7777-00")]

    before = found()
    session.rollback()
    search.catch_up(people.engine)
    assert before == found() == [[50], [2, 3, 4, 6, 50], [1], [1], [], [50]]


def test_a_record_gone_from_kommo_is_not_found_before_the_index_catches_up(people: Copies, session: Session) -> None:
    bury_record(people.engine, people.bakery, CONTACT, 1)
    assert ids(session, people, "ana") == []


def test_what_changes_nothing_a_search_reads_is_not_indexed_again(people: Copies) -> None:
    """A field's name, a price, a stage, the order of a deal's contacts: most of what changes at Kommo."""
    other = [record | {"updated_at": 2_000_000_000, "responsible_user_id": 7003} for record in PEOPLE]
    assert write(people, CONTACT, [contact_row(contact_from(record)) for record in other]) == 0
    deals = [deal_record(7, "Bolo", contacts=[1, 2])]
    store_deals(people.engine, people.bakery, deals)
    dearer = [deal_record(7, "Bolo", contacts=[2, 1], price=99_000, status_id=440102)]
    assert write(people, DEAL, [deal_row(deal_from(record)) for record in dearer]) == 0


@pytest.mark.parametrize("indexed", [False, True])
def test_a_deal_with_other_contacts_is_found_by_them(people: Copies, session: Session, indexed: bool) -> None:
    store_deals(people.engine, people.bakery, [deal_record(7, "Bolo", contacts=[1])])
    write(people, DEAL, [deal_row(deal_from(deal_record(7, "Bolo", contacts=[2])))])
    if indexed:
        search.catch_up(people.engine)
    found = {query: local_page(session, people.bakery, DEAL, query, 1, 50).matched for query in ("988124410", "avila")}
    assert found == {"988124410": 0, "avila": 1}
    session.rollback()
    write(people, DEAL, [deal_row(deal_from(deal_record(7, "Bolo", contacts=[])))])
    if indexed:
        search.catch_up(people.engine)
    assert local_page(session, people.bakery, DEAL, "avila", 1, 50).matched == 0


@pytest.mark.parametrize("indexed", [False, True])
def test_what_comes_back_as_it_was_is_found_again(people: Copies, session: Session, indexed: bool) -> None:
    store_deals(people.engine, people.bakery, [deal_record(7, "Bolo", contacts=[1])])
    bury_record(people.engine, people.bakery, CONTACT, 1)
    assert local_page(session, people.bakery, DEAL, "988124410", 1, 50).matched == 0
    session.rollback()
    write(people, CONTACT, [contact_row(contact_from(PEOPLE[0]))])
    if indexed:
        search.catch_up(people.engine)
    assert ids(session, people, "souza") == [1]
    assert local_page(session, people.bakery, DEAL, "988124410", 1, 50).matched == 1


def test_a_program_reads_the_copy_in_order_of_id(people: Copies, session: Session) -> None:
    found = local_page(session, people.bakery, CONTACT, "", 1, 3)
    assert [record["id"] for record in found.records] == [1, 2, 3]
    assert found.records[0] == PEOPLE[0]
    assert (found.matched, found.page, found.pages) == (8, 1, 3)
    last = local_page(session, people.bakery, CONTACT, "", 3, 3)
    assert [record["id"] for record in last.records] == [7, 8]


def test_a_program_gets_nothing_past_the_end(people: Copies, session: Session) -> None:
    for page, limit in ((4, 3), (2, 250), (1_000_000, 250), (10**18, 250)):
        found = local_page(session, people.bakery, CONTACT, "", page, limit)
        assert (found.records, found.matched, found.page) == ([], 8, page)


def test_a_program_searches_as_people_do(people: Copies, session: Session) -> None:
    found = local_page(session, people.bakery, CONTACT, " ÁNA\0 ", 1, 50)
    assert [record["id"] for record in found.records] == [1]
    deals = local_page(session, people.bakery, DEAL, "ana", 1, 50)
    assert [record["name"] for record in deals.records] == ["Ana Souza Antônio Zé"]
    assert local_page(session, people.workshop, CONTACT, "ana", 1, 50).records == []


@pytest.mark.parametrize("behind", [False, True])
def test_a_deal_is_found_by_its_contacts(copies: Copies, behind: bool) -> None:
    """By their names, phones and e-mails, whatever arrived first and whether the index is behind or not."""
    store_deals(copies.engine, copies.bakery, [deal_record(1, "Bolo", contacts=[1, 2]), deal_record(2, "Torta")])
    store_contacts(copies.engine, copies.bakery, PEOPLE[:2])
    if behind:
        with writing(copies.engine) as session:
            search.mark(session, copies.bakery.id, CONTACT, [1, 2])
    with Session(copies.engine) as session:
        for query, found in {"souza": [1], "988124410": [1], "d'avila": [1], "bolo": [1], "torta": [2]}.items():
            page = local_page(session, copies.bakery, DEAL, query, 1, 50)
            assert [record["id"] for record in page.records] == found, query
    bury_record(copies.engine, copies.bakery, CONTACT, 1)
    with Session(copies.engine) as session:
        assert local_page(session, copies.bakery, DEAL, "souza", 1, 50).records == []
