"""/privacidade and /auditoria as a person sees them."""

import csv
import io
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from kommo.db import now, reading, writing
from kommo.privacy import erase, files
from kommo.services import Services
from kommo.store import audit
from kommo.store.audit import Actor
from kommo.store.tables import Audit, Suppression, SyncStream, Wallet
from tests.factories import ANA, BRUNO, contact_record, deal_record, make_account, make_run, store_contacts, store_deals
from tests.pages.conftest import Person
from tests.pages.dom import parse
from tests.privacy.conftest import BY, EMAIL, NAME, PHONE

HERE = "/privacidade/pessoas/41"


@pytest.fixture
def person(client: Any) -> Person:
    """Ana at an installation with Quitéria (41) and her deal (51)."""
    made = Person(client)
    account = make_account(made.engine)
    store_contacts(made.engine, account, [contact_record(41, NAME, phones=[PHONE], emails=[EMAIL]), contact_record(42)])
    store_deals(made.engine, account, [deal_record(51, f"Bolo, {NAME}", contacts=[41])])
    return made


def actions(services: Services) -> list[str]:
    with reading(services.engine) as session:
        return list(session.scalars(select(Audit.action).order_by(Audit.id)))


def test_a_search_shows_the_person_and_leads_to_them(person: Person) -> None:
    answer = person.send("/privacidade", busca="xisto")
    page = parse(answer)
    assert [one["href"] for one in page.all("a", class_="row-link")] == [f"{HERE}?conta=30001000"]
    assert NAME in page.one("table").text
    assert actions(person.services) == ["person.found"]


def test_what_is_searched_for_stands_in_no_address(person: Person) -> None:
    """Addresses are logged and remembered by browsers; a personal value has no place in them."""
    form = person.open("/privacidade").one("form", role="search")
    assert form["method"] == "post"
    assert person.client.get("/privacidade?busca=xisto").get_data(as_text=True).count(NAME) == 0


def test_nobody_found_says_what_to_do(person: Person) -> None:
    assert "Ninguém encontrado" in parse(person.send("/privacidade", busca="zzzz")).one("main").text


def test_too_short_a_text_is_given_back_with_a_sentence(person: Person) -> None:
    answer = person.send("/privacidade", busca="a")
    assert answer.status_code == 422
    page = parse(answer)
    assert page.one("input", id="busca")["value"] == "a"
    assert "pelo menos 3 letras" in page.one("p", id="busca-error").text
    assert actions(person.services) == []


def test_a_persons_page_says_what_is_kept(person: Person) -> None:
    text = person.open(HERE).one("main").text
    assert NAME in text
    assert "Negociações da pessoa 1" in text


@pytest.mark.parametrize(
    "path", ["/privacidade/pessoas/999", "/privacidade/pessoas/0", f"/privacidade/pessoas/{2**64}"]
)
def test_an_unknown_person_is_not_found(person: Person, path: str) -> None:
    person.open(path, 404)
    person.open(f"{path}/apagar", 404)
    assert person.send(f"{path}/apagar", certeza="1").status_code == 404
    assert person.send(f"{path}/exportar", formato="json").status_code == 404


def test_somebody_elses_person_looks_unknown(person: Person) -> None:
    account = make_account(person.engine, owner=BRUNO, account_id=30002000)
    store_contacts(person.engine, account, [contact_record(77, "Pessoa do Bruno")])
    person.open("/privacidade/pessoas/77", 404)
    person.open("/privacidade/pessoas/77?conta=30002000", 404)
    assert person.send("/privacidade/pessoas/77/apagar", certeza="1").status_code == 404
    assert "Ninguém encontrado" in parse(person.send("/privacidade", busca="Bruno")).one("main").text


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_an_export_is_a_file_to_hand_over(person: Person, kind: str) -> None:
    answer = person.send(f"{HERE}/exportar", formato=kind)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="pessoa-41.{kind}"'
    assert answer.headers["Cache-Control"] == "no-store"
    text = answer.get_data().decode("utf-8-sig")
    assert NAME in text
    if kind == "json":
        assert orjson.loads(text)["pessoa"]["telefones"] == [PHONE]
    else:
        assert next(csv.reader(io.StringIO(text, newline=""))) == ["parte", "numero", "campo", "valor"]
    assert actions(person.services) == ["person.exported"]


def test_another_format_is_refused(person: Person) -> None:
    assert person.send(f"{HERE}/exportar", formato="exe").status_code == 400
    assert actions(person.services) == []


def test_before_erasing_the_page_names_what_goes_and_what_stays_elsewhere(person: Person) -> None:
    text = person.open(f"{HERE}/apagar").one("main").text
    assert "o contato 41 com todos os campos" in text
    assert "1 negociação perde os textos" in text
    assert "O Kommo continua com esta pessoa" in text
    assert "Cópias de segurança que você levou para outro lugar" in text


def test_without_the_confirmation_nothing_is_erased(person: Person) -> None:
    answer = person.send(f"{HERE}/apagar")
    assert answer.status_code == 422
    assert "Marque a confirmação" in parse(answer).one("p", id="certeza-error").text
    assert NAME in person.open(HERE).text
    assert actions(person.services) == []


