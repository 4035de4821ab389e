"""What changes seldom in an account: itself, its users, pipelines, loss reasons, field definitions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kommo.crm import json
from kommo.crm.answers import Answer
from kommo.crm.errors import Nonsense
from kommo.crm.values import identifier, mapping, objects, text, whole

T = TypeVar("T")
FIELD_ENTITIES = ("contacts", "leads", "companies")


@dataclass(frozen=True, slots=True)
class Account:
    """The account as Kommo describes it; `raw` is its whole answer without `_links`."""

    id: int
    name: str
    subdomain: str
    currency: str | None
    timezone: str | None
    country: str | None
    language: str | None
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class User:
    """A user of the account, inactive ones too."""

    id: int
    name: str
    email: str
    is_active: bool
    is_admin: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a pipeline. Ids 142 (won) and 143 (lost) repeat in every pipeline; `type` 1 takes incoming leads."""

    pipeline_id: int
    id: int
    name: str
    sort: int
    color: str
    type: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline with its stages in their order."""

    id: int
    name: str
    sort: int
    is_main: bool
    is_archive: bool
    stages: list[Stage]


@dataclass(frozen=True, slots=True)
class LossReason:
    """Why a deal was lost."""

    id: int
    name: str
    sort: int


@dataclass(frozen=True, slots=True)
class Field:
    """The definition of a custom field of `entity` (contacts, leads, companies)."""

    entity: str
    id: int
    name: str
    type: str
    code: str | None
    sort: int
    enums: list[dict[str, Any]]
    currency: str | None
    raw: dict[str, Any] = field(default_factory=dict)


def account_from(answer: Answer) -> Account:
    """The account in an answer to /account; raises Nonsense where it is none."""
    body = json.loads(answer.body)
    account_id = identifier(body.get("id")) if isinstance(body, dict) else None
    if account_id is None:
        raise Nonsense(answer.status, note="no account id")
    settings = mapping(mapping(body.get("_embedded")).get("datetime_settings"))
    return Account(
        id=account_id,
        name=text(body.get("name")),
        subdomain=text(body.get("subdomain")),
        currency=text(body.get("currency")) or None,
        timezone=text(settings.get("timezone")) or None,
        country=text(body.get("country")) or None,
        language=text(body.get("language")) or None,
        raw={key: value for key, value in body.items() if key != "_links"},
    )


def many(rows: Iterable[Any], make: Callable[[dict[str, Any], int], T]) -> list[T]:
    """What `make(row, id)` gives for each row; rows without a usable id are left out."""
    return [make(row, key) for row in objects(list(rows)) if (key := identifier(row.get("id")))]


def user_from(row: dict[str, Any], key: int) -> User:
    """A user; who has no rights listed counts as active."""
    rights = mapping(row.get("rights"))
    return User(
        key, text(row.get("name")), text(row.get("email")), rights.get("is_active") is not False,
        rights.get("is_admin") is True,
    )  # fmt: skip


def pipeline_from(row: dict[str, Any], key: int) -> Pipeline:
    """A pipeline with its stages."""
    rows = objects(mapping(row.get("_embedded")).get("statuses"))
    stages = many(rows, lambda stage, stage_id: stage_from(stage, stage_id, key))
    return Pipeline(
        key, text(row.get("name")), whole(row.get("sort")) or 0, row.get("is_main") is True,
        row.get("is_archive") is True, sorted(stages, key=lambda stage: stage.sort),
    )  # fmt: skip


def stage_from(row: dict[str, Any], key: int, pipeline_id: int) -> Stage:
    """A stage of this pipeline."""
    sort, kind = whole(row.get("sort")) or 0, whole(row.get("type")) or 0
    return Stage(pipeline_id, key, text(row.get("name")), sort, text(row.get("color")), kind)


def loss_reason_from(row: dict[str, Any], key: int) -> LossReason:
    """A loss reason."""
    return LossReason(key, text(row.get("name")), whole(row.get("sort")) or 0)


def field_from(entity: str, row: dict[str, Any], key: int) -> Field:
    """A custom field's definition."""
    return Field(
        entity, key, text(row.get("name")), text(row.get("type")), text(row.get("code")) or None,
        whole(row.get("sort")) or 0, objects(row.get("enums")), text(row.get("currency")) or None,
        {name: value for name, value in row.items() if name != "_links"},
    )  # fmt: skip
