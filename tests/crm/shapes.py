"""Kommo's records as its pages show them, for tests to bend."""

from typing import Any

LINK = {"self": {"href": "https://padariaestrela.kommo.com/api/v4/contacts/501?page=1&limit=50"}}


def phone(*values: str, code: str | None = "PHONE", enum: str = "WORK") -> dict[str, Any]:
    """A field of phones (or of e-mails, by its code) as v4 gives it."""
    return {
        "field_id": 9001,
        "field_name": "Telefone",
        "field_code": code,
        "field_type": "multitext",
        "values": [{"value": value, "enum_id": 88001, "enum_code": enum} for value in values],
    }


def field(kind: str, *values: Any, **more: Any) -> dict[str, Any]:
    """A field of this type; each value is an element of `values` as it stands."""
    return {
        "field_id": 9100,
        "field_name": "Campo",
        "field_code": None,
        "field_type": kind,
        "values": list(values),
    } | more


def bend(record: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The record with keys replaced; `...` takes one away."""
    return {key: value for key, value in (record | changes).items() if value is not ...}


def contact(**changes: Any) -> dict[str, Any]:
    """Ana Lima, of Padaria Estrela."""
    return bend(
        {
            "id": 501,
            "name": "Ana Lima",
            "first_name": "Ana",
            "last_name": "Lima",
            "responsible_user_id": 7001,
            "group_id": 0,
            "created_by": 7001,
            "updated_by": 0,
            "created_at": 1759000000,
            "updated_at": 1760000000,
            "closest_task_at": None,
            "is_deleted": False,
            "is_unsorted": False,
            "custom_fields_values": [phone("+55 11 99999-0000"), phone("ana@padaria.example", code="EMAIL")],
            "account_id": 30001000,
            "_links": LINK,
            "_embedded": {
                "tags": [{"id": 31, "name": "vip", "color": None}],
                "companies": [{"id": 801, "_links": LINK}],
            },
        },
        changes,
    )


def lead(**changes: Any) -> dict[str, Any]:
    """A deal with Ana Lima."""
    return bend(
        {
            "id": 6001,
            "name": "Bolo de casamento",
            "price": 1200,
            "responsible_user_id": 7001,
            "group_id": 0,
            "status_id": 55501,
            "pipeline_id": 4401,
            "loss_reason_id": None,
            "created_by": 0,
            "updated_by": 7001,
            "created_at": 1759000100,
            "updated_at": 1760000100,
            "closed_at": None,
            "closest_task_at": 1760100000,
            "is_deleted": False,
            "custom_fields_values": None,
            "score": None,
            "account_id": 30001000,
            "labor_cost": None,
            "is_price_computed": False,
            "_links": LINK,
            "_embedded": {
                "tags": [],
                "companies": [],
                "contacts": [
                    {"id": 501, "is_main": True, "_links": LINK},
                    {"id": 502, "is_main": False, "_links": LINK},
                ],
            },
        },
        changes,
    )
