"""The card "Agenda": turned on, changed, paused, turned off; what it says; what was typed wrong is given back."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from kommo.db import now, reading, writing
from kommo.pages.schedule_form import CHOICES
from kommo.store.schedules import ScheduleView
from kommo.store.tables import Connection, Schedule, SyncRun
from kommo.store.timetable import Timetable
from kommo.store.zones import zone_of
from tests.factories import ANA, BRUNO, StatementCounter, make_account, make_run, make_schedule, schedule_of
from tests.pages.conftest import Person
from tests.pages.dom import Element, parse

AT = "/sincronizacao/agenda"
GOOD = {"intervalo": "15", "silencio_de": "22:00", "silencio_ate": "06:00", "leitura": "1", "leitura_as": "03:00"}


@pytest.fixture
def bakery(person: Person) -> Connection:
    """An account whose first copy is there."""
    account = make_account(person.engine)
    make_run(person.engine, account, contacts=(0, 0), deals=(0, 0))
    return account


def card(person: Person, path: str = "/sincronizacao") -> Element:
    return person.open(path).one("div", id="schedule")


def shown(person: Person, account: Connection) -> ScheduleView:
    found = schedule_of(person.engine, account)
    assert found is not None
    return found


def all_schedules(person: Person) -> list[int]:
    with reading(person.engine) as session:
        return list(session.scalars(select(Schedule.connection_id)))


def noon(person: Person, account: Connection, days: int = 0) -> float:
    """Noon of the account's day, so many days from today."""
    with reading(person.engine) as session:
        today = datetime.fromtimestamp(now(session), zone_of(account)).replace(hour=12, minute=0, second=0)
    return today.timestamp() + days * 86_400


def test_after_the_first_run_a_schedule_is_offered(person: Person, bakery: Connection) -> None:
    found = card(person)
    assert "Sem agenda, a cópia só é atualizada quando alguém pede." in found.text
    assert [option["value"] for option in found.all("option")] == [str(minutes) for minutes in CHOICES]
    assert found.one("option", selected="").text == "a cada 15 minutos"
    assert found.one("button").text == "Ligar a agenda"
    assert all_schedules(person) == []


def test_before_the_first_run_it_is_not(person: Person) -> None:
    account = make_account(person.engine)
    assert person.open("/sincronizacao").all("div", id="schedule") == []
    make_schedule(person.engine, account, 600)
    assert "A cada 15 minutos." in card(person).text


def test_it_is_turned_on_and_says_so_in_words(person: Person, bakery: Connection) -> None:
    answer = person.send(card(person).one("form")["action"], **GOOD)
    assert (answer.status_code, answer.location) == (303, "/sincronizacao")
    assert shown(person, bakery).plan == Timetable(15, 22 * 60, 6 * 60, 180)
    page = person.open("/sincronizacao")
    assert "A agenda está salva. Próxima: " in page.one("div", role="status").text
    found = page.one("div", id="schedule")
    assert "A cada 15 minutos, das 6h às 22h; leitura completa às 3h. Próxima: " in found.text
    assert found.one("span", class_="badge").text == "ligada"
    assert found.one("details").one("input", name="silencio_de")["value"] == "22:00"


@pytest.mark.parametrize("path", ["/sincronizacao", AT])
def test_the_form_holds_what_is_set(person: Person, bakery: Connection, path: str) -> None:
    """An interval of another door's stays one to choose."""
    make_schedule(person.engine, bakery, 600, every=17, quiet_from=60, quiet_to=95)
    found = card(person, path)
    assert found.one("option", selected="")["value"] == "17"
    assert found.one("option", selected="").text == "a cada 17 minutos"
    assert (found.one("input", name="silencio_de")["value"], found.one("input", name="silencio_ate")["value"]) == (
        "01:00", "01:35",
    )  # fmt: skip
    assert found.one("input", name="leitura").get("checked") is None
    assert found.one("input", name="leitura_as")["value"] == "03:00"
    fields = {one["name"]: one["value"] for one in found.one("form", class_="schedule-form").all("input")}
    before = shown(person, bakery)
    person.send(AT, intervalo="17", **{name: value for name, value in fields.items() if name[:4] == "sile"})
    after = shown(person, bakery)
    assert (after.plan, after.next_at) == (before.plan, before.next_at)


def test_without_times_there_is_neither_night_nor_sweep(person: Person, bakery: Connection) -> None:
    person.send(AT, intervalo="60", silencio_de="", silencio_ate="", leitura_as="03:00")
    assert shown(person, bakery).plan == Timetable(60)
    assert "A cada hora. Próxima: " in card(person).text


