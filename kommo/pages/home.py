"""/: how the account stands. Before there is an account or a copy: what this is, and the one next step."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, make_response, render_template

from kommo.pages.charts import LONG_MONTHS, MONTHS, month_chart
from kommo.pages.context import connection, copy, moment, session
from kommo.store.overview import MonthSums, PipelineSums, overview
from kommo.store.tables import Connection

bp = Blueprint("home", __name__)


@dataclass(frozen=True, slots=True)
class Change:
    """How a number stands to that of the same day a month before: percent (not signed) and direction.

    `direction` is "up", "down", "same", or "new" where there was nothing before.
    """

    percent: float
    direction: str


@bp.get("/")
def page() -> Response:
    """The overview, or how to get one."""
    account = connection()
    if account is None:
        return make_response(render_template("home/start.html"))
    state = copy()
    if state is None or not (state.contacts or state.deals or state.verified_at):
        return make_response(render_template("home/empty.html", account=account, state=state))
    return make_response(render_template("home/page.html", state=state, **context(account)))


def context(account: Connection) -> dict[str, Any]:
    """What the overview shows."""
    found = overview(session(), account, moment())
    this, before = found.this_month, found.before
    return {
        "account": account,
        "found": found,
        "month": LONG_MONTHS[this.month.month - 1],
        "month_before": MONTHS[before.month.month - 1],
        "won": change(this.won.value, before.won.value),
        "lost": change(this.lost.count, before.lost.count),
        "chart": month_chart(found.months),
        "month_names": {each.month.start: _name(each) for each in found.months},
        "in_use": [each for each in found.pipelines if not each.archived],
        "archived": [each for each in found.pipelines if each.archived],
        "widest": {each.pipeline.id: widest(each) for each in found.pipelines},
    }


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
