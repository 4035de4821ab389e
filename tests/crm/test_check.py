"""The connection test: each way a token can fail is told from the others, with what to do."""

from typing import Any

import pytest

from kommo.crm import errors
from kommo.crm.check import CheckReport, check_connection
from kommo.crm.client import Kommo
from kommo.crm.errors import BadToken
from kommo.crm.token import Claims, read_token
from kommo.crm.transport import Transport
from kommo.sandbox import Server
from tests.crm.budgets import Unlimited
from tests.crm.conftest import Opener
from tests.crm.people import DAY, NOW, OFICINA, PADARIA, HandClock
from tests.crm.servers import RawServer, answer, says
from tests.databases import closed_port

KEYS = ["server", "token", "contacts", "deals", "pipelines", "fields", "loss_reasons", "users", "events", "webhooks"]


def check(
    server: Server, open_kommo: Opener, *, token: str | None = None, now: float = NOW, full: bool = True
) -> CheckReport:
    """The test of a token at a server, by the server's clock."""
    return check_connection(open_kommo(server, token=token), read_token(token or server.token), now=now, full=full)


def steps(report: CheckReport) -> dict[str, tuple[str, str, str]]:
    """Verdict, title and detail of each step, by its key."""
    return {step.key: (step.ok, step.title, step.detail) for step in report.steps}


def test_a_good_token(shop: Server, open_kommo: Opener) -> None:
    report = check(shop, open_kommo)
    assert report.ok and report.error is None
    assert [step.key for step in report.steps] == KEYS and {step.ok for step in report.steps} == {"ok"}
    assert report.account is not None and report.account.id == PADARIA
    first = shop.world.ids("contacts")[:3]
    assert report.contacts == [{"id": key, "name": shop.world.record("contacts", key)["name"]} for key in first]
    assert report.claims == read_token(shop.token)
    assert steps(report)["token"] == ("ok", "Token aceito", "Padaria Estrela, padariaestrela.kommo.com")
    assert steps(report)["contacts"][2] == ", ".join(one["name"] for one in report.contacts)


def test_the_short_test_asks_twice(shop: Server, open_kommo: Opener) -> None:
    report = check(shop, open_kommo, full=False)
    assert report.ok and [step.key for step in report.steps] == KEYS[:3]
    assert [(seen.path, "limit=3" in seen.query) for seen in shop.world.log] == [
        ("/api/v4/account", False),
        ("/api/v4/contacts", True),
    ]


def test_the_whole_test_asks_for_little(shop: Server, open_kommo: Opener) -> None:
    check(shop, open_kommo)
    assert len(shop.world.log) == 10
    assert all("limit=1" in seen.query or seen.path.endswith(("/account", "/contacts")) for seen in shop.world.log)


def test_an_account_without_contacts(shop: Server, open_kommo: Opener) -> None:
    shop.world.delete("contacts", *shop.world.ids("contacts"))
    report = check(shop, open_kommo)
    assert report.ok and report.contacts == []
    assert steps(report)["contacts"] == ("ok", "Contatos", "Nenhum contato na conta ainda.")


def test_contacts_without_names(shop: Server, open_kommo: Opener) -> None:
    shop.world.delete("contacts", *shop.world.ids("contacts")[1:])
    key = shop.world.ids("contacts")[0]
    shop.world.update("contacts", key, name="  ")
    assert steps(check(shop, open_kommo))["contacts"][2] == f"contato {key}"


# -- tokens that Kommo does not take ---------------------------------------------------------------


def test_a_revoked_token(shop: Server, open_kommo: Opener) -> None:
    shop.world.revoke(shop.token)
    report = check(shop, open_kommo)
    assert type(report.error) is errors.TokenRefused and not report.ok and report.account is None
    assert [(step.key, step.ok, step.status) for step in report.steps] == [
        ("server", "ok", None),
        ("token", "error", 401),
    ]
    assert "Gere outro" in report.steps[1].detail
    assert len(shop.world.log) == 1


