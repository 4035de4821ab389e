"""The data file: what was answered is there after a restart, whatever ended the process."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from kommo.sandbox import OFICINA, MovableClock, StorageError, World, open_world, serve

from .conftest import NOW, Api

SMALL = {"contacts": 30, "deals": 20}


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "sandbox.sqlite3")


def _open(path: str, **options: Any) -> World:
    return open_world(path, **{**SMALL, "clock": MovableClock(NOW), **options})


def _picture(world: World) -> dict[str, Any]:
    """Everything a client can see, and what the next change depends on."""
    state = world.state
    return {
        "rows": {kind: {row.id: (row, row.record()) for row in table} for kind, table in state.tables.items()},
        "lists": state.lists,
        "links": {lead: dict(sorted(found.items())) for lead, found in state.links.contacts_of.items() if found},
        "companies": state.links.company_of,
        "events": state.events,
        "ids": state.next_ids,
        "secret": state.secret,
        "revoked": state.revoked,
        "profile": state.profile,
    }


def test_a_new_file_holds_what_the_seed_made(path: str) -> None:
    first = _open(path)
    made = _picture(first)
    first.close()
    again = _open(path)

    assert _picture(again) == made
    assert again.count("contacts") == 30
    again.close()


def test_every_kind_of_change_is_there_after_a_restart(path: str) -> None:
    world = _open(path)
    with serve(world) as server:
        api = Api(server, server.token)
        with api.session:
            deal = api.post("leads", [{"name": "Nova", "tags_to_add": [{"name": "inédita"}]}])
            assert deal.status_code == 200
            one = world.ids("contacts")[0]
            api.patch(f"contacts/{one}", {"name": "Mudou"})
            api.post(f"contacts/{one}/notes", [{"note_type": "common", "params": {"text": "a"}}])
            api.post("tasks", [{"text": "x", "complete_till": 5, "entity_id": one, "entity_type": "contacts"}])
            api.post("webhooks", {"destination": "https://x.example", "settings": []})
            leads, companies = world.ids("leads"), world.ids("companies")
            world.link("leads", leads[0], "contacts", one)
            world.link("contacts", one, "companies", companies[0])
            world.unlink("leads", leads[1], "contacts", (world.contacts_of(leads[1]) or [one])[0])
            world.delete("leads", leads[2])
            world.purge("leads", leads[3])
            world.merge("contacts", one, world.ids("contacts")[5])
            world.add_stage(8400101, "Nova etapa")
            world.remove_item("loss_reasons", 9503)
            world.revoke(server.token)
            changed = _picture(world)

    again = _open(path)

    assert _picture(again) == changed
    assert again.record("contacts", one)["name"] == "Mudou"
    again.close()


def test_a_change_is_on_disk_before_it_is_answered(path: str) -> None:
    """What another process would find if this one were killed now: the file itself, read without the world."""
    world = _open(path)
    added = world.add("contacts", name="Ana")
    copy = f"{path}.copy"
    for end in ("", "-wal"):
        Path(copy + end).write_bytes(Path(path + end).read_bytes())
    world.close()

    with sqlite3.connect(copy) as db:
        heads = db.execute("select head from rows where kind = 'contacts' and id = ?", (added,)).fetchall()
    db.close()
    assert b'"name":"Ana"' in heads[0][0]


def test_the_same_token_opens_it_after_a_restart(path: str) -> None:
    with serve(_open(path)) as server:
        token = server.token
    with serve(_open(path)) as server:
        api = Api(server, token)
        with api.session:
            assert api.get("account").status_code == 200


def test_new_ids_go_on_after_a_restart(path: str) -> None:
    world = _open(path)
    first = world.add("contacts", name="Ana")
    world.purge("contacts", first)
    world.close()
    again = _open(path)

    assert again.add("contacts", name="Bruno") == first + 1
    again.close()


def test_the_file_wins_over_the_sizes(path: str) -> None:
    _open(path).close()
    again = _open(path, contacts=5, deals=5)

    assert again.count("contacts") == 30
    again.close()


def test_another_account_s_file_is_refused(path: str) -> None:
    _open(path).close()

    with pytest.raises(StorageError, match="é da conta Padaria Estrela, e não de Oficina Norte"):
        _open(path, profile=OFICINA)

    again = _open(path)
    assert again.account_id == 30001000
    again.close()


ODD = [2**63 - 1, 2**63, -(2**63), 2**64 - 1, 2**64, 1e30, -1e30]


@pytest.mark.parametrize("key", ["created_at", "updated_at", "closed_at", "price"])
def test_a_number_that_no_column_holds_is_refused_and_stops_nothing(path: str, key: str) -> None:
    with serve(_open(path)) as server:
        api = Api(server, server.token)
        with api.session:
            for odd in ODD:
                before = server.world.count("leads")
                answer = api.post("leads", [{"name": "boa"}, {"name": "má", key: odd}])
                assert answer.status_code in (200, 400), (odd, answer.text)
                assert server.world.count("leads") == before + 2 * (answer.status_code == 200)
            assert api.post("leads", [{"name": "depois"}]).status_code == 200
        count = server.world.count("leads")

    again = _open(path)
    assert again.count("leads") == count
    again.close()


def test_what_could_not_be_saved_is_saved_with_the_next_change(path: str) -> None:
    world = _open(path)
    storage: Any = world.state.store
    put, storage._put = storage._put, None
    with pytest.raises(TypeError):
        world.add("contacts", name="Ana")
    storage._put = put
    world.add("contacts", name="Bruno")
    kept = _picture(world)
    world.close()
    again = _open(path)

    assert _picture(again) == kept
    assert [again.record("contacts", one)["name"] for one in again.ids("contacts")[-2:]] == ["Ana", "Bruno"]
    again.close()


@pytest.mark.skipif(os.name == "nt", reason="no such modes")
def test_only_its_owner_can_read_it(path: str) -> None:
    world = _open(path)
    world.add("contacts", name="Ana")

    modes = {name.name: stat.S_IMODE(name.stat().st_mode) for name in Path(path).parent.iterdir()}

    assert set(modes.values()) == {0o600}
    assert len(modes) == 2
    world.close()


def test_two_processes_cannot_share_it(path: str) -> None:
    world = _open(path)
    with pytest.raises(StorageError, match="já está em uso por outro processo"):
        _open(path)
    world.close()


@pytest.mark.parametrize("content", [b"isto nao e um banco de dados, mas um texto qualquer" * 40, b"\0" * 5000])
def test_a_file_that_is_something_else_is_left_alone(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)

    with pytest.raises(StorageError, match="não é um arquivo de dados deste programa"):
        _open(path)

    assert Path(path).read_bytes() == content


@pytest.mark.skipif(os.name == "nt", reason="no such modes")
def test_a_foreign_file_keeps_its_mode_and_a_foreign_database_its_journal(path: str) -> None:
    db = sqlite3.connect(path)
    db.execute("create table other (x)")
    db.close()
    Path(path).chmod(0o644)
    before = Path(path).read_bytes()

    with pytest.raises(StorageError, match="não é um arquivo de dados deste programa"):
        _open(path)

    assert (stat.S_IMODE(Path(path).stat().st_mode), Path(path).read_bytes()) == (0o644, before)


def test_another_program_s_database_is_left_alone(path: str) -> None:
    db = sqlite3.connect(path)
    db.execute("create table other (x)")
    db.close()

    with pytest.raises(StorageError, match="não é um arquivo de dados deste programa"):
        _open(path)


def test_a_place_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Não foi possível abrir"):
        _open(str(tmp_path / "nowhere" / "x.sqlite3"))


def test_an_empty_file_is_filled(path: str) -> None:
    Path(path).touch()
    world = _open(path)

    assert world.count("leads") == 20
    world.close()


def test_a_build_that_was_cut_short_begins_again(path: str) -> None:
    """A process killed while it writes a new world leaves no half of one."""
    from kommo.sandbox.storage import Storage

    Storage(path).close()
    world = _open(path)

    assert world.count("contacts") == 30
    world.close()
