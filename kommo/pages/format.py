"""How pages write things: `kommo.text` as Jinja filters, in the zone and currency of the account in view."""

from datetime import UTC
from typing import Any

from flask import Flask
from markupsafe import Markup

from kommo import text
from kommo.pages.context import currency, moment, zone
from kommo.store.filters import person_word


def register(app: Flask) -> None:
    """Make the filters known to the templates."""
    filters = (money, number, percent, date, date_time, near, clock, duration, plural, dash)
    app.jinja_env.filters.update({function.__name__: function for function in filters})
    app.jinja_env.globals["person_word"] = person_word


def money(value: float | None, code: str | None = None) -> str:
    """An amount in the account's currency (or that of `code`), never broken over two lines."""
    return text.money(value, code or currency())


def number(value: float | None, places: int = 0) -> str:
    """A number with Brazilian points and comma; the empty sign for None."""
    return text.EMPTY if value is None else text.number(value, places)


def percent(part: float, whole: float) -> str:
    """`part` of `whole` as "71,0 %"; the empty sign where there is no whole."""
    return text.percent(part, whole)


def date(value: float | None) -> Markup:
    """Unix seconds as a <time> that reads "21/11/2026" and tells the hour on hover."""
    return _time(value, text.date(value, zone()), spoken=False)


def date_time(value: float | None) -> Markup:
    """Unix seconds as a <time> that reads "21/11/2026 14:20"."""
    return _time(value, text.date_time(value, zone()), spoken=False)


def near(value: float | None) -> Markup:
    """Unix seconds as a <time> in words ("há 12 min"); the exact time on hover and for screen readers."""
    return _time(value, text.near(value, moment(), zone()), spoken=True)


def clock(value: float | None) -> Markup:
    """Unix seconds as a <time> that always tells the hour: "hoje, 10:42", "ontem, 22:15", "21/11/2026 14:00"."""
    then, today = text.local(value, zone()), text.local(moment(), zone())
    words = text.date_time(value, zone())
    if then and today and 0 <= (days := (today.date() - then.date()).days) <= 1:
        words = then.strftime("ontem, %H:%M" if days else "hoje, %H:%M")
    return _time(value, words, spoken=False)


def duration(seconds: float | None) -> str:
    """A length of time: "0,8 s", "2 min 5 s"; the empty sign for None."""
    return text.EMPTY if seconds is None else text.duration(seconds)


def plural(count: int, one: str, many: str) -> str:
    """A count with its noun: "1 contato", "4.300 contatos"."""
    return text.plural(count, one, many)


def dash(value: Any) -> Any:
    """The value, or the empty sign where there is none."""
    return text.EMPTY if value is None or value == "" else value


def _time(value: float | None, words: str, *, spoken: bool) -> Markup:
    found = text.local(value, UTC)
    if found is None:
        return Markup(text.EMPTY)  # noqa: S704 - a constant
    exact = text.date_time(value, zone())
    aside = Markup('<span class="sr-only"> ({})</span>').format(exact) if spoken and exact != words else ""
    return Markup('<time datetime="{}" title="{}">{}{}</time>').format(
        found.strftime("%Y-%m-%dT%H:%M:%SZ"), exact, words, aside
    )
