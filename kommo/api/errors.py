"""Errors as JSON: one shape, one table of statuses, a stable code for each cause.

The shape is `success`, `message` (what the call could not do), `error` (why, and what to do), `code`; `field` names
the parameter at fault, `advice` stands beside texts that the contract fixes.
"""

import math
from collections.abc import Mapping
from typing import Any

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from kommo.access.address import BadAddress
from kommo.api.answers import write
from kommo.crm import errors as crm
from kommo.crm.errors import BadToken, KommoError
from kommo.store import trouble
from kommo.store.trouble import Trouble
from kommo.vault import Damaged, VaultError

log = structlog.get_logger()

REFUSED = ("Erro ao validar conexão", "Autenticação falhou: 401 Unauthorized")
MISSING = ("JWT token não foi fornecido", "JWT token ausente")
BEARER = {"WWW-Authenticate": 'Bearer realm="kommo"'}
#: What each call could not do, by the name of its route.
FAILED = {
    "test_connection": "Erro ao testar conexão com KOMMO CRM",
    "test_connection_get": "Erro ao testar conexão com KOMMO CRM",
    "contacts": "Erro ao obter contatos do KOMMO CRM",
    "contact": "Erro ao obter contato do KOMMO CRM",
    "deals": "Erro ao obter negociações do KOMMO CRM",
    "deal": "Erro ao obter negociação do KOMMO CRM",
    "sync": "Erro ao sincronizar dados do KOMMO CRM",
    "budget": "Erro ao obter o uso do limite de requisições",
}
_BAD_TOKENS = {
    "token_not_jwt": "O token informado não é um JWT",
    "token_too_long": "O token informado é longo demais",
    "token_bad_characters": "O token informado contém caracteres inválidos",
    "host_refused": "O token informado não é de um servidor do Kommo",
}
#: HTTP status for each class of Kommo's errors; the first that fits counts.
_STATUSES: tuple[tuple[type[KommoError], int], ...] = (
    (crm.TimedOut, 504),
    (crm.RateLimited, 429),
    (crm.Unpaid, 402),
    (crm.Forbidden, 403),
    (crm.Blocked, 503),
    (crm.Cancelled, 503),
    (KommoError, 502),
)
_WAIT = {429: 60.0, 503: 900.0}  # seconds, where Kommo names none


class ApiError(Exception):
    """A call that is answered with an error; `details` are added to the body."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        error: str,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.error = error
        self.headers = dict(headers or {})
        self.details = details

    @property
    def body(self) -> dict[str, Any]:
        """What the answer says."""
        body = {"success": False, "message": self.message, "error": self.error, "code": self.code}
        return body | self.details

    def response(self) -> Response:
        """The answer."""
        return write(self.body, self.status, self.headers)


#: The framework's own errors: message, error and code by status.
_HTTP = {
    400: ("Pedido inválido", "O servidor não entendeu o pedido. Confira o endereço e os cabeçalhos.", "bad_request"),
    404: ("Endereço não encontrado", "A API não tem este endereço. Confira o caminho.", "not_found"),
    405: ("Método não aceito", "Este endereço não aceita este método HTTP; o cabeçalho Allow lista os que aceita.",
          "method_not_allowed"),
    413: ("Corpo grande demais", "O corpo do pedido passa do limite de 64 kB.", "too_large"),
    414: ("Endereço longo demais", "O caminho passa de 2 kB, ou os parâmetros passam de 16 kB. Envie-os no corpo.",
          "uri_too_long"),
    415: ("Tipo de conteúdo não aceito", "Envie o corpo em JSON, com Content-Type: application/json.",
          "wrong_content_type"),
    429: ("Pedidos demais", "Este endereço fez pedidos demais em pouco tempo. Espere os segundos de Retry-After.",
          "too_many_requests"),
    431: ("Cabeçalhos grandes demais", "Um deles passa de 16 kB, são mais de 100, ou todos juntos passam de 256 kB.",
          "headers_too_large"),
    500: ("Erro interno do servidor", "O servidor falhou ao atender o pedido. O registro dele tem a causa.",
          "internal"),
    501: ("Codificação não aceita", "Envie o corpo com Content-Length, ou em partes com Transfer-Encoding: chunked.",
          "not_implemented"),
    503: ("Servidor ocupado", "O servidor está ocupado ou reiniciando. Tente de novo em alguns segundos.",
          "unavailable"),
}  # fmt: skip


def register(api: Blueprint) -> None:
    """Answer what the API's own calls raise."""
    api.register_error_handler(ApiError, ApiError.response)
    api.register_error_handler(KommoError, lambda error: of_kommo(error, failed()).response())
    api.register_error_handler(BadToken, lambda error: of_token(error).response())
    api.register_error_handler(VaultError, lambda error: of_vault(error).response())


