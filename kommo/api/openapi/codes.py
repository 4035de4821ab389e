"""Every error that a call of the API may be answered with: status, code, when, and the real words as an example."""

from collections.abc import Callable
from dataclasses import dataclass

from kommo.access import gate, guard
from kommo.api import errors
from kommo.api.errors import ApiError
from kommo.api.shapes.errors import BlockedError, Error, FieldError, LockedError, RunningError, TokenError
from kommo.crm import errors as crm
from kommo.crm.errors import BadToken, KommoError
from kommo.store import trouble
from kommo.vault import Damaged, KeyMissing

Maker = Callable[[str], ApiError]  # from what the call could not do, to the error


@dataclass(frozen=True, slots=True)
class Code:
    """One error. `example` makes it for a call, given the words for what that call could not do."""

    status: int
    name: str
    when: str
    example: Maker
    shape: type[Error] = Error


def _of_status(status: int, name: str, when: str) -> Code:
    words = errors.of_status(status).get_json()
    return Code(status, name, when, lambda _: ApiError(status, name, words["message"], words["error"]))


def _of_guard(status: int, name: str, when: str, sentence: str) -> Code:
    return Code(status, name, when, lambda _: ApiError(status, name, sentence, sentence))


def _of_field(name: str, when: str, field: str, error: str) -> Code:
    return Code(400, name, when, lambda _: errors.invalid_field(field, error, name), FieldError)


def _of_token(name: str, when: str) -> Code:
    made = errors.of_token(BadToken(name))
    return Code(made.status, name, when, lambda _: made, FieldError if "field" in made.details else Error)


def _of_kommo(kind: KommoError, when: str) -> Code:
    made = errors.of_kommo(kind, "")
    shape = TokenError if "advice" in made.details else Error
    return Code(made.status, made.code, when, lambda failed: errors.of_kommo(kind, failed), shape)


def _blocked(failed: str) -> ApiError:
    made = errors.of_kommo(crm.Blocked(), failed)
    made.details |= {"blockedUntil": "2026-11-29T13:15:00.000Z", "supportText": "Olá! As chamadas da nossa conta…"}
    return made


def _locked(failed: str) -> ApiError:
    made = errors.of_vault(KeyMissing("1a2b3c4d", "devolva a linha dela a instance/encryption_key"))
    made.message = failed
    return made


def _running(_: str) -> ApiError:
    words = ("Já existe uma sincronização desta conta em andamento", "Acompanhe a que está em andamento.")
    return ApiError(409, "sync_running", *words, data={"runId": 12})


