"""/sincronizacao: begin, watch, cancel, confirm, the history; page and fragment say the same."""

import re
import threading
from typing import Any

import pytest
from sqlalchemy import select, update

from kommo.db import clock, reading, writing
from kommo.sandbox import Server
from kommo.store import candidates, missing, runs
from kommo.store.tables import Connection, SyncRun, SyncStream, Wallet
from kommo.sync import engine
from tests.factories import ANA, BRUNO, StatementCounter, contact_record, make_account, make_run, store_contacts
from tests.pages.conftest import Person
from tests.pages.dom import parse

ASKED = "30 contatos não aparecem mais no Kommo: confirme na página Sincronização."


def states(person: Person) -> list[str]:
    with reading(person.engine) as session:
        return list(session.scalars(select(SyncRun.state).order_by(SyncRun.id)))


def change_stream(person: Person, run_id: int, stream: str, **values: Any) -> None:
    with writing(person.engine) as session:
        session.execute(
            update(SyncStream).where(SyncStream.run_id == run_id, SyncStream.stream == stream).values(**values)
        )


def timeless(text: str) -> str:
    """A text without what grows by itself: lengths of time in all their parts, rates."""
    return re.sub(r"(?:[\d.,]+ (?:horas?|h|min|s)\b ?)+|[\d.,]+ (?=por segundo)", "", text)


@pytest.fixture
def bakery(person: Person) -> Connection:
    return make_account(person.engine)


@pytest.fixture
def running(person: Person, bakery: Connection) -> int:
    """A run in the middle of the contacts."""
    run_id = make_run(person.engine, bakery, "running", requests=46)
    change_stream(
        person, run_id, "contacts", state="reading", rows=9750, total=12431, pages=39, pages_total=50, started_at=1.0
    )
    return run_id


def test_without_an_account_it_says_how_to_get_one(person: Person) -> None:
    page = person.open("/sincronizacao")
    assert page.one("main").one("a", class_="primary")["href"] == "/conexao"
    assert page.all("form", action="/sincronizacao") == []
    assert person.send("/sincronizacao").status_code == 404


def test_before_the_first_run_it_says_what_will_happen(person: Person, bakery: Connection) -> None:
    page = person.open("/sincronizacao")
    assert page.one("h2", text="Ainda não há cópia desta conta")
    assert page.one("button", class_="primary").text == "Sincronizar agora"


def test_a_click_is_answered_with_a_run_that_waits(person: Person, bakery: Connection) -> None:
    answer = person.send("/sincronizacao")
    assert (answer.status_code, answer.location) == (303, "/sincronizacao")
    page = person.open("/sincronizacao")
    assert page.one("div", id="progress").one("span", class_="badge").text == "Na fila"
    assert "Esperando um trabalhador livre" in page.text
    assert page.one("meta", http_equiv="refresh")["content"] == "2"
    assert states(person) == ["queued"]


def test_a_second_click_shows_the_run_that_is_under_way(person: Person, bakery: Connection) -> None:
    for _ in range(2):
        assert person.send("/sincronizacao").status_code == 303
    assert states(person) == ["queued"]


def test_a_disconnected_account_cannot_be_synchronised(person: Person) -> None:
    account = make_account(person.engine)
    person.send(f"/conexao/{account.id}/desconectar", copia="manter")
    answer = person.send("/sincronizacao")
    assert answer.location == "/conexao"
    assert states(person) == []
    assert "cole um token para sincronizar" in person.open("/conexao").text


def test_each_stream_has_a_bar_with_its_words(person: Person, running: int) -> None:
    page = person.open("/sincronizacao")
    bars = page.all("div", role="progressbar")
    assert [(bar["aria-valuemin"], bar["aria-valuemax"]) for bar in bars] == [("0", "100")] * 3
    assert [page.one(id=bar["aria-labelledby"]).text for bar in bars] == [
        "Funis, usuários e campos", "Contatos", "Negociações",
    ]  # fmt: skip
    assert bars[1]["aria-valuenow"] == "78"
    assert bars[1]["aria-valuetext"].startswith("9.750 de 12.431 · 39 de 50 páginas")
    assert page.one("rect", id="bar-contacts-bar")["width"] == "78.4%"
    assert page.one("section", id="requests").one("dl").text.startswith("Nesta execução 46")


