"""A synchronisation as calls tell it: kommo/api/runs.py writes it."""

from typing import Literal

from pydantic import Field

from kommo.api.shapes.base import Good, Id, Number, Shape, Time


class Progress(Shape):
    """How far one list is."""

    state: str
    rows: Number = Field(description="Registros lidos.")
    pages: Number = Field(description="Páginas lidas.")
    total: Number | None = Field(description="Registros que o Kommo tem, ou null enquanto não se sabe.")
    pagesTotal: Number | None = Field(description="Páginas que o Kommo tem, ou null enquanto não se sabe.")
    percent: float = Field(ge=0, le=100)


class Changes(Shape):
    """What the run did with the copy of one list."""

    created: Number
    updated: Number
    unchanged: Number
    deleted: Number


class Proof(Shape):
    """How the copy of one list compares with Kommo at the end of the run."""

    kommo: Number | None = Field(description="Registros que o Kommo tem; null enquanto não foram contados.")
    local: Number | None = Field(description="Registros que há aqui.")
    equal: bool = Field(description="As contagens são iguais e nada diferia.")
    sampled: Number = Field(description="Registros comparados campo a campo uma segunda vez.")
    differing: Number = Field(description="Dos comparados, os que não eram iguais (já corrigidos).")
    at: Time | None
    requests: Number = Field(description="Requisições que a conferência custou.")


class ProgressByList(Shape):
    """How far each list is."""

    contacts: Progress
    deals: Progress


class ChangesByList(Shape):
    """What the run did with each list."""

    contacts: Changes
    deals: Changes


class ProofByList(Shape):
    """The comparison of each list."""

    contacts: Proof
    deals: Proof


class Run(Shape):
    """One synchronisation, and what is held of its account."""

    contactsCount: Number = Field(description="Contatos vivos guardados agora.")
    dealsCount: Number = Field(description="Negociações vivas guardadas agora.")
    lastSync: Time | None = Field(
        description="Quando terminou ou, enquanto anda, quando terminou a anterior; null enquanto nenhuma terminou."
    )
    syncSuccess: bool = Field(description="Se a sincronização de lastSync terminou sem erros.")
    errors: list[str] = Field(description="O que deu errado, em frases.")
    warnings: list[str] = Field(description="O que falta, embora a cópia esteja certa, em frases.")
    runId: Id = Field(description="Número da sincronização.")
    accountId: Id = Field(description="Número da conta no Kommo.")
    mode: Literal["sweep", "delta"] | None = Field(
        description="sweep: leu tudo; delta: só o que mudou; null enquanto não começou."
    )
    state: Literal["queued", "running", "paused", "done", "failed", "cancelled"]
    phase: str = Field(description="Em que passo está.")
    waiting: str | None = Field(description="O que espera, numa frase, ou null.")
    progress: ProgressByList
    changes: ChangesByList
    proof: ProofByList


class RunDone(Good):
    """A run that is over, without errors."""

    data: Run


class RunGoing(Good):
    """A run that goes on: `Location` says where to follow it."""

    data: Run


class RunEndedBadly(Shape):
    """A run that is over and did not go well; what it stored stays."""

    success: Literal[False]
    message: str
    error: str
    code: Literal["sync_incomplete", "sync_failed", "sync_cancelled"]
    data: Run


class RunStatus(Good):
    """How the newest run went or goes."""

    data: Run | None = Field(description="null antes da primeira sincronização.")


class RunKnown(Good):
    """How one run went or goes."""

    data: Run
