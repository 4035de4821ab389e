"""Text for people and for search: folding, money, numbers, times, all in Brazilian Portuguese."""

import re
import unicodedata
from datetime import datetime, timedelta, tzinfo

EMPTY = "—"
_NBSP = "\u00a0"
_SYMBOLS = {"BRL": "R$", "USD": "US$", "EUR": "€", "GBP": "£", "ARS": "AR$", "CLP": "CLP$", "MXN": "MX$"}
_NO_CENTS = {"CLP", "PYG", "JPY", "KRW", "VND"}
_MARK = re.compile(r"[\u0300-\u036f]")
_NO_DIGIT = re.compile(r"[^0-9]+")
_SIGNS = re.compile(r"^[\W_]+")
SORT_LENGTH = 100  # characters of a name that count for sorting; PostgreSQL limits an index entry's size
NAMELESS = "\U0010fffd"  # sorts behind every letter


def fold(text: str) -> str:
    """`text` without case, accents and doubled spaces, for searching and sorting ("João  Ávila" -> "joao avila")."""
    if not text.isascii():
        text = _MARK.sub("", unicodedata.normalize("NFKD", text))
    return " ".join(text.casefold().split())


def sort_key(text: str) -> str:
    """What names are sorted by, as in a phone book: folded, signs in front ignored, the nameless last."""
    return _SIGNS.sub("", fold(text))[:SORT_LENGTH] or NAMELESS


def digits(text: str) -> str:
    """Only the digits of `text` ("+55 (11) 9" -> "55119")."""
    return _NO_DIGIT.sub("", text)


def number(value: float, places: int = 0) -> str:
    """A number as people write it: 1234.5 -> "1.235", with places=2 -> "1.234,50"."""
    return f"{value:,.{places}f}".replace(",", "\0").replace(".", ",").replace("\0", ".")


def money(value: float | None, currency: str | None) -> str:
    """An amount in the account's currency, never broken over two lines: "R$ 1.547.410,00"."""
    if value is None:
        return EMPTY
    code = (currency or "BRL").upper()
    sign = "-" if value < 0 else ""
    places = 0 if code in _NO_CENTS else 2
    return f"{sign}{_SYMBOLS.get(code, code)}{_NBSP}{number(abs(value), places)}"


def percent(part: float, whole: float) -> str:
    """A share as "71,0 %", or the empty sign where there is no whole."""
    return f"{number(100 * part / whole, 1)}{_NBSP}%" if whole else EMPTY


def plural(count: int, one: str, many: str, *, dots: bool = True) -> str:
    """A count with its noun: "1 contato", "4.300 contatos"; for programs without dots, "4300 contatos"."""
    return f"{number(count) if dots else count} {one if count == 1 else many}"


def date(moment: float | None, zone: tzinfo) -> str:
    """Unix seconds as "21/11/2026" in `zone`."""
    found = local(moment, zone)
    return found.strftime("%d/%m/%Y") if found else EMPTY


def date_time(moment: float | None, zone: tzinfo) -> str:
    """Unix seconds as "21/11/2026 14:20" in `zone`."""
    found = local(moment, zone)
    return found.strftime("%d/%m/%Y %H:%M") if found else EMPTY


def near(moment: float | None, now: float, zone: tzinfo) -> str:
    """The near past in words ("há 12 min", "hoje, 08:15", "ontem"), older times as a date."""
    then, today = local(moment, zone), local(now, zone)
    if then is None or today is None or moment is None:
        return EMPTY
    seconds = now - moment
    if 0 <= seconds < 60:
        return "agora"
    if 0 <= seconds < 3600:
        return f"há {int(seconds // 60)} min"
    if then.date() == today.date():
        return then.strftime("hoje, %H:%M")
    if then.date() == today.date() - timedelta(days=1):
        return "ontem"
    return then.strftime("%d/%m/%Y")


def ahead(moment: float | None, now: float, zone: tzinfo) -> str:
    """When something is due: "às 14:35" today, "amanhã às 06:00", "em 26/11/2026 às 06:00"; the past as "agora"."""
    then, today = local(moment, zone), local(now, zone)
    if then is None or today is None or moment is None:
        return EMPTY
    if moment <= now:
        return "agora"
    days = (then.date() - today.date()).days
    return then.strftime({0: "às %H:%M", 1: "amanhã às %H:%M"}.get(days, "em %d/%m/%Y às %H:%M"))


def duration(seconds: float) -> str:
    """A length of time: "0,8 s", "38 s", "2 min 5 s", "1 h 4 min"."""
    if seconds < 10:
        return f"{number(max(seconds, 0), 1)}{_NBSP}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_NBSP}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{_NBSP}min {rest}{_NBSP}s" if rest else f"{minutes}{_NBSP}min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{_NBSP}h {minutes}{_NBSP}min" if minutes else f"{hours}{_NBSP}h"


def local(moment: float | None, zone: tzinfo) -> datetime | None:
    """Unix seconds as a time in `zone`; None where there is none or it lies outside the calendar."""
    if moment is None:
        return None
    try:
        return datetime.fromtimestamp(moment, zone)
    except (OverflowError, ValueError, OSError):
        return None