WRONG: list[tuple[dict[str, str], str, str]] = [
    *[({"intervalo": value}, "intervalo", "Escolha um intervalo de 5 minutos a 1 dia.")
      for value in ("", "4", "1441", "abc", "-5", "15.5", "9" * 5000, "१५", "1e1")],
    *[({name: value}, name, "Escreva a hora como 22:00.")
      for name in ("silencio_de", "silencio_ate", "leitura_as") for value in ("24:00", "6h", "22:00:00", "<b>")],
    ({"silencio_de": ""}, "silencio_de", "Preencha as duas horas do silêncio, ou deixe as duas vazias."),
    ({"silencio_ate": " "}, "silencio_ate", "Preencha as duas horas do silêncio, ou deixe as duas vazias."),
    ({"leitura_as": ""}, "leitura_as", "Escreva a hora como 22:00."),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "field", "sentence"), WRONG, ids=lambda value: str(value)[:40])
def test_what_is_typed_wrong_is_told_beside_its_field_and_kept(
    person: Person, bakery: Connection, changes: dict[str, str], field: str, sentence: str
) -> None:
    make_schedule(person.engine, bakery, 600)
    before = shown(person, bakery)
    given = GOOD | changes
    answer = person.send(AT, **given)
    assert answer.status_code == 422
    form = parse(answer).one("form", class_="schedule-form")
    assert [one.text for one in form.all("p", class_="field-error")] == [sentence]
    wrong = form.one(name=field)
    assert wrong["aria-invalid"] == "true"
    assert form.one("p", id=wrong["aria-describedby"]).text == sentence
    for name in ("silencio_de", "silencio_ate", "leitura_as"):
        assert form.one("input", name=name)["value"] == given[name].strip()
    assert form.one("input", name="leitura").get("checked") == ""
    if field != "intervalo":
        assert form.one("option", selected="")["value"] == "15"
    after = shown(person, bakery)
    assert (after.plan, after.next_at) == (before.plan, before.next_at)


def test_the_page_of_its_own_is_part_of_the_synchronisation(person: Person, bakery: Connection) -> None:
    page = person.open(AT)
    assert page.one("h1").text == "Agenda"
    assert page.one("nav", class_="crumbs").one("a")["href"] == "/sincronizacao"
    place = page.one("header", id="side").one("a", aria_current="true")
    assert place["href"] == "/sincronizacao"
    assert page.one("main").one("button", class_="primary").text == "Ligar a agenda"
    assert page.all("meta", http_equiv="refresh") == []


def test_while_a_run_is_under_way_the_form_is_where_nothing_is_renewed(person: Person, bakery: Connection) -> None:
    run_id = make_run(person.engine, bakery, "running", lease_until=9e9)
    page = person.open("/sincronizacao")
    assert page.one("div", id="schedule").all("form") == []
    assert page.one("div", id="schedule").one("a")["href"] == AT
    assert person.open(AT).one("form", class_="schedule-form")
    make_schedule(person.engine, bakery, 600)
    assert [one.text for one in card(person).all("button")] == ["Pausar a agenda", "Desligar a agenda"]
    address = page.one("div", id="progress")["hx-get"]
    with StatementCounter(person.engine) as counter:
        assert parse(person.fragment(address)).all(id="schedule") == []  # it stands on the page
    assert not any("FROM schedule" in statement for statement in counter.seen)
    with writing(person.engine) as session:
        session.execute(update(SyncRun).where(SyncRun.id == run_id).values(state="done", finished_at=5.0))
    last = parse(person.fragment(address)).one("div", id="schedule")
    assert last["hx-swap-oob"] == "true"
    assert last.one("form", class_="schedule-form")
    assert last.text == card(person).text


def test_it_is_paused_goes_on_and_is_turned_off(person: Person, bakery: Connection) -> None:
    person.send(AT, **GOOD)
    plan = shown(person, bakery).plan
    person.send(card(person).one("form", text="Pausar")["action"])
    assert (shown(person, bakery).paused, shown(person, bakery).plan) == (True, plan)
    found = card(person)
    assert found.one("span", class_="badge").text == "em pausa"
    assert "leitura completa às 3h. A agenda está em pausa." in found.text
    person.send(AT, **GOOD | {"intervalo": "30"})
    assert (shown(person, bakery).paused, shown(person, bakery).plan.every) == (True, 30)
    person.send(card(person).one("form", text="Retomar")["action"])
    assert not shown(person, bakery).paused
    page = person.open("/sincronizacao")
    assert "A agenda continua. Próxima: " in page.one("div", role="status").text
    for _ in range(2):  # another tab's click finds it off
        assert person.send(f"{AT}/desligar").status_code == 303
    assert all_schedules(person) == []
    for way in ("pausar", "retomar"):
        assert person.send(f"{AT}/{way}").status_code == 303
    assert all_schedules(person) == []


