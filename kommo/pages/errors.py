"""Error pages: what happened, what it means for the data, what to do. The JSON API has its own."""

from contextlib import suppress
from dataclasses import dataclass

from flask import Response, make_response, render_template
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, NotFound

from kommo.access import gate, guard, identity
from kommo.access.gate import NotAllowed
from kommo.pages.context import connection
from kommo.pages.htmx import is_htmx
from kommo.store import trouble
from kommo.store.trouble import Trouble
from kommo.vault import VaultError


@dataclass(frozen=True, slots=True)
class Words:
    """An error in words: what happened, what it means for the data, what to do."""

    title: str
    meaning: str
    advice: str


_NOTHING = "Nada foi alterado."
WORDS = {
    400: Words("O servidor não entendeu o pedido", _NOTHING, "Volte, confira o que foi preenchido e tente de novo."),
    403: Words("O pedido não foi aceito", _NOTHING, "Volte à página anterior, recarregue-a e tente de novo."),
    404: Words(
        "Esta página não existe",
        "O que você procura pode ter mudado de endereço, ou ser de outra conta. Os dados estão como estavam.",
        "Use o menu, ou procure em Contatos e Negociações.",
    ),
    405: Words("Este endereço não aceita esse pedido", _NOTHING, "Volte à página anterior e use os botões dela."),
    413: Words("O que foi enviado é grande demais", _NOTHING, "Confira se colou só o token, sem outro texto junto."),
    414: Words("O endereço é longo demais", _NOTHING, "Volte e use menos filtros de uma vez."),
    415: Words("O servidor não aceita esse tipo de conteúdo", _NOTHING, "Envie o formulário pela própria página."),
    422: Words("O que foi preenchido não serve", _NOTHING, "Volte, corrija e envie de novo."),
    429: Words("Muitos pedidos em pouco tempo", _NOTHING, "Espere alguns segundos e tente de novo."),
    431: Words(
        "O navegador enviou cabeçalhos grandes demais", _NOTHING, "Apague os cookies deste endereço e tente de novo."
    ),
    500: Words(
        "Algo falhou no servidor",
        "A cópia dos dados está como estava; o que ficou pela metade foi desfeito.",
        "Tente de novo. Se repetir, o registro do servidor diz a causa.",
    ),
    501: Words("O servidor não conhece essa forma de envio", _NOTHING, "Envie o formulário pela própria página."),
    503: Words(
        "O servidor está ocupado ou reiniciando",
        "A cópia dos dados está como estava.",
        "Espere alguns segundos e recarregue a página.",
    ),
}

_UNTOUCHED = "O que este pedido ia gravar não foi gravado; os dados estão como estavam."
_KEPT = ("Allow", "Retry-After")  # headers of an error that its page has, too
_LEAN = (414, 429, 431)  # whoever sends too much gets a page that costs nothing
_STALE = Words("A página ficou aberta por muito tempo", _NOTHING, "Volte, recarregue a página e envie de novo.")

_NOT_YOURS = Words(
    "Você não tem permissão para isto", _NOTHING, "Peça a quem administra o painel que o faça, ou que mude o seu papel."
)


def answer(error: HTTPException) -> Response:
    """The page for an error, in our own words where a route gave some; a bare sentence where htmx asked."""
    if error.response is not None:
        return make_response(error.response)
    if isinstance(error, CSRFError):
        return error_page(403, words=_STALE)
    if isinstance(error, NotAllowed):
        return error_page(403, words=_NOT_YOURS)
    page = error_page(error.code or 500, _own_sentence(error))
    page.headers.extend({name: value for name, value in error.get_headers() if name in _KEPT})
    return page


def error_page(status: int, sentence: str | None = None, words: Words | None = None) -> Response:
    """The page for a status; `sentence` takes the place of the usual title, to say exactly what was wrong.

    `words` take the place of all the usual ones.

    The frame (account, counts) stands around it only where the guard let the caller in and the server is well.
    """
    words = words or _words(status)
    title = (sentence or words.title).removesuffix(".")
    if is_htmx():
        return bare(status, title, words)
    template = "errors/bare.html"
    if status < 500 and status not in _LEAN and _let_in():
        template = "errors/page.html"
        with suppress(NotFound):  # the address may choose an account that is not there: the frame shows another one
            connection()
    return make_response(render_template(template, status=status, words=words, title=title), status)


def of_database(found: Trouble) -> Response:
    """The page for a database in trouble; it reads nothing of it."""
    page = error_page(503, words=Words(found.title, _UNTOUCHED, found.advice))
    if found.passes:
        page.headers["Retry-After"] = str(trouble.RETRY_AFTER)
    return page


def of_vault(error: VaultError) -> Response:
    """The page where a token cannot be sealed or opened: which key is missing, and how it comes back."""
    return error_page(503, str(error))


def bare(status: int, title: str | None = None, words: Words | None = None) -> Response:
    """An error as a sentence or two of plain text; needs neither a request nor the database."""
    words = words or _words(status)
    return Response(
        f"{title or words.title}. {words.meaning} {words.advice}", status, content_type="text/plain; charset=utf-8"
    )


def _words(status: int) -> Words:
    return WORDS.get(status) or WORDS[400 if status < 500 else 500]


def _own_sentence(error: HTTPException) -> str | None:
    """What a route or the guard said; werkzeug's own English texts are not for people here."""
    ours = error.description and error.description != type(error).description and not isinstance(error, KeyError)
    return error.description if ours else None


def _let_in() -> bool:
    """Whether guard and gate let the caller in: some errors come about before they are asked.

    Who may not see the page that was asked for is somebody all the same, and gets the frame.
    """
    if identity.current() is not None:
        return True
    with suppress(gate.NotAllowed):
        if guard.check() is not None or gate.check() is not None:
            return False
    return identity.current() is not None
