"""The badge of proof: green only for what was counted equal and still is; an old proof is never shown as a new one."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from kommo.db import now, reading
from kommo.store.copy_state import CopyState, copy_state
from kommo.store.tables.wallet import CONTACT
from tests.clocks import clock_moved
from tests.factories import NOON, bury_record, contact_record, deal_record, make_run, store_contacts, store_deals
from tests.store.conftest import Copies

ON_THE_25TH = "Conferido pela última vez em 25/11/2026."
THE_28TH = NOON + 3 * 86_400


@pytest.fixture(autouse=True)
def _on_the_28th(copies: Copies) -> Iterator[None]:
    """Whatever the day of the machine is: on the 25th itself the badge tells the hour."""
    with reading(copies.engine) as opened:
        away = THE_28TH - now(opened)
    with clock_moved(copies.engine, away):
        yield


@pytest.fixture
def stocked(copies: Copies) -> Copies:
    """Ana's bakery with three contacts and one deal."""
    store_contacts(copies.engine, copies.bakery, [contact_record(number) for number in (1, 2, 3)])
    store_deals(copies.engine, copies.bakery, [deal_record(1)])
    store_contacts(copies.engine, copies.brunos, [contact_record(1)])
    return copies


def proved(copies: Copies, **columns: object) -> int:
    return make_run(copies.engine, copies.bakery, contacts=(3, 3), deals=(1, 1), **columns)


def state(session: Session, copies: Copies) -> CopyState:
    session.rollback()
    return copy_state(session, copies.bakery)


def test_before_the_first_run_there_is_no_copy(copies: Copies, session: Session) -> None:
    found = state(session, copies)
    assert (found.kind, found.label, found.run_id, found.at) == ("none", "Sem cópia", None, None)
    assert found.sentence == "Ainda não há cópia desta conta: sincronize."


def test_equal_counts_are_a_proof(stocked: Copies, session: Session) -> None:
    run_id = proved(stocked)
    assert state(session, stocked) == CopyState(
        kind="verified",
        label="Conferido em 25/11/2026",
        sentence="Conferido por contagem: 3 contatos no Kommo, 3 aqui; 1 negociação no Kommo, 1 aqui.",
        at=NOON,
        verified_at=NOON,
        run_id=run_id,
        contacts=3,
        deals=1,
        remote_contacts=3,
        remote_deals=1,
    )


def test_a_proof_of_today_tells_the_hour_of_the_account(stocked: Copies, session: Session) -> None:
    proved(stocked, finished_at=THE_28TH - 12 * 3600)
    assert state(session, stocked).label == "Conferido às 00:00"
    proved(stocked, finished_at=THE_28TH - 12 * 3600 - 1)
    assert state(session, stocked).label == "Conferido em 27/11/2026"


def test_other_counts_are_partial_and_say_both(stocked: Copies, session: Session) -> None:
    make_run(stocked.engine, stocked.bakery, contacts=(12431, 3), deals=(1, 1))
    found = state(session, stocked)
    assert (found.kind, found.label, found.remote_contacts) == ("partial", "Parcial", 12431)
    assert found.sentence == (
        "Parcial: 12.431 contatos no Kommo, 3 aqui; 1 negociação no Kommo, 1 aqui. "
        "Ainda não foi conferido por contagem."
    )


def test_a_run_without_counts_is_partial(stocked: Copies, session: Session) -> None:
    make_run(stocked.engine, stocked.bakery, contacts=(3, 3), deals=(None, None))
    found = state(session, stocked)
    assert found.kind == "partial"
    assert "1 negociação aqui, sem contagem no Kommo" in found.sentence


def test_errors_make_equal_counts_partial(stocked: Copies, session: Session) -> None:
    proved(stocked, errors=["O Kommo não informou os funis."])
    found = state(session, stocked)
    assert (found.kind, found.verified_at) == ("partial", None)
    assert found.sentence.startswith("Parcial: O Kommo não informou os funis.")


