"""The connection test for page, JSON API and shell: is this token good, whose is it, and what may it see?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Literal, Self

from kommo.crm import errors
from kommo.crm.client import Account, Kommo, Probe, Stream
from kommo.crm.errors import BadToken, KommoError
from kommo.crm.token import REQUIRED_SCOPES, Claims
from kommo.text import date, number

CLOCK_TOLERANCE = 2.0  # seconds; Kommo's `Date` is whole seconds, so less than that says nothing
# After these every further request would meet the same, slowly, or make matters worse.
_END = (
    errors.Blocked, errors.TokenRefused, errors.RateLimited, errors.Unreachable, errors.TimedOut, errors.Cancelled,
)  # fmt: skip
_OF_TOKEN = (errors.TokenRefused, errors.TokenExpired, errors.Unpaid, errors.Forbidden)


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One line of the test, with its texts in Portuguese; `status` is Kommo's HTTP status."""

    key: str
    ok: Literal["ok", "warning", "error"]
    title: str
    detail: str = ""
    status: int | None = None


@dataclass(slots=True)
class CheckReport:
    """What the test found. `ok` means that the account can be read; `error` is what stood in the way otherwise.

    `contacts` are up to three {"id", "name"}; `clock_difference` is our clock minus Kommo's, seconds; `elapsed` too.
    """

    ok: bool = False
    claims: Claims | None = None
    account: Account | None = None
    contacts: list[dict[str, Any]] = field(default_factory=list)
    steps: list[CheckStep] = field(default_factory=list)
    clock_difference: float | None = None
    elapsed: float = 0.0
    error: KommoError | BadToken | None = None

    @classmethod
    def refused(cls, error: BadToken) -> Self:
        """The report on a text that is no usable token: nothing was sent."""
        return cls(error=error, steps=[CheckStep("token", "error", error.sentence)])


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """Something the product reads: where, and what it means when it cannot; None = nothing works without it."""

    key: str
    title: str
    paths: tuple[str, ...]
    without: str | None = None


_ONE_ROW = (("limit", "1"),)
_ENDPOINTS = (
    _Endpoint("deals", "Negociações", ("/leads",)),
    _Endpoint("pipelines", "Funis e etapas", ("/leads/pipelines",)),
    _Endpoint(
        "fields", "Campos personalizados", ("/contacts/custom_fields", "/leads/custom_fields"),
        "Os campos aparecem como os registros os trazem, sem a ordem e a moeda definidas na conta.",
    ),
    _Endpoint("loss_reasons", "Motivos de perda", ("/leads/loss_reasons",), "Os motivos de perda não vão aparecer."),
    _Endpoint(
        "users", "Usuários", ("/users",),
        "Os nomes dos responsáveis não vão aparecer. Peça a um administrador que gere o token.",
    ),
    _Endpoint(
        "events", "Eventos", ("/events",), "Exclusões só serão notadas ao comparar a lista inteira com o Kommo.",
    ),
    _Endpoint("webhooks", "Webhooks", ("/webhooks",), "As mudanças chegam pela sincronização."),
)  # fmt: skip


def check_connection(kommo: Kommo, claims: Claims, *, now: float, full: bool = True) -> CheckReport:
    """Test a token, asking for the account first; never raises a KommoError. `now` is our clock, Unix seconds.

    `full=False` asks for the account and three contacts only.
    """
    started = kommo.clock()
    report = CheckReport(claims=claims)
    try:
        report.account = kommo.account()
        report.clock_difference = _clock_difference(kommo, now + kommo.clock() - started)
        report.steps += [_server_step(kommo, report), _token_step(claims, report.account)]
        _read_contacts(kommo, report)
        if full:
            _read_endpoints(kommo, report)
    except KommoError as error:
        report.error = expired_instead(error, claims, kommo.server_time or now)
        if report.account is None:
            report.steps += _failed_account(kommo, report.error)
    report.ok = report.error is None
    report.elapsed = kommo.clock() - started
    return report


def expired_instead(error: KommoError, claims: Claims, now: float) -> KommoError:
    """TokenExpired in place of TokenRefused where the token itself says that its time is over."""
    if isinstance(error, errors.TokenRefused) and claims.expired(now):
        return errors.TokenExpired(error.status, day=date(claims.expires_at, UTC))
    return error


def _clock_difference(kommo: Kommo, ours: float) -> float | None:
    """Our clock minus Kommo's as the account's answer was made; its `Date` is the second that had begun."""
    answer = kommo.last
    if answer is None or answer.server_time is None:
        return None
    return ours - answer.elapsed / 2 - (answer.server_time + 0.5)


