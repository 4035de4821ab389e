"""Faults of Kommo and of the way to it: refusals, limits, broken answers and connections, names and certificates."""

import re
import threading
import time
from collections.abc import Callable
from typing import Any

from kommo.db import writing
from kommo.sandbox import faults as made
from kommo.store.tables import Connection
from tests.crm.certificates import self_signed
from tests.crm.servers import OK, RawServer, says
from tests.fire.faults import BOTH, fault
from tests.fire.gate import RESET, SHUT, SILENT
from tests.fire.site import Site

CONTACTS = "/api/v4/contacts"
GOES_ON = "continua sozinha"
#: The fault's name, what the sandbox does, how often, what the page says meanwhile ("" where the run gets over it).
ANSWERS: tuple[tuple[str, str, int | None, str, dict[str, Any]], ...] = (
    ("429 cinquenta vezes", "429", 50, "O limite de requisições do Kommo foi atingido", {}),
    ("429 em JSON, com Retry-After", "429_json", None, "O limite de requisições do Kommo foi atingido", {"seconds": 7}),
    ("401: token revogado no meio", "401", None, "O Kommo recusou este token", {}),
    ("402: conta não paga", "402", None, "A conta do Kommo não está paga", {}),
    ("403: falta um escopo", "403_scope", None, "Falta ao token um escopo", {}),
    ("404 onde há uma lista", "404", None, "", {}),
    ("500 sem fim", "500", None, GOES_ON, {}),
    ("502 sem fim", "502", None, GOES_ON, {}),
    ("504 depois de feito", "504_after", None, GOES_ON, {}),
    ("204 na primeira página", "204", None, "", {}),
    ("200 vazio", "empty_200", None, "", {}),
    ("lista vazia com próxima página", "empty_next", None, "", {}),
    ("página de login com 200", "html_200", None, "", {}),
    ("JSON cortado", "truncated", None, "", {}),
    ("corpo cortado", "cut", None, "", {}),
    ("Content-Length maior que o corpo", "long_length", None, "", {}),
    ("gzip quebrado", "bad_gzip", None, "", {}),
    ("corpo de 80 MB", "huge", None, "", {"megabytes": 80}),
    ("redirecionamento para outro servidor", "redirect", None, "O endereço não é o da API do Kommo", {}),
    ("conexão caída (RST) em toda resposta", "reset_after", None, GOES_ON, {}),
    ("conexão fechada sem resposta", "no_answer", None, GOES_ON, {}),
    ("um byte por segundo", "drip", None, GOES_ON, {"seconds": 1.0}),
    ("resposta que não chega no prazo", "slow", None, GOES_ON, {"seconds": 5.0}),
    ("NaN numa data", "nan", 3, "", {}),
    ("meio par no nome", "surrogate", 3, "", {}),
    ("chaves repetidas", "duplicate_keys", 3, "", {}),
    ("id de 70 bits", "huge_id", 3, "", {}),
    ("registro sem id", "no_id", 3, "", {}),
    ("registro sem data", "null_updated_at", 3, "", {}),
    ("tipo de conteúdo errado", "wrong_type", 3, "", {}),
)


def _answer(how: str, times: int | None, sentence: str, options: dict[str, Any]) -> Callable[[Site], None]:
    def deed(site: Site) -> None:
        site.kommo.world.fail(CONTACTS, times=times, how=how, **options)
        held = _held(site)
        site.sync()
        if sentence:
            site.says("/sincronizacao", sentence)
        else:
            _wait_for_rest(site)
        assert _held(site) == held or how in ("nan", "surrogate", "duplicate_keys", "huge_id", "no_id",
                                              "null_updated_at", "wrong_type")  # fmt: skip
        assert site.get("/contatos")[0] == 200
        site.kommo.world.heal()
        site.over()
        if how == "401":  # the person pastes a token that is taken
            assert site.post("/conexao", jwt_token=site.kommo.token)[0] == 200

    return deed


def _held(site: Site) -> str:
    """What the list says of how many there are: no fault of Kommo's takes anything out of the copy."""
    found = re.search(r"Contatos \S+ Negociações \S+", site.get("/contatos")[1])
    assert found
    return found[0]