def test_warnings_leave_a_proof_a_proof(stocked: Copies, session: Session) -> None:
    proved(stocked, warnings=["Os nomes dos usuários não vieram."])
    assert state(session, stocked).kind == "verified"


def test_a_later_failure_is_said_with_the_date_of_the_proof(stocked: Copies, session: Session) -> None:
    proved(stocked)
    failed = make_run(stocked.engine, stocked.bakery, "failed", finished_at=NOON + 60, errors=["Token recusado (401)."])
    found = state(session, stocked)
    assert (found.kind, found.label, found.run_id, found.at) == ("stopped", "Parou", failed, NOON + 60)
    assert found.sentence == f"Parou: Token recusado (401). {ON_THE_25TH}"
    assert found.verified_at == NOON


def test_a_failure_without_words_has_some(stocked: Copies, session: Session) -> None:
    make_run(stocked.engine, stocked.bakery, "failed")
    assert state(session, stocked).sentence == (
        "Parou: a última sincronização não terminou. Ainda não foi conferido por contagem."
    )


def test_a_later_cancelled_run_is_partial(stocked: Copies, session: Session) -> None:
    proved(stocked)
    make_run(stocked.engine, stocked.bakery, "cancelled")
    found = state(session, stocked)
    assert (found.kind, found.sentence) == ("partial", f"Parcial: a última sincronização foi cancelada. {ON_THE_25TH}")


def test_a_later_run_with_other_counts_is_partial(stocked: Copies, session: Session) -> None:
    proved(stocked)
    make_run(stocked.engine, stocked.bakery, contacts=(4, 3), deals=(1, 1))
    found = state(session, stocked)
    assert found.kind == "partial"
    assert found.sentence.endswith(ON_THE_25TH)


@pytest.mark.parametrize(
    ("run_state", "cancel", "label", "sentence"),
    [
        ("queued", False, "Na fila", "Na fila: a sincronização começa em instantes."),
        ("running", False, "Em andamento", "Sincronização em andamento: os números ainda mudam."),
        ("running", True, "Cancelando", "Cancelando: a sincronização para no fim da página que lê."),
    ],
)
def test_a_run_under_way_is_said(
    stocked: Copies, session: Session, run_state: str, cancel: bool, label: str, sentence: str
) -> None:
    proved(stocked)
    make_run(stocked.engine, stocked.bakery, run_state, cancel=cancel)
    found = state(session, stocked)
    assert (found.kind, found.label) == ("running", label)
    assert found.sentence == f"{sentence} {ON_THE_25TH}"


def test_a_paused_run_says_what_it_waits_for(stocked: Copies, session: Session) -> None:
    make_run(stocked.engine, stocked.bakery, "paused", waiting="O Kommo pediu pausa; continua às 22:16.")
    found = state(session, stocked)
    assert (found.kind, found.label) == ("running", "Em pausa")
    assert found.sentence.startswith("Em pausa: O Kommo pediu pausa; continua às 22:16.")


def test_a_copy_that_changed_after_the_count_is_not_proved(stocked: Copies, session: Session) -> None:
    proved(stocked)
    bury_record(stocked.engine, stocked.bakery, CONTACT, 3)
    found = state(session, stocked)
    assert (found.kind, found.contacts) == ("partial", 2)
    assert found.sentence == f"Parcial: a cópia mudou depois da contagem. {ON_THE_25TH}"


def test_a_new_proof_makes_good_what_went_before(stocked: Copies, session: Session) -> None:
    make_run(stocked.engine, stocked.bakery, "failed", errors=["Sem rede."])
    proved(stocked)
    assert state(session, stocked).kind == "verified"


def test_a_proof_of_another_account_proves_nothing_here(stocked: Copies, session: Session) -> None:
    make_run(stocked.engine, stocked.brunos, contacts=(1, 1), deals=(0, 0))
    make_run(stocked.engine, stocked.workshop, "failed")
    assert state(session, stocked).kind == "none"
    brunos = copy_state(session, stocked.brunos)
    assert (brunos.kind, brunos.contacts, brunos.deals) == ("verified", 1, 0)
