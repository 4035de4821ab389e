"""Answers held against the API's document: whatever a test of this room is given has to be in it."""

import re
from functools import cache
from typing import Any

import jsonschema_rs
from werkzeug.test import TestResponse

from kommo.api.openapi.document import document


def find(method: str, path: str) -> dict[str, Any] | None:
    """The operation in the document for a request; None for what is no route."""
    for address, methods in document()["paths"].items():
        if re.fullmatch(address.replace("{runId}", "[0-9]+"), path):
            found: dict[str, Any] | None = methods.get(method.lower())
            return found
    return None


def hold(method: str, path: str, answer: TestResponse) -> None:
    """Fail where the document does not know this answer: its status, its body, a header that it always has."""
    operation = find(method, path)
    if operation is None:
        return
    status = str(answer.status_code)
    assert status in operation["responses"], f"{method} {path} may not answer {status}: {answer.text}"
    told = answer_of(operation, status)
    required = [name for name, header in told["headers"].items() if header.get("required")]
    assert not [name for name in required if name not in answer.headers], f"{method} {path} {status} lacks {required}"
    checker = _checker(operation["operationId"], status)
    problems = [str(error.message) for error in checker.iter_errors(answer.get_json(force=True))]
    assert not problems, f"{method} {path} {status}: {problems}\n{answer.text[:2000]}"


def answer_of(operation: dict[str, Any], status: str) -> dict[str, Any]:
    """What the document says of an answer, wherever it stands."""
    told: dict[str, Any] = operation["responses"][status]
    where = told.get("$ref")
    return document()["components"]["responses"][where.rpartition("/")[2]] if where else told


def codes_of(operation: dict[str, Any]) -> set[tuple[int, str]]:
    """Every status and code of an operation's errors, out of the schemas."""
    found = set()
    for status in operation["responses"]:
        if int(status) >= 400:
            schema = answer_of(operation, status)["content"]["application/json"]["schema"]
            for one in schema.get("anyOf", [schema]):
                found |= {(int(status), code) for code in one["allOf"][1]["properties"]["code"]["enum"]}
    return found


def checker_for(schema: dict[str, Any]) -> Any:
    """A validator for a schema of the document, whose references lead into it."""
    return jsonschema_rs.Draft202012Validator(schema | {"components": document()["components"]})


@cache
def _checker(name: str, status: str) -> Any:
    operations = [one for methods in document()["paths"].values() for one in methods.values()]
    operation = next(one for one in operations if one["operationId"] == name)
    return checker_for(answer_of(operation, status)["content"]["application/json"]["schema"])
