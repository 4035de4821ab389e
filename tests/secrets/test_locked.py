"""An account whose key is missing is locked: it says so everywhere, nothing is destroyed, it comes back by itself."""

import threading
from dataclasses import dataclass

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select, update

from kommo.db import reading, writing
from kommo.jobs.due import ask_for_due
from kommo.keyfile import KeyFile
from kommo.sandbox import Server
from kommo.services import Services
from kommo.settings import Settings
from kommo.store.tables import Connection, Schedule, SyncRun
from kommo.sync import engine
from kommo.vault import Vault, id_of, key_id_of
from tests import processes
from tests.factories import make_schedule
from tests.pages.conftest import Person
from tests.secrets.conftest import IN_FILE, sealed_of, started, token_of
from tests.sync.accounts import connect, run, run_view

LOST = b"l" * 32  # a key that this server does not have
PADARIA, OFICINA = 30001000, 30002000


@dataclass(frozen=True, slots=True)
class House:
    """Padaria Estrela, copied and then locked; Oficina Norte, copied and well."""

    services: Services
    locked: int
    well: int

    def account(self, connection_id: int) -> Connection:
        """A connection as it is now."""
        with reading(self.services.engine) as session:
            return session.get_one(Connection, connection_id)

    def seal(self, connection_id: int, sealed: str | None) -> None:
        """Put a text into the row as somebody with the database would."""
        with writing(self.services.engine) as session:
            session.execute(update(Connection).where(Connection.id == connection_id).values(token=sealed))

    def runs(self, connection_id: int) -> int:
        """How many runs the account has had."""
        with reading(self.services.engine) as session:
            counted = select(func.count()).select_from(SyncRun).where(SyncRun.connection_id == connection_id)
            return session.execute(counted).scalar_one()

    def put_back(self, ring: KeyFile) -> None:
        """The operator adds the missing key to the file, by hand."""
        with ring.path.open("a") as file:
            file.write(f"{LOST.hex()}\n")


@pytest.fixture
def house(app: Flask, padaria: Server, oficina: Server) -> House:
    services = app.extensions["kommo"]
    found = House(services, connect(services, padaria), connect(services, oficina))
    assert run(services, found.locked).proved
    assert run(services, found.well).proved
    found.seal(found.locked, Vault(LOST).seal(padaria.token, f"1/{PADARIA}"))
    return found