def test_the_page_asks_for_its_successor_until_the_run_is_over(person: Person, running: int) -> None:
    address = person.open("/sincronizacao").one("div", id="progress")["hx-get"]
    again = parse(person.fragment(address))
    assert again.one("div", id="progress")["hx-trigger"].startswith("load delay:1s")
    assert again.one("div", id="progress")["hx-get"] == address
    assert again.all("html") == []
    with writing(person.engine) as session:
        session.execute(update(SyncRun).values(state="done", phase="over", finished_at=5.0))
    last = parse(person.fragment(address))
    assert last.one("div", id="progress").get("hx-get") is None
    assert {one["id"] for one in last.walk() if one.get("hx-swap-oob") == "true"} == {
        "history", "requests", "schedule", "side",
    }  # fmt: skip
    assert last.one("button", class_="primary").text == "Sincronizar agora"


def test_one_state_has_one_word_everywhere(person: Person, bakery: Connection) -> None:
    """Title, history and the badge at the side; in a tab that stays open as after a reload."""
    run_id = make_run(person.engine, bakery, "running", lease_until=9e9)
    before = person.open("/sincronizacao").one("div", id="progress")["hx-get"]
    changes: tuple[tuple[dict[str, Any], str], ...] = (
        ({"state": "queued"}, "Na fila"),
        ({"state": "paused", "waiting": "O Kommo não respondeu a tempo."}, "Em pausa"),
        ({"state": "running", "waiting": None}, "Em andamento"),
        ({"cancel": True}, "Cancelando"),
    )
    for values, word in changes:
        with writing(person.engine) as session:
            session.execute(update(SyncRun).where(SyncRun.id == run_id).values(**values))
        page, fragment = person.open("/sincronizacao"), parse(person.fragment(before))
        for tree in (page, fragment):
            assert tree.one("div", id="progress").one("span", class_="badge").text.startswith(word)
            assert tree.one("section", id="history").one("span", class_="badge").text == word
            assert tree.one("header", id="side").one("a", class_="badge").text == word
        before = page.one("div", id="progress")["hx-get"]
        assert parse(person.fragment(before)).all("header") == []  # nothing new: the rest of the page stays


def test_a_wish_to_cancel_is_acknowledged_at_once(person: Person, running: int) -> None:
    form = person.open("/sincronizacao").one("form", text="Cancelar")
    with writing(person.engine) as session:
        session.execute(update(SyncRun).values(lease_until=clock() + 600, waiting="Esperando a vez."))
    assert person.send(form["action"]).status_code == 303
    page = person.open("/sincronizacao").one("div", id="progress")
    assert page.one("span", class_="badge").text == "Cancelando"
    assert page.one("p", class_="doing").text == "Termina a página que está lendo e para."
    assert page.all("form") == []
    assert "a sincronização continua" not in page.text
    assert states(person) == ["running"]
    with writing(person.engine) as session:
        session.execute(update(SyncRun).values(lease_until=1.0))
    assert "para assim que ele voltar" in person.open("/sincronizacao").one("p", class_="doing").text


def test_page_and_fragment_say_the_same(person: Person, running: int) -> None:
    page = person.open("/sincronizacao")
    address = page.one("div", id="progress")["hx-get"]
    fragment = parse(person.fragment(address))
    for part in ("progress", "requests"):
        assert timeless(page.one(id=part).text) == timeless(fragment.one(id=part).text)


def test_a_screen_reader_is_only_told_what_is_new(person: Person, running: int) -> None:
    page = person.open("/sincronizacao")
    assert page.one("p", id="spoken", role="status").text == "Contatos: 75 por cento."
    address = page.one("div", id="progress")["hx-get"]
    assert parse(person.fragment(address)).all(hx_swap_oob="innerHTML:#spoken") == []
    change_stream(person, running, "contacts", state="read", rows=12431)
    with writing(person.engine) as session:
        session.execute(update(SyncRun).values(phase="deals"))
    assert parse(person.fragment(address)).one(hx_swap_oob="innerHTML:#spoken").text == "Lendo negociações."


