"""Every route, by everybody: who is let in and who is not, told here a second time and without looking at the rules.

What belongs to another owner looks exactly like what is not there: the same status, the same bytes.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from kommo import create_app
from tests.access.house import House, browser, build, page_of
from tests.conftest import make_settings

#: Who may call a page: everybody, whoever is logged in, or a role and those above it.
PAGES = {
    "public": """
        GET /static/<path:filename>
        GET /assets/htmx.min.js
        GET /entrar
        POST /entrar
        POST /entrar/codigo
        GET /primeiro-acesso
        POST /primeiro-acesso
    """,
    "viewer": """
        GET /
        GET /contatos
        GET /contatos/<int:contact_id>
        GET /negociacoes
        GET /negociacoes/<int:deal_id>
        GET /sincronizacao
        GET /sincronizacao/<int:run_id>
        GET /sincronizacao/progresso
        GET /sincronizacao/ausentes/<stream>
        GET /sincronizacao/agenda
        GET /conexao
        POST /sair
        GET /minha-conta
        POST /minha-conta/senha
        POST /minha-conta/sessoes/<int:session_id>/encerrar
        POST /minha-conta/sessoes/encerrar-outras
        POST /minha-conta/chaves
        POST /minha-conta/chaves/<int:key_id>/revogar
        GET /minha-conta/segundo-fator
        POST /minha-conta/segundo-fator
        POST /minha-conta/segundo-fator/desligar
    """,
    "operator": """
        POST /sincronizacao
        POST /sincronizacao/<int:run_id>/cancelar
        POST /sincronizacao/<int:run_id>/continuar
        POST /sincronizacao/<int:run_id>/confirmar-exclusoes
        POST /sincronizacao/agenda
        POST /sincronizacao/agenda/pausar
        POST /sincronizacao/agenda/retomar
        POST /sincronizacao/agenda/desligar
    """,
    "administrator": """
        POST /conexao
        POST /conexao/token
        POST /conexao/<int:connection_id>/testar
        GET /conexao/<int:connection_id>/desconectar
        POST /conexao/<int:connection_id>/desconectar
        POST /conexao/demonstracao
        GET /acesso
        POST /acesso
        POST /acesso/primeira-pessoa
        GET /acesso/<int:user_id>
        POST /acesso/<int:user_id>/papel
        POST /acesso/<int:user_id>/suspender
        POST /acesso/<int:user_id>/reativar
        POST /acesso/<int:user_id>/senha
        POST /acesso/<int:user_id>/remover
        POST /acesso/chaves/<int:key_id>/revogar
    """,
}
#: Which scope a key needs for a call of the API, and which role a browser.
CALLS = {
    ("read", "viewer"): """
        GET /api/kommo/test-connection
        POST /api/kommo/test-connection
        GET /api/kommo/contacts
        POST /api/kommo/contacts
        GET /api/kommo/deals
        POST /api/kommo/deals
        GET /api/kommo/sync
        GET /api/kommo/sync/<int:run_id>
        GET /api/kommo/schedule
        GET /api/kommo/budget
    """,
    ("sync", "operator"): """
        POST /api/kommo/sync
        PUT /api/kommo/schedule
        DELETE /api/kommo/schedule
    """,
}
ABOVE = {"viewer": 1, "operator": 2, "administrator": 3}
OUTSIDE = ("nobody", "disabled", "logged out")
KEYS_OF_NOBODY = ("key of the disabled", "key that is over", "key nobody made")
SCOPES_OF = {
    "key of the operator": {"read", "sync"},
    "key of the viewer": {"read"},
    "key of the stranger": {"read", "sync"},
}
ROLES = {"stranger": "operator", "strange administrator": "administrator"}
NAMED = {
    "filename": "js/app.js", "contact_id": "11", "deal_id": "11", "run_id": "1", "connection_id": "1", "user_id": "1",
    "session_id": "99", "key_id": "99", "stream": "contatos",
}  # fmt: skip
UNKNOWN = 987_654


def _lines(table: str) -> list[tuple[str, str]]:
    return [(line.split()[0], line.split()[1]) for line in table.strip().splitlines()]


PAGE_RULES = {line: who for who, table in PAGES.items() for line in _lines(table)}
CALL_RULES = {line: needs for needs, table in CALLS.items() for line in _lines(table)}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all tests of this module: nobody who is let in changes anything here."""
    settings = make_settings(tmp_path_factory.mktemp("walk"), api_url="http://127.0.0.1:9", retry_attempts=0)
    yield from build(settings)


def _path(rule: str) -> str:
    for name, value in NAMED.items():
        for kind in ("", "int:", "path:"):
            rule = rule.replace(f"<{kind}{name}>", value)
    return rule


