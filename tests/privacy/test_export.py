"""What is kept of a person, in their hands: complete, theirs alone, and safe to open in a spreadsheet."""

import csv
import io
from typing import Any

import orjson
import pytest

from kommo import sheet
from kommo.db import reading, writing
from kommo.privacy import erase, export
from kommo.store import audit
from tests.privacy.conftest import BY, CPF, EMAIL, NAME, NOTE, PHONE, Scene
from tests.sync.accounts import run


def collected(scene: Scene, contact_id: int | None = None) -> dict[str, Any]:
    with reading(scene.services.engine) as session:
        found = export.collect(session, scene.connection, contact_id or scene.person)
    assert found is not None
    return found


def rows(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))


def test_the_document_has_all_that_is_kept(scene: Scene) -> None:
    text = export.as_json(collected(scene)).decode()
    for value in (NAME, PHONE, EMAIL, CPF, "Bolo de casamento"):
        assert value in text
    found = orjson.loads(text)
    assert found["pessoa"]["registro"]["id"] == scene.person
    assert [deal["numero"] for deal in found["negociacoes"]] == [scene.own]


def test_the_table_has_every_value_of_the_document(scene: Scene) -> None:
    found = collected(scene)
    lines = rows(export.as_csv(found))
    assert lines[0] == list(export.HEAD)
    assert ["pessoa", str(scene.person), "nome", NAME] in lines
    assert ["pessoa", str(scene.person), "telefones.0", f"'{PHONE}"] in lines  # a plus sign begins a formula
    assert any(line[3] == NOTE for line in lines)
    assert {line[0] for line in lines[1:]} >= {"documento", "conta", "pessoa", "negociacao"}


def test_of_anybody_else_there_is_no_byte(scene: Scene) -> None:
    world = scene.kommo.world
    others = [key for key in world.ids("contacts") if key != scene.person]
    world.link("leads", scene.own, "contacts", others[0])
    run(scene.services, scene.connection_id)
    found = collected(scene)
    text = export.as_json(found).decode() + export.as_csv(found)
    for key in others:
        record = world.record("contacts", key)
        values = [
            value["value"]
            for one in record.get("custom_fields_values") or ()
            if one["field_code"] in ("PHONE", "EMAIL")
            for value in one["values"]
        ]
        for value in [record["name"], *values]:
            assert not value or str(value) not in text, value
    contacts = found["negociacoes"][0]["registro"]["_embedded"]["contacts"]
    assert [one["id"] for one in contacts] == [scene.person]


def test_what_was_done_is_part_of_it(scene: Scene) -> None:
    with writing(scene.services.engine) as session:
        account = scene.connection
        of: dict[str, Any] = {"owner": account.user_id, "account_id": account.account_id}
        audit.note(session, BY, "person.exported", **of, subject=erase.subject_of(scene.person))
        audit.note(session, BY, "person.exported", **of, subject=erase.subject_of(scene.person + 1))
        audit.note(session, BY, "person.exported", **of | {"owner": "2"}, subject=erase.subject_of(scene.person))
    assert [one["acao"] for one in collected(scene)["historico"]] == ["Dados de uma pessoa exportados"]


def test_of_who_was_erased_it_says_so(scene: Scene) -> None:
    erase.erase(scene.services, scene.connection, scene.person, BY)
    found = collected(scene)
    assert found["pessoa"]["apagada_aqui_em"]
    assert found["pessoa"]["registro"] == {"id": scene.person}
    assert found["negociacoes"] == []
    assert [one["acao"] for one in found["historico"]] == ["Dados de uma pessoa apagados"]


def test_an_unknown_number_gives_nothing(scene: Scene) -> None:
    with reading(scene.services.engine) as session:
        assert export.collect(session, scene.connection, 999_999_999) is None


FORMULAS = ("=1+1", "+55", "-2", "@SUM", "\tx", "\rx", "\nx", "\0=1", "＝1", "＋1", "－1", "＠x", "=cmd|' /C calc'!A0")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_becomes_a_formula(text: str) -> None:
    assert sheet.guarded(text).startswith("'")
    assert "\0" not in sheet.guarded(text)


@pytest.mark.parametrize(("value", "cell"), [(-5, "-5"), (1.5, "1.5"), (None, ""), ("a=b", "a=b"), ("Zé", "Zé")])
def test_numbers_and_plain_texts_stay_as_they_are(value: Any, cell: str) -> None:
    assert sheet.guarded(value) == cell


def test_quotes_commas_and_lines_are_read_back(scene: Scene) -> None:
    hard = 'um "dois", três\nquatro;cinco\r\nseis'
    text = "".join(sheet.lines(("a", "b"), [(hard, 1)]))
    assert text == '\ufeffa,b\r\n"um ""dois"", três\nquatro;cinco\r\nseis",1\r\n'
    assert rows(text)[1] == [hard, "1"]
