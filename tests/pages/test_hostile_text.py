"""Text from the CRM is hostile: on every page of the copy, and in every place of it, it is shown as text."""

from urllib.parse import urlencode

import pytest

from kommo.db import writing
from kommo.store.tables import Company, Connection, CustomField, KommoUser, LossReason, Pipeline, Stage
from tests.factories import (
    contact_record,
    deal_record,
    make_account,
    make_run,
    store_contacts,
    store_deals,
)
from tests.pages.conftest import Person
from tests.pages.dom import Element

UGLY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}${7*7}{% raise %}",
    "' onmouseover='alert(1)",
    "</textarea></title></table></select><b id=ugly>",
    "&#x3c;b&#x3e;&lt;i&gt;",
    "hx-get=/contatos hx-trigger=load",
    "<bdi hx-get=/contatos hx-trigger=load>",
    "\u202egnp.exe",
    "Z\u0351\u0345a\u0317\u0323l\u0340g\u0335o" * 20,
    "👩‍💻" * 500,
    "A" * 100_000,
]
PLACES = (
    "/",
    "/contatos",
    "/contatos?q=a",
    "/negociacoes",
    "/negociacoes?etapa=4401-1&responsavel=7001",
    "/contatos/1",
    "/negociacoes/1",
    "/sincronizacao",
    "/sincronizacao/agenda",
    "/conexao",
    "/conexao/1/desconectar",
)
ADDRESSES = ("/", "#", "https://padaria.kommo.com/", "mailto:", "tel:")


@pytest.fixture(params=range(len(UGLY)))
def ugly(request: pytest.FixtureRequest, person: Person) -> tuple[Person, str]:
    """An account in which everything bears one ugly name."""
    text = UGLY[request.param]
    connection = make_account(person.engine, name=text[:255], subdomain="padaria")
    catalogues(person, connection, text)
    field = {"field_id": 5, "field_name": text, "field_type": "text", "values": [{"value": text}]}
    record = contact_record(1, text, phones=[text], emails=[text], tags=[text], company=8, fields=[field])
    store_contacts(person.engine, connection, [record])
    closed = {"status_id": 143, "closed_at": 1_700_000_000, "loss_reason_id": 9}
    deals = [deal_record(1, text, status_id=1, tags=[text], contacts=[1], company=8, fields=[field])]
    store_deals(person.engine, connection, [*deals, deal_record(2, text, **closed)])
    make_run(person.engine, connection, "failed", errors=[text])
    return person, text


def catalogues(person: Person, connection: Connection, text: str) -> None:
    of = {"connection_id": connection.id, "name": text}
    with writing(person.engine) as session:
        session.add_all(
            [KommoUser(id=7001, **of), Pipeline(id=4401, **of), Company(id=8, **of), LossReason(id=9, **of)]
        )
        session.add_all([Stage(pipeline_id=4401, id=key, **of) for key in (1, 142, 143)])
        session.add_all(
            [CustomField(entity=entity, id=key, **of) for entity in ("contacts", "leads") for key in (5, 6)]
        )


def attributes(page: Element, *names: str) -> list[str]:
    return [element[name] for element in page.walk() for name in names if element.get(name)]


def test_hostile_text_is_text(ugly: tuple[Person, str]) -> None:
    """It adds no element, no script, no event, no htmx and no address to any page."""
    person, _ = ugly
    scripts = len(person.open("/conexao").all("script"))
    for place in PLACES:
        page = person.open(place)
        assert {element.tag for element in page.walk()}.isdisjoint({"img", "iframe", "object", "i", "b2"}), place
        assert page.all(id="ugly") == []
        assert len(page.all("script")) == scripts
        assert [name for element in page.walk() for name in element.attributes if name.startswith("on")] == []
        assert [
            link for link in attributes(page, "href", "src", "action", "hx-get") if not link.startswith(ADDRESSES)
        ] == []
        assert "load" not in attributes(page, "hx-trigger")


