"""Small pieces of text for people: links that are safe to follow, decimals, tax numbers, sizes, moments."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from kommo import text as words
from kommo.crm.values import text, whole

_WEB = re.compile(r"https?://[^\s\\<>\"'`\x00-\x1f\x7f]+", re.IGNORECASE)
_BARE_WEB = re.compile(r"www\.[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[^\s\\<>\"'`]*)?", re.IGNORECASE)
_MAIL = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,253}")
_DECIMAL = re.compile(r"(-?)([0-9]{1,30})(?:\.([0-9]{1,20}))?")
_CNPJ = re.compile(r"[0-9A-Z]{12}[0-9]{2}")  # letters too, in numbers given out since July 2026
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEEPEST = 6


def web_link(value: str) -> str | None:
    """An address of the web that `value` is, None if it is anything else (`javascript:` among it)."""
    value = value.strip()
    if _WEB.fullmatch(value):
        return value
    return f"https://{value}" if _BARE_WEB.fullmatch(value) else None


def mail_link(value: str) -> str | None:
    """A mailto link for a plain e-mail address; None for one that could carry headers."""
    return f"mailto:{value.strip()}" if _MAIL.fullmatch(value.strip()) else None


def phone_link(value: str) -> str | None:
    """A tel link for a phone number as it was typed; None where there are too few or too many digits."""
    found = words.digits(value)
    sign = "+" if value.strip().startswith("+") else ""
    return f"tel:{sign}{found}" if 5 <= len(found) <= 20 else None


def decimal(value: str) -> str:
    """A number that came as text, in Brazilian form with all its places ("1234.50" -> "1.234,50")."""
    found = _DECIMAL.fullmatch(value.strip())
    if found is None:
        return value
    sign, before, after = found.groups()
    grouped = f"{int(before):,}".replace(",", ".")
    return f"{sign}{grouped},{after}" if after else f"{sign}{grouped}"


def tax_number(value: str) -> str:
    """A CNPJ or CPF with its name and its dots, another number as it is, nothing for nothing."""
    plain = re.sub(r"[^0-9A-Za-z]", "", value).upper()
    if len(plain) == 11 and plain.isdigit():
        return f"CPF {plain[:3]}.{plain[3:6]}.{plain[6:9]}-{plain[9:]}"
    if _CNPJ.fullmatch(plain):
        return f"CNPJ {plain[:2]}.{plain[2:5]}.{plain[5:8]}/{plain[8:12]}-{plain[12:]}"
    return value.strip()


def size(number_of_bytes: float) -> str:
    """A file's size: "512 B", "1,2 MB"."""
    amount, unit = number_of_bytes, "B"
    for larger in ("kB", "MB", "GB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{words.number(amount, 0 if unit == 'B' else 1)}\u00a0{unit}"


def moment(value: Any, zone: tzinfo) -> datetime | None:
    """A time in `zone`, from Unix seconds (negative ones too, on every system) or from ISO 8601 text."""
    seconds = whole(value)
    try:
        if seconds is not None:
            return (_EPOCH + timedelta(seconds=seconds)).astimezone(zone)
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return found.astimezone(zone) if found and found.tzinfo else found
    except (ValueError, OverflowError):
        return None


def readable(value: Any, depth: int = 0) -> str:
    """Any JSON value as text for a person: objects as "key: value" pairs, lists with commas, nothing for null."""
    if isinstance(value, bool):
        return "Sim" if value else "Não"
    if isinstance(value, int | float):
        return decimal(text(value))
    if isinstance(value, str):
        return value
    if depth >= _DEEPEST:
        return "…" if value else ""
    if isinstance(value, dict):
        pairs = ((key, readable(item, depth + 1)) for key, item in value.items())
        return "; ".join(f"{str(key).replace('_', ' ')}: {found}" for key, found in pairs if found)
    if isinstance(value, list):
        return ", ".join(filter(None, (readable(item, depth + 1) for item in value)))
    return ""
