"""The URL of a list as data: what is bent into range, what is refused, and that it can be written back."""

from itertools import product
from urllib.parse import parse_qs, urlencode

import pytest

from kommo.ids import MAX_ID
from kommo.store.filters import SORTS, BadFilter, Filters, clean_query, parse
from kommo.store.tables.wallet import CONTACT, DEAL


def read(url: str, kind: str = DEAL) -> Filters:
    return parse(parse_qs(url, keep_blank_values=True), kind)


def test_an_empty_address_is_the_list_as_it_comes() -> None:
    assert read("", CONTACT) == Filters(sort="nome")
    assert read("", DEAL) == Filters(sort="-atualizado")
    assert not read("").narrowed


def test_a_form_that_sends_empty_choices_chooses_nothing() -> None:
    assert read("q=&responsavel=&funil=&etapa=&ordem=&pagina=") == Filters(sort="-atualizado")


@pytest.mark.parametrize(
    ("given", "page"),
    [
        ("1", 1), ("7", 7), ("-5", 1), ("0", 1), ("1000000000", 10**9), ("9" * 40, 10**9), ("9" * 5000, 10**9),
        ("1.5", 1), ("1e3", 1), ("x", 1), ("", 1), (" 3 ", 3), ("+3", 1), ("٣", 1), ("²", 1), ("NaN", 1), ("%00", 1),
    ],
)  # fmt: skip
def test_pages_are_bent_into_range(given: str, page: int) -> None:
    assert parse({"pagina": [given]}, CONTACT).page == page


def test_of_a_repeated_single_value_the_first_counts() -> None:
    found = read("pagina=1&pagina=2&ordem=nome&ordem=valor&q=ana&q=bruno&funil=4401&funil=4402")
    assert (found.page, found.sort, found.query, found.pipeline) == (1, "nome", "ana", 4401)


@pytest.mark.parametrize(
    "sort", ["unknown", "valor", "-valor", "--nome", "NOME", "id", "title_folded; DROP TABLE", "\0"]
)
def test_an_order_the_contacts_do_not_know_is_their_own(sort: str) -> None:
    assert parse({"ordem": [sort]}, CONTACT).sort == "nome"


@pytest.mark.parametrize(("kind", "sort"), [(kind, sort) for kind in SORTS for sort in SORTS[kind]])
def test_every_known_order_is_kept(kind: str, sort: str) -> None:
    assert parse({"ordem": [sort]}, kind).sort == sort


def test_several_people_may_be_chosen_each_once() -> None:
    assert read("responsavel=7001&responsavel=7002&responsavel=7001&responsavel=").responsible == (7001, 7002)


@pytest.mark.parametrize("name", ["responsavel", "funil"])
@pytest.mark.parametrize(
    "value", ["0", "-1", "x", "1.5", "1e3", str(MAX_ID + 1), "9" * 19, "9" * 500, "1 2", "7001;7002", "٣", "\0", "'"]
)
def test_a_filter_that_is_no_id_is_refused(name: str, value: str) -> None:
    with pytest.raises(BadFilter, match=f"^O filtro {name} recebeu um valor que não é um número do Kommo.$"):
        parse({name: [value]}, DEAL)


def test_the_largest_id_is_one() -> None:
    found = read(f"responsavel={MAX_ID}&etapa={MAX_ID}-{MAX_ID}")
    assert found.responsible == (MAX_ID,)
    assert found.stage == (MAX_ID, MAX_ID)


def test_too_many_people_are_refused() -> None:
    assert len(read(urlencode([("responsavel", n) for n in range(1, 201)])).responsible) == 200
    with pytest.raises(BadFilter, match="até 200 valores"):
        read(urlencode([("responsavel", n) for n in range(1, 202)]))


@pytest.mark.parametrize("value", ["142", "4401-", "-142", "4401-142-1", "4401:142", "x-y", "4401 - 142", "--", "\0"])
def test_a_text_that_is_no_stage_is_refused(value: str) -> None:
    with pytest.raises(BadFilter, match="não é uma etapa, como 4401-142"):
        parse({"etapa": [value]}, DEAL)


@pytest.mark.parametrize("value", ["0-142", "4401-0", f"{MAX_ID + 1}-1", f"1-{MAX_ID + 1}"])
def test_a_stage_of_impossible_ids_is_refused(value: str) -> None:
    with pytest.raises(BadFilter):
        parse({"etapa": [value]}, DEAL)


def test_a_stage_brings_its_pipeline() -> None:
    found = read("etapa=4401-142")
    assert (found.pipeline, found.stage) == (4401, (4401, 142))


def test_another_pipeline_drops_the_stage_of_the_old_one() -> None:
    found = read("funil=4402&etapa=4401-142")
    assert (found.pipeline, found.stage) == (4402, None)


def test_contacts_have_neither_pipeline_nor_stage() -> None:
    assert parse({"funil": ["4401"], "etapa": ["nonsense"]}, CONTACT) == Filters(sort="nome")


@pytest.mark.parametrize(
    ("typed", "searched"),
    [
        ("  Ana   Souza ", "Ana Souza"),
        ("Ana\0Souza", "Ana Souza"),
        ("Ana\u00a0\u200b\ufeffSouza\n", "Ana Souza"),
        ("\u202egnol", "gnol"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("%_'\"\\", "%_'\"\\"),
        ("\0\0", ""),
    ],
)
def test_a_search_is_one_line_of_what_can_be_seen(typed: str, searched: str) -> None:
    assert clean_query(typed) == searched


def test_a_search_is_cut_at_two_hundred_characters() -> None:
    assert clean_query("a" * 10_000) == "a" * 200
    assert len(clean_query("ab " * 10_000)) <= 200


def test_a_change_goes_back_to_the_first_page() -> None:
    found = read("q=ana&pagina=7").but(sort="nome")
    assert (found.page, found.query, found.sort) == (1, "ana", "nome")
    assert found.but(page=3).page == 3


QUERIES, PEOPLE, STAGES, PAGES = ("", "ana & bruno"), ((), (7001, 7002)), (None, (4401, 142)), (1, 9)


@pytest.mark.parametrize(("query", "people", "stage", "page"), list(product(QUERIES, PEOPLE, STAGES, PAGES)))
def test_filters_written_into_an_address_come_back_equal(
    query: str, people: tuple[int, ...], stage: tuple[int, int] | None, page: int
) -> None:
    for sort in SORTS[DEAL]:
        found = Filters(query, people, stage[0] if stage else None, stage, sort, page)
        assert read(urlencode(found.arguments(DEAL), doseq=True)) == found
        assert found.narrowed == bool(query or people or stage)


def test_what_goes_without_saying_stays_out_of_the_address() -> None:
    assert Filters(sort="nome").arguments(CONTACT) == {}
    assert Filters(pipeline=4401, sort="-atualizado").arguments(DEAL) == {"funil": 4401}
    assert Filters(pipeline=4401, stage=(4401, 142), sort="-atualizado").arguments(DEAL) == {"etapa": "4401-142"}
