"""Opening a client for an account: its token from the vault, its address, and the budget it shares with all others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kommo.connect.access import address_of
from kommo.crm.budget import NotYet
from kommo.crm.client import Kommo
from kommo.crm.errors import Blocked, RateLimited, TokenRefused
from kommo.crm.transport import Transport
from kommo.services import Services
from kommo.settings import Settings
from kommo.store import connections
from kommo.store.budget import INSTALLATION, BudgetBlocked, BudgetEarly, BudgetFull, SqlBudget
from kommo.store.pace import Slots
from kommo.store.tables import Connection

DEMO = "demo"
LONGEST_WAIT = 15.0  # seconds somebody at a page, or a program, waits for a free slot
LONGEST_CALL = 60.0  # seconds a call of the JSON API is busy with Kommo, all attempts and pauses together


@dataclass(frozen=True, slots=True)
class SharedBudget:
    """The client's view of the budget row that all threads, processes and machines share."""

    rows: SqlBudget

    def slot(self, purpose: str, *, max_wait: float | None = None, waited: float = 0.0, again: bool = False) -> float:
        """Reserve one request; gives the seconds to sleep. Raises Blocked, RateLimited, NotYet as the protocol says."""
        try:
            return self.rows.reserve(purpose, max_wait, waited=waited, again=again)
        except BudgetEarly as early:
            raise NotYet(early.seconds) from None
        except BudgetBlocked as blocked:
            raise Blocked(retry_after=blocked.seconds) from None
        except BudgetFull as full:
            raise RateLimited(retry_after=full.seconds) from None

    def held(self) -> bool:
        """Whether a reserved slot may not be used any more."""
        return self.rows.held()

    def slow_down(self, seconds: float, purpose: str, sent: float) -> None:
        """Push everybody's next request back and halve the pace."""
        self.rows.slow_down(seconds, purpose, sent)

    def block(self, seconds: float) -> None:
        """Stop everybody."""
        self.rows.block(seconds)


def budget_for(services: Services, account_id: int | None, *, is_demo: bool = False) -> SharedBudget:
    """The budget of an account under KOMMO_RATE_SCOPE; the demonstration account never uses up the real one."""
    by_account = services.settings.rate_scope == "account" and account_id is not None
    scope = DEMO if is_demo else f"account:{account_id}" if by_account else INSTALLATION
    return SharedBudget(SqlBudget(services.engine, scope, services.settings.rate_limit))


def slots_for(services: Services, account_id: int | None, connection: Connection | None) -> Slots:
    """How the budget of an account stands, connected (then it is that of `connection`) or not; one short read."""
    return budget_for(services, account_id, is_demo=connection is not None and connection.is_demo).rows.slots()


def longest_call(settings: Settings) -> float:
    """Seconds for which a call of the JSON API may be busy with Kommo; one request has KOMMO_TIMEOUT in any case."""
    return max(LONGEST_CALL, settings.timeout_ms / 1000)


@contextmanager
def open_client(
    services: Services, token: str, base_address: str, budget: SharedBudget, **options: Any
) -> Iterator[Kommo]:
    """A client for a token at an address; `options` are those of `Kommo` (purpose, should_stop, …)."""
    settings = services.settings
    person = options.get("purpose") == "page"  # who looks at a page that hangs would rather try again
    usual = {
        "attempts": min(settings.retry_attempts, 1) if person else settings.retry_attempts,
        "delay": settings.retry_delay_ms / 1000,
        "address_set": settings.api_url is not None,
        "max_wait": None if options.get("purpose") == "sync" else LONGEST_WAIT,
        "within": longest_call(settings) if options.get("purpose") == "api" else None,
    }
    with Transport(base_address, token, timeout=settings.timeout_ms / 1000) as transport:
        yield Kommo(transport, budget, **usual | options)


@contextmanager
def open_kommo(
    services: Services,
    connection: Connection,
    *,
    purpose: str = "sync",
    should_stop: Callable[[], bool] | None = None,
    **options: Any,
) -> Iterator[Kommo]:
    """A client for a connected account. Raises VaultError as `stored` does, TokenRefused without a token."""
    token = connections.open_token(services.vault, connection)
    if token is None:
        raise TokenRefused
    if should_stop is not None:
        options["should_stop"] = should_stop
    budget = budget_for(services, connection.account_id, is_demo=connection.is_demo)
    address = address_of(services.settings, connection)
    with open_client(services, token, address, budget, purpose=purpose, **options) as kommo:
        yield kommo
