"""The words for Kommo's support: whose account, since when, what is asked for; never a token."""

from zoneinfo import ZoneInfo

import pytest

from kommo.connect import support
from kommo.connect.client import budget_for, slots_for
from kommo.connect.support import Block
from kommo.crm.caller import BLOCK_PAUSE
from kommo.sandbox import Server
from kommo.services import Services
from kommo.store.tables import Connection
from kommo.text import date_time
from tests.clocks import clock_moved
from tests.factories import make_account

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
NOON = 1_795_618_800.0


def blocked(services: Services, account_id: int | None, connection: Connection | None) -> Block | None:
    return support.blocked(slots_for(services, account_id, connection), account_id, connection)


def test_they_name_the_account_the_time_and_the_wish() -> None:
    text = support.words("a conta padariaestrela.kommo.com (ID 30001000)", NOON, SAO_PAULO, 6.0)
    assert "padariaestrela.kommo.com (ID 30001000)" in text
    assert "25/11/2026 12:00 (America/Sao_Paulo)" in text
    assert "403 Forbidden" in text
    assert "desbloqueiem esse IP" in text
    assert "aparece nos seus registros" in text
    assert "no máximo 6 requisições por segundo" in text


@pytest.mark.parametrize(
    ("limit", "words"), [(3.5, "3,5 requisições por"), (1.0, "1 requisição por"), (0.0, "depois do desbloqueio.")]
)
def test_they_promise_the_limit_that_is_set(limit: float, words: str) -> None:
    assert words in support.words("a nossa conta", NOON, SAO_PAULO, limit)


def test_a_block_is_told_for_as_long_as_it_lasts(services: Services) -> None:
    account = make_account(services.engine)
    assert blocked(services, account.account_id, account) is None
    budget_for(services, account.account_id).block(BLOCK_PAUSE)
    found = blocked(services, account.account_id, account)
    assert found is not None
    assert 600 < found.seconds <= BLOCK_PAUSE
    assert "padariaestrela.kommo.com (ID 30001000)" in found.text
    assert date_time(found.until - BLOCK_PAUSE, SAO_PAULO) in found.text
    with clock_moved(services.engine, BLOCK_PAUSE + 1):
        assert blocked(services, account.account_id, account) is None


def test_without_a_connection_the_accounts_number_has_to_do(services: Services) -> None:
    budget_for(services, None).block(BLOCK_PAUSE)
    for account_id, words in ((2974588, "a conta de ID 2974588"), (None, "a nossa conta")):
        found = blocked(services, account_id, None)
        assert found is not None
        assert words in found.text


def test_an_account_without_a_subdomain_is_named_by_its_number(services: Services) -> None:
    account = make_account(services.engine, subdomain="")
    budget_for(services, account.account_id).block(BLOCK_PAUSE)
    found = blocked(services, account.account_id, account)
    assert found is not None
    assert "a conta de ID 30001000" in found.text


def test_the_demonstration_account_has_a_block_of_its_own(services: Services, padaria: Server) -> None:
    account = make_account(services.engine, is_demo=True)
    budget_for(services, account.account_id).block(BLOCK_PAUSE)
    assert blocked(services, account.account_id, account) is None
