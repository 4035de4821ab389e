"""What has to be said on every page: a token that ends soon, is refused or gone, and invented data."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from math import inf
from zoneinfo import ZoneInfo

from flask import url_for

from kommo.connect.support import Block
from kommo.store.tables import Connection
from kommo.store.zones import DEFAULT, zone_of
from kommo.text import date, date_time, plural
from kommo.vault import VaultError

DAY = 86_400
EXPOSED = (
    "Outras máquinas abrem este painel sem HTTPS: senhas e dados passam pela rede sem cifra, e quem está no caminho "
    "os lê. Ponha à frente um proxy com HTTPS e diga KOMMO_PROXY_COUNT=1, como em docs/operation.md."
)
LockOf = Callable[[Connection], VaultError | None]
WARN_DAYS = 30  # the first warning; it grows more urgent at 7 days and at 1


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for every page. `kind`: "" (to know), "warning" or "bad"; `href` leads to what helps."""

    kind: str
    text: str
    href: str = ""
    action: str = ""


def _opens(_connection: Connection) -> None:
    """No stored token is looked at."""


def notices(
    current: Connection | None,
    everyone: list[Connection],
    now: float,
    blocked: Block | None = None,
    named: bool | None = None,
    lock_of: LockOf = _opens,
    *,
    exposed: bool = False,
) -> list[Notice]:
    """The notices of this moment, the gravest first. `blocked` is given while Kommo lets nobody in.

    `lock_of` says why a stored token does not open; `exposed`: others are served without HTTPS.

    `everyone` are the connections to speak of, by name where there are several (or `named` says so).
    """
    named = len(everyone) > 1 if named is None else named
    zone = zone_of(current) if current else ZoneInfo(DEFAULT)
    found = [Notice("bad", EXPOSED)] if exposed else []
    found += [_blocked(blocked, zone)] if blocked else []
    for connection in everyone:
        found += _of_token(connection, now, lock_of, named=named)
    if current is not None and current.is_demo and current.token:
        text = "Esta é a conta de demonstração: pessoas, empresas e valores são inventados."
        found.append(Notice("", text, url_for("connection.page"), "Conectar a sua conta"))
    return sorted(found, key=lambda notice: ("bad", "warning", "").index(notice.kind))


def _blocked(block: Block, zone: tzinfo) -> Notice:
    until = date_time(block.until, zone)
    text = f"O Kommo bloqueou o endereço deste servidor. Nada é enviado a ele até {until}; a cópia continua aqui."
    return Notice("bad", text, url_for("connection.page", _anchor="bloqueio"), "O que fazer")


def _of_token(connection: Connection, now: float, lock_of: LockOf, *, named: bool) -> list[Notice]:
    if not connection.token:
        return []
    whose = f"O token da conta {connection.name}" if named else "O token"
    where = url_for("connection.page")
    if connection.token_refused:
        text = f"{whose} foi recusado pelo Kommo. A cópia continua aqui, mas não é mais atualizada."
        return [Notice("bad", text, where, "Colar outro token")]
    left = inf if connection.expires_at is None else connection.expires_at - now
    when = date(connection.expires_at, zone_of(connection))
    if left <= 0:
        text = f"{whose} venceu em {when}. A cópia continua aqui, mas não é mais atualizada."
        return [Notice("bad", text, where, "Colar outro token")]
    if locked := lock_of(connection):
        text = f"{_blocked_account(connection, named)}. {locked} A cópia continua aqui, mas não é mais atualizada."
        return [Notice("bad", text, where, "Ver a conexão")]
    if left > WARN_DAYS * DAY:
        return []
    return [_ending(whose, int(left // DAY), when, where)]


def _blocked_account(connection: Connection, named: bool) -> str:
    return f"A conta {connection.name} está bloqueada" if named else "Esta conta está bloqueada"


def _ending(whose: str, days: int, when: str, where: str) -> Notice:
    if days < 1:
        return Notice("bad", f"{whose} vence em menos de um dia, em {when}.", where, "Colar outro token")
    text = f"{whose} vence em {plural(days, 'dia', 'dias')}, em {when}."
    if days <= 1:
        return Notice("bad", text, where, "Colar outro token")
    if days <= 7:
        return Notice("warning", f"{text} Gere outro no Kommo ainda nesta semana.", where, "Colar outro token")
    return Notice("warning", text, where, "Ver a conexão")
