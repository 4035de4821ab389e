"""The card of the request budget: how fast it may go and why, who used how much, and the last hour as a chart."""

from dataclasses import dataclass

from kommo.connect.client import DEMO, budget_for
from kommo.pages.context import services, session, slots
from kommo.pages.use_chart import UseChart, use_chart
from kommo.store import use
from kommo.store.budget import INSTALLATION
from kommo.store.pace import Slots
from kommo.store.tables import Connection
from kommo.store.use import Use, Used
from kommo.text import number

WHO = {"sync": "Sincronização", "page": "Páginas", "api": "API"}
_SHARED = "O limite e os números são da instalação: valem para todas as contas juntas."
_OWN = "O limite e os números são só desta conta."
_UNLIMITED = "Sem limite, as requisições não são contadas."


@dataclass(frozen=True, slots=True)
class Requests:
    """The card. `kind` and `state` are its badge, `until` what the badge ends with (Unix seconds), if anything does.

    `rows` are a word and three counts: of this minute, the last hour and the last 24 hours.
    """

    limit: str
    kind: str
    state: str
    until: float | None
    whose: str
    rows: list[tuple[str, str, int, int, int]]
    refused: int
    chart: UseChart | None


def requests(account: Connection) -> Requests:
    """The card of the account in view, in two short reads and `slots`; a page asks for it every second."""
    rows = budget_for(services(), account.account_id, is_demo=account.is_demo).rows
    used = use.used(session(), rows.scope, slots().now)
    kind, state, until = standing(slots())
    return Requests(
        limit=f"limite: {pace(rows.limit)} por segundo" if rows.limit else "sem limite",
        kind=kind,
        state=state,
        until=until,
        whose=_whose(rows.scope) if rows.limit else _UNLIMITED,
        rows=[*_rows(used), ("", "Total", used.minute.total, used.hour.total, used.day.total)],
        refused=used.day.refused,
        chart=use_chart(used.minutes),
    )


def standing(found: Slots) -> tuple[str, str, float | None]:
    """The badge's kind and words, and the time it ends with."""
    if found.stopped_until:
        return "bad", "bloqueado pelo Kommo até", found.stopped_until
    if found.full_at is not None:
        return "warning", f"voltando a {pace(found.limit)} por segundo, agora {pace(found.speed)}", None
    if found.paused_until:
        return "warning", "em pausa depois de um 429 até", found.paused_until
    return "good", "na velocidade plena", None


def pace(value: float) -> str:
    """Requests a second as people write them: "6", "3,5"."""
    shown = round(value, 1)
    return number(shown, 0 if shown == int(shown) else 1)


def _whose(scope: str) -> str:
    if scope == INSTALLATION:
        return _SHARED
    return "O limite e os números são só da conta de demonstração." if scope == DEMO else _OWN


def _rows(used: Use) -> list[tuple[str, str, int, int, int]]:
    def of(purpose: str, part: Used) -> int:
        count: int = getattr(part, purpose)
        return count

    return [(key, word, of(key, used.minute), of(key, used.hour), of(key, used.day)) for key, word in WHO.items()]
