"""Contacts and deals as the contract writes them, one or a page of them."""

from typing import Any, Literal

from pydantic import Field

from kommo.api.asked import MAX_LIMIT, MAX_PAGE
from kommo.api.shapes.base import Good, Id, Number, Seconds, Shape, Time


class FieldValue(Shape):
    """One value of a custom field. `enum` and `enum_code` are there only where Kommo gives them."""

    value: Any = Field(description="Texto, número, lógico ou, onde o Kommo guarda um objeto, esse objeto.")
    enum: Id = Field(default=1, description="Número da opção escolhida; falta onde o campo não tem opções.")
    enum_code: str = Field(default="", description="Código da opção; falta onde o Kommo não o dá.")


class CustomField(Shape):
    """A custom field with its values."""

    id: Id | None
    name: str
    code: str | None
    type: str
    values: list[FieldValue]


class Tag(Shape):
    """A tag of a record."""

    id: Id | None
    name: str


class CompanyLink(Shape):
    """The company that a record belongs to."""

    id: Id


class ContactLink(Shape):
    """A contact of a deal."""

    id: Id
    is_main: bool


class _Record(Shape):
    """What contacts and deals have in common."""

    id: Id
    name: str
    responsible_user_id: Id | None
    group_id: int | None
    created_at: Seconds | None
    updated_at: Seconds | None
    closest_task_at: Seconds | None = Field(description="Segundos Unix da próxima tarefa, ou null.")
    custom_fields: list[CustomField]
    tags: list[Tag]
    company: CompanyLink | None
    is_deleted: bool


class Contact(_Record):
    """A contact."""

    first_name: str
    last_name: str
    phones: list[str] = Field(description="Como foram digitados.")
    emails: list[str] = Field(description="Como foram digitados.")
    is_unsorted: bool


class Deal(_Record):
    """A deal."""

    price: float = Field(description="Na moeda da conta.")
    pipeline_id: Id | None = Field(description="Funil.")
    status_id: Id | None = Field(description="Etapa.")
    closed_at: Seconds | None
    loss_reason_id: Id | None
    contacts: list[ContactLink]


class Pagination(Shape):
    """Which page this is, and how many are known to exist."""

    page: int = Field(ge=1, le=MAX_PAGE)
    limit: int = Field(ge=1, le=MAX_LIMIT)
    pageCount: Number = Field(
        description="Páginas que se sabe existirem: exato em source=local; no Kommo, page + 1 enquanto houver outra."
    )
    hasNext: bool


class _Page(Good):
    pagination: Pagination


class _Live(_Page):
    source: Literal["kommo"] = Field(description="Os registros vieram do Kommo, agora.")


class _Local(_Page):
    source: Literal["local"] = Field(description="Os registros vieram da cópia sincronizada.")
    lastSync: Time | None = Field(description="Quando terminou a última sincronização; null: ainda não há cópia.")


class LiveContacts(_Live):
    """A page of contacts as Kommo has it now."""

    data: list[Contact]


class LocalContacts(_Local):
    """A page of contacts out of the copy."""

    data: list[Contact]


class LiveDeals(_Live):
    """A page of deals as Kommo has it now."""

    data: list[Deal]


class LocalDeals(_Local):
    """A page of deals out of the copy."""

    data: list[Deal]


class OneContact(Good):
    """One contact."""

    data: Contact


class OneDeal(Good):
    """One deal."""

    data: Deal