def test_watching_costs_few_reads_and_no_write(person: Person, running: int) -> None:
    address = person.open("/sincronizacao").one("div", id="progress")["hx-get"]
    with StatementCounter(person.engine) as counter:
        assert person.fragment(address).status_code == 200
    assert {statement.upper() for statement in counter.seen if not statement.startswith("SELECT")} <= {"BEGIN"}
    assert len(counter.seen) <= 13  # two of them the gate's


def test_without_htmx_the_fragments_address_leads_to_the_page(person: Person, running: int) -> None:
    answer = person.client.get(f"/sincronizacao/progresso?execucao={running}")
    assert (answer.status_code, answer.location) == (303, f"/sincronizacao/{running}")


def test_cancelling_ends_a_waiting_run_at_once(person: Person, bakery: Connection) -> None:
    person.send("/sincronizacao")
    form = person.open("/sincronizacao").one("form", text="Cancelar")
    assert person.send(form["action"]).status_code == 303
    assert states(person) == ["cancelled"]
    page = person.open("/sincronizacao")
    assert page.one("div", id="progress").one("span", class_="badge").text == "Cancelada"
    words = [bar["aria-valuetext"] for bar in page.all("div", role="progressbar")]
    assert words == ["não foram lidos", "não foram lidos", "não foram lidas"]  # it never began


def test_a_paused_run_tells_why_and_can_go_on(person: Person, bakery: Connection) -> None:
    run_id = make_run(
        person.engine, bakery, "paused", waiting="O Kommo não respondeu a tempo. Continua sozinha.", resume_at=9e9
    )
    page = person.open("/sincronizacao")
    assert "O Kommo não respondeu a tempo. Continua sozinha. Próxima tentativa: " in page.one("p", class_="doing").text
    assert person.send(page.one("form", text="Continuar agora")["action"]).status_code == 303
    with reading(person.engine) as session:
        assert run_id in runs.due_ids(session)


def test_a_run_that_stopped_tells_why_and_where_to_mend_it(person: Person, bakery: Connection) -> None:
    make_run(person.engine, bakery, "failed", errors=["O Kommo recusou este token. Gere outro."])
    with writing(person.engine) as session:
        session.execute(update(Connection).values(token_refused=True))
    page = person.open("/sincronizacao")
    notice = page.one("div", id="progress").one("div", class_="bad")
    assert notice.one("p").text == "O Kommo recusou este token. Gere outro."
    assert (notice.one("a").text, notice.one("a")["href"]) == ("Colar outro token", "/conexao")
    assert [each.text for each in page.one("main").all(class_="primary")] == ["Colar outro token"]
    shown = [each for each in page.one("main").all("div", class_="bad") if "notice" in each["class"]]
    assert len(shown) == 1  # the frame does not say it a second time
    assert "foi recusado pelo Kommo" in person.open("/contatos").text


def test_the_frame_tells_of_a_refused_token_where_the_run_does_not(person: Person, bakery: Connection) -> None:
    make_run(person.engine, bakery, "failed", errors=["O Kommo está com uma falha interna."])
    with writing(person.engine) as session:
        session.execute(update(Connection).values(token_refused=True))
    assert "foi recusado pelo Kommo" in person.open("/sincronizacao").one("main").text


def test_a_disconnected_account_s_run_says_so_and_how_to_go_on(person: Person, guarded: int) -> None:
    with writing(person.engine) as session:
        session.execute(update(Connection).values(token=None))
    page = person.open("/sincronizacao").one("main")
    assert "Esta conta está desconectada. A cópia continua aqui, mas não é mais atualizada." in page.text
    primary = page.one("a", class_="primary")
    assert (primary.text, primary["href"]) == ("Conectar de novo", "/conexao")
    assert page.all("form", action="/sincronizacao") == []
    assert [button.text for button in page.one("section", class_="guard").all("button")] == ["Retirar da cópia"]


def test_a_disconnected_account_without_a_run_is_not_offered_one(person: Person, bakery: Connection) -> None:
    with writing(person.engine) as session:
        session.execute(update(Connection).values(token=None))
    page = person.open("/sincronizacao").one("main")
    assert "A conta está desconectada." in page.text
    assert (page.one(class_="primary").text, page.all("form")) == ("Conectar de novo", [])