def _wait_for_rest(site: Site) -> None:
    """Until the run is over, or waits and says why."""
    until = time.monotonic() + 60
    while (view := site.view()).active and not (view.state == "paused" and view.waiting):
        assert time.monotonic() < until, view
        time.sleep(0.05)
    assert view.proved or view.errors or view.waiting or view.warnings, view


for _name, _how, _times, _sentence, _options in ANSWERS:
    assert _how in made.BEFORE or _how in made.AFTER
    fault(f"Kommo: {_name}")(_answer(_how, _times, _sentence, _options))


@fault("Kommo: 403 em HTML, endereço bloqueado")
def blocked(site: Site) -> None:
    site.kommo.world.block()
    site.sync()
    site.says("/conexao", "Peço que desbloqueiem esse IP")
    asked = site.kommo.world.requests
    assert site.api("GET", "/contacts?limit=1")[0] == 503
    assert site.kommo.world.requests == asked  # nobody calls on
    site.kommo.world.unblock()
    site.over()
    assert site.post(f"/conexao/{site.account}/testar")[0] == 200


@fault("Kommo: 300 exclusões de uma vez, no meio da leitura")
def mass_deletion(site: Site) -> None:
    world = site.kommo.world
    gone = world.ids("contacts")[:20]
    site.meet(f"GET {CONTACTS}?", lambda: world.delete("contacts", *gone))
    site.over()
    _wait_for_rest(site)
    if site.view().guarded:
        assert site.post(f"/sincronizacao/{site.view().id}/confirmar-exclusoes")[0] == 303


def _gate(mode: str, sentence: str) -> Callable[[Site], None]:
    def deed(site: Site) -> None:
        site.gate.turn(mode)
        site.sync()
        site.says("/sincronizacao", sentence, GOES_ON)
        status, words = site.post(f"/conexao/{site.account}/testar")
        assert status == 422 and sentence in words, words
        site.gate.turn("open")
        site.over()

    return deed


fault("rede: ninguém atende na porta do Kommo")(_gate(SHUT, "O servidor recusou a conexão."))
fault("rede: a conexão é aceita e ninguém responde")(_gate(SILENT, "O Kommo não respondeu"))
fault("rede: toda conexão é derrubada (RST)")(_gate(RESET, "Não foi possível chegar ao Kommo."))


@fault("rede: some no meio de uma página e volta", BOTH)
def network_gone(site: Site) -> None:
    site.meet(f"GET {CONTACTS}?", lambda: threading.Thread(target=site.gate.turn, args=(SHUT,)).start())
    site.says("/sincronizacao", GOES_ON)
    site.gate.turn("open")
    site.over()


def _elsewhere(site: Site, address: str, *sentences: str) -> None:
    """Let the account's address, and the setting that allows it, lead elsewhere; look, and go back."""
    site.stop()
    _move(site, address)
    site.start(KOMMO_API_URL=address)
    status, words = site.post(f"/conexao/{site.account}/testar")
    assert status == 422 and all(sentence in words for sentence in sentences), words
    site.sync()
    site.says("/sincronizacao", *sentences)
    site.stop()
    _move(site, site.gate.address)
    site.over()
    site.start()


def _move(site: Site, address: str) -> None:
    with writing(site.services.engine) as session:
        session.get_one(Connection, site.account).base_address = address


@fault("rede: o nome do Kommo não se resolve (DNS)")
def no_name(site: Site) -> None:
    _elsewhere(site, "https://nada.invalid", "O endereço do Kommo não foi encontrado na rede.")


@fault("rede: certificado que não é do Kommo (TLS)")
def bad_certificate(site: Site) -> None:
    with RawServer(says(OK), self_signed(site.folder)) as server:
        _elsewhere(site, f"https://127.0.0.1:{server.port}", "A conexão segura com o Kommo falhou.")
        assert server.heads == []  # not a byte of the token


@fault("rede: quem atende não fala TLS")
def no_tls(site: Site) -> None:
    with RawServer(says(OK), greeting=b"HTTP/1.1 200 OK\r\n\r\n") as server:
        _elsewhere(site, f"https://127.0.0.1:{server.port}", "A conexão segura com o Kommo falhou.")


@fault("o relógio do Kommo avança uma hora e volta")
def kommo_clock(site: Site) -> None:
    site.kommo.world.turn(clock_skew=3600)
    site.sync()
    _wait_for_rest(site)
    site.kommo.world.turn(clock_skew=0)
    site.over()
