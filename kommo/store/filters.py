"""What a list shows, as data: parsed from the query of its URL, and written back into one.

What only moves the window is bent into range: a page below 1 is 1, one past the end is the last, an unknown order is
the list's own, a search is cut at 200 characters, of a repeated single value the first counts. What chooses the rows
is never guessed: a filter that is no id is refused (`BadFilter`), since a list that ignores it would show too much.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from kommo.ids import MAX_ID
from kommo.store.tables.wallet import CONTACT, DEAL

MAX_QUERY = 200  # characters
MAX_IDS = 200
NOBODY = 0  # among the persons: the records that nobody is responsible for, "sem" in the URL
_NOBODY_WORD = "sem"
MAX_PAGE = 10**9
#: The orders each list knows, the first one being its own. A minus sign turns an order round.
SORTS: Mapping[str, tuple[str, ...]] = {
    CONTACT: ("nome", "-nome", "atualizado", "-atualizado"),
    DEAL: ("-atualizado", "atualizado", "nome", "-nome", "valor", "-valor"),
}
_STAGE = re.compile(r"([0-9]{1,19})-([0-9]{1,19})")
_NUMBER = re.compile(r"[0-9]{1,19}")


class BadFilter(ValueError):
    """A filter in the URL is no id; the text is one Portuguese sentence for the person."""


@dataclass(frozen=True, slots=True)
class Filters:
    """One state of a list. `stage` is (pipeline id, stage id); `page` counts from 1 and may lie past the end.

    `responsible` are ids of persons, and NOBODY for the records without one.
    """

    query: str = ""
    responsible: tuple[int, ...] = ()
    pipeline: int | None = None
    stage: tuple[int, int] | None = None
    sort: str = ""
    page: int = 1

    @property
    def narrowed(self) -> bool:
        """Whether anything but order and page is chosen."""
        return bool(self.query or self.responsible or self.pipeline or self.stage)

    def but(self, **changes: Any) -> Self:
        """These filters with some changed, on their first page unless `page` is given."""
        return replace(self, **{"page": 1} | changes)

    def arguments(self, kind: str) -> dict[str, Any]:
        """The URL arguments that give these filters again; what is the list's own way is left out."""
        found = {
            "q": self.query,
            "responsavel": [person_word(each) for each in self.responsible],
            "funil": self.pipeline if self.stage is None else None,
            "etapa": f"{self.stage[0]}-{self.stage[1]}" if self.stage else None,
            "ordem": self.sort if self.sort != SORTS[kind][0] else None,
            "pagina": self.page if self.page > 1 else None,
        }
        return {name: value for name, value in found.items() if value}


def person_word(user_id: int) -> str:
    """How a person, or NOBODY, is written in a URL."""
    return _NOBODY_WORD if user_id == NOBODY else str(user_id)


def parse(arguments: Mapping[str, Sequence[str]], kind: str) -> Filters:
    """The filters that the arguments of a URL (each name with all its values) ask for; raises BadFilter."""
    stage = _stage(_first(arguments, "etapa")) if kind == DEAL else None
    pipeline = _id("funil", _first(arguments, "funil")) if kind == DEAL else None
    if stage and pipeline and stage[0] != pipeline:
        stage = None  # the person chose another pipeline: the stage that is left over belongs to the old one
    sort = _first(arguments, "ordem")
    return Filters(
        query=clean_query(_first(arguments, "q")),
        responsible=_persons("responsavel", arguments.get("responsavel", ())),
        pipeline=stage[0] if stage else pipeline,
        stage=stage,
        sort=sort if sort in SORTS[kind] else SORTS[kind][0],
        page=_page(_first(arguments, "pagina")),
    )


def clean_query(text: str) -> str:
    """What was typed, as one line without invisible control characters, cut at 200 characters."""
    printable = "".join(char if char.isprintable() or char in "\u200d\ufe0f" else " " for char in text[: 4 * MAX_QUERY])
    return " ".join(printable.split())[:MAX_QUERY].strip()


def _first(arguments: Mapping[str, Sequence[str]], name: str) -> str:
    values = arguments.get(name) or ("",)
    return values[0].strip()


def _page(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        return 1
    return min(max(int(text[:12]), 1), MAX_PAGE)


def _persons(name: str, values: Sequence[str]) -> tuple[int, ...]:
    found = [NOBODY if value.strip() == _NOBODY_WORD else _id(name, value.strip()) for value in values]
    chosen = tuple(dict.fromkeys(each for each in found if each is not None))
    if len(chosen) > MAX_IDS:
        raise BadFilter(f"O filtro {name} aceita até {MAX_IDS} valores.")
    return chosen


def _id(name: str, text: str) -> int | None:
    """An id of Kommo; None for an empty text (a form sends one for a choice not made)."""
    if not text:
        return None
    if not _NUMBER.fullmatch(text) or not 0 < int(text) <= MAX_ID:
        raise BadFilter(f"O filtro {name} recebeu um valor que não é um número do Kommo.")
    return int(text)


def _stage(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    found = _STAGE.fullmatch(text)
    if not found:
        raise BadFilter("O filtro etapa recebeu um valor que não é uma etapa, como 4401-142.")
    pipeline, stage = _id("etapa", found[1]), _id("etapa", found[2])
    return (pipeline, stage) if pipeline and stage else None