def test_a_partial_run_is_amber_and_says_what_is_missing(person: Person, bakery: Connection) -> None:
    make_run(person.engine, bakery, contacts=(40, 39), deals=(20, 20), errors=["O Kommo tem 40 contatos, aqui há 39."])
    page = person.open("/sincronizacao").one("div", id="progress")
    assert page.one("span", class_="badge").text == "Parcial"
    assert page.one("div", class_="warning").text == "O Kommo tem 40 contatos, aqui há 39."
    assert page.one("span", class_="counts", text="40 no Kommo, 39 aqui").get("class") == "muted counts"
    assert page.one("span", class_="counts", text="20 no Kommo, 20 aqui").get("class") == "good-text counts"


def test_a_real_run_from_click_to_proof(person_with_kommo: Person, padaria: Server) -> None:
    person = person_with_kommo
    person.send("/conexao", jwt_token=padaria.token)
    person.send("/sincronizacao")
    assert engine.run_one(person.services, 1, "test", threading.Event())
    page = person.open("/sincronizacao")
    said = page.one("dl", class_="outcome").text
    assert page.one("div", id="progress").one("span", class_="badge").text == "Conferida"
    for count, noun in ((60, "novos"), (30, "novas")):
        assert f"{count} {noun}, 0 alterad" in said
        assert f"{count} no Kommo, {count} aqui" in said
    assert [one.text for one in page.one("header", id="side").all("span", class_="count")] == ["60", "30"]
    assert page.one("header", id="side").one("a", class_="good").text.startswith("Conferido ")


def test_the_history_has_a_lasting_address_for_every_run(person: Person, bakery: Connection) -> None:
    first = make_run(person.engine, bakery, "failed", errors=["O Kommo está com uma falha interna."])
    make_run(person.engine, bakery, contacts=(40, 40), deals=(20, 20), requests=9)
    page = person.open("/sincronizacao")
    rows = page.one("section", id="history").one("tbody").all("tr")
    assert [row.one("span", class_="badge").text for row in rows] == ["Conferida", "Parou"]
    assert rows[1].one("a")["href"] == f"/sincronizacao/{first}"
    older = person.open(f"/sincronizacao/{first}")
    assert older.one("div", id="progress").one("span", class_="badge").text == "Parou"
    assert older.one("nav", class_="crumbs").one("a")["href"] == "/sincronizacao"
    assert older.one("h1").one("time")


def test_the_history_costs_the_same_for_one_run_as_for_many(person: Person, bakery: Connection) -> None:
    counts = []
    for more in (1, 12):
        for _ in range(more):
            make_run(person.engine, bakery, contacts=(1, 1), deals=(1, 1))
        with StatementCounter(person.engine) as counter:
            person.open("/sincronizacao")
        counts.append(len(counter.seen))
    assert counts[0] == counts[1]


@pytest.fixture
def guarded(person: Person, bakery: Connection) -> int:
    """A run that found 30 of 40 contacts missing at Kommo and left the word to a person."""
    records = [contact_record(number, f"Contato {number}") for number in range(1, 41)]
    records[0]["name"] = "<b>Nome</b>"
    store_contacts(person.engine, bakery, records)
    run_id = make_run(person.engine, bakery, contacts=(10, 40), deals=(0, 0), errors=[ASKED])
    with writing(person.engine) as session:
        candidates.suspect(session, run_id, "contacts", list(range(1, 31)), candidates.ABSENCE)
        candidates.judge(session, run_id, "contacts", list(range(1, 31)), candidates.GONE)
        missing.keep(session, bakery.id, run_id, "contacts")
    return run_id


def test_so_many_deletions_are_put_to_a_person(person: Person, guarded: int) -> None:
    page = person.open("/sincronizacao")
    card = page.one("section", class_="guard")
    assert page.one("div", id="progress").all("div", class_="notice") == []
    assert card.one("h2").text == "30 contatos não aparecem mais no Kommo"
    names = [item.text for item in card.one("ul").all("li")]
    assert (names[0], names[1], names[-1]) == ("<b>Nome</b>", "Contato 2", "e mais 22")
    assert [button.text for button in card.all("button")] == ["Retirar da cópia", "Manter e sincronizar de novo"]


