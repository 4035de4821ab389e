"""What a call asks for: its parameters from body, header and address, checked for type and range."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from flask import Request, request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

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
BODY_ONLY = ("contactId", "dealId", "full", "everyMinutes", "quietFrom", "quietTo", "sweepAt", "paused")
WITH_BODY = ("POST", "PUT", "DELETE")
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


def _whole(value: Any) -> Any:
    """A JSON number without a remainder is a whole one, however it is written: 15.0 and 1.5e1 are 15."""
    try:
        exact = Decimal(value.text) if isinstance(value, Written) and value.is_integer() else None
        return value if exact is None or exact != int(exact) else int(exact)
    except ArithmeticError:  # an exponent that no number is meant to have
        return value


def _minute(value: Any) -> int:
    """A time such as "22:00" as minutes after midnight."""
    return minute_of(value if isinstance(value, str) else "")


_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
# Where a value is taken in another form than it is kept in, its schema is that of what a caller writes.
Owner = Annotated[
    str,
    BeforeValidator(_number_as_text),
    Field(min_length=1, max_length=64, pattern=_PRINTABLE),
    WithJsonSchema({"type": ["string", "number"], "minLength": 1, "maxLength": 64, "pattern": _PRINTABLE}),
]
Minute = Annotated[
    int,
    BeforeValidator(_minute),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
]
# The range stands before the reading: pydantic knows it for the schema only there.
Id = Annotated[int, Field(ge=1, le=MAX_ID), BeforeValidator(_whole)]
Interval = Annotated[int, Field(ge=SHORTEST, le=LONGEST), BeforeValidator(_whole)]
Token = Annotated[str, WithJsonSchema({"type": "string", "format": "jwt"})]


def _both_or_none(schema: dict[str, Any]) -> None:
    """Say that the quiet hours are two times or none: `kommo/api/schedule.py` asks for it."""
    names = ("quietFrom", "quietTo")
    both = {"required": list(names), "properties": {name: {"type": "string"} for name in names}}
    schema["anyOf"] = [both, {"properties": {name: {"type": "null"} for name in names}}]


class Call(BaseModel):
    """Who calls, for which account, with which token: what every call may say. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    jwt_token: Token | None = Field(
        None,
        alias="jwtToken",
        repr=False,
        description="Token do Kommo. Sem ele valem o cabeçalho Authorization, o token guardado e o do ambiente.",
    )
    user_id: Owner = Field(DEFAULT_OWNER, alias="userId", description="De quem são a conexão e a cópia.")
    account_id: Id | None = Field(
        None, alias="accountId",
        description="Qual conta do dono; sem ele, a do token informado ou a última conectada.",
    )  # fmt: skip


class ListCall(Call):
    """A page of a list; `source` is "kommo" (live) or "local" (the copy)."""

    page: Annotated[int, Field(ge=1, le=MAX_PAGE, description="Página.")] = 1
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Registros por página.")] = 50
    query: Annotated[str, Field(description="Termo de busca; contam até 200 caracteres.")] = ""
    source: Annotated[
        Literal["kommo", "local"], Field(description="kommo: o Kommo, agora; local: a cópia sincronizada.")
    ] = "kommo"


class ContactCall(Call):
    """One contact, by Kommo's id."""

    record_id: Id = Field(alias="contactId", description="Número do contato no Kommo.")


class DealCall(Call):
    """One deal, by Kommo's id."""

    record_id: Id = Field(alias="dealId", description="Número da negociação no Kommo.")


class SyncCall(Call):
    """A synchronisation; `full` reads everything, also what did not change."""

    full: bool = Field(False, description="Ler tudo de novo, também o que não mudou.")


class ScheduleCall(Call):
    """A whole schedule; what is not said is none. Times are minutes after midnight."""

    model_config = ConfigDict(json_schema_extra=_both_or_none)

    every: Interval = Field(alias="everyMinutes", description="Minutos entre duas sincronizações.")
    quiet_from: Minute | None = Field(
        None,
        alias="quietFrom",
        description="Começo das horas de silêncio, no fuso da conta; vem junto com quietTo.",
    )
    quiet_to: Minute | None = Field(None, alias="quietTo", description="Fim das horas de silêncio.")
    sweep_at: Minute | None = Field(None, alias="sweepAt", description="Hora da leitura completa, uma por dia.")
    paused: bool = Field(False, description="A agenda fica guardada e não pede nada.")  # fmt: skip


T = TypeVar("T", bound=Call)


def read(model: type[T]) -> T:
    """The parameters of the request in hand. The body counts before the header, the header before the address.

    Raises ApiError: 400 and 415 that name the field at fault, 404 for an owner that is not the caller's own.
    """
    address = _from_address(request, model)
    found = address | _from_header(request)
    if request.method in WITH_BODY:
        if address:
            _checked(Call, address)  # a wrong value is refused, also where the body says another one
        found |= _said(read_object(request))
    caller = identity.require()
    call = _checked(model, {"userId": caller.owner} | found)
    if call.user_id != caller.owner and not caller.may(Permission.OWNERS):
        raise unknown_account("Nenhuma conta está conectada para este userId.")
    return call


def _checked(model: type[T], found: Mapping[str, Any]) -> T:
    """What was found as the model has it. Raises ApiError (400) that names the first field at fault."""
    try:
        return model.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = str(first["loc"][0])
        code = "missing_field" if first["type"] == "missing" else "invalid_field"
        raise invalid_field(field, _RULES[field], code) from None


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
        if not values or key in BODY_ONLY:
            continue
        if len(values) > 1:
            raise invalid_field(key, f"{key} aparece mais de uma vez no endereço.")
        found[key] = int(values[0]) if key in _NUMBERS and _DIGITS.fullmatch(values[0]) else values[0]
    return _said(found)
