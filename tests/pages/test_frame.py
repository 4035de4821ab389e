"""What stands around every page: the places, the accounts, the badge, the notices, what the browser may do."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from kommo.pages import assets
from tests.conftest import make_settings
from tests.factories import ANA, BRUNO, contact_record, make_account, make_run, store_contacts
from tests.pages.conftest import Person, at_panel
from tests.pages.dom import Element, parse

PAGES = ("/", "/contatos", "/negociacoes", "/sincronizacao", "/conexao")
OFFICE = ("/acesso", "/privacidade", "/auditoria")


def side(page: Element) -> Element:
    return page.one("header", id="side")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_one_heading_its_place_and_no_inline_code(person: Person, path: str) -> None:
    make_account(person.engine)
    page = person.open(path)
    assert page.one("html")["lang"] == "pt-BR"
    assert page.one("title").text.endswith("· Painel Kommo")
    assert len(page.all("h1")) == 1
    assert {one["href"] for one in side(page).all("a", aria_current="page")} == {path}
    assert [one["href"] for one in side(page).one("nav").all("a")] == [*PAGES, *OFFICE]
    assert page.one("a", class_="skip")["href"] == f"#{page.one('main')['id']}"
    assert page.all("style") == []
    assert [one.tag for one in page.walk() for name in one.attributes if name == "style" or name.startswith("on")] == []
    assert all(one.get("src") for one in page.all("script"))
    ids = [one["id"] for one in page.walk() if one.get("id")]
    assert len(ids) == len(set(ids))


def test_htmx_may_do_little(person: Person) -> None:
    config = json.loads(person.open("/conexao").one("meta", name="htmx-config")["content"])
    for name in ("includeIndicatorStyles", "allowEval", "allowScriptTags", "historyRestoreAsHxRequest"):
        assert config[name] is False
    assert config["selfRequestsOnly"] is True
    assert config["historyCacheSize"] == 0


def test_pages_and_fragments_share_an_address_and_say_so(person: Person) -> None:
    answer = person.client.get("/conexao")
    assert "HX-Request" in answer.headers["Vary"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_from_the_cdn_htmx_is_pinned_by_its_hash(tmp_path: Path) -> None:
    for person in at_panel(make_settings(tmp_path, assets="cdn")):
        script = person.open("/conexao").all("script")[0]
        assert script["src"] == "https://cdn.jsdelivr.net/npm/htmx.org@2.0.11/dist/htmx.min.js"
        assert script["integrity"] == assets.HTMX_HASH
        assert script["crossorigin"] == "anonymous"
        policy = person.client.get("/conexao").headers["Content-Security-Policy"]
        # The file and not its host, which serves what anybody uploads: one script element slipped in would run it.
        assert f"script-src 'self' {script['src']};" in policy


def test_from_this_server_the_browser_checks_the_same_hash(person: Person) -> None:
    script = person.open("/conexao").all("script")[0]
    assert (script["src"].partition("?")[0], script["integrity"]) == ("/assets/htmx.min.js", assets.HTMX_HASH)


def test_the_files_of_the_page_are_there_and_named_by_their_content(person: Person) -> None:
    page = person.open("/conexao")
    for element in [*page.all("link"), page.all("script")[1]]:
        address = element.get("href") or element["src"]
        assert "?v=" in address
        with person.client.get(address) as answer:
            assert answer.status_code == 200


def test_the_account_stands_at_the_foot(person: Person) -> None:
    assert "Nenhuma conta" in side(person.open("/conexao")).text
    bakery = make_account(person.engine)
    foot = side(person.open("/conexao")).one("div", class_="account")
    assert foot.text.startswith("Padaria Estrela ?")
    assert "padariaestrela.kommo.com" in foot.text
    assert foot.all("details") == []
    assert bakery.subdomain in foot.text


def test_the_badge_of_proof_leads_to_the_run_it_speaks_of(person: Person) -> None:
    bakery = make_account(person.engine)
    badge = side(person.open("/conexao")).one("a", class_="badge")
    assert (badge.text, badge["href"], badge["class"].split()) == ("Sem cópia", "/sincronizacao", ["badge"])
    run_id = make_run(person.engine, bakery, "failed", errors=["O Kommo recusou este token."])
    badge = side(person.open("/conexao")).one("a", class_="badge")
    assert badge["href"] == f"/sincronizacao/{run_id}"
    assert "bad" in badge["class"].split()
    assert badge["title"].startswith("Parou: O Kommo recusou este token.")


@pytest.mark.parametrize("path", ["/", "/contatos", "/negociacoes", "/contatos/1"])
@pytest.mark.parametrize(
    ("state", "words", "kind", "said"),
    [
        ("failed", {"errors": ["O Kommo recusou este token."]}, "bad unproved", "Parou: O Kommo recusou este token."),
        ("cancelled", {}, "warning unproved", "Parcial: "),
        ("paused", {"waiting": "O Kommo não respondeu a tempo."}, "warning", "Em pausa: O Kommo não respondeu"),
        ("running", {}, "", ""),
    ],
)
def test_what_a_copy_lacks_is_said_whole_below_the_head(
    person: Person, path: str, state: str, words: dict[str, Any], kind: str, said: str
) -> None:
    """And where it is not proved, the numbers that stand behind that notice are in its colour."""
    bakery = make_account(person.engine)
    store_contacts(person.engine, bakery, [contact_record(1)])
    make_run(person.engine, bakery, state, **words)
    lines = person.open(path).one("main").all("p", class_="notice")[1:]  # the first one waits for a missing answer
    assert [(line["class"], line.text.startswith(said)) for line in lines] == (
        [(f"notice {kind}", True)] if said else []
    )


def test_the_numbers_beside_the_places_are_those_of_the_account_in_view(person: Person) -> None:
    brunos = make_account(person.engine, BRUNO)
    bakery = make_account(person.engine)
    workshop = make_account(person.engine, ANA, "Oficina Norte", 30002000)
    for connection, many in ((brunos, 7), (bakery, 3), (workshop, 5)):
        store_contacts(person.engine, connection, [contact_record(number) for number in range(1, many + 1)])
        assert side(person.open("/conexao")).all("span", class_="count") == []  # not yet proved: not yet a number
        make_run(person.engine, connection, contacts=(many, many), deals=(0, 0))
    for account, count in ((30001000, "3"), (30002000, "5")):
        page = person.open(f"/conexao?conta={account}")
        assert side(page).all("span", class_="count")[0].text == count


@pytest.fixture
def two(person: Person) -> Person:
    """Ana with two accounts; the workshop was connected last, so it is the one in view."""
    make_account(person.engine)
    make_account(person.engine, ANA, "Oficina Norte", 30002000)
    return person


def test_several_accounts_can_be_switched(two: Person) -> None:
    switcher = side(two.open("/conexao")).one("details")
    assert switcher.one("summary").one("bdi").text == "Oficina Norte"
    assert [one["href"] for one in switcher.all("a")] == ["/?conta=30002000", "/?conta=30001000"]
    assert switcher.one("a", aria_current="true").one("bdi").text == "Oficina Norte"


@pytest.mark.parametrize("path", PAGES)
def test_the_chosen_account_stays_chosen_on_every_way_on(two: Person, path: str) -> None:
    page = two.open(f"{path}?conta=30001000")
    assert side(page).one("details").one("summary").one("bdi").text == "Padaria Estrela"
    ways = [one["href"] for one in page.all("a") if one["href"].startswith("/") and "30002000" not in one["href"]]
    ways += [form["action"] for form in page.all("form", method="post")]
    assert len(ways) > 5
    assert [way for way in ways if "conta=30001000" not in way] == []
    for form in page.all("form", method="get"):
        assert form.one("input", type="hidden", name="conta")["value"] == "30001000"
    assert all("conta=" not in one["href"] for one in page.all("link"))


@pytest.mark.parametrize(
    "account", ["30009999", "abc", "-1", "0", "1e9", "9" * 400, "0" * 5000 + "1", "३", "30001000 "]
)
def test_an_account_that_is_not_ones_own_looks_like_an_unknown_page(two: Person, account: str) -> None:
    page = parse(two.client.get("/conexao", query_string={"conta": account}))
    assert page.one("h1").text == "Esta página não existe"
    assert side(page).one("details").one("summary").one("bdi").text == "Oficina Norte"
    assert all("conta=3000999" not in (one.get("href") or "") for one in page.walk())


def test_brunos_account_cannot_be_chosen_by_ana(person: Person) -> None:
    make_account(person.engine, BRUNO, "Oficina Norte", 30002000)
    assert person.client.get("/conexao?conta=30002000").status_code == 404
    assert "Oficina" not in person.open("/conexao").text


def test_a_name_from_kommo_is_text_wherever_it_stands(person: Person) -> None:
    make_account(person.engine, name='"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}', subdomain="x")
    for path in PAGES:
        page = person.open(path)
        assert page.all("img") == []
        assert "<script>alert(1)</script>" in side(page).text
        assert "49" not in side(page).one("div", class_="account").text


def test_the_help_opens_without_any_script(person: Person) -> None:
    page = person.open("/conexao")
    opener = page.one("button", class_="help-button")
    dialog = page.one("div", id=opener["popovertarget"])
    assert "popover" in dialog.attributes
    assert dialog.one(id=dialog["aria-labelledby"]).text == "Atalhos do teclado"


def test_looking_writes_nothing(client: FlaskClient, person: Person) -> None:
    make_account(person.engine)
    for path in PAGES:
        assert client.open(path, method="HEAD").status_code == 200
        assert client.open(path, method="TRACE").status_code in (400, 405)
