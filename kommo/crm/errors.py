"""What can go wrong with Kommo, as one tree. Each class says what to do next and what to tell the person.

KommoError
├─ Unreachable            retry   no connection, or it broke
│  ├─ NameNotFound        retry   the host's name does not resolve
│  ├─ ConnectionRefused   retry   nobody listens there
│  └─ TlsFailed           retry   the secure connection could not be made
├─ TimedOut               retry   no whole answer within the time limit
├─ RateLimited            retry   429
├─ ServerFault            retry   5xx
├─ Nonsense               stop    an answer that is not what Kommo says (first retried in place: bodies get cut)
├─ TokenRefused           stop    401
├─ TokenExpired           stop    401, and the token says that its time is over
├─ Unpaid                 stop    402
├─ Forbidden              stop    403 as JSON: no right, or no scope
├─ Blocked                stop    403 as HTML: Kommo blocked this address
├─ WrongHost              stop    a redirect, or a 404 as HTML: no Kommo account there
├─ NotFound               skip    404 as JSON: no such thing
├─ Rejected               skip    400, 422 and their like
└─ Cancelled              stop    we were told to stop while waiting
BadToken                          a text that is no token, or one that names a foreign host; nothing was sent

No text here ever holds a token, an address's query or a piece of a body.
"""

import enum
from typing import ClassVar


class Verdict(enum.Enum):
    """What the caller of a failed request does next: again later, leave this thing out, or end."""

    RETRY = "retry"
    SKIP = "skip"
    STOP = "stop"


class KommoError(Exception):
    """A request to Kommo failed; `str()` of it is the Portuguese sentence.

    `status` is Kommo's HTTP status if there was an answer, `retry_after` the seconds to wait if they are known,
    `note` an English word on the cause for the log, in our own words.
    """

    code: ClassVar[str] = "kommo_error"
    verdict: ClassVar[Verdict] = Verdict.STOP
    sentence: str = "A chamada ao Kommo falhou."
    advice: str = "Tente de novo em alguns minutos."
    of_address: ClassVar[bool] = False  # whether a wrong address may be the cause

    def __init__(self, status: int | None = None, *, retry_after: float | None = None, note: str = "") -> None:
        super().__init__()
        self.status = status
        self.retry_after = retry_after
        self.note = note

    def __str__(self) -> str:
        return self.sentence

    def blame_setting(self) -> None:
        """Name KOMMO_API_URL in the advice, where it is set and may be the cause."""
        if self.of_address:
            self.advice = f"{self.advice} Confira também o endereço em KOMMO_API_URL."

    @property
    def again(self) -> bool:
        """Whether the same request may be sent again at once (after a pause): RETRY, and Nonsense too."""
        return self.verdict is Verdict.RETRY


class Unreachable(KommoError):
    """The connection could not be made, or broke before the answer was whole."""

    code = "unreachable"
    verdict = Verdict.RETRY
    sentence = "Não foi possível chegar ao Kommo."
    advice = "Verifique a internet e o firewall deste computador e tente de novo."


class NameNotFound(Unreachable):
    """The host's name does not resolve."""

    code = "name_not_found"
    sentence = "O endereço do Kommo não foi encontrado na rede."
    advice = "Verifique se este computador está na internet e tente de novo."
    of_address = True


class ConnectionRefused(Unreachable):
    """Nobody listens at that address and port."""

    code = "connection_refused"
    sentence = "O servidor recusou a conexão."
    advice = "Verifique se um firewall ou proxy impede a saída e tente de novo."
    of_address = True


class TlsFailed(Unreachable):
    """The secure connection could not be made: certificate, clock, or somebody between us and Kommo."""

    code = "tls_failed"
    sentence = "A conexão segura com o Kommo falhou."
    advice = "Verifique a data e a hora deste computador e se um antivírus ou proxy troca o certificado."


class TimedOut(KommoError):
    """No whole answer within the time limit."""

    code = "timed_out"
    verdict = Verdict.RETRY
    sentence = "O Kommo não respondeu a tempo."
    advice = "Tente de novo em alguns minutos. Se continuar, verifique a internet ou aumente KOMMO_TIMEOUT."


class RateLimited(KommoError):
    """429: more than Kommo allows in a second. Its page: https://developers.kommo.com/docs/limitations."""

    code = "rate_limited"
    verdict = Verdict.RETRY
    sentence = "O limite de requisições do Kommo foi atingido."
    advice = "Aguarde alguns minutos. Se outros programas usam esta conta, espace as chamadas deles."


class ServerFault(KommoError):
    """5xx: Kommo or its gateway failed."""

    code = "server_fault"
    verdict = Verdict.RETRY
    sentence = "O Kommo está com uma falha interna."
    advice = "Tente de novo em alguns minutos. A cópia que está aqui não foi alterada."