def _let_in(answer: TestResponse) -> bool:
    """Whether the gate let a caller in. A form without its token, a body that is no JSON are refused behind it."""
    if answer.mimetype == "application/json":
        return answer.json.get("code") not in ("login_required", "key_unknown", "not_allowed")
    if answer.status_code == 303 and (answer.location or "").startswith(("/entrar", "/primeiro-acesso")):
        return False
    return not (answer.status_code == 403 and "Você não tem permissão" in answer.text)


def _expected(who: str, method: str, rule: str) -> bool:
    if (method, rule) in PAGE_RULES:
        needs = PAGE_RULES[method, rule]
        if needs == "public":
            return True
        if who in OUTSIDE or who.startswith("key "):  # a key opens the API, never a page
            return False
        return ABOVE["administrator" if who == "local" else ROLES.get(who, who)] >= ABOVE[needs]
    scope, role = CALL_RULES[method, rule]
    if who in OUTSIDE or who in KEYS_OF_NOBODY:
        return False
    if who.startswith("key "):
        return scope in SCOPES_OF.get(who, {who.removeprefix("key ")})
    return ABOVE["administrator" if who == "local" else ROLES.get(who, who)] >= ABOVE[role]


def test_every_route_is_classified_here(house: House) -> None:
    """A new one has to be put into the tables above by somebody who has thought about it."""
    routes = {
        (method, rule.rule)
        for rule in house.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes - set(PAGE_RULES) - set(CALL_RULES) == set()
    assert (set(PAGE_RULES) | set(CALL_RULES)) - routes == set()


def test_every_route_by_everybody(house: House, tmp_path: Path) -> None:
    wrong, walked, before = [], 0, house.rows()
    open_app = create_app(make_settings(tmp_path))
    for who, caller in [*house.callers.items(), ("local", browser(open_app))]:
        for method, rule in [*PAGE_RULES, *CALL_RULES]:
            body = {} if method == "GET" else {"data": b"x", "content_type": "text/plain"}
            with caller.call(method, _path(rule), **body) as answer:
                if _let_in(answer) != _expected(who, method, rule):
                    wrong.append((who, method, rule, answer.status_code))
            walked += 1
    open_app.extensions["kommo"].engine.dispose()
    assert wrong == []
    assert house.rows() == before
    print(
        f"\n{walked} pedidos: {len(house.callers) + 1} pessoas e programas em {len({*PAGE_RULES, *CALL_RULES})} rotas."
    )
    assert walked > 1000


@pytest.mark.parametrize("path", ["/nada", "/contatos/x", "/api/kommo/nada", "/static/nada"])
def test_who_is_outside_does_not_learn_which_addresses_exist(house: House, path: str) -> None:
    for who in OUTSIDE:
        answer = house.callers[who].call("GET", path)
        if path.startswith("/api/"):
            assert (answer.status_code, answer.json["code"]) == (401, "login_required")
        elif path.startswith("/static/"):
            assert answer.status_code == 404
        else:
            assert (answer.status_code, answer.location) == (303, f"/entrar?next={path}")


FOREIGN_PAGES = (
    ("GET", "/contatos/{contact}", {}),
    ("GET", "/negociacoes/{deal}", {}),
    ("GET", "/sincronizacao/{over}", {}),
    ("GET", "/sincronizacao/progresso?execucao={waiting}", {}),
    ("POST", "/sincronizacao/{waiting}/cancelar", {}),
    ("POST", "/sincronizacao/{waiting}/continuar", {}),
    ("POST", "/sincronizacao/{over}/confirmar-exclusoes", {}),
    ("POST", "/conexao/{connection}/testar", {}),
    ("GET", "/conexao/{connection}/desconectar", {}),
    ("POST", "/conexao/{connection}/desconectar", {"copia": "apagar"}),
    ("POST", "/minha-conta/sessoes/{session}/encerrar", {}),
    ("POST", "/minha-conta/chaves/{key}/revogar", {}),
)
#: Pages that are of no account; the demonstration is an account of its own, and a process.
NO_ACCOUNT = ("/acesso", "/minha-conta", "/sair", "/conexao/demonstracao")
WITH_ACCOUNT = tuple(
    line
    for line, who in PAGE_RULES.items()
    if who != "public" and "<" not in line[1] and not line[1].startswith(NO_ACCOUNT)
)


@pytest.fixture
def formless(house: House) -> Iterator[House]:
    """Forms are taken without their token, so that what stands behind it is reached."""
    house.app.config["WTF_CSRF_ENABLED"] = False
    yield house
    house.app.config["WTF_CSRF_ENABLED"] = True


@pytest.mark.parametrize("who", ["viewer", "operator", "administrator"])
def test_what_is_anothers_looks_like_what_is_not_there(formless: House, who: str) -> None:
    """By its number in the address of a page, and in the forms that change something."""
    before, walked, caller = formless.rows(), 0, formless.callers[who]
    theirs = {
        "contact": formless.theirs.contact, "deal": formless.theirs.deal, "over": formless.theirs.over,
        "waiting": formless.theirs.waiting, "connection": formless.theirs.connection,
        "session": formless.sessions["stranger"], "key": formless.keys["stranger"],
    }  # fmt: skip
    for method, path, form in FOREIGN_PAGES:
        options = {"data": form} if method == "POST" else {}
        foreign = caller.call(method, path.format(**theirs), **options)
        unknown = caller.call(method, path.format(**dict.fromkeys(theirs, UNKNOWN)), **options)
        assert (foreign.status_code, page_of(foreign)) == (unknown.status_code, page_of(unknown)), path
        assert foreign.status_code in (403, 404), path
        assert "Oficina" not in foreign.text
        walked += 1
    assert formless.rows() == before
    assert walked == len(FOREIGN_PAGES)


@pytest.mark.parametrize("who", ["viewer", "operator", "administrator"])
def test_anothers_account_in_the_address_looks_like_one_that_is_not_there(formless: House, who: str) -> None:
    before, caller = formless.rows(), formless.callers[who]
    for method, path in WITH_ACCOUNT:
        options = {"data": {"jwt_token": ""}} if method == "POST" else {}
        foreign = caller.call(method, f"{path}?conta={formless.theirs.account}", **options)
        unknown = caller.call(method, f"{path}?conta={UNKNOWN}", **options)
        assert (foreign.status_code, page_of(foreign)) == (
            unknown.status_code, page_of(unknown).replace(str(UNKNOWN), str(formless.theirs.account))
        ), path  # fmt: skip
        assert "Oficina" not in foreign.text, path
    assert formless.rows() == before
    assert len(WITH_ACCOUNT) >= 14


def test_no_page_shows_anything_of_another_owner(house: House) -> None:
    shown = 0
    for who, own, other in (("administrator", "Padaria", "Oficina"), ("strange administrator", "Oficina", "Padaria")):
        for (method, rule), needs in PAGE_RULES.items():
            if method == "GET" and needs != "public" and "<" not in rule:
                answer = house.callers[who].call(method, rule)
                assert other not in answer.text, (who, rule)
                shown += own in answer.text
    assert shown >= 14  # not by showing nothing


FOREIGN_CALLS = (
    ("GET", "/sync?{name}={value}", None),
    ("GET", "/sync/{over}?{name}={value}", None),
    ("GET", "/contacts?source=local&{name}={value}", None),
    ("GET", "/deals?source=local&{name}={value}", None),
    ("GET", "/contacts?{name}={value}", None),
    ("GET", "/test-connection?{name}={value}", None),
    ("GET", "/schedule?{name}={value}", None),
    ("GET", "/budget?{name}={value}", None),
    ("POST", "/contacts", {"contactId": 22}),
    ("POST", "/deals", {"dealId": 22}),
    ("POST", "/test-connection", {}),
    ("POST", "/sync", {}),
    ("PUT", "/schedule", {"everyMinutes": 15}),
    ("DELETE", "/schedule", {}),
)


@pytest.mark.parametrize("who", ["viewer", "operator", "key read", "key of the operator", "key sync"])
@pytest.mark.parametrize("name", ["userId", "accountId"])
def test_anothers_data_over_the_api_looks_like_what_is_not_there(house: House, who: str, name: str) -> None:
    """Owner and account, in the address and in the body; whoever may not speak for other owners."""
    theirs = {"userId": "2", "accountId": house.theirs.account}[name]
    strange = {"userId": "99", "accountId": UNKNOWN}[name]
    before, walked, caller = house.rows(), 0, house.callers[who]
    for method, path, body in FOREIGN_CALLS:
        answers = []
        for value in (theirs, strange):
            address = "/api/kommo" + path.format(name=name, value=value, over=house.theirs.over)
            options = {} if body is None else {"json": body | {name: value}}
            answers.append(caller.call(method, address, **options))
        foreign, unknown = answers
        assert (foreign.status_code, foreign.data) == (unknown.status_code, unknown.data), (method, path)
        assert foreign.status_code in (403, 404), (method, path)
        walked += 1
    assert house.rows() == before
    assert walked == len(FOREIGN_CALLS)


def test_a_run_of_anothers_by_its_number_alone(house: House) -> None:
    for who in ("viewer", "administrator", "key read"):
        answers = [house.callers[who].call("GET", f"/api/kommo/sync/{run}") for run in (house.theirs.over, UNKNOWN)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].data == answers[1].data


def test_who_may_speak_for_other_owners_does(house: House) -> None:
    """Otherwise the tests above would prove less: the data is there."""
    for who in ("administrator", "key of the stranger"):
        answer = house.callers[who].call("GET", "/api/kommo/contacts?source=local&userId=2")
        assert [one["name"] for one in answer.json["data"]] == ["Contato de Oficina Norte"], who
