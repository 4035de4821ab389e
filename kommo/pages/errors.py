"""Error pages: what happened, what it means for the data, what to do. The JSON API has its own."""

from dataclasses import dataclass

from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from kommo.pages.htmx import is_htmx


@dataclass(frozen=True, slots=True)
class Words:
    """An error in words: what happened, what it means for the data, what to do."""

    title: str
    meaning: str
    advice: str


_NOTHING = "Nada foi alterado."
WORDS = {
    400: Words("O servidor não entendeu o pedido", _NOTHING, "Volte, confira o que foi preenchido e tente de novo."),
    403: Words("O pedido não foi aceito", _NOTHING, "A página pode ter ficado aberta por muito tempo: recarregue-a."),
    404: Words(
        "Esta página não existe",
        "O que você procura pode ter mudado de endereço, ou ser de outra conta. Os dados estão como estavam.",
        "Use o menu, ou procure em Contatos e Negociações.",
    ),
    405: Words("Este endereço não aceita esse pedido", _NOTHING, "Volte à página anterior e use os botões dela."),
    413: Words("O que foi enviado é grande demais", _NOTHING, "Confira se colou só o token, sem outro texto junto."),
    415: Words("O servidor não aceita esse tipo de conteúdo", _NOTHING, "Envie o formulário pela própria página."),
    422: Words("O que foi preenchido não serve", _NOTHING, "Volte, corrija e envie de novo."),
    429: Words("Muitos pedidos em pouco tempo", _NOTHING, "Espere um minuto e tente de novo."),
    500: Words(
        "Algo falhou no servidor",
        "A cópia dos dados está como estava; o que ficou pela metade foi desfeito.",
        "Tente de novo. Se repetir, o registro do servidor diz a causa.",
    ),
    503: Words(
        "O servidor está ocupado ou reiniciando",
        "A cópia dos dados está como estava.",
        "Espere alguns segundos e recarregue a página.",
    ),
}


def register(app: Flask) -> None:
    """Answer every error on a page in the house's own words."""
    app.register_error_handler(HTTPException, answer)


def answer(error: HTTPException) -> Response:
    """The page for an error; a bare sentence where a fragment was asked for."""
    if error.response is not None and error.code is not None and error.code < 400:
        return make_response(error.response)
    return error_page(error.code or 500)


def error_page(status: int, sentence: str | None = None) -> Response:
    """The page for a status; `sentence` replaces the usual title, to say exactly what was wrong."""
    words = WORDS.get(status) or WORDS[400 if status < 500 else 500]
    if is_htmx():
        return make_response(f"{sentence or words.title}. {words.meaning}", status)
    page = render_template("errors/page.html", status=status, words=words, sentence=sentence, path=request.path)
    return make_response(page, status)
