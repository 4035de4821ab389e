"""The document of the API says what is true: all of it, and nothing that nobody gives."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

from kommo.api import ROUTES
from kommo.api.openapi import codes
from kommo.api.openapi.document import document
from kommo.sandbox import Server
from kommo.settings import Settings
from tests import processes
from tests.api import documented
from tests.api.conftest import Api
from tests.api.recipes import JSON, RECIPES, Place
from tests.conftest import make_settings
from tests.wire import Reply

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"
OPERATIONS = [one for methods in document()["paths"].values() for one in methods.values()]


def test_it_is_openapi() -> None:
    validate(document())
    assert document()["openapi"].startswith("3.1")


def test_it_is_served_as_it_is(client: Any) -> None:
    answer = client.get("/api/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, JSON)
    assert answer.get_json() == json.loads(json.dumps(document()))
    assert client.options("/api/openapi.json").get_json()["code"] == "method_not_allowed"


def test_it_has_every_route_and_no_other(app: Flask) -> None:
    """As the framework knows them, not as the table that the document is made from does."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    there = {(method, rule.rule.replace("<int:run_id>", "{runId}"), rule.endpoint.removeprefix("api."))
             for rule in rules for method in rule.methods - {"HEAD"}}  # fmt: skip
    told = {(method.upper(), path, one["operationId"]) for path, methods in document()["paths"].items()
            for method, one in methods.items()}  # fmt: skip
    assert told == there
    assert len(told) == len(ROUTES)


def test_its_codes_are_those_of_the_documentation() -> None:
    """The table of docs/api.md, row by row, beside the table of the document and what its routes may answer."""
    text = DOCS.read_text("utf-8").partition("## Erros")[2]
    rows = re.findall(r"^\| (\d{3}) \| ((?:`[a-z_0-9]+`(?:, )?)+) \|", text, re.MULTILINE)
    written = {(int(status), code) for status, names in rows for code in re.findall(r"[a-z_0-9]+", names)}
    assert written == {(one["status"], one["code"]) for one in document()["x-errors"]}
    given = set().union(*(documented.codes_of(one) for one in OPERATIONS))
    assert given == written


def _examples(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example in the document, with the schema beside it."""
    if isinstance(value, dict):
        given = [value["example"]] if "example" in value else []
        given += [one["value"] for one in value.get("examples", {}).values()] if "schema" in value else []
        yield from ((path, value["schema"], one) for one in given)
        for key, inner in value.items():
            yield from _examples(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _examples(inner, f"{path}/{number}")


def test_its_examples_are_what_it_says() -> None:
    found = list(_examples(document()))
    for path, schema, example in found:
        problems = [error.message for error in documented.checker_for(schema).iter_errors(example)]
        assert not problems, f"{path}: {problems}"
    assert len(found) > 60


def test_every_success_and_body_has_an_example() -> None:
    for one in OPERATIONS:
        for status in one["responses"]:
            assert documented.answer_of(one, status)["content"][JSON]["examples"], (one["operationId"], status)
        if "requestBody" in one:
            assert "example" in one["requestBody"]["content"][JSON]


def test_everything_in_it_has_words() -> None:
    for one in OPERATIONS:
        assert one["summary"] and one["description"]
        assert all(parameter["description"] for parameter in one["parameters"])
    assert all(code.when and code.example("Erro").body["error"] for code in codes.ALL)


def test_a_key_goes_with_a_token_or_without_one() -> None:
    """While nobody has access, the person at the machine needs neither."""
    assert document()["components"]["securitySchemes"]["chave"]["name"] == "X-API-Key"
    assert document()["security"] == [{"chave": [], "kommo": []}, {"chave": []}, {"kommo": []}, {}]


@pytest.fixture
def settings(tmp_path: Path, padaria: Server) -> Settings:
    """Nobody waits for a run."""
    return make_settings(tmp_path, api_url=padaria.address, retry_attempts=0, sync_wait=0)


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on a socket, for what it refuses by itself."""
    with processes.server(tmp_path_factory.mktemp("wire") / "instance", "--no-worker") as (found, _child):
        yield found


def test_there_is_a_way_to_every_error() -> None:
    assert set(RECIPES) == {(code.status, code.name) for code in codes.ALL}


@pytest.mark.only_on("sqlite", reason="what is compared are words about calls, the same on each database")
@pytest.mark.parametrize("error", RECIPES, ids=lambda error: error[1])
def test_an_error_is_given_by_those_that_say_so(
    api: Api, padaria: Server, tmp_path: Path, wire: str, error: tuple[int, str]
) -> None:
    """Each route is driven to the error: no other gives it, and none promises it in vain."""
    given, promised = set(), {one["operationId"] for one in OPERATIONS if error in documented.codes_of(one)}
    token, extensions, others = api.token, dict(api.client.application.extensions), []
    with ExitStack() as kept:
        for method, path, name, _ in ROUTES:
            place = Place(Api(api.client, api.services, token), padaria, tmp_path, wire, kept, others)
            with place.closing:
                answer = RECIPES[error](place, (method, path, name))
            given |= {name} if _error(answer) == error else set()
            api.client.application.extensions.update(extensions)
            padaria.world.heal()
    assert given == promised


def _error(answer: TestResponse | Reply) -> tuple[int, str | None]:
    """Status and code of an answer, from the application or off a socket."""
    if isinstance(answer, Reply):
        return answer.status, answer.json().get("code")
    return answer.status_code, answer.get_json().get("code")
