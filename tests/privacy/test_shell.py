"""`flask kommo person` and `flask kommo retention`."""

from pathlib import Path

import orjson
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from kommo.db import reading
from kommo.store.tables import Audit
from tests.factories import contact_record, deal_record, make_account, store_contacts, store_deals
from tests.privacy.conftest import EMAIL, NAME, PHONE


@pytest.fixture
def shop(app: Flask) -> Flask:
    """An installation with Quitéria (41)."""
    engine = app.extensions["kommo"].engine
    account = make_account(engine)
    store_contacts(engine, account, [contact_record(41, NAME, phones=[PHONE], emails=[EMAIL]), contact_record(42)])
    store_deals(engine, account, [deal_record(51, f"Bolo, {NAME}", contacts=[41])])
    return app


def call(app: Flask, *arguments: str, typed: str = "") -> Result:
    return app.test_cli_runner().invoke(args=["kommo", *arguments], input=typed)


def actions(app: Flask) -> list[str]:
    with reading(app.extensions["kommo"].engine) as session:
        return list(session.scalars(select(Audit.action).order_by(Audit.id)))


def test_find_gives_a_line_for_each(shop: Flask) -> None:
    done = call(shop, "person", "find", "xisto")
    assert done.exit_code == 0
    assert done.stdout == f"30001000\t41\t{NAME}\t{PHONE}\t{EMAIL}\n"
    assert call(shop, "person", "find", "zzzz").exit_code == 1
    assert call(shop, "person", "find", "a").exit_code == 2
    assert call(shop, "person", "find", "xisto", "--user", "2").exit_code == 1
    assert actions(shop) == ["person.found"] * 3


def test_export_writes_a_new_file_or_the_output(shop: Flask, tmp_path: Path) -> None:
    target = tmp_path / "pessoa.json"
    assert call(shop, "person", "export", "41", "--output", str(target)).exit_code == 0
    assert orjson.loads(target.read_bytes())["pessoa"]["nome"] == NAME
    again = call(shop, "person", "export", "41", "--output", str(target))
    assert again.exit_code == 2
    assert "já existe" in again.stderr
    done = call(shop, "person", "export", "41", "--format", "csv")
    assert done.stdout_bytes.startswith(b"\xef\xbb\xbfparte,numero,campo,valor\r\n")
    assert call(shop, "person", "export", "99").exit_code == 2
    nowhere = call(shop, "person", "export", "41", "--output", str(tmp_path / "nada" / "x.json"))
    assert nowhere.exit_code == 2
    assert "não pôde ser gravado" in nowhere.stderr


def test_erase_asks_and_says_what_is_left_to_do(shop: Flask) -> None:
    no = call(shop, "person", "erase", "41", typed="n\n")
    assert no.exit_code == 2
    assert "Nada foi apagado" in no.stderr
    assert NAME in call(shop, "person", "find", "41").output
    yes = call(shop, "person", "erase", "41", typed="y\n")
    assert yes.exit_code == 0, yes.output
    assert "1 negociação perde os textos" in yes.output
    assert "O Kommo continua com a pessoa" in yes.output
    assert "regravado" in yes.output or "VACUUM FULL" in yes.output
    assert call(shop, "person", "find", "xisto").exit_code == 1
    assert "(apagada)" in call(shop, "person", "find", "41").output
    again = call(shop, "person", "erase", "41", "--yes")
    assert again.exit_code == 0
    assert actions(shop).count("person.erased") == 1


@pytest.mark.parametrize("number", ["0", "-1", "x", str(2**63)])
def test_what_is_no_number_is_refused(shop: Flask, number: str) -> None:
    assert call(shop, "person", "erase", "--yes", "--", number).exit_code == 2
    assert call(shop, "person", "erase", "99", "--yes").exit_code == 2


def test_retention_is_shown_and_set(app: Flask) -> None:
    shown = call(app, "retention")
    assert shown.output.splitlines() == [
        "Sincronizações terminadas: 365 dias",
        "Registros de auditoria: 1.825 dias",
        "Cópias de contas desconectadas: sem prazo",
        "Cópias de segurança: 180 dias",
    ]
    changed = call(app, "retention", "--runs", "1", "--copies", "30", "--audit", "sempre")
    assert changed.output.splitlines()[:3] == [
        "Sincronizações terminadas: 1 dia",
        "Registros de auditoria: sem prazo",
        "Cópias de contas desconectadas: 30 dias",
    ]
    for wrong in ("0", "-3", "nunca", "99999999"):
        assert call(app, "retention", f"--runs={wrong}").exit_code == 2
    assert call(app, "retention").output == changed.output