def _server_step(kommo: Kommo, report: CheckReport) -> CheckStep:
    milliseconds = round(kommo.last.elapsed * 1000) if kommo.last else 0
    difference = report.clock_difference
    detail = f"{kommo.host}, {milliseconds} ms"
    if difference is None or abs(difference) < CLOCK_TOLERANCE:
        clock = "" if difference is None else ", relógio certo"
        return CheckStep("server", "ok", "Servidor alcançado", detail + clock)
    way = "adiantado" if difference > 0 else "atrasado"
    off = f"{detail}, relógio deste servidor {number(abs(difference), 1)} s {way}"
    return CheckStep("server", "ok" if abs(difference) < 60 else "warning", "Servidor alcançado", off)


def _token_step(claims: Claims, account: Account) -> CheckStep:
    domain = claims.base_domain or "kommo.com"
    detail = ", ".join(filter(None, (account.name, account.subdomain and f"{account.subdomain}.{domain}")))
    if claims.account_id not in (None, account.id):
        detail = f"O token fala da conta {claims.account_id}, e o Kommo respondeu pela conta {account.id}."
        return CheckStep("token", "warning", "Token aceito, de outra conta", detail, 200)
    lacking = [scope for scope in REQUIRED_SCOPES if claims.scopes and scope not in claims.scopes]
    if lacking:
        detail = "Contatos e negociações não poderão ser lidos. Gere outro token com acesso ao CRM."
        return CheckStep("token", "warning", f"Token aceito, sem o escopo {lacking[0]}", detail, 200)
    return CheckStep("token", "ok", "Token aceito", detail, 200)


def _failed_account(kommo: Kommo, error: KommoError) -> list[CheckStep]:
    """Either the server could not be reached or read, or it was and did not take the token."""
    if isinstance(error, _OF_TOKEN):
        return [
            CheckStep("server", "ok", "Servidor alcançado", kommo.host),
            CheckStep("token", "error", error.sentence, error.advice, error.status),
        ]
    return [CheckStep("server", "error", error.sentence, f"{kommo.host}. {error.advice}", error.status)]


def _read_contacts(kommo: Kommo, report: CheckReport) -> None:
    """Three contacts, as the contract's test shows them. Raises what ends the test."""
    try:
        page = kommo.page(Stream.CONTACTS, 1, limit=3)
    except KommoError as error:
        report.steps.append(_failed_step(_Endpoint("contacts", "Contatos", ()), error))
        _note(report, error)
        return
    report.contacts = [{"id": one.id, "name": one.name} for one in page.records]
    names = ", ".join(one["name"].strip() or f"contato {one['id']}" for one in report.contacts)
    report.steps.append(CheckStep("contacts", "ok", "Contatos", names or "Nenhum contato na conta ainda.", 200))


def _read_endpoints(kommo: Kommo, report: CheckReport) -> None:
    for endpoint in _ENDPOINTS:
        probe = _first_failure([kommo.probe(path, _ONE_ROW) for path in endpoint.paths])
        if probe.error is None:
            report.steps.append(CheckStep(endpoint.key, "ok", endpoint.title, status=probe.status))
            continue
        report.steps.append(_failed_step(endpoint, probe.error))
        if endpoint.without is None or isinstance(probe.error, _END):
            _note(report, probe.error)


def _first_failure(probes: Sequence[Probe]) -> Probe:
    return next((probe for probe in probes if probe.error), probes[0])


def _note(report: CheckReport, error: KommoError) -> None:
    """Keep the first thing that stands in the way; raises it when the test ends with it."""
    report.error = report.error or error
    if isinstance(error, _END):
        raise error


def _failed_step(endpoint: _Endpoint, error: KommoError) -> CheckStep:
    optional = endpoint.without is not None and not isinstance(error, _END)
    title = f"{endpoint.title}: {_what(error)}"
    detail = endpoint.without if optional and endpoint.without else error.advice
    return CheckStep(endpoint.key, "warning" if optional else "error", title, detail, error.status)


def _what(error: KommoError) -> str:
    """The failure in a few words, with Kommo's status where there is one."""
    words = {errors.Forbidden: "sem permissão", errors.Unpaid: "fora do plano", errors.TimedOut: "sem resposta"}
    said = words.get(type(error), "bloqueado" if isinstance(error, errors.Blocked) else "falhou")
    return f"{said} ({error.status})" if error.status else said