def test_without_the_forms_token_nothing_is_erased(person: Person) -> None:
    assert person.client.post(f"{HERE}/apagar", data={"certeza": "1"}).status_code == 403
    assert NAME in person.open(HERE).text


def test_a_confirmed_person_is_gone_from_every_page(person: Person) -> None:
    assert person.send(f"{HERE}/apagar", certeza="1").headers["Location"].startswith(HERE)
    for path in (
        "/",
        "/contatos",
        "/negociacoes",
        "/negociacoes/51",
        "/privacidade",
        "/auditoria",
        HERE,
        "/sincronizacao",
    ):
        text = person.client.get(path).get_data(as_text=True)
        assert not any(value in text for value in (NAME, PHONE, EMAIL)), path
    person.open("/contatos/41", 404)
    text = person.open(HERE).one("main").text
    assert "Os dados desta pessoa foram apagados em" in text
    assert "Contato 41" in person.open("/privacidade").one("section", id="erased").text
    assert actions(person.services) == ["person.erased"]


def test_asking_again_for_who_is_gone_leads_to_what_is_known(person: Person) -> None:
    person.send(f"{HERE}/apagar", certeza="1")
    assert person.client.get(f"{HERE}/apagar").status_code == 303
    assert person.send(f"{HERE}/apagar", certeza="1").status_code == 303
    assert actions(person.services) == ["person.erased"]


@pytest.mark.only_on("sqlite", reason="its file is cleaned by a worker")
def test_the_page_says_whether_the_file_is_clean(person: Person) -> None:
    person.send(f"{HERE}/apagar", certeza="1")
    assert "os bytes ainda estão no arquivo do banco" in person.open("/privacidade").text
    assert files.clean(person.services)
    assert "O arquivo do banco foi regravado em" in person.open("/privacidade").text


@pytest.mark.only_on("postgresql", reason="whose bytes are not ours")
def test_on_postgresql_the_page_says_what_an_operator_must_do(person: Person) -> None:
    for path in ("/privacidade", f"{HERE}/apagar"):
        text = person.open(path).one("main").text
        for word in ("VACUUM FULL", "WAL", "réplicas", "backups"):
            assert word in text, path
    person.send(f"{HERE}/apagar", certeza="1")
    assert "VACUUM FULL" in person.open(HERE).text


def test_the_demonstration_account_says_who_plays_kommo(person: Person) -> None:
    account = make_account(person.engine, account_id=30003000, is_demo=True)
    store_contacts(person.engine, account, [contact_record(61, "Pessoa inventada")])
    text = person.open("/privacidade/pessoas/61/apagar?conta=30003000").text
    assert "A conta de demonstração continua com esta pessoa" in text


def test_the_same_person_twice_is_pointed_out(person: Person) -> None:
    account = make_account(person.engine)
    store_contacts(person.engine, account, [contact_record(43, "Q. Xisto", emails=[EMAIL])])
    assert "Q. Xisto" in person.open(HERE).text
    assert "1 outro contato tem o mesmo telefone ou e-mail" in person.open(f"{HERE}/apagar").text


def test_terms_are_shown_saved_and_given_back_when_wrong(person: Person) -> None:
    page = person.open("/privacidade")
    assert [page.one("input", id=name)["value"] for name in ("runs", "audit", "copies", "backups")] == [
        "365", "1825", "", "180",
    ]  # fmt: skip
    assert person.send("/privacidade/prazos", runs="30", audit="", copies="90", backups="7").status_code == 303
    page = person.open("/privacidade")
    assert [page.one("input", id=name)["value"] for name in ("runs", "audit", "copies", "backups")] == [
        "30", "", "90", "7",
    ]  # fmt: skip
    for wrong in ("0", "-1", "x", "1,5", "99999999", "٣"):
        answer = person.send("/privacidade/prazos", runs=wrong, audit="5")
        assert answer.status_code == 422
        assert parse(answer).one("input", id="runs")["value"] == wrong
        assert "número inteiro de dias" in parse(answer).one("p", id="runs-error").text
    assert person.open("/privacidade").one("input", id="audit")["value"] == ""


def test_without_an_account_the_page_is_there(client: Any) -> None:
    person = Person(client)
    assert "Ninguém foi apagado" in person.open("/privacidade").text
    assert "Ninguém encontrado" in parse(person.send("/privacidade", busca="xisto")).text
    person.open("/privacidade/pessoas/41", 404)
    assert "Nada registrado" in person.open("/auditoria?acao=logout").text


def fill(person: Person, number: int, action: str = "login.ok", by: Actor = BY, owner: str | None = ANA) -> None:
    with writing(person.engine) as session:
        for each in range(number):
            audit.note(session, by, action, owner=owner, subject=f"nº {each}")


