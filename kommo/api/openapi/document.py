"""The document, put together once a process."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from flask import Response

from kommo.api.asked import WITH_BODY
from kommo.api.openapi import codes, schemas
from kommo.api.openapi.examples import BODIES
from kommo.api.openapi.operations import OPERATIONS, SECTIONS, Operation
from kommo.api.openapi.responses import headers, responses
from kommo.api.openapi.schemas import JSON, Schema

Routes = Iterable[tuple[str, str, str, Callable[..., Response]]]
#: How a call shows who it is. Kommo's token may be left out: the stored one counts then.
SCHEMES = {
    "kommo": {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "O token do Kommo. Sem ele valem jwtToken, o token guardado e o do ambiente.",
    },
    "chave": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "Uma chave deste painel."},
}  # fmt: skip
#: What a call needs; once keys are asked for: [{"chave": [], "kommo": []}, {"chave": []}].
SECURITY: list[dict[str, list[str]]] = [{"kommo": []}, {}]
_ASKED_HEADERS = {
    "Prefer": ("Quanto esperar: respond-async responde 202 na hora, wait=N espera no máximo N segundos.", "wait=10"),
}  # fmt: skip
_RUN_ID = {
    "name": "runId", "in": "path", "required": True, "description": "Número da sincronização.",
    "schema": {"type": "integer", "minimum": 1}, "example": 12,
}  # fmt: skip
_ABOUT = (
    "Contatos, negociações e sincronizações de contas do Kommo. Toda resposta sob /api/ é JSON. O corpo de um POST, "
    "PUT ou DELETE é um objeto JSON em UTF-8 de até 64 kB; campos desconhecidos são ignorados, e null vale como campo "
    "ausente. Num GET os parâmetros vêm no endereço; nos outros métodos, no corpo ou no endereço, e o corpo vale mais."
)


@cache
def document() -> dict[str, Any]:
    """The document of the API's routes."""
    from kommo.api import PREFIX, ROUTES  # the package of the routes imports this one, to serve the document

    return describe(ROUTES, PREFIX)


def describe(routes: Routes, prefix: str) -> dict[str, Any]:
    """The document for these routes (method, path, name, view) under `prefix`. Raises KeyError for an unknown route."""
    paths: dict[str, dict[str, Any]] = {}
    for method, path, name, _view in routes:
        address = prefix + path.replace("<int:run_id>", "{runId}")
        paths.setdefault(address, {})[method.lower()] = _operation(method, name, has_run="{runId}" in address)
    shared = _shared(paths)
    return {
        "openapi": "3.1.0",
        "info": {"title": "API do Painel Kommo", "version": "1", "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": words} for name, words in SECTIONS.items()],
        "security": SECURITY,
        "paths": paths,
        "components": {
            "schemas": _components(), "responses": shared, "headers": headers(), "securitySchemes": SCHEMES,
        },
        "x-errors": [{"status": code.status, "code": code.name, "when": code.when} for code in codes.ALL],
    }  # fmt: skip


def _operation(method: str, name: str, *, has_run: bool) -> dict[str, Any]:
    told, has_body = OPERATIONS[name], method in WITH_BODY
    made: dict[str, Any] = {
        "operationId": name,
        "tags": [told.section],
        "summary": told.summary,
        "description": told.description,
        "parameters": _parameters(told, has_run=has_run, has_body=has_body),
        "responses": responses(method, name),
    }
    if has_body:
        schema = schemas.body(told.asks)
        content = {JSON: {"schema": schema, "example": BODIES[name]}}
        made["requestBody"] = {"required": "required" in schema, "content": content}
    return made


def _parameters(told: Operation, *, has_run: bool, has_body: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [_RUN_ID] if has_run else []
    for name, schema in schemas.parameters(told.asks, has_body=has_body).items():
        words = schema.pop("description")
        found.append({"name": name, "in": "query", "description": words, "schema": schema})
        if name == "jwtToken":
            found[-1] |= {"deprecated": True, "description": f"{words} No endereço ele fica em históricos: evite."}
    for name in told.headers:
        words, example = _ASKED_HEADERS[name]
        text = {"type": "string"}
        found.append({"name": name, "in": "header", "description": words, "schema": text, "example": example})
    return found


def _shared(paths: dict[str, dict[str, Any]]) -> dict[str, Schema]:
    """Errors that many routes have stand in the document once: takes them out of `paths`, and gives them by name."""
    found: dict[str, Schema] = {}
    for operation in (each for methods in paths.values() for each in methods.values()):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                variants = [name for name in found if name.startswith(f"Error{status}")]
                name = next((name for name in variants if found[name] == answer), None)
                name = name or f"Error{status}" + (f"_{len(variants) + 1}" if variants else "")
                found[name] = answer
                operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    return found


def _components() -> dict[str, Schema]:
    answers = [shape for told in OPERATIONS.values() for answer in told.answers for shape in answer.shapes]
    return schemas.components(dict.fromkeys([*answers, *(code.shape for code in codes.ALL)]))