def answer(error: HTTPException) -> Response:
    """The answer for any HTTP error under /api/: unknown addresses, wrong methods, bodies too large, failures."""
    if isinstance(error, BadAddress):
        return invalid_field(error.field, error.description or "").response()
    kept = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return of_status(error.code or 500, kept)


def of_status(status: int, kept: Mapping[str, str] | None = None) -> Response:
    """The answer for an HTTP status that says all there is to say."""
    message, sentence, code = _HTTP.get(status) or _HTTP[400 if status < 500 else 500]
    return ApiError(status, code, message, sentence, kept).response()


def of_kommo(error: KommoError, message: str) -> ApiError:
    """What Kommo's error means for the caller of ours; `message` says what the call could not do."""
    if isinstance(error, crm.NotFound):  # of a single record the client makes None: this is no address of the API
        error = crm.WrongHost(error.status)
    if isinstance(error, crm.TokenRefused | crm.TokenExpired):
        return ApiError(401, error.code, *REFUSED, BEARER, advice=f"{error.sentence} {error.advice}")
    status = next(number for kind, number in _STATUSES if isinstance(error, kind))
    code = "scope_missing" if isinstance(error, crm.Forbidden) and error.scope_missing else error.code
    headers = _retry_after(error, status)
    return ApiError(status, code, message, f"{error.sentence} {error.advice}", headers)


def of_token(error: BadToken) -> ApiError:
    """A missing token is 401; a text that is none, or one for a foreign host, is the caller's mistake."""
    if error.code == "token_missing":
        return ApiError(401, error.code, *MISSING, BEARER)
    return ApiError(400, error.code, _BAD_TOKENS[error.code], error.sentence, field="jwtToken")


def of_vault(error: VaultError) -> ApiError:
    """The token does not open, or cannot be stored: a key is missing here, or another token has to be sent."""
    if isinstance(error, Damaged):
        return ApiError(401, "token_unreadable", REFUSED[0], str(error), BEARER)
    return ApiError(503, "account_locked", failed(), str(error), {"Retry-After": "300"}, keyId=error.key_id or None)


def invalid_field(field: str, error: str, code: str = "invalid_field") -> ApiError:
    """400 for a parameter that is missing or not what it has to be."""
    message = f"Falta o campo {field}" if code == "missing_field" else f"Valor inválido no campo {field}"
    return ApiError(400, code, message, error, field=field)


def invalid_json(error: str) -> ApiError:
    """400 for a body that is no JSON object."""
    return ApiError(400, "invalid_json", "O corpo do pedido não é um JSON válido", error)


def unknown_account(error: str = "Nenhuma conta com este accountId está conectada.") -> ApiError:
    """404 for an account that is not connected, or is somebody else's: they look alike."""
    return ApiError(404, "account_unknown", "Conta não encontrada", error, field="accountId")


def not_allowed(error: str) -> ApiError:
    """403 for what the caller's role or key does not include."""
    return ApiError(403, "not_allowed", "Sem permissão", error)


def busy() -> ApiError:
    """503 for a call that would ask Kommo while half of the server's threads wait for Kommo or for a run already."""
    return ApiError(503, "unavailable", *_HTTP[503][:2], {"Retry-After": "1"})


def foreign_account() -> ApiError:
    """403 for a token that has no right to the account in question: each is well formed by itself."""
    error = "accountId não é a conta deste token."
    return ApiError(403, "account_mismatch", "O token é de outra conta", error, field="accountId")


def unknown_run() -> ApiError:
    """404 for a synchronisation that is not there, or not this owner's."""
    return ApiError(404, "run_unknown", "Sincronização não encontrada", "Não há sincronização com este número.")


def failed() -> str:
    """What the call under way could not do."""
    return failed_of((request.endpoint or "").rpartition(".")[2])


def failed_of(name: str) -> str:
    """What the call of a route could not do, by the name of the route."""
    return FAILED.get(name, "Erro ao falar com KOMMO CRM")


def _retry_after(error: KommoError, status: int) -> dict[str, str]:
    if status not in _WAIT:
        return {}
    return {"Retry-After": str(max(math.ceil(error.retry_after or _WAIT[status]), 1))}


def of_database(found: Trouble) -> ApiError:
    """A locked, full, damaged or unreachable database is no fault of the call."""
    headers = {"Retry-After": str(trouble.RETRY_AFTER)} if found.passes else {}
    return ApiError(503, "database_unavailable", found.title, found.advice, headers)