#: What any call may be answered with, before its route is reached or whatever it is.
EVERYWHERE = (
    _of_status(400, "bad_request", "o servidor não entendeu o pedido"),
    _of_guard(400, "unknown_host", "o pedido foi feito a outro nome que não este computador e KOMMO_TRUSTED_HOSTS",
              guard.UNKNOWN_HOST),
    _of_field("invalid_field", "um campo tem tipo ou valor errado, ou está repetido no endereço", "userId",
              "userId precisa ser um texto de 1 a 64 caracteres, sem caracteres de controle, ou um número."),
    _of_guard(401, "login_required", "o pedido não é de ninguém que entrou, nem traz chave",
              gate.LOGIN_FIRST),
    _of_guard(401, "key_unknown", "a chave em X-API-Key não existe, foi revogada ou venceu", gate.KEY_UNKNOWN),
    _of_guard(403, "not_allowed", "o papel da pessoa, ou a chave, não inclui isto", gate.NOT_ALLOWED),
    _of_guard(403, "not_local", "o pedido não veio deste computador", guard.ELSEWHERE),
    _of_guard(403, "not_direct", "o pedido passou por um proxy que não foi configurado", guard.PROXY),
    _of_guard(403, "not_by_proxy", "o pedido não passou pelo proxy configurado", guard.NOT_BY_PROXY),
    _of_guard(403, "not_https", "o pedido chegou ao proxy sem HTTPS", guard.NOT_HTTPS),
    _of_guard(403, "cross_site", "o pedido veio de outro site", guard.OTHER_SITE),
    _of_status(405, "method_not_allowed", "o endereço não aceita o método; Allow lista os que aceita"),
    _of_status(413, "too_large", "o corpo passa de 64 kB"),
    _of_status(414, "uri_too_long", "o caminho passa de 2 kB, ou os parâmetros passam de 16 kB"),
    _of_status(429, "too_many_requests", "este endereço de rede fez pedidos demais; Retry-After diz quando voltar"),
    _of_status(431, "headers_too_large", "um cabeçalho passa de 16 kB, são mais de 100, ou todos passam de 256 kB"),
    _of_status(500, "internal", "falha do servidor; o registro dele tem a causa"),
    _of_status(501, "not_implemented", "Transfer-Encoding que não é chunked"),
    Code(503, "database_unavailable", "o banco de dados está ocupado, cheio ou fora de alcance",
         lambda _: errors.of_database(trouble.HELD)),
)  # fmt: skip
#: Where a body is read.
BODY = (
    Code(400, "invalid_json", "o corpo não é um objeto JSON válido",
         lambda _: errors.invalid_json("Envie um objeto JSON em UTF-8, sem BOM e sem NaN.")),
    _of_status(415, "wrong_content_type", "o corpo não foi declarado como JSON em UTF-8"),
)  # fmt: skip
MISSING_FIELD = _of_field(
    "missing_field",
    "falta um campo",
    "contactId",
    "contactId precisa ser um número inteiro de 1 a 9223372036854775807.",
)
#: Where a token and an account may be named, even if nothing is asked of Kommo.
ACCOUNT = (
    Code(403, "account_mismatch", "accountId não é a conta do token informado", lambda _: errors.foreign_account(),
         FieldError),
    _of_token("token_not_jwt", "o texto não é um token; nada foi enviado"),
    _of_token("token_too_long", "o texto é longo demais para um token; nada foi enviado"),
    _of_token("token_bad_characters", "o token tem caracteres inválidos; nada foi enviado"),
    _of_token("host_refused", "o token aponta para um servidor que não é do Kommo; nada foi enviado"),
    Code(404, "account_unknown", "não há tal conta conectada", lambda _: errors.unknown_account(), FieldError),
)  # fmt: skip
#: Where a token is needed and Kommo is asked.
KOMMO = (
    _of_token("token_missing", "nenhum token em lugar nenhum"),
    _of_kommo(crm.TokenExpired(day="20/02/2025"), "o Kommo recusou o token: venceu"),
    _of_kommo(crm.TokenRefused(), "o Kommo recusou o token: foi revogado, ou é de outro servidor"),
    Code(401, "token_unreadable", "o token guardado está danificado, ou foi trazido de outra conta",
         lambda _: errors.of_vault(Damaged())),
    Code(503, "account_locked", "falta neste servidor a chave que cifrou o token guardado; keyId diz qual", _locked,
         LockedError),
    _of_kommo(crm.Unpaid(), "a conta não está paga, ou o plano não inclui o recurso"),
    _of_kommo(crm.Forbidden(), "o token não tem o direito"),
    _of_kommo(crm.Forbidden(scope_missing=True), "falta um escopo ao token"),
    _of_kommo(crm.RateLimited(), "o limite do Kommo durou mais que as novas tentativas"),
    _of_kommo(crm.Unreachable(), "não se chegou ao Kommo"),
    _of_kommo(crm.NameNotFound(), "o endereço do Kommo não foi encontrado na rede"),
    _of_kommo(crm.ConnectionRefused(), "ninguém atende no endereço do Kommo"),
    _of_kommo(crm.TlsFailed(), "a conexão segura com o Kommo falhou"),
    _of_kommo(crm.ServerFault(), "o Kommo falhou"),
    _of_kommo(crm.Nonsense(), "o Kommo respondeu o que não se pode ler"),
    _of_kommo(crm.Rejected(), "o Kommo não aceitou o pedido"),
    _of_kommo(crm.WrongHost(), "no endereço configurado não está a API do Kommo"),
    Code(503, "blocked", "o Kommo bloqueou este endereço", _blocked, BlockedError),
    Code(503, "unavailable", "metade das linhas de execução já espera pelo Kommo ou por sincronizações",
         lambda _: errors.busy()),
    _of_kommo(crm.TimedOut(), "o Kommo não respondeu a tempo"),
)  # fmt: skip
NO_RECORD = Code(
    404, "not_found", "não há tal contato ou negociação",
    lambda _: ApiError(404, "not_found", "Contato não encontrado",
                       "O Kommo não tem registro com este número, ou ele foi excluído."),
)  # fmt: skip
NO_ADDRESS = _of_status(404, "not_found", "não há tal endereço na API")
RUN_UNKNOWN = Code(404, "run_unknown", "não há tal sincronização", lambda _: errors.unknown_run())
RUNNING = Code(
    409, "sync_running", "já há uma sincronização desta conta; Location diz onde acompanhá-la", _running, RunningError
)
#: All of them, each once: what the table of docs/api.md has to say.
ALL = (*EVERYWHERE, *BODY, MISSING_FIELD, *ACCOUNT, *KOMMO, NO_RECORD, NO_ADDRESS, RUN_UNKNOWN, RUNNING)