def pages(app: Flask) -> list[str]:
    """The address of every page that needs nothing but the account."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
    return sorted(rule.rule for rule in rules if not rule.rule.startswith(("/api", "/static", "/assets")))


def test_every_page_of_the_account_says_which_key_and_what_to_do(app: Flask, house: House, ana: Person) -> None:
    told = []
    for path in pages(app):
        answer = ana.client.get(f"{path}?conta={PADARIA}")
        if answer.mimetype != "text/html" or answer.status_code != 200 or "<html" not in answer.text:
            continue
        told.append(path)
        assert "está bloqueada" in answer.text, path
        assert id_of(LOST) in answer.text, path
        assert "acrescente-a a instance/encryption_key" in answer.text, path
    assert {"/", "/contatos", "/negociacoes", "/conexao", "/sincronizacao", "/sincronizacao/agenda"} <= set(told)
    assert "bloqueada" in ana.open("/conexao").text
    assert f"falta a chave {id_of(LOST)}" in ana.open("/conexao").text


def test_the_copy_stays_readable_and_the_other_account_works(house: House, ana: Person, padaria: Server) -> None:
    first = padaria.world.record("contacts", padaria.world.ids("contacts")[0])["name"]
    assert first in ana.client.get(f"/contatos?conta={PADARIA}&q={first}").text
    copied = ana.client.get(f"/api/kommo/contacts?accountId={PADARIA}&source=local&limit=5")
    assert copied.status_code == 200, copied.text
    assert run(house.services, house.well).proved
    assert "A conta Oficina Norte está bloqueada" not in ana.open(f"/contatos?conta={OFICINA}").text
    assert ana.client.get(f"/api/kommo/contacts?accountId={OFICINA}").status_code == 200


def test_nothing_is_begun_that_cannot_succeed(app: Flask, house: House, ana: Person) -> None:
    before, sealed = house.runs(house.locked), sealed_of(house.services, house.locked)
    answer = ana.send(f"/sincronizacao?conta={PADARIA}")
    assert (answer.status_code, answer.location) == (303, f"/conexao?conta={PADARIA}")
    assert "Nada foi sincronizado" in ana.client.get(f"/conexao?conta={PADARIA}").text
    done = app.test_cli_runner().invoke(args=["kommo", "sync", "--account", str(PADARIA)])
    assert done.exit_code == 2
    assert id_of(LOST) in done.stderr
    tested = ana.send(f"/conexao/{house.locked}/testar")
    assert tested.status_code == 422
    assert id_of(LOST) in tested.text
    assert house.runs(house.locked) == before
    assert sealed_of(house.services, house.locked) == sealed


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/contacts"), ("GET", "/deals"), ("GET", "/test-connection"), ("POST", "/sync"), ("POST", "/contacts")],
)
def test_the_api_says_that_the_account_is_locked(house: House, ana: Person, method: str, path: str) -> None:
    body = {"accountId": PADARIA, "contactId": 1} if method == "POST" else None
    query = {"accountId": PADARIA} if method == "GET" else None
    answer = ana.client.open(f"/api/kommo{path}", method=method, json=body, query_string=query)
    found = answer.get_json()
    assert (answer.status_code, found["code"], found["keyId"]) == (503, "account_locked", id_of(LOST)), found
    assert "acrescente-a" in found["error"]


def test_the_schedule_waits_and_goes_on_by_itself(app: Flask, house: House, ring: KeyFile, ana: Person) -> None:
    make_schedule(house.services.engine, house.account(house.locked), -60.0)
    make_schedule(house.services.engine, house.account(house.well), -60.0)
    before, others = house.runs(house.locked), house.runs(house.well)
    for _ in range(3):
        ask_for_due(house.services)
    assert (house.runs(house.locked), house.runs(house.well)) == (before, others + 1)
    assert "O token guardado não abre" in ana.open(f"/sincronizacao?conta={PADARIA}").one("div", id="schedule").text
    shown = ana.client.get(f"/api/kommo/schedule?accountId={PADARIA}").get_json()["data"]
    assert "não abre" in shown["waiting"]
    house.put_back(ring)
    ask_for_due(house.services)
    assert house.runs(house.locked) == before + 1


def test_with_the_key_back_everything_goes_on_without_a_restart(house: House, ring: KeyFile, ana: Person) -> None:
    house.put_back(ring)
    assert "bloqueada" not in ana.open(f"/conexao?conta={PADARIA}").text
    assert ana.client.get(f"/api/kommo/contacts?accountId={PADARIA}").status_code == 200
    assert run(house.services, house.locked).proved


class TestMoved:
    """The ciphertext of one account, put into another's row: it opens for nobody."""

    @pytest.fixture
    def moved(self, house: House) -> House:
        house.seal(house.locked, sealed_of(house.services, house.well))
        return house

    def test_it_is_never_sent(self, moved: House, oficina: Server, ana: Person) -> None:
        oficina.world.reset()
        answer = ana.client.get(f"/api/kommo/contacts?accountId={PADARIA}")
        assert (answer.status_code, answer.get_json()["code"]) == (401, "token_unreadable")
        assert oficina.world.requests == 0
        assert "trazido de outra conta" in ana.open(f"/sincronizacao?conta={PADARIA}").text
        assert "não abre nesta conta" in ana.open("/conexao").text

    def test_runs_do_not_pile_up(self, moved: House) -> None:
        make_schedule(moved.services.engine, moved.account(moved.locked), -60.0)
        before = moved.runs(moved.locked)
        for _ in range(3):
            ask_for_due(moved.services)
        assert moved.runs(moved.locked) == before

    def test_a_run_that_was_asked_for_ends_with_the_reason(self, moved: House) -> None:
        view = run(moved.services, moved.locked)
        assert view.state == "failed"
        assert "trazido de outra conta" in view.errors[0]

    def test_a_token_pasted_anew_puts_it_right(self, moved: House, padaria: Server, ana: Person) -> None:
        assert ana.send("/conexao", jwt_token=padaria.token).status_code == 200
        assert token_of(moved.services, moved.locked) == padaria.token
        assert run(moved.services, moved.locked).proved