class Nonsense(KommoError):
    """An answer that is not what Kommo says: HTML with 200, broken JSON, wrong shapes, too long, broken gzip."""

    code = "nonsense"
    sentence = "O Kommo respondeu algo que não se pode ler."
    advice = "O Kommo pode estar em manutenção, ou há um portal de rede no caminho. Tente de novo mais tarde."

    @property
    def again(self) -> bool:
        """True: a cut body is whole the next time."""
        return True


class TokenRefused(KommoError):
    """401: wrong, revoked, or of another account's host."""

    code = "token_refused"
    sentence = "O Kommo recusou este token."
    advice = (
        "Ele pode ter sido revogado. Gere outro no Kommo (Integrações, Chaves e escopos) e cole-o na página Conexão."
    )


class TokenExpired(KommoError):
    """401, and the token itself says that its time is over; `day` is a date for the person, if known."""

    code = "token_expired"
    sentence = "O token venceu."
    advice = "Gere outro no Kommo (Integrações, Chaves e escopos) e cole-o na página Conexão."

    def __init__(self, status: int | None = 401, *, day: str = "") -> None:
        super().__init__(status)
        if day:
            self.sentence = f"O token venceu em {day}."


class Unpaid(KommoError):
    """402: the account is not paid, or the plan does not hold this."""

    code = "unpaid"
    sentence = "A conta do Kommo não está paga, ou o plano não inclui este recurso."
    advice = "Regularize a assinatura no Kommo (Configurações, Assinatura) e tente de novo."


class Forbidden(KommoError):
    """403 as JSON: the token's integration has no right here; `scope_missing` when Kommo names the scope."""

    code = "forbidden"
    sentence = "O token não tem permissão para isto no Kommo."
    advice = "Peça a um administrador da conta que gere o token."

    def __init__(self, status: int | None = 403, *, scope_missing: bool = False) -> None:
        super().__init__(status)
        self.scope_missing = scope_missing
        if scope_missing:
            self.sentence = "Falta ao token um escopo que o Kommo exige."
            self.advice = "Na integração, em Chaves e escopos, marque o acesso ao CRM (crm) e gere outro token."


class Blocked(KommoError):
    """403 as HTML: every call from this address is refused. Source: amocrm-api-php issues 434 and 563."""

    code = "blocked"
    sentence = "O Kommo bloqueou as chamadas deste endereço."
    advice = (
        "As chamadas estão suspensas por enquanto. Escreva ao suporte do Kommo e peça que desbloqueie o IP deste "
        "servidor: o texto pronto, com a conta e a hora, está na página Conexão. Não há como desbloquear por aqui."
    )


class WrongHost(KommoError):
    """A redirect or a page where Kommo's API should be; the token was not sent on."""

    code = "wrong_host"
    sentence = "O endereço não é o da API do Kommo."
    advice = "O token não foi enviado a nenhum outro endereço. Verifique no Kommo se a conta ainda existe."
    of_address = True


class NotFound(KommoError):
    """404 as JSON: no such record or sub-resource."""

    code = "not_found"
    verdict = Verdict.SKIP
    sentence = "O Kommo não tem este registro."
    advice = "Ele pode ter sido excluído. Sincronize para atualizar a cópia."


class Rejected(KommoError):
    """400, 422 and their like: Kommo understood the request and does not carry it out."""

    code = "rejected"
    verdict = Verdict.SKIP
    sentence = "O Kommo não aceitou o pedido."
    advice = "Confira os valores enviados e tente de novo."


class Cancelled(KommoError):
    """The caller asked to stop while a request waited for its turn."""

    code = "cancelled"
    sentence = "A operação foi cancelada."
    advice = "Comece de novo quando quiser."


class BadToken(Exception):
    """A pasted text that cannot be used as a token. It never reaches the network.

    `code` is token_missing, token_not_jwt, token_too_long, token_bad_characters or host_refused; `sentence` says in
    Portuguese what is wrong and what to do (another one than the code's own, if one is given).
    """

    def __init__(self, code: str, sentence: str | None = None) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence or _TOKEN_SENTENCES[code]

    def __str__(self) -> str:
        return self.sentence


_TOKEN_SENTENCES = {
    "token_missing": "Cole o token de longa duração.",
    "token_not_jwt": "Isto não parece um token do Kommo. Copie o token inteiro, do começo ao fim, e cole de novo.",
    "token_too_long": "O texto é longo demais para um token do Kommo. Copie só o token e cole de novo.",
    "token_bad_characters": "O token contém caracteres inválidos. Copie-o de novo, direto do Kommo.",
    "host_refused": "O token aponta para um servidor que não é do Kommo. Nada foi enviado. Gere outro token no Kommo.",
}


#: What the account's plan or the token's rights do not give: a run goes on without it.
NO_RIGHT = (Forbidden, Unpaid, NotFound)