def test_a_template_in_a_name_is_not_run(person: Person) -> None:
    connection = make_account(person.engine)
    store_contacts(person.engine, connection, [contact_record(1, "{{7*7}}${7*7}{% raise %}")])
    assert person.open("/contatos").one("a", class_="row-link").text == "{{7*7}}${7*7}{% raise %}"
    assert person.open("/contatos/1").one("h1").text == "{{7*7}}${7*7}{% raise %}"


def test_a_long_text_is_cut_where_it_is_one_of_many(person: Person) -> None:
    text = "A" * 1_000_000
    connection = make_account(person.engine)
    catalogues(person, connection, text)
    store_contacts(person.engine, connection, [contact_record(1, text, phones=[text], emails=[text])])
    closed = {"status_id": 143, "closed_at": 1_700_000_000, "loss_reason_id": 9}
    deals = [deal_record(1, text, contacts=[1]), deal_record(2, text, **closed)]
    store_deals(person.engine, connection, deals)
    make_run(person.engine, connection, "failed", errors=[text])
    sizes = {place: len(person.client.get(place).get_data()) for place in PLACES[:5]}
    assert {place: size for place, size in sizes.items() if size > 60_000} == {}
    assert len(person.client.get("/contatos/1").get_data()) > 2_000_000


def test_the_whole_text_stands_on_the_page_of_the_record(ugly: tuple[Person, str]) -> None:
    person, text = ugly
    squeezed = " ".join(text.split())
    for place in ("/contatos/1", "/negociacoes/1"):
        page = person.open(place)
        assert squeezed in page.one("main").text
        assert len(page.one("h1").text) <= 120
        assert all(part.tag == "bdi" for part in page.all("bdi", text=squeezed))


def test_names_are_isolated_from_the_direction_of_the_text_around(person: Person) -> None:
    connection = make_account(person.engine)
    store_contacts(person.engine, connection, [contact_record(1, "\u202eanA", phones=["\u202e11"])])
    row = person.open("/contatos").one("tbody").one("tr")
    isolated = {each.text for each in row.all("bdi")}
    assert {"\u202eanA", "\u202e11"} <= isolated


def test_titles_and_labels_hold_it_as_text(ugly: tuple[Person, str]) -> None:
    """The window's title, the charts' labels and what screen readers are told: text, without a way out of it."""
    person, text = ugly
    start = " ".join(text.split())[:20]
    for place in PLACES:
        page = person.open(place)
        (title,) = page.one("head").all("title")
        assert [each for each in title.walk() if each is not title] == []
        for drawing in page.all("svg"):
            assert {each.tag for each in drawing.walk()} <= {"svg", "g", "rect", "path", "line", "text", "title", "use",
                                                            "circle", "polyline", "desc", "tspan"}  # fmt: skip
    assert start in person.open("/contatos/1").one("title").text
    assert start in person.open("/").one("body").text


def test_the_api_gives_it_as_json_and_nothing_else(ugly: tuple[Person, str]) -> None:
    person, text = ugly
    for kind in ("contacts", "deals"):
        answer = person.client.get(f"/api/kommo/{kind}?source=local")
        assert (answer.mimetype, answer.headers["X-Content-Type-Options"]) == ("application/json", "nosniff")
        assert answer.json["data"][0]["name"] == text


@pytest.mark.parametrize("typed", [*UGLY[:9], "a\r\nSet-Cookie: x=1", "a\x00b", "\u2028"], ids=ascii)
def test_what_is_typed_into_the_search_is_text_too(person: Person, typed: str) -> None:
    """In the field, in what was not found, and in the address that htmx is told to show."""
    connection = make_account(person.engine)
    store_contacts(person.engine, connection, [contact_record(1, "Ana")])
    page = person.open(f"/contatos?{urlencode({'q': typed})}")
    assert page.all(id="ugly") == []
    assert {element.tag for element in page.walk()}.isdisjoint({"img", "iframe", "object", "i"})
    assert [name for element in page.walk() for name in element.attributes if name.startswith("on")] == []
    answer = person.client.get("/contatos", query_string={"q": typed}, headers={"HX-Request": "true"})
    shown = answer.headers["HX-Push-Url"]
    assert shown.startswith("/contatos")
    assert shown.isascii()
    assert "Set-Cookie: x=1" not in str(answer.headers)
