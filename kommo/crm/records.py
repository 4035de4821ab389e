"""Contacts and deals as the rest of the product knows them, made from Kommo's records at this border.

Kommo's records have odd shapes (reference, sections 4 and 8): null, [] and absent mean the same, an array may be an
object, numbers may be text. All of it is taken; only a record without a usable id is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kommo.crm.fields import custom_fields, texts_of
from kommo.crm.values import identifier, mapping, number, objects, text, whole
from kommo.ids import MAX_ID


class _Shown:
    """What pages show of a record and the sync has no use for: made from `raw` when it is asked for."""

    __slots__ = ()
    raw: dict[str, Any]

    @property
    def tags(self) -> list[str]:
        """The names of its tags."""
        return [tag["name"] for tag in _tags(self.raw) if tag["name"]]

    @property
    def closest_task_at(self) -> int | None:
        """When its next task is due; None where there is none (Kommo's 0)."""
        return identifier(self.raw.get("closest_task_at"))


@dataclass(slots=True)
class Contact(_Shown):
    """A person. Times are Unix seconds; `phones` and `emails` are as typed.

    `raw` is Kommo's record without any `_links`. What the sync has no use for is a property: made when asked for.
    """

    id: int
    name: str
    first_name: str
    last_name: str
    responsible_user_id: int | None
    created_at: int | None
    updated_at: int | None
    is_deleted: bool
    phones: list[str]
    emails: list[str]
    company_id: int | None
    raw: dict[str, Any]

    @property
    def is_unsorted(self) -> bool:
        """Whether Kommo marks the contact as one that came in and was not accepted yet."""
        return self.raw.get("is_unsorted") is True


@dataclass(slots=True)
class Deal(_Shown):
    """A deal (Kommo's wire format says lead). `price` is in the account's currency, times are Unix seconds.

    `contacts` are (id, is main) in Kommo's order. `raw` is Kommo's record without any `_links`.
    """

    id: int
    name: str
    price: float
    responsible_user_id: int | None
    pipeline_id: int | None
    status_id: int | None
    created_at: int | None
    updated_at: int | None
    closed_at: int | None
    loss_reason_id: int | None
    is_deleted: bool
    company_id: int | None
    contacts: list[tuple[int, bool]]
    raw: dict[str, Any]


@dataclass(slots=True)
class Company:
    """A company, of which only the name is of use. `updated_at` is Unix seconds."""

    id: int
    name: str
    updated_at: int | None = None
    is_deleted: bool = False


Record = Contact | Deal | Company
_NESTED = (dict, list)


def contact_from(raw: Any) -> Contact:
    """The contact in Kommo's record, or in one stored from it. Raises ValueError where it has no usable id."""
    record, embedded = _without_links(raw)
    phones, emails = texts_of(record, "PHONE", "EMAIL")
    return Contact(
        id=_required_id(record),
        name=text(record.get("name")),
        first_name=text(record.get("first_name")),
        last_name=text(record.get("last_name")),
        responsible_user_id=identifier(record.get("responsible_user_id")),
        created_at=whole(record.get("created_at")),
        updated_at=whole(record.get("updated_at")),
        is_deleted=record.get("is_deleted") is True,
        phones=phones,
        emails=emails,
        company_id=_first_id(embedded.get("companies")),
        raw=record,
    )


def deal_from(raw: Any) -> Deal:
    """The deal in Kommo's lead, or in one stored from it. Raises ValueError where it has no usable id."""
    record, embedded = _without_links(raw)
    return Deal(
        id=_required_id(record),
        name=text(record.get("name")),
        price=_price(record),
        responsible_user_id=identifier(record.get("responsible_user_id")),
        pipeline_id=identifier(record.get("pipeline_id")),
        status_id=identifier(record.get("status_id")),
        created_at=whole(record.get("created_at")),
        updated_at=whole(record.get("updated_at")),
        closed_at=identifier(record.get("closed_at")),
        loss_reason_id=identifier(record.get("loss_reason_id")),
        is_deleted=record.get("is_deleted") is True,
        company_id=_first_id(embedded.get("companies")),
        contacts=_contacts(embedded.get("contacts")),
        raw=record,
    )


def company_from(raw: Any) -> Company:
    """The company in Kommo's record. Raises ValueError where it has no usable id."""
    if not isinstance(raw, dict):
        raise ValueError("a record is an object")  # noqa: TRY004 - one kind of error for one kind of trouble
    is_deleted = raw.get("is_deleted") is True
    return Company(_required_id(raw), text(raw.get("name")), whole(raw.get("updated_at")), is_deleted)


def documented(record: Contact | Deal) -> dict[str, Any]:
    """The record as the JSON contract writes it: the documented names first, then what else is known.

    For a stored one: `documented(contact_from(stored))`.
    """
    shared = {
        "responsible_user_id": record.responsible_user_id,
        "group_id": whole(record.raw.get("group_id")),
    }
    times = {"created_at": record.created_at, "updated_at": record.updated_at}
    extras = {
        "closest_task_at": record.closest_task_at,
        "is_deleted": record.is_deleted,
        "tags": _tags(record.raw),
        "company": {"id": record.company_id} if record.company_id else None,
    }
    fields = {"custom_fields": custom_fields(record.raw)}
    if isinstance(record, Contact):
        names = {"first_name": record.first_name, "last_name": record.last_name}
        own = {"is_unsorted": record.is_unsorted, "phones": record.phones, "emails": record.emails}
        return {"id": record.id, "name": record.name} | names | shared | times | fields | extras | own
    place = {"pipeline_id": record.pipeline_id, "status_id": record.status_id}
    return (
        {"id": record.id, "name": record.name, "price": record.price} | shared | place | times | fields | extras
        | {
            "closed_at": record.closed_at,
            "loss_reason_id": record.loss_reason_id,
            "contacts": [{"id": key, "is_main": is_main} for key, is_main in record.contacts],
        }
    )  # fmt: skip


def _without_links(raw: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The record and its `_embedded`, both free of `_links`; the given one is left as it is."""
    if not isinstance(raw, dict):
        raise ValueError("a record is an object")  # noqa: TRY004 - one kind of error for one kind of trouble
    record = raw.copy()
    record.pop("_links", None)
    embedded = raw.get("_embedded")
    if embedded and type(embedded) in _NESTED:
        record["_embedded"] = embedded = _stripped(embedded)
    return record, mapping(embedded)


def _stripped(value: Any) -> Any:
    """A list or an object without any `_links`; plain values are not looked into, most values are.

    What is plain throughout is given as it is, not copied.
    """
    if type(value) is list:
        return [_stripped(item) if type(item) in _NESTED else item for item in value]
    if "_links" not in value and not any(type(item) in _NESTED for item in value.values()):
        return value
    return {key: _stripped(item) if type(item) in _NESTED else item for key, item in value.items() if key != "_links"}


def _required_id(record: Mapping[str, Any]) -> int:
    found = identifier(record.get("id"))
    if found is None:
        raise ValueError("a record needs an id from 1 to 2^63-1")
    return found


def _price(record: Mapping[str, Any]) -> float:
    """The newer `price_with_minor_units` is exact where `price` is rounded; Kommo's own client prefers it too.

    A number beyond 64 bits is no price: their sum would be beyond what PostgreSQL holds.
    """
    given = (number(record.get(key)) for key in ("price_with_minor_units", "price"))
    return next((price for price in given if price is not None and abs(price) <= MAX_ID), 0.0)


def _first_id(value: Any) -> int | None:
    if not value:
        return None
    return next((key for item in objects(value) if (key := identifier(item.get("id")))), None)


def _contacts(value: Any) -> list[tuple[int, bool]]:
    found: dict[int, bool] = {}
    for item in objects(value):
        key = identifier(item.get("id"))
        if key:
            found[key] = found.get(key, False) or item.get("is_main") is True
    return list(found.items())


def _tags(raw: dict[str, Any]) -> list[dict[str, Any]]:
    tags = objects(mapping(raw.get("_embedded")).get("tags"))
    return [{"id": identifier(tag.get("id")), "name": text(tag.get("name"))} for tag in tags]