def test_a_persons_word_starts_a_run_that_acts_on_it(person: Person, guarded: int) -> None:
    answer = person.send(f"/sincronizacao/{guarded}/confirmar-exclusoes")
    assert (answer.status_code, answer.location) == (303, "/sincronizacao")
    with reading(person.engine) as session:
        run = session.scalars(select(SyncRun).order_by(SyncRun.id.desc())).first()
        assert run is not None
        assert (run.trigger, run.state) == ("confirm", "queued")
        assert len(candidates.open_ids(session, run.id, "contacts", 100)) == 30
    assert person.open(f"/sincronizacao/{guarded}").all("section", class_="guard") == []


def test_a_question_that_a_newer_run_made_pointless_is_not_asked(
    person: Person, guarded: int, bakery: Connection
) -> None:
    make_run(person.engine, bakery, contacts=(40, 40), deals=(0, 0))
    with writing(person.engine) as session:
        missing.found_again(session, bakery.id, "contacts", list(range(1, 41)))
    assert person.open(f"/sincronizacao/{guarded}").all("section", class_="guard") == []
    person.send(f"/sincronizacao/{guarded}/confirmar-exclusoes")
    assert "Esta pergunta já passou" in person.open("/conexao").text


def test_the_question_waits_while_runs_of_what_changed_come_and_go(
    person: Person, guarded: int, bakery: Connection
) -> None:
    """The newest run's page asks it, and the answer counts, though that run found nothing itself."""
    later = make_run(person.engine, bakery, contacts=(10, 40), deals=(0, 0), errors=[ASKED])
    assert person.open("/sincronizacao").one("section", class_="guard").one("h2").text.startswith("30 contatos")
    assert person.open(f"/sincronizacao/{guarded}").all("section", class_="guard") == []
    person.send(f"/sincronizacao/{later}/confirmar-exclusoes")
    assert states(person)[-1] == "queued"


def test_the_whole_list_of_what_is_missing(person: Person, guarded: int) -> None:
    """Every record with its name, and the way to it; an address of a page that is not there is none."""
    page = person.open("/sincronizacao/ausentes/contatos")
    assert guarded
    assert page.one("h1").text == "Contatos que não aparecem mais no Kommo"
    links = page.one("tbody").all("a", class_="row-link")
    assert (len(links), links[0].text, links[0]["href"]) == (30, "<b>Nome</b>", "/contatos/1")
    assert "Nada espera confirmação" in person.open("/sincronizacao/ausentes/negociacoes?pagina=9").text
    assert person.client.get("/sincronizacao/ausentes/empresas").status_code == 404


def test_nothing_is_buried_while_a_run_is_under_way(person: Person, guarded: int, bakery: Connection) -> None:
    make_run(person.engine, bakery, "running")
    person.send(f"/sincronizacao/{guarded}/confirmar-exclusoes")
    assert "espere que termine" in person.open("/conexao").text
    with reading(person.engine) as session:
        assert session.scalars(select(Wallet.id).where(Wallet.deleted_at.is_not(None))).all() == []


@pytest.mark.parametrize("action", ["", "/cancelar", "/continuar", "/confirmar-exclusoes"])
def test_another_owners_run_looks_like_an_unknown_one(person: Person, bakery: Connection, action: str) -> None:
    brunos = make_account(person.engine, BRUNO)
    workshop = make_account(person.engine, ANA, "Oficina Norte", 30002000)
    make_run(person.engine, bakery)
    hidden = [make_run(person.engine, brunos, "queued"), make_run(person.engine, workshop, "queued")]
    texts = set()
    for number in (*hidden, 999_999, 2**31, 10**20, 0):
        address = f"/sincronizacao/{number}{action}?conta={bakery.account_id}"
        answer = person.send(address) if action else person.client.get(address)
        assert answer.status_code == 404
        texts.add(parse(answer).one("main").text)
    assert len(texts) == 1
    assert states(person)[1:] == ["queued", "queued"]


@pytest.mark.parametrize("number", ["", "abc", "-1", "99", "1e3", str(10**30)])
def test_an_unknown_run_has_no_progress(person: Person, bakery: Connection, number: str) -> None:
    assert person.fragment(f"/sincronizacao/progresso?execucao={number}").status_code == 404
    assert person.fragment("/sincronizacao/progresso").status_code == 404