def test_the_proof_counts_who_was_erased_on_pages_and_in_the_api(person: Person) -> None:
    account = make_account(person.engine)
    run_id = make_run(person.engine, account, contacts=(2, 1), deals=(1, 1))
    assert "Parcial" in person.open("/contatos").text
    person.send(f"{HERE}/apagar", certeza="1")
    with writing(person.engine) as session:
        session.get_one(SyncStream, (run_id, "contacts")).erased = 1
    assert "2 no Kommo, 1 aqui e 1 apagado a pedido" in person.open("/sincronizacao").text
    badge = person.open("/contatos").all("a", class_="badge")[0]
    assert "2 contatos no Kommo, 1 aqui e 1 apagado a pedido" in badge["title"]
    data = person.client.get("/api/kommo/sync").get_json()["data"]
    assert data["contactsCount"] == 1
    proof = {name: data["proof"]["contacts"][name] for name in ("kommo", "local", "erased", "equal")}
    assert proof == {"kommo": 2, "local": 1, "erased": 1, "equal": True}
    assert data["proof"]["deals"]["erased"] == 0
    listed = person.client.get("/api/kommo/contacts?source=local").get_json()
    assert '"id": 42' in str(listed).replace("'", '"')
    assert '"id": 41' not in str(listed).replace("'", '"')


def test_the_log_is_shown_newest_first_with_all_that_is_known(person: Person) -> None:
    fill(person, 1)
    fill(person, 1, "login.refused", Actor("user", "rui", "198.51.100.7"))
    rows = person.open("/auditoria").one("tbody").all("tr")
    assert [row.all("b")[0].text for row in rows] == ["Entrada recusada", "Entrada"]
    assert "rui" in rows[0].text
    assert "198.51.100.7" in rows[0].text


def test_the_log_is_paged(person: Person) -> None:
    fill(person, 120)
    seen, path = 0, "/auditoria"
    while path:
        page = person.open(path)
        seen += len(page.one("tbody").all("tr"))
        older = page.all("a", rel="next")
        path = older[0]["href"] if older else ""
    assert seen == 120


def test_the_log_is_filtered_by_act_actor_and_day(person: Person) -> None:
    fill(person, 2)
    fill(person, 3, "logout", Actor("shell", "root"))
    for path, number in (
        ("/auditoria?acao=logout", 3), ("/auditoria?quem=user", 2), ("/auditoria?quem=shell&acao=login.ok", 0),
        ("/auditoria?de=2000-01-01", 5), ("/auditoria?ate=2000-01-01", 0), ("/auditoria?acao=nada", 0),
    ):  # fmt: skip
        page = person.open(path)
        assert sum(len(body.all("tr")) for body in page.all("tbody")) == number, path


@pytest.mark.parametrize("path", ["/auditoria?de=ontem", "/auditoria?ate=2026-13-45", "/auditoria?de=0000-00-00"])
def test_what_is_no_day_is_said(person: Person, path: str) -> None:
    assert "Escolha uma data" in person.open(path, 422).text
    for kind in (".csv", ".json"):
        assert person.client.get(path.replace("?", f"{kind}?")).status_code == 422


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, str(2**63), "1.5", "٣"])
def test_an_odd_place_in_the_log_is_the_beginning(person: Person, before: str) -> None:
    fill(person, 1)
    assert len(person.open(f"/auditoria?antes={before}").one("tbody").all("tr")) == 1


def test_another_owners_entries_are_not_shown(person: Person) -> None:
    fill(person, 1)
    fill(person, 4, "logout", owner=BRUNO)
    fill(person, 1, "retention.applied", audit.SYSTEM, owner=None)
    page = person.open("/auditoria")
    assert len(page.one("tbody").all("tr")) == 2
    assert "Saída" not in page.one("select", name="acao").text


def test_the_log_as_files_has_the_same_rows(person: Person) -> None:
    fill(person, 3)
    fill(person, 2, "logout", Actor("user", "=cmd()", "198.51.100.7"))
    answer = person.client.get("/auditoria.csv?acao=logout")
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))
    assert [row["codigo"] for row in rows] == ["logout"] * 2
    assert rows[0]["nome"] == "'=cmd()"
    found = orjson.loads(person.client.get("/auditoria.json?acao=logout").get_data())
    assert [row["nome"] for row in found] == ["=cmd()"] * 2
    assert found[0]["acao"] == "Saída"
    with reading(person.engine) as session:
        assert now(session) > 0
    everything = orjson.loads(person.client.get("/auditoria.json").get_data())
    assert [row["codigo"] for row in everything].count("audit.exported") == 3
    assert orjson.loads(person.client.get("/auditoria.json?acao=nada").get_data()) == []


def test_hostile_names_in_the_log_are_text(person: Person) -> None:
    fill(person, 1, by=Actor("user", "<script>alert(1)</script>", '"><img src=x>'))
    raw = person.client.get("/auditoria").get_data(as_text=True)
    assert "<script>alert" not in raw
    assert "<img" not in raw


def test_the_erased_rows_stand_nowhere_but_here(person: Person) -> None:
    person.send(f"{HERE}/apagar", certeza="1")
    with reading(person.engine) as session:
        kept = session.scalars(select(Suppression)).all()
        assert {(one.kind, one.remote_id) for one in kept} == {("contact", 41), ("deal", 51)}
        assert session.scalars(select(Wallet.record).where(Wallet.remote_id == 41)).one() == {"id": 41}
    assert erase.subject_of(41) == "contato 41"
