"""The answers of a route in the document: successes, and errors by status with every code that each may have."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from kommo.api.asked import WITH_BODY
from kommo.api.errors import failed_of
from kommo.api.openapi import codes, schemas
from kommo.api.openapi.codes import Code
from kommo.api.openapi.examples import ANSWERS
from kommo.api.openapi.operations import OPERATIONS, Answer, Link
from kommo.api.openapi.schemas import JSON, Schema

_HEADERS: dict[str, tuple[Schema, str]] = {
    "Allow": ({"type": "string"}, "Os métodos que o endereço aceita."),
    "Deprecation": ({"type": "string"}, "Presente quando o token veio no endereço: mande-o no cabeçalho ou no corpo."),
    "Location": ({"type": "string"}, "Onde acompanhar a sincronização."),
    "Preference-Applied": ({"type": "string"}, "Que preferência valeu, e por quantos segundos."),
    "Retry-After": ({"type": "integer", "minimum": 1}, "Daqui a quantos segundos tentar de novo."),
    "WWW-Authenticate": ({"type": "string"}, "Que credencial falta, ou não serve."),
}
#: What errors always bring, by status.
_WITH_ERRORS = {401: "WWW-Authenticate", 405: "Allow", 409: "Location", 429: "Retry-After", 503: "Retry-After"}
_FAILED = failed_of("contacts")  # the example of what could not be done, the same for all that errors be written once


def codes_of(method: str, name: str) -> tuple[Code, ...]:
    """Every error of a route."""
    return (*codes.EVERYWHERE, *(codes.BODY if method in WITH_BODY else ()), *OPERATIONS[name].codes)


def responses(method: str, name: str) -> dict[str, Any]:
    """What a route may answer, by status."""
    made = {str(answer.status): _success(answer) for answer in OPERATIONS[name].answers}
    found = sorted(codes_of(method, name), key=lambda code: code.status)
    for status, group in groupby(found, key=lambda code: code.status):
        made[str(status)] = _failure(status, list(group))
    return made


def headers() -> dict[str, Any]:
    """The headers that an answer may have and need not."""
    return {name: _header(name) for name in _HEADERS}


def _success(answer: Answer) -> dict[str, Any]:
    refs = [schemas.reference(shape) for shape in answer.shapes]
    given = {shape.__name__: {"value": ANSWERS[shape.__name__]} for shape in answer.shapes}
    made = {
        "description": answer.meaning,
        "headers": _named([*answer.headers, ("Deprecation", False)]),
        "content": {JSON: {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}, "examples": given}},
    }
    return made | ({"links": {answer.link.to: _link(answer.link)}} if answer.link else {})


def _link(link: Link) -> dict[str, Any]:
    """In the body, or among the parameters, where the call has no such field in its body."""
    takes = {link.takes: link.where}
    in_body = link.takes in schemas.body(OPERATIONS[link.to].asks)["properties"]
    return {"operationId": link.to} | ({"requestBody": takes} if in_body else {"parameters": takes})


def _failure(status: int, found: list[Code]) -> dict[str, Any]:
    """All errors of one status: each type of body with the codes that it comes with, and an example of each code."""
    each = []
    for shape in dict.fromkeys(code.shape for code in found):
        names = sorted({code.name for code in found if code.shape is shape})
        each.append({"allOf": [schemas.reference(shape), {"properties": {"code": {"enum": names}}}]})
    given = {code.name: {"summary": code.when, "value": code.example(_FAILED).body} for code in found}
    always = [(_WITH_ERRORS[status], True)] if status in _WITH_ERRORS else []
    return {
        "description": "; ".join(f"{code.name}: {code.when}" for code in found) + ".",
        "headers": _named([*always, ("Deprecation", False)]),
        "content": {JSON: {"schema": each[0] if len(each) == 1 else {"anyOf": each}, "examples": given}},
    }


def _named(named: Iterable[tuple[str, bool]]) -> dict[str, Any]:
    """References to headers; one that is always there is written out, since a reference cannot say it."""
    return {
        name: _header(name) | {"required": True} if always else {"$ref": f"#/components/headers/{name}"}
        for name, always in named
    }


def _header(name: str) -> dict[str, Any]:
    schema, words = _HEADERS[name]
    return {"description": words, "schema": schema}
