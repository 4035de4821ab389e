"""The bodies of errors: kommo/api/errors.py writes them."""

from typing import Literal

from pydantic import Field

from kommo.api.shapes.base import Id, Shape, Time


class Error(Shape):
    """What every error says."""

    success: Literal[False]
    message: str = Field(description="O que a chamada não conseguiu fazer.")
    error: str = Field(description="Por quê, e o que fazer.")
    code: str = Field(description="A causa, num nome que não muda de uma versão para outra.")


class FieldError(Error):
    """An error that one parameter caused."""

    field: str = Field(description="O parâmetro que é a causa.")


class TokenError(Error):
    """Kommo refused the token."""

    advice: str = Field(description="O que fazer com o token.")


class BlockedError(Error):
    """Kommo blocked this server."""

    blockedUntil: Time | None = Field(description="Até quando nada é enviado.")
    supportText: str | None = Field(description="O texto a mandar ao suporte do Kommo.")


class LockedError(Error):
    """The key that the account's token was sealed with is missing here."""

    keyId: str | None = Field(description="A chave que falta; null quando não há chave para guardar o que veio.")


class RunNumber(Shape):
    """Which run it is."""

    runId: Id


class RunningError(Error):
    """There is a run already."""

    data: RunNumber
