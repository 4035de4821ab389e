"""What a call asks for: its parameters from body, header and address, checked for type and range."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from flask import Request, request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kommo.access import identity
from kommo.access.rules import Permission
from kommo.api.body import Written, read_object
from kommo.api.errors import invalid_field, unknown_account
from kommo.crm.token import is_blank
from kommo.ids import MAX_ID
from kommo.store.connections import DEFAULT_OWNER
from kommo.store.timetable import LONGEST, SHORTEST, minute_of

MAX_PAGE = 1_000_000
MAX_LIMIT = 250
_NUMBERS = ("accountId", "page", "limit")
_BODY_ONLY = ("contactId", "dealId", "full", "everyMinutes", "quietFrom", "quietTo", "sweepAt", "paused")
_WITH_BODY = ("POST", "PUT", "DELETE")
_DIGITS = re.compile(r"[0-9]{1,19}")
_RULES = {
    "jwtToken": "jwtToken precisa ser um texto.",
    "userId": "userId precisa ser um texto de 1 a 64 caracteres, sem caracteres de controle, ou um número.",
    "accountId": f"accountId precisa ser um número inteiro de 1 a {MAX_ID}.",
    "contactId": f"contactId precisa ser um número inteiro de 1 a {MAX_ID}.",
    "dealId": f"dealId precisa ser um número inteiro de 1 a {MAX_ID}.",
    "page": f"page precisa ser um número inteiro de 1 a {MAX_PAGE}.",
    "limit": f"limit precisa ser um número inteiro de 1 a {MAX_LIMIT}.",
    "query": "query precisa ser um texto.",
    "source": "source precisa ser kommo ou local.",
    "full": "full precisa ser true ou false.",
    "everyMinutes": f"everyMinutes precisa ser um número inteiro de {SHORTEST} a {LONGEST}.",
    "paused": "paused precisa ser true ou false.",
} | {
    name: f"{name} precisa ser uma hora como 22:00, de 00:00 a 23:59, ou null."
    for name in ("quietFrom", "quietTo", "sweepAt")
}


def _number_as_text(value: Any) -> Any:
    """A JSON number is taken as its text; true and false are no numbers."""
    if isinstance(value, Written):
        return value.text
    return str(value) if type(value) is int else value


def _minute(value: Any) -> int:
    """A time such as "22:00" as minutes after midnight."""
    return minute_of(value if isinstance(value, str) else "")


Owner = Annotated[
    str, BeforeValidator(_number_as_text), Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Minute = Annotated[int, BeforeValidator(_minute)]
Id = Annotated[int, Field(ge=1, le=MAX_ID)]


class Call(BaseModel):
    """Who calls, for which account, with which token: what every call may say. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    jwt_token: str | None = Field(None, alias="jwtToken", repr=False)
    user_id: Owner = Field(DEFAULT_OWNER, alias="userId")
    account_id: Id | None = Field(None, alias="accountId")


class ListCall(Call):
    """A page of a list; `source` is "kommo" (live) or "local" (the copy)."""

    page: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 1
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 50
    query: str = ""
    source: Literal["kommo", "local"] = "kommo"


class ContactCall(Call):
    """One contact, by Kommo's id."""

    record_id: Id = Field(alias="contactId")


class DealCall(Call):
    """One deal, by Kommo's id."""

    record_id: Id = Field(alias="dealId")


class SyncCall(Call):
    """A synchronisation; `full` reads everything, also what did not change."""

    full: bool = False


class ScheduleCall(Call):
    """A whole schedule; what is not said is none. Times are minutes after midnight."""

    every: Annotated[int, Field(ge=SHORTEST, le=LONGEST, alias="everyMinutes")]
    quiet_from: Minute | None = Field(None, alias="quietFrom")
    quiet_to: Minute | None = Field(None, alias="quietTo")
    sweep_at: Minute | None = Field(None, alias="sweepAt")
    paused: bool = False


T = TypeVar("T", bound=Call)


def read(model: type[T]) -> T:
    """The parameters of the request in hand. The body counts before the header, the header before the address.

    Raises ApiError: 400 and 415 that name the field at fault, 404 for an owner that is not the caller's own.
    """
    found = _from_address(request, model) | _from_header(request)
    if request.method in _WITH_BODY:
        found |= _said(read_object(request))
    caller = identity.require()
    try:
        call = model.model_validate({"userId": caller.owner} | found)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = str(first["loc"][0])
        code = "missing_field" if first["type"] == "missing" else "invalid_field"
        raise invalid_field(field, _RULES[field], code) from None
    if call.user_id != caller.owner and not caller.may(Permission.OWNERS):
        raise unknown_account("Nenhuma conta está conectada para este userId.")
    return call


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what says nothing: null, and a token of which nothing is left, whose place the next source takes."""
    return {
        name: value
        for name, value in values.items()
        if value is not None and not (name == "jwtToken" and isinstance(value, str) and is_blank(value))
    }


def _from_header(call: Request) -> dict[str, Any]:
    """Kommo's token in `Authorization: Bearer …`; other schemes are not ours to read."""
    scheme, _, token = call.headers.get("Authorization", "").strip().partition(" ")
    return _said({"jwtToken": token}) if scheme.lower() == "bearer" else {}


def _from_address(call: Request, model: type[Call]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        key = info.alias or name
        values = call.args.getlist(key)
        if not values or key in _BODY_ONLY:
            continue
        if len(values) > 1:
            raise invalid_field(key, f"{key} aparece mais de uma vez no endereço.")
        found[key] = int(values[0]) if key in _NUMBERS and _DIGITS.fullmatch(values[0]) else values[0]
    return _said(found)
