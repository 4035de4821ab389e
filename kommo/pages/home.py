"""/: how the account stands. Before there is an account or a copy: what this is, and the one next step."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, render_template

from kommo.pages.charts import LONG_MONTHS, MONTHS, month_chart
from kommo.pages.context import connection, copy, moment, session, zone
from kommo.store.copy_state import CopyState
from kommo.store.overview import MonthSums, PipelineSums, overview
from kommo.store.reach import Reach, reach
from kommo.store.tables import Connection
from kommo.text import plural

bp = Blueprint("home", __name__)


@dataclass(frozen=True, slots=True)
class Change:
    """How a number stands to that of the same day a month before: percent (not signed) and direction.

    `direction` is "up", "down", "same", or "new" where there was nothing before.
    """

    percent: float
    direction: str


@dataclass(frozen=True, slots=True)
class Period:
    """The month the numbers are of and the moment they reach to, in words; a copy of today needs few of them.

    `day` is "24/11", `hour` "24/11, 05:16", with the year where it is not this one; both empty for a copy of today.
    """

    month: str
    before: str
    day: str = ""
    hour: str = ""


@bp.get("/")
def page() -> Response:
    """The overview, or how to get one."""
    account = connection()
    if account is None:
        return make_response(render_template("home/start.html"))
    state = copy()
    if state is None or not (state.contacts or state.deals or state.verified_at):
        return make_response(render_template("home/empty.html", account=account, state=state))
    return make_response(render_template("home/page.html", **context(account, state)))


def context(account: Connection, state: CopyState) -> dict[str, Any]:
    """What the overview shows; without numbers of deals while no run has read them to their end."""
    known = reach(session(), account)
    then = moment() if known.deals is None else min(known.deals, moment())
    told = period(then)
    values: dict[str, Any] = {"account": account, "state": state, "period": told, "held": held(state, known, told.day)}
    if known.deals is None:
        return values | {"found": None, "missing": missing(state)}
    found = overview(session(), account, then)
    this, before = found.this_month, found.before
    return values | {
        "found": found,
        "won": change(this.won.value, before.won.value),
        "lost": change(this.lost.count, before.lost.count),
        "chart": month_chart(found.months),
        "month_names": {each.month.start: _name(each) for each in found.months},
        "in_use": [each for each in found.pipelines if not each.archived],
        "archived": [each for each in found.pipelines if each.archived],
        "widest": {each.pipeline.id: widest(each) for each in found.pipelines},
    }


def period(then: float) -> Period:
    """The words for numbers that are those of `then` (Unix seconds), in the account's calendar."""
    of, today = (datetime.fromtimestamp(each, zone()) for each in (then, moment()))
    month, before = LONG_MONTHS[of.month - 1], MONTHS[of.month - 2]
    if of.date() == today.date():
        return Period(month, before)
    year = "" if of.year == today.year else f"/{of.year}"
    long = month if not year else f"{month} de {of.year}"
    return Period(long, before, f"{of:%d/%m}{year}", f"{of:%d/%m}{year}, {of:%H:%M}")


def held(state: CopyState, known: Reach, day: str = "") -> str:
    """How many records are here, for the head of the page; a list that is still on its way has no number yet.

    `day` is that of a copy which is not of today: what Kommo held is known of then.
    """
    if known.deals is None:
        amount = plural(state.contacts, "contato", "contatos")
        contacts = f"{amount} até agora" if known.contacts is None else amount
        return f"{contacts}; {missing(state)}"
    here = f"{plural(state.contacts, 'contato', 'contatos')} e {plural(state.deals, 'negociação', 'negociações')}"
    there = f", aqui e no Kommo em {day}" if day else ", aqui e no Kommo"
    return here + there if state.kind == "verified" else here


def missing(state: CopyState) -> str:
    """Why there are no numbers of deals."""
    return f"as negociações ainda não chegaram{' todas' if state.deals else ''}"


def change(now: float, before: float) -> Change:
    """How `now` stands to `before`."""
    if before <= 0:
        return Change(0.0, "new" if now > 0 else "same")
    percent = 100 * (now - before) / before
    return Change(abs(percent), "same" if abs(percent) < 0.5 else "up" if percent > 0 else "down")


def widest(pipeline: PipelineSums) -> int:
    """The number of deals that fills a whole bar of this pipeline; never 0."""
    return max((stage.sums.count for stage in pipeline.stages), default=1) or 1


def _name(each: MonthSums) -> str:
    rest = ", incompleto" if each.current else ""
    return f"{LONG_MONTHS[each.month.month - 1]} de {each.month.year}{rest}"
