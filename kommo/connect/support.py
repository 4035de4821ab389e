"""What a person needs once Kommo has blocked this server: until when nothing is sent, and what to write to its support.

The block is its gateway's, by IP, has no end that is documented, and is lifted by the support only. Source: Kommo's
page on limitations, amocrm-api-php issues 434 and 563.
"""

from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

from kommo.crm.caller import BLOCK_PAUSE
from kommo.store.pace import Slots
from kommo.store.tables import Connection
from kommo.store.zones import DEFAULT, zone_of
from kommo.text import date_time, number


@dataclass(frozen=True, slots=True)
class Block:
    """Nothing is sent for another `seconds`, until `until` (Unix seconds); `text` is for Kommo's support."""

    seconds: float
    until: float
    text: str


def blocked(slots: Slots, account_id: int | None, connection: Connection | None) -> Block | None:
    """The block that an account's requests meet, as its budget stands; None where they are free.

    The account is that of `connection`, where it is connected; `account_id` is None where nobody knows it yet.
    """
    if not slots.stopped_until:
        return None
    zone = zone_of(connection) if connection else ZoneInfo(DEFAULT)
    text = words(_account(connection, account_id), slots.stopped_until - BLOCK_PAUSE, zone, slots.limit)
    return Block(slots.stopped_until - slots.now, slots.stopped_until, text)


def place(connection: Connection) -> str:
    """The account's address in words: "padariaestrela.kommo.com"."""
    if connection.is_demo:
        return "conta de demonstração"
    subdomain = connection.subdomain
    return f"{subdomain}.{connection.base_domain}" if subdomain else f"conta {connection.account_id}"


def words(account: str, since: float, zone: tzinfo, limit: float) -> str:
    """The message to Kommo's support. `since` is when the last call was refused; `limit` requests a second, 0 = none.

    It holds no token: the account and the time are enough for the support to find the address that was blocked.
    """
    pace = number(limit, 0 if limit == int(limit) else 1)
    slowly = f", com no máximo {pace} {'requisição' if limit == 1 else 'requisições'} por segundo" if limit else ""
    return (
        f"Olá,\n\nusamos a API v4 do Kommo com {account}, a partir de um servidor nosso. A API passou a responder "
        "403 Forbidden, numa página HTML, a todas as chamadas desse servidor: a última recusa foi em "
        f"{date_time(since, zone)} ({zone}). Parece que o endereço IP dele foi bloqueado.\n\n"
        "Peço que desbloqueiem esse IP. É o endereço de saída do servidor, que aparece nos seus registros como a "
        "origem das chamadas recusadas a esta conta nesse horário. Peço também que digam o que causou o bloqueio, "
        "para que não se repita.\n\n"
        f"O programa parou de chamar a API e só volta depois do desbloqueio{slowly}.\n\nObrigado."
    )


def _account(connection: Connection | None, account_id: int | None) -> str:
    if connection is not None and connection.subdomain and not connection.is_demo:
        return f"a conta {place(connection)} (ID {connection.account_id})"
    return f"a conta de ID {account_id}" if account_id is not None else "a nossa conta"