def test_an_expired_token_names_its_day(shop: Server, open_kommo: Opener) -> None:
    old = shop.world.token(lifetime=-3 * DAY)
    report = check(shop, open_kommo, token=old)
    assert type(report.error) is errors.TokenExpired
    assert steps(report)["token"][:2] == ("error", "O token venceu em 20/11/2026.")


@pytest.mark.parametrize("now", [NOW - 4000 * DAY, NOW + 4000 * DAY])
def test_kommos_clock_decides_whether_a_token_expired(shop: Server, open_kommo: Opener, now: float) -> None:
    """Our own clock may be wrong by years; the answer says what time it is."""
    assert type(check(shop, open_kommo, token=shop.world.token(lifetime=-DAY), now=now).error) is errors.TokenExpired
    fresh = shop.world.token(lifetime=DAY)
    shop.world.revoke(fresh)
    assert type(check(shop, open_kommo, token=fresh, now=now).error) is errors.TokenRefused


def test_a_token_that_is_over_but_taken_is_good(shop: Server, open_kommo: Opener) -> None:
    kommo = open_kommo(shop)
    assert check_connection(kommo, Claims(expires_at=NOW - DAY), now=NOW).ok


@pytest.mark.parametrize(
    ("how", "kind", "step"),
    [
        ("401", errors.TokenRefused, "token"),
        ("402", errors.Unpaid, "token"),
        ("403_scope", errors.Forbidden, "token"),
        ("403_html", errors.Blocked, "server"),
        ("404", errors.NotFound, "server"),
        ("redirect", errors.WrongHost, "server"),
        ("429", errors.RateLimited, "server"),
        ("500", errors.ServerFault, "server"),
        ("504", errors.ServerFault, "server"),
        ("html_200", errors.Nonsense, "server"),
        ("truncated", errors.Nonsense, "server"),
        ("empty_200", errors.Nonsense, "server"),
        ("204", errors.Nonsense, "server"),
        ("reset", errors.Unreachable, "server"),
    ],
)
def test_each_failure_has_its_own_words(
    shop: Server, open_kommo: Opener, how: str, kind: type[errors.KommoError], step: str
) -> None:
    shop.world.fail("/account", how=how, times=None)
    report = check(shop, open_kommo)
    assert type(report.error) is kind and not report.ok
    failed = report.steps[-1]
    assert (failed.key, failed.ok, failed.title, failed.status) == (
        step,
        "error",
        report.error.sentence,
        report.error.status,
    )
    assert report.error.advice in failed.detail
    assert len(shop.world.log) == 1


def test_a_missing_scope_is_named(shop: Server, open_kommo: Opener) -> None:
    shop.world.fail("/account", how="403_scope")
    report = check(shop, open_kommo)
    assert isinstance(report.error, errors.Forbidden) and report.error.scope_missing
    assert "escopo" in report.steps[-1].title


def test_a_server_that_takes_too_long(shop: Server, open_kommo: Opener) -> None:
    shop.world.fail("/account", how="slow", seconds=30)
    report = check_connection(open_kommo(shop, timeout=0.2), Claims(), now=NOW)
    assert type(report.error) is errors.TimedOut


def test_a_server_that_is_not_there() -> None:
    with closed_port() as port, Transport(f"http://127.0.0.1:{port}", "a.b.c") as transport:
        report = check_connection(Kommo(transport, Unlimited(), attempts=0), Claims(), now=NOW)
    assert type(report.error) is errors.ConnectionRefused
    assert f"127.0.0.1:{port}" in report.steps[0].detail


def test_a_passing_trouble_is_gone_by_the_second_try(shop: Server, open_kommo: Opener) -> None:
    shop.world.fail("/account", how="502")
    assert check_connection(open_kommo(shop, attempts=1), Claims(), now=NOW).ok