class TestMissingFile:
    """`instance/encryption_key` is gone: no start makes another key behind everybody's back."""

    @pytest.fixture
    def bare(self, house: House, ring: KeyFile, padaria: Server) -> bytes:
        connect(house.services, padaria)  # well again, under the file's key
        (key,) = ring.keys()
        ring.path.unlink()
        return key

    def test_a_start_makes_no_key_and_says_what_is_missing(
        self, settings: Settings, house: House, ring: KeyFile, bare: bytes, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sealed = [sealed_of(house.services, each) for each in (house.locked, house.well)]
        client = started(settings).test_client()
        said = capsys.readouterr().out
        assert "key_missing" in said
        assert f"Falta a chave {id_of(bare)} em instance/encryption_key" in said
        page = client.get("/conexao", headers={"Host": "127.0.0.1:3000"}, environ_base={"SERVER_PROTOCOL": "HTTP/1.1"})
        assert page.text.count(f"falta a chave {id_of(bare)}") == 2
        assert not ring.path.exists()
        assert [sealed_of(house.services, each) for each in (house.locked, house.well)] == sealed

    def test_a_pasted_token_makes_a_key_and_the_others_still_name_theirs(
        self, house: House, ring: KeyFile, bare: bytes, padaria: Server, ana: Person
    ) -> None:
        """The key is lost for good: there is a way on. Should it be found, it is a line more."""
        assert ana.send("/conexao", jwt_token=padaria.token).status_code == 200
        (made,) = ring.keys()
        assert key_id_of(sealed_of(house.services, house.locked) or "") == id_of(made) != id_of(bare)
        page = ana.open("/conexao").text
        assert f"falta a chave {id_of(bare)}" in page
        with ring.path.open("a") as file:
            file.write(f"\n{bare.hex()}\n")
        assert token_of(house.services, house.locked) is not None
        assert token_of(house.services, house.well) is not None
        assert "bloqueada" not in ana.open("/conexao").text


def test_a_file_that_was_cut_stores_nothing_and_is_not_replaced(
    house: House, ring: KeyFile, padaria: Server, ana: Person
) -> None:
    """Somebody's editor, while everything runs: a sentence, no half-stored account, the file as it is."""
    before = sealed_of(house.services, house.locked)
    whole = ring.path.read_text()
    ring.path.write_text(whole[:20])
    page = ana.send("/conexao", jwt_token=padaria.token)
    assert page.status_code == 503
    assert "restaure-a da cópia de segurança" in page.text
    answer = ana.client.post("/api/kommo/sync", json={"jwtToken": padaria.token})
    assert (answer.status_code, answer.get_json()["code"]) == (503, "account_locked")
    assert (ring.path.read_text(), sealed_of(house.services, house.locked)) == (whole[:20], before)
    ring.path.write_text(whole)
    assert ana.send("/conexao", jwt_token=padaria.token).status_code == 200


def test_a_run_under_way_waits_for_the_key_and_goes_on(house: House, ring: KeyFile, padaria: Server) -> None:
    """Asked for before the key went: paused with the reason, not failed, and ended by the same worker's next turn."""
    services = house.services
    view = run(services, house.locked)
    assert view.state == "paused"
    assert id_of(LOST) in (view.waiting or "")
    house.put_back(ring)
    with writing(services.engine) as session:
        session.execute(update(SyncRun).where(SyncRun.id == view.id).values(resume_at=1.0))
    assert engine.run_one(services, view.id, "next", threading.Event())
    assert run_view(services, house.locked, view.id).proved


def test_of_the_processes_one_says_it_and_all_go_on_when_the_key_is_back(settings: Settings, padaria: Server) -> None:
    """The whole of `python app.py`: started without its key, with a schedule that is due."""
    log = settings.instance.parent / "server.log"
    values = {"KOMMO_API_URL": padaria.address} | IN_FILE
    with processes.server(settings.instance, **values) as (address, _child):
        first = requests.post(f"{address}/api/kommo/sync", json={"jwtToken": padaria.token}, timeout=60)
        assert first.status_code == 200, first.text
    ring = KeyFile(settings.instance)
    (key,) = ring.keys()
    ring.path.unlink()
    log.write_text("")
    with processes.server(settings.instance, **values) as (address, _child):
        base = f"{address}/api/kommo"
        assert f"Falta a chave {id_of(key)}" in log.read_text()
        assert requests.get(f"{base}/contacts", timeout=60).json()["code"] == "account_locked"
        put = requests.put(f"{base}/schedule", json={"everyMinutes": 5}, timeout=60)
        assert put.status_code == 200, put.text
        services = started(settings).extensions["kommo"]
        with writing(services.engine) as session:
            session.execute(update(Schedule).values(next_at=1.0))
            before = session.execute(select(func.count()).select_from(SyncRun)).scalar_one()
        assert not ring.path.exists()
        ring.replace([key])

        def went_on() -> bool:
            with reading(services.engine) as session:
                states = list(session.scalars(select(SyncRun.state).order_by(SyncRun.id)))
            return len(states) == before + 1 and states[-1] == "done"

        processes.wait_for(went_on)
        services.engine.dispose()
