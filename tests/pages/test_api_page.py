"""/api/docs: the API's document as a page, made here from the same types and without a script of its own."""

import json
import shlex

from kommo.api import PREFIX, ROUTES
from kommo.api.openapi import codes
from tests.pages.conftest import Person
from tests.pages.dom import Element


def docs(person: Person) -> Element:
    return person.open("/api/docs")


def test_it_stands_in_the_frame_and_the_help_leads_to_it(person: Person) -> None:
    page = docs(person)
    assert page.one("h1").text == "API JSON"
    assert len(page.one("header", id="side").all("a")) > 4
    assert person.open("/conexao").one("div", id="help").one("a")["href"] == "/api/docs"
    assert page.one("div", class_="head").one("a")["href"] == "/api/openapi.json"


def test_no_script_but_the_houses(person: Person) -> None:
    """The same scripts as on any page, no style and no event of its own: the policy stays as it is."""
    page, other = docs(person), person.open("/conexao")
    assert [one["src"] for one in page.all("script")] == [one["src"] for one in other.all("script")]
    assert page.all("style") == []
    assert [one.tag for one in page.walk() for name in one.attributes if name == "style" or name.startswith("on")] == []
    policies = {person.client.get(path).headers["Content-Security-Policy"] for path in ("/api/docs", "/conexao")}
    assert len(policies) == 1


def test_every_call_has_its_place_and_every_link_leads_somewhere(person: Person) -> None:
    page = docs(person)
    ids = [one["id"] for one in page.walk() if one.get("id")]
    assert len(ids) == len(set(ids))
    inner = {one["href"][1:] for one in page.all("a") if (one.get("href") or "").startswith("#")}
    assert inner <= set(ids)
    assert {name for _, _, name, _ in ROUTES} <= inner
    for method, path, name, _ in ROUTES:
        head = page.one("section", id=name).one("div", class_="card-head").text
        assert f"{method} {PREFIX}{path.replace('<int:run_id>', '{runId}')}" in head


def test_every_call_has_a_line_for_the_terminal(person: Person) -> None:
    """As a shell reads it: the method, the address that the page was asked at, a body that is JSON."""
    page = docs(person)
    for method, path, name, _ in ROUTES:
        words = shlex.split(page.one("section", id=name).all("pre")[0].text.replace("\\ ", " "))
        assert words[0] == "curl"
        (address,) = [word for word in words if word.startswith("http")]
        assert address == f"http://localhost{PREFIX}{path.replace('<int:run_id>', '12')}"
        assert (words[1:3] == ["-X", method]) == (method != "GET")
        if method != "GET":
            assert isinstance(json.loads(words[words.index("-d") + 1]), dict)
        assert "jwtToken" not in " ".join(words)


def test_the_table_has_every_error(person: Person) -> None:
    rows = [[cell.text for cell in (*row.all("td"), *row.all("th"))] for row in docs(person).one("tbody").all("tr")]
    assert {(row[0], row[2].removesuffix(" comum")) for row in rows} == {
        (str(code.status), code.name) for code in codes.ALL
    }
    assert len(rows) == len(codes.ALL)


def test_examples_of_answers_are_json(person: Person) -> None:
    page = docs(person)
    examples = [one.one("pre").text for one in page.one("main").all("details")]
    assert len(examples) >= len(ROUTES)
    assert all(json.loads(example)["message"] for example in examples)
