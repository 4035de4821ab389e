"""Names for what records point to by number, honest about what is unknown, nameless or gone from Kommo."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kommo.store.tables import Company, KommoUser, LossReason, Pipeline, Stage

GONE = "excluído"
GONE_FEMININE = "excluída"
INACTIVE = "inativo"
LENGTH = 200  # characters of such a name that are shown: it stands in many rows
WON = 142  # Kommo's stages of closed deals carry the same two numbers in every pipeline
LOST = 143
_BLANK_LETTERS = "\u115f\u1160\u3164\uffa0\u2800"  # letters and symbols without any ink


@dataclass(frozen=True, slots=True)
class Name:
    """What to call something: its text, and a word on its state ("excluído", "inativo") or nothing."""

    id: int
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one account's users, pipelines and stages, in their order in Kommo."""

    users: Mapping[int, Name]
    pipelines: Mapping[int, Name]
    stages: Mapping[tuple[int, int], Name]

    def user(self, user_id: int | None) -> Name | None:
        """A person's name ("Usuário 123" for an unknown one); None where nobody is responsible."""
        return _named(self.users, user_id, user_id, "Usuário")

    def pipeline(self, pipeline_id: int | None) -> Name | None:
        """A pipeline's name ("Funil 4401" for an unknown one)."""
        return _named(self.pipelines, pipeline_id, pipeline_id, "Funil")

    def stage(self, pipeline_id: int | None, stage_id: int | None) -> Name | None:
        """A stage's name ("Etapa 55" for an unknown one); won and lost have a name even in an unknown pipeline."""
        if stage_id in (WON, LOST) and (pipeline_id, stage_id) not in self.stages:
            return Name(stage_id, "Ganha" if stage_id == WON else "Perdida")
        return _named(self.stages, (pipeline_id or 0, stage_id or 0), stage_id, "Etapa")


def names(session: Session, connection_id: int) -> Names:
    """The names an account's lists need, in three short queries."""
    users = select(KommoUser).where(KommoUser.connection_id == connection_id).order_by(KommoUser.name, KommoUser.id)
    pipelines = select(Pipeline).where(Pipeline.connection_id == connection_id).order_by(Pipeline.sort, Pipeline.id)
    stages = select(Stage).where(Stage.connection_id == connection_id).order_by(Stage.sort, Stage.id)
    return Names(
        users={user.id: _user(user) for user in session.scalars(users)},
        pipelines={row.id: _entry(row, "Funil", GONE) for row in session.scalars(pipelines)},
        stages={(row.pipeline_id, row.id): _entry(row, "Etapa", GONE_FEMININE) for row in session.scalars(stages)},
    )


def company(session: Session, connection_id: int, company_id: int | None) -> Name | None:
    """A company's name ("Empresa 801" for an unknown one); None where there is no company."""
    if not company_id:
        return None
    found = session.get(Company, (connection_id, company_id))
    return _entry(found, "Empresa", GONE_FEMININE) if found else Name(company_id, f"Empresa {company_id}")


def loss_reasons(session: Session, connection_id: int, ids: Iterable[int]) -> dict[int, Name]:
    """The names of these reasons of loss ("Motivo 7" for an unknown one)."""
    wanted = sorted(set(ids))
    rows = select(LossReason).where(LossReason.connection_id == connection_id, LossReason.id.in_(wanted))
    known = {row.id: _entry(row, "Motivo", GONE) for row in session.scalars(rows)}
    return {key: known.get(key) or Name(key, f"Motivo {key}") for key in wanted}


def visible(text: str | None, fallback: str) -> str:
    """`text`, or `fallback` where it has nothing to see: empty, only spaces or invisible characters."""
    if text and any(unicodedata.category(char)[0] not in "ZCM" and char not in _BLANK_LETTERS for char in text):
        return text
    return fallback


def _user(row: KommoUser) -> Name:
    note = GONE if row.gone_at is not None else "" if row.is_active else INACTIVE
    return Name(row.id, visible(row.name[:LENGTH], f"Usuário {row.id}"), note)


def _entry(row: Pipeline | Stage | Company | LossReason, word: str, gone: str) -> Name:
    return Name(row.id, visible(row.name[:LENGTH], f"{word} {row.id}"), gone if row.gone_at is not None else "")


def _named(known: Mapping[Any, Name], key: Any, number: int | None, word: str) -> Name | None:
    if not number:
        return None
    return known.get(key) or Name(number, f"{word} {number}")
