"""What has to be said on every page: 30, 7 and 1 days before a token ends, and when something is wrong already."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Blueprint, Flask

from kommo.connect.support import Block
from kommo.pages.notices import DAY, notices
from kommo.store.tables import Connection

NOON = 1_795_618_800.0  # 25/11/2026 12:00 in São Paulo
SAO_PAULO = "America/Sao_Paulo"


@pytest.fixture(autouse=True)
def _page() -> Iterator[None]:
    app = Flask("notices")
    room = Blueprint("connection", __name__)
    room.get("/conexao", endpoint="page")(lambda: "")
    app.register_blueprint(room)
    with app.test_request_context("/"):
        yield


def make(name: str = "Padaria Estrela", **values: Any) -> Connection:
    usual = {"token": "sealed", "token_refused": False, "expires_at": None, "is_demo": False, "timezone": SAO_PAULO}
    return Connection(name=name, **usual | values)


def said(*everyone: Connection, blocked: Block | None = None) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in notices(everyone[0], list(everyone), NOON, blocked)]


@pytest.mark.parametrize(
    ("left", "kind", "words"),
    [
        (29.5, "warning", "vence em 29 dias, em 25/12/2026."),
        (30.0, "warning", "vence em 30 dias"),
        (7.9, "warning", "vence em 7 dias, em 03/12/2026. Gere outro no Kommo ainda nesta semana."),
        (2.0, "warning", "vence em 2 dias"),
        (1.5, "bad", "vence em 1 dia, em 27/11/2026."),
        (0.5, "bad", "vence em menos de um dia, em 26/11/2026."),
        (0.0, "bad", "venceu em 25/11/2026. A cópia continua aqui"),
        (-400.0, "bad", "venceu em 21/10/2025."),
    ],
)
def test_the_end_of_a_token_is_told_in_time(left: float, kind: str, words: str) -> None:
    ((found, text),) = said(make(expires_at=int(NOON + left * DAY)))
    assert found == kind
    assert words in text


@pytest.mark.parametrize("expires_at", [int(NOON + 30.1 * DAY), int(NOON + 900 * DAY), None])
def test_a_token_with_time_left_is_not_spoken_of(expires_at: int | None) -> None:
    assert said(make(expires_at=expires_at)) == []


def test_a_refused_token_is_said_once_whatever_its_date() -> None:
    ((kind, text),) = said(make(token_refused=True, expires_at=int(NOON - DAY)))
    assert kind == "bad"
    assert text.startswith("O token foi recusado pelo Kommo.")


def test_a_disconnected_account_has_no_token_to_warn_of() -> None:
    assert said(make(token=None, expires_at=int(NOON - DAY), is_demo=True)) == []


def test_several_accounts_are_named_and_the_gravest_comes_first() -> None:
    bakery = make(expires_at=int(NOON + 20 * DAY))
    workshop = make("Oficina Norte", expires_at=int(NOON - DAY))
    assert [text.split(" ven")[0] for _, text in said(bakery, workshop)] == [
        "O token da conta Oficina Norte",
        "O token da conta Padaria Estrela",
    ]


def test_the_demonstration_account_is_called_what_it_is() -> None:
    ((kind, text),) = said(make(is_demo=True))
    assert kind == ""
    assert "inventados" in text


@pytest.mark.parametrize(("zone", "words"), [("America/Sao_Paulo", "12:15"), ("America/Manaus", "11:15")])
def test_a_block_by_kommo_is_told_with_what_it_means_and_its_end(zone: str, words: str) -> None:
    ((kind, text),) = said(make(timezone=zone), blocked=Block(900, NOON + 900, "Olá"))
    assert kind == "bad"
    assert text.endswith(f"Nada é enviado a ele até 25/11/2026 {words}; a cópia continua aqui.")


def test_every_warning_leads_to_where_it_can_be_mended() -> None:
    everyone = [make(expires_at=int(NOON + days * DAY)) for days in (20, 5, 0.5, -1)] + [make(token_refused=True)]
    found = notices(everyone[0], everyone, NOON, Block(60, NOON + 60, "Olá"))
    assert {one.href for one in found} == {"/conexao", "/conexao#bloqueio"}
    assert all(one.action for one in found)
