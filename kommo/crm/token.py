"""The long-lived token: forgiving about how it was pasted, strict about what it says.

The signature cannot be verified, since Kommo publishes no key: claims are hints until Kommo accepts the token.
"""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

from kommo.crm.errors import BadToken
from kommo.ids import MAX_ID

MAX_TOKEN = 8192
REQUIRED_SCOPES = ("crm",)
KNOWN_SCOPES = ("crm", "files", "files_delete", "notifications", "push_notifications")
_LAST_SECOND = 253_402_300_799  # the end of the year 9999, the last one that datetime knows
_DAY = 86_400
# Invisible in most fonts and kept by many copies: soft hyphen, zero-width characters, direction marks, BOM …
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
_AROUND = f"{_SPACES}\"'`´<>«»‹›‘’‚‛“”„‟"
_PREFIX = re.compile(r"(?:authorization\s*:\s*)?bearer\b[\s:]*|bearer(?=ey)", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_WANTED = "O token de longa duração é o texto longo de três partes, separadas por pontos, que começa com eyJ."
#: What stands beside the token in Kommo and is pasted in its place.
_MISTAKEN = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE), "Isto parece o ID da integração."),
    (re.compile(r"[A-Za-z0-9]{64}"), "Isto parece a chave secreta da integração."),
    (re.compile(r"def[0-9a-f]{100,}"), "Isto parece o código de autorização da integração."),
    (re.compile(r"https?://.*|[a-z0-9.-]+\.(?:kommo|amocrm)\.(?:com|ru)(?:/.*)?", re.IGNORECASE),
     "Isto é um endereço, e não um token."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says of itself, unverified. Times are Unix seconds; a claim of a wrong type or range is None.

    `api_domain` is the raw claim, for `hosts.base_address` to judge; `has_api_domain` tells null from absent.
    """

    account_id: int | None = None
    base_domain: str | None = None
    api_domain: Any = None
    has_api_domain: bool = False
    scopes: tuple[str, ...] = ()
    issued_at: int | None = None
    expires_at: int | None = None
    subject: str | None = None

    def days_left(self, now: float) -> int | None:
        """Whole days until the token ends, rounded down: 0 on the last day, negative afterwards; None if unknown."""
        return None if self.expires_at is None else math.floor((self.expires_at - now) / _DAY)

    def expired(self, now: float) -> bool:
        """Whether the token's own time is over; False where it names none."""
        return self.expires_at is not None and now >= self.expires_at

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        """Those of KNOWN_SCOPES that the token lacks, in that order."""
        return tuple(scope for scope in KNOWN_SCOPES if scope not in self.scopes)

    @property
    def expires_iso(self) -> str | None:
        """The end in ISO 8601 as the JSON contract writes it ("2025-02-20T23:20:00.000Z")."""
        if self.expires_at is None:
            return None
        return datetime.fromtimestamp(self.expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def clean_token(text: str) -> str:
    """The token in a pasted text, without spaces, line breaks, quotes, invisible characters and `Bearer`.

    Raises BadToken: token_missing, token_too_long, token_not_jwt (not three parts), token_bad_characters.
    """
    if len(text) > 2 * MAX_TOKEN:  # refused before any work is done on it
        raise BadToken("token_too_long")
    token = "".join(_without_prefix(_INVISIBLE.sub("", text)).split())
    if not token:
        raise BadToken("token_missing")
    if len(token) > MAX_TOKEN:
        raise BadToken("token_too_long")
    if token.count(".") != 2 or token.startswith(".") or ".." in token:
        raise BadToken("token_not_jwt", _mistaken(token))
    if not _TOKEN.fullmatch(token):
        raise BadToken("token_bad_characters", _mistaken(token))
    return token


def is_blank(text: str) -> bool:
    """Whether nothing is left of a pasted text but spaces, invisible characters and `Bearer`: no token was given."""
    try:
        clean_token(text)
    except BadToken as error:
        return error.code == "token_missing"
    return False


def _mistaken(text: str) -> str | None:
    """What the text is instead of a token, where that can be told; else None, and the code's own sentence holds."""
    said = next((words for pattern, words in _MISTAKEN if pattern.fullmatch(text)), None)
    return f"{said} {_WANTED}" if said else None


def _without_prefix(text: str) -> str:
    text = text.strip(_AROUND)
    while found := _PREFIX.match(text):
        text = text[found.end() :].strip(_AROUND)
    return text


def read_token(text: str) -> Claims:
    """What the token in `text` says of itself, every claim checked for its type. Raises BadToken."""
    token = clean_token(text)
    try:
        payload = json.loads(jwt.PyJWS().decode(token, options={"verify_signature": False}).decode())
    except (jwt.PyJWTError, ValueError, RecursionError):  # ValueError: not UTF-8, a number of 5,000 digits
        raise BadToken("token_not_jwt", _mistaken(token)) from None
    if not isinstance(payload, dict):
        raise BadToken("token_not_jwt")
    return claims_from(payload)


def claims_from(payload: dict[str, Any]) -> Claims:
    """Claims from a decoded payload; whatever has a wrong type is left out."""
    account_id = payload.get("account_id")
    return Claims(
        account_id=account_id if type(account_id) is int and 0 < account_id <= MAX_ID else None,
        base_domain=_short_text(payload.get("base_domain")),
        api_domain=payload.get("api_domain"),
        has_api_domain="api_domain" in payload,
        scopes=_scopes(payload.get("scopes")),
        issued_at=_seconds(payload.get("iat")),
        expires_at=_seconds(payload.get("exp")),
        subject=_short_text(payload.get("sub")),
    )


def mask(token: str) -> str:
    """A token as it may be shown: at most four characters of each end, none of a short one."""
    return f"{token[:4]}…{token[-4:]}" if len(token) >= 32 else "••••••••"


def _seconds(value: Any) -> int | None:
    usable = type(value) in (int, float) and 1 <= value <= _LAST_SECOND  # NaN and infinity are not
    return int(value) if usable else None


def _short_text(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= 253 and value.isprintable() else None


def _scopes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    named = (scope for scope in value[:100] if isinstance(scope, str) and len(scope) <= 64)
    return tuple(dict.fromkeys(scope for scope in named if scope and scope.isprintable()))