def test_a_blocked_address_says_whom_to_ask_and_stops(shop: Server, open_kommo: Opener) -> None:
    shop.world.fail("/leads/pipelines", how="403_html")
    report = check(shop, open_kommo)
    assert type(report.error) is errors.Blocked and not report.ok and report.account is not None
    assert steps(report)["pipelines"] == ("error", "Funis e etapas: bloqueado (403)", errors.Blocked.advice)
    assert report.steps[-1].key == "pipelines"  # no request after the block


@pytest.mark.parametrize(("how", "said"), [("401", "falhou (401)"), ("429", "falhou (429)"), ("reset", "falhou")])
def test_what_meets_everything_ends_the_test(shop: Server, open_kommo: Opener, how: str, said: str) -> None:
    shop.world.fail("/users", how=how, times=None)
    report = check(shop, open_kommo)
    assert not report.ok and report.error is not None
    assert steps(report)["users"][:2] == ("error", f"Usuários: {said}") and report.steps[-1].key == "users"


# -- tokens that Kommo takes, but not for everything -----------------------------------------------


@pytest.mark.parametrize(
    ("key", "path"),
    [("contacts", "/api/v4/contacts?"), ("deals", "/api/v4/leads?"), ("pipelines", "/leads/pipelines")],
)
@pytest.mark.parametrize("how", ["402", "403_scope", "404", "400", "500"])
def test_nothing_works_without_records_and_pipelines(
    shop: Server, open_kommo: Opener, key: str, path: str, how: str
) -> None:
    shop.world.fail(path, how=how, times=None)
    report = check(shop, open_kommo)
    assert not report.ok
    assert isinstance(report.error, errors.KommoError)
    assert steps(report)[key][0] == "error" and steps(report)[key][2] == report.error.advice
    assert [step.key for step in report.steps] == KEYS  # the rest is asked all the same


@pytest.mark.parametrize(
    ("key", "path", "means"),
    [
        ("fields", "/contacts/custom_fields", "Os campos aparecem"),
        ("fields", "/leads/custom_fields", "Os campos aparecem"),
        ("loss_reasons", "/loss_reasons", "motivos de perda não vão aparecer"),
        ("users", "/users", "nomes dos responsáveis não vão aparecer"),
        ("events", "/events", "Exclusões"),
        ("webhooks", "/webhooks", "pela sincronização"),
    ],
)
@pytest.mark.parametrize(
    ("how", "words", "status"),
    [("403_scope", "sem permissão (403)", 403), ("402", "fora do plano (402)", 402), ("500", "falhou (500)", 500)],
)
def test_what_can_be_done_without_is_a_warning(
    shop: Server, open_kommo: Opener, key: str, path: str, means: str, how: str, words: str, status: int
) -> None:
    shop.world.fail(path, how=how, times=None)
    report = check(shop, open_kommo)
    (step,) = [step for step in report.steps if step.key == key]
    assert report.ok and report.error is None
    assert step.ok == "warning" and step.title.endswith(f": {words}") and means in step.detail and step.status == status
    assert [one.ok for one in report.steps].count("ok") == len(KEYS) - 1


def test_switches_of_an_account_in_a_small_plan(shop: Server, open_kommo: Opener) -> None:
    shop.world.turn(users="403", webhooks="402", events="402")
    assert [step.key for step in check(shop, open_kommo).steps if step.ok == "warning"] == [
        "users",
        "events",
        "webhooks",
    ]


def test_a_token_without_the_scope_crm(shop: Server, open_kommo: Opener) -> None:
    report = check(shop, open_kommo, token=shop.world.token(scopes=("files", "notifications")))
    assert isinstance(report.error, errors.Forbidden) and report.error.scope_missing
    assert steps(report)["token"] == ("error", report.error.sentence, report.error.advice)


def test_a_scope_that_lacks_by_the_claims_is_told_though_kommo_answered(shop: Server, open_kommo: Opener) -> None:
    report = check_connection(open_kommo(shop), Claims(scopes=("files",)), now=NOW)
    assert steps(report)["token"][:2] == ("warning", "Token aceito, sem o escopo crm")


def test_a_token_that_says_nothing_of_scopes_lacks_none(shop: Server, open_kommo: Opener) -> None:
    assert steps(check_connection(open_kommo(shop), Claims(scopes=()), now=NOW))["token"][0] == "ok"


