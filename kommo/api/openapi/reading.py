"""The document as a person reads it: sections of calls, each with its parameters, an example and its errors."""

import json
from dataclasses import dataclass
from typing import Any

from kommo.api.openapi import codes
from kommo.api.openapi.codes import Code
from kommo.api.openapi.document import document
from kommo.api.openapi.operations import OPERATIONS, SECTIONS
from kommo.api.openapi.responses import codes_of
from kommo.api.openapi.schemas import JSON, Schema

_TYPES = {"string": "texto", "integer": "inteiro", "number": "número", "boolean": "true ou false"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that a call takes: its name, where it stands and of what kind it is in words, what it means."""

    name: str
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A success: its status, what it means, and an example as text."""

    status: str
    words: str
    example: str


@dataclass(frozen=True, slots=True)
class ReadCall:
    """A call. `errors` are its own ones; those of every call are told once."""

    name: str
    method: str
    path: str
    summary: str
    words: str
    parameters: list[Parameter]
    curl: str
    answers: list[Shown]
    errors: list[Code]


@dataclass(frozen=True, slots=True)
class Section:
    """Calls that belong together."""

    name: str
    words: str
    calls: list[ReadCall]


def sections(host: str) -> list[Section]:
    """All calls by section; examples are sent to `host` ("http://127.0.0.1:3000/")."""
    paths = document()["paths"]
    calls = [_call(method, path, told, host) for path, methods in paths.items() for method, told in methods.items()]
    return [
        Section(name, words, [call for call in calls if OPERATIONS[call.name].section == name])
        for name, words in SECTIONS.items()
    ]


def errors() -> list[Code]:
    """Every error by status, each once."""
    return sorted(codes.ALL, key=lambda code: code.status)


def _call(method: str, path: str, told: dict[str, Any], host: str) -> ReadCall:
    name, own = told["operationId"], codes_of(method.upper(), told["operationId"])
    return ReadCall(
        name,
        method.upper(),
        path,
        told["summary"],
        told["description"],
        _parameters(told),
        _curl(method.upper(), path, told, host, with_token=codes.KOMMO[0] in own),
        [shown for status, answer in told["responses"].items() for shown in _shown(status, answer)],
        [code for code in own if code not in codes.EVERYWHERE],
    )


def _parameters(told: dict[str, Any]) -> list[Parameter]:
    """Those of the body first; one that may stand in the body or the address is told once."""
    body = told.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema", {})
    others = {one["name"]: one for one in told["parameters"]}
    found = []
    for name, schema in body.get("properties", {}).items():
        where = "corpo ou endereço" if others.pop(name, None) else "corpo"
        needed = name in body.get("required", ())
        found.append(Parameter(name, _kind(where, schema, needed=needed), schema["description"]))
    wheres = {"path": "endereço", "query": "endereço", "header": "cabeçalho"}
    for name, one in others.items():
        kind = _kind(wheres[one["in"]], one["schema"], needed=one.get("required", False))
        found.append(Parameter(name, kind, one["description"]))
    return sorted(found, key=lambda one: one.name in ("jwtToken", "userId", "accountId"))


def _kind(where: str, schema: Schema, *, needed: bool) -> str:
    """ "corpo, inteiro de 5 a 1440, obrigatório"."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    words = " ou ".join(_TYPES[name] for name in types if name != "null")
    if "enum" in schema:
        words = " ou ".join(schema["enum"])
    elif "maximum" in schema:
        words += f" de {schema['minimum']} a {schema['maximum']}"
    elif "maxLength" in schema:
        words += f", de {schema['minLength']} a {schema['maxLength']} caracteres"
    elif "pattern" in schema:
        words = "hora como 22:00"
    default = f", padrão {schema['default']}" if schema.get("default") not in (None, "", False) else ""
    return f"{where}, {words}{default}" + (", obrigatório" if needed else "")


def _curl(method: str, path: str, told: dict[str, Any], host: str, *, with_token: bool) -> str:
    """The call as it is typed into a terminal."""
    lines = [f"curl {host.rstrip('/')}{path.replace('{runId}', '12')}"]
    if method != "GET":
        lines[0] = lines[0].replace("curl ", f"curl -X {method} ")
    if with_token:
        lines.append("-H 'Authorization: Bearer SEU_TOKEN'")
    example = told.get("requestBody", {}).get("content", {}).get(JSON, {}).get("example")
    if example is not None:
        shown = {key: value for key, value in example.items() if key != "jwtToken"}
        lines += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(shown, ensure_ascii=False)}'"]
    return " \\\n  ".join(lines)


def _shown(status: str, answer: dict[str, Any]) -> list[Shown]:
    if "$ref" in answer:  # errors have a table of their own
        return []
    examples = answer["content"][JSON]["examples"].values()
    return [
        Shown(status, answer["description"], json.dumps(one["value"], ensure_ascii=False, indent=2)) for one in examples
    ]