def test_the_next_run_stands_at_the_side_of_every_page(person: Person, bakery: Connection) -> None:
    assert person.open("/contatos").all(class_="next-run") == []
    for days, said in (
        (1, "amanhã às 12:00"),
        (3, f"em {datetime.fromtimestamp(noon(person, bakery, 3), zone_of(bakery)):%d/%m/%Y} às 12:00"),
    ):
        with writing(person.engine) as session:
            session.merge(Schedule(connection_id=bakery.id, every=15, next_at=noon(person, bakery, days)))
        for path in ("/", "/contatos", "/sincronizacao", "/conexao"):
            assert person.open(path).one(class_="next-run").text == f"Próxima sincronização {said}"
    assert f"Próxima: {said}." in card(person).text


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ({"token": None}, "A conta está desconectada"),
        ({"token_refused": True}, "O Kommo recusou o token"),
        ({"expires_at": 1}, "O token venceu"),
    ],
)
def test_it_says_why_it_waits(person: Person, bakery: Connection, account: dict[str, Any], said: str) -> None:
    make_schedule(person.engine, bakery, -600)
    with writing(person.engine) as session:
        session.execute(update(Connection).values(**account))
    found = card(person)
    assert said in found.text
    assert found.one("span", class_="badge").text == "esperando"
    assert person.open("/").all(class_="next-run") == []
    with writing(person.engine) as session:
        session.execute(update(Schedule).values(paused=True))
    assert card(person).one("span", class_="badge").text == "em pausa"


def test_a_disconnected_account_is_not_offered_a_schedule(person: Person, bakery: Connection) -> None:
    with writing(person.engine) as session:
        session.execute(update(Connection).values(token=None))
    assert card(person).text == ""


def test_without_an_account_there_is_none(person: Person) -> None:
    assert person.client.get(AT).location == "/sincronizacao"
    for way in ("", "/pausar", "/retomar", "/desligar"):
        assert person.send(f"{AT}{way}", **GOOD).status_code == 404
    assert all_schedules(person) == []


def test_each_account_has_its_own(person: Person, bakery: Connection) -> None:
    workshop = make_account(person.engine, ANA, "Oficina Norte", 30002000)
    brunos = make_account(person.engine, BRUNO, "Oficina Sul", 30003000)
    make_schedule(person.engine, brunos, 600)
    for way in ("", "/pausar", "/desligar"):
        assert person.send(f"{AT}{way}?conta=30003000", **GOOD).status_code == 404
    person.send(f"{AT}?conta=30001000", **GOOD)
    assert schedule_of(person.engine, workshop) is None
    person.send(f"{AT}?conta=30002000", **GOOD | {"intervalo": "60"})
    plans = {account.id: shown(person, account).plan.every for account in (bakery, workshop, brunos)}
    assert plans == {bakery.id: 15, workshop.id: 60, brunos.id: 15}
    person.send(f"{AT}/desligar?conta=30001000")
    assert sorted(all_schedules(person)) == sorted([workshop.id, brunos.id])


def test_everything_can_be_read_anew_from_the_page(person: Person, bakery: Connection) -> None:
    page = person.open("/sincronizacao")
    forms = page.all("form", action="/sincronizacao")
    assert [form.one("button").text for form in forms] == ["Ler tudo de novo", "Sincronizar agora"]
    fields = {one["name"]: one["value"] for one in forms[0].all("input") if one["name"] != "csrf_token"}
    assert person.send("/sincronizacao", **fields).status_code == 303
    assert modes(person) == [None, "sweep"]
    assert person.open("/sincronizacao").all("button", id="sweep") == []  # one that is under way is shown instead
    with writing(person.engine) as session:
        session.execute(update(SyncRun).values(state="done"))
    person.send("/sincronizacao")
    person.send("/sincronizacao", sweep="1")
    assert modes(person) == [None, "sweep", None]


def modes(person: Person) -> list[str | None]:
    with reading(person.engine) as session:
        return list(session.scalars(select(SyncRun.mode).order_by(SyncRun.id)))


def test_nothing_is_read_anew_with_a_token_that_is_refused(person: Person, bakery: Connection) -> None:
    with writing(person.engine) as session:
        session.execute(update(Connection).values(token_refused=True))
    assert person.open("/sincronizacao").all("button", id="sweep") == []


def test_a_page_reads_the_schedule_once(person: Person, bakery: Connection) -> None:
    make_schedule(person.engine, bakery, 600)
    for path in ("/sincronizacao", AT, "/contatos"):
        with StatementCounter(person.engine) as counter:
            person.open(path)
        assert len([statement for statement in counter.seen if "FROM schedule" in statement]) == 1