def test_a_token_that_speaks_of_another_account(shop: Server, open_kommo: Opener) -> None:
    report = check_connection(open_kommo(shop), Claims(account_id=OFICINA), now=NOW)
    assert report.ok and report.account is not None and report.account.id == PADARIA
    assert steps(report)["token"] == (
        "warning",
        "Token aceito, de outra conta",
        f"O token fala da conta {OFICINA}, e o Kommo respondeu pela conta {PADARIA}.",
    )


def test_an_account_id_that_could_not_be_read_is_no_mismatch(shop: Server, open_kommo: Opener) -> None:
    assert steps(check_connection(open_kommo(shop), Claims(), now=NOW))["token"][0] == "ok"


# -- clocks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "verdict", "words"),
    [
        (0.0, "ok", "relógio certo"),
        (1.9, "ok", "relógio certo"),
        (-1.9, "ok", "relógio certo"),
        (12.0, "ok", "relógio deste servidor 12,0 s adiantado"),
        (-12.0, "ok", "relógio deste servidor 12,0 s atrasado"),
        (3600.0, "warning", "relógio deste servidor 3.600,0 s adiantado"),
        (-90.0, "warning", "relógio deste servidor 90,0 s atrasado"),
    ],
)
def test_our_clock_against_kommos(ours: float, verdict: str, words: str) -> None:
    account = answer(200, {"id": PADARIA}, Date="Mon, 23 Nov 2026 16:00:00 GMT")
    clock = HandClock()  # the way takes no time
    with RawServer(says(account, answer(204))) as server, Transport(server.address, "a.b.c", clock=clock) as transport:
        kommo = Kommo(transport, Unlimited(), attempts=0, clock=clock, sleep=clock.sleep)
        report = check_connection(kommo, Claims(), now=NOW + 0.5 + ours, full=False)
    assert report.clock_difference == pytest.approx(ours)
    assert steps(report)["server"][0] == verdict and steps(report)["server"][2].endswith(words)


def test_a_server_without_a_clock() -> None:
    with (
        RawServer(says(answer(200, {"id": PADARIA}), answer(204))) as server,
        Transport(server.address, "a.b.c") as transport,
    ):
        report = check_connection(Kommo(transport, Unlimited()), Claims(), now=NOW, full=False)
    assert report.clock_difference is None and "relógio" not in steps(report)["server"][2]


def test_how_long_the_test_took(shop: Server) -> None:
    clock = HandClock()
    with Transport(shop.address, shop.token) as transport:
        kommo = Kommo(transport, Unlimited(), clock=clock, sleep=clock.sleep, delay=4.0, chance=lambda: 0.0)
        shop.world.fail("/account", how="502")
        assert check_connection(kommo, Claims(), now=NOW).elapsed == pytest.approx(4.0)


# -- texts -----------------------------------------------------------------------------------------


def test_a_text_that_is_no_token() -> None:
    report = CheckReport.refused(BadToken("token_not_jwt"))
    assert not report.ok and report.account is None and report.claims is None and report.contacts == []
    assert [(step.key, step.ok, step.title) for step in report.steps] == [
        ("token", "error", BadToken("token_not_jwt").sentence)
    ]


@pytest.mark.parametrize(
    "how", ["401", "402", "403_scope", "403_html", "404", "429", "500", "html_200", "redirect", "reset"]
)
@pytest.mark.parametrize("path", ["/account", "/contacts?", "/leads?", "/users", "/webhooks"])
def test_no_text_tells_the_token_or_shouts(shop: Server, open_kommo: Opener, how: str, path: str) -> None:
    shop.world.fail(path, how=how, times=None)
    report = check(shop, open_kommo)
    told: list[Any] = [report, report.error, report.error and vars(report.error)]
    assert shop.token not in repr(told)
    assert not any("!" in step.title + step.detail for step in report.steps)
    assert all(step.title for step in report.steps)
