"""Custom field values as people read them, for every type of Kommo and for those it has not invented yet.

Nothing here trusts a value: a link is made only for http, https, mailto and tel, and a value of another shape than
its type says is shown as readable text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from kommo.crm import shown
from kommo.crm.values import mapping, number, text
from kommo.text import money

_LABELS = {
    "WORK": "comercial", "WORKDD": "direto", "MOB": "celular", "FAX": "fax", "HOME": "residencial",
    "PRIV": "pessoal", "OTHER": "outro",
}  # fmt: skip
_ADDRESS_ORDER = ("address_line_1", "address_line_2", "city", "state", "zip", "country")


@dataclass(frozen=True, slots=True)
class HumanValue:
    """One value to show. `href` is a safe link or None; `label` says which of several (comercial, celular …).

    `kind` is text, long (several lines), link, phone, email, money, number, date, flag, address, company, file,
    items or unknown.
    """

    text: str
    href: str | None = None
    kind: str = "text"
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Account:
    zone: tzinfo
    currency: str | None


_Maker = Callable[[dict[str, Any], _Account], HumanValue | None]


def human_values(field: Mapping[str, Any], zone: tzinfo, *, currency: str | None = None) -> list[HumanValue]:
    """The values of one field (an item of `fields.custom_fields`) in human Portuguese form; [] where nothing is set.

    `zone` is the account's, `currency` that of the field's definition, else the account's.
    """
    values = [value for value in field.get("values") or () if isinstance(value, dict)]
    kind, account = field.get("type"), _Account(zone, currency)
    if kind == "smart_address":
        return _address(values)
    if kind == "multitext":
        return _present([_contact_way(str(field.get("code") or ""), value) for value in values])
    make = _MAKERS.get(str(kind), _unknown)
    return _present([make(value, account) or _unknown(value, account) for value in values])


def _present(found: list[HumanValue]) -> list[HumanValue]:
    return [value for value in found if value.text.strip()]


def _unknown(value: dict[str, Any], _account: _Account) -> HumanValue:
    return HumanValue(shown.readable(value.get("value")), kind="unknown")


def _plain(value: dict[str, Any], _account: _Account) -> HumanValue | None:
    found = value.get("value")
    return HumanValue(text(found)) if isinstance(found, str | int | float) and not isinstance(found, bool) else None


def _long(value: dict[str, Any], _account: _Account) -> HumanValue | None:
    found = value.get("value")
    return HumanValue(found, kind="long") if isinstance(found, str) else None


def _url(value: dict[str, Any], _account: _Account) -> HumanValue | None:
    found = value.get("value")
    return HumanValue(found, shown.web_link(found), "link") if isinstance(found, str) else None


def _contact_way(code: str, value: dict[str, Any]) -> HumanValue:
    """A phone or an e-mail address; `enum_code` says which one of the person's."""
    found = text(value.get("value"))
    label = _LABELS.get(text(value.get("enum_code")), "")
    if code == "EMAIL":
        return HumanValue(found, shown.mail_link(found), "email", label)
    if code == "PHONE":
        return HumanValue(found, shown.phone_link(found), "phone", label)
    return HumanValue(found or shown.readable(value.get("value")), label=label)


def _number(value: dict[str, Any], _account: _Account) -> HumanValue | None:
    found = value.get("value")
    return HumanValue(shown.decimal(text(found)), kind="number") if number(found) is not None else None


def _money(value: dict[str, Any], account: _Account) -> HumanValue | None:
    amount = number(value.get("value"))
    return None if amount is None else HumanValue(money(amount, account.currency), kind="money")


def _flag(value: dict[str, Any], _account: _Account) -> HumanValue:
    yes = value.get("value") in (True, 1, "1", "true", "True")
    return HumanValue("Sim" if yes else "Não", kind="flag")


def _date(value: dict[str, Any], account: _Account) -> HumanValue | None:
    found = shown.moment(value.get("value"), account.zone)
    return None if found is None else HumanValue(_day(found), kind="date")


def _date_time(value: dict[str, Any], account: _Account) -> HumanValue | None:
    found = shown.moment(value.get("value"), account.zone)
    return None if found is None else HumanValue(f"{_day(found)} {found.hour:02}:{found.minute:02}", kind="date")


def _day(found: datetime) -> str:
    """Not by strftime: systems differ on years before 1000, and a mistyped year is what people type."""
    return f"{found.day:02}/{found.month:02}/{found.year:04}"


def _address(values: list[dict[str, Any]]) -> list[HumanValue]:
    """The parts of one address on one line, in the order people write them."""
    places = {code: place for place, code in enumerate(_ADDRESS_ORDER)}
    ordered = sorted(values, key=lambda value: places.get(text(value.get("enum_code")), len(places)))
    parts = [shown.readable(value.get("value")).strip() for value in ordered]
    return _present([HumanValue(", ".join(part for part in parts if part), kind="address")])


def _legal_entity(value: dict[str, Any], _account: _Account) -> HumanValue | None:
    entity = mapping(value.get("value"))
    parts = [text(entity.get("name")), shown.tax_number(text(entity.get("vat_id")))]
    parts += [text(entity.get("address") or entity.get("real_address"))]
    joined = ", ".join(part for part in parts if part)
    return HumanValue(joined, kind="company") if joined else None


def _linked(value: dict[str, Any], _account: _Account) -> HumanValue | None:
    entity = mapping(value.get("value"))
    name = text(entity.get("name")) or (f"Item {entity['entity_id']}" if entity.get("entity_id") else "")
    return HumanValue(name) if name else None


def _chained(value: dict[str, Any], _account: _Account) -> HumanValue | None:
    """Kommo gives the ids only; the names are in its catalogues, which are not copied."""
    link = mapping(value.get("value"))
    item, catalogue = text(link.get("catalog_element_id")), text(link.get("catalog_id"))
    return HumanValue(f"Item {item} da lista {catalogue}") if item and catalogue else None


def _file(value: dict[str, Any], _account: _Account) -> HumanValue | None:
    file = mapping(value.get("value"))
    name, size = text(file.get("file_name")), number(file.get("file_size"))
    if not name:
        return None
    return HumanValue(f"{name} ({shown.size(size)})" if size else name, kind="file")


def _items(value: dict[str, Any], account: _Account) -> HumanValue | None:
    item = mapping(value.get("value"))
    name, price = text(item.get("description") or item.get("sku")), number(item.get("unit_price"))
    if not name:
        return None
    amount = " ".join(filter(None, (shown.decimal(text(item.get("quantity"))), text(item.get("unit_type")))))
    cost = money(price, account.currency) if price is not None else ""
    sold = " × ".join(filter(None, (amount, cost)))
    return HumanValue(f"{name}: {sold}" if sold else name, kind="items")


_MAKERS: dict[str, _Maker] = {
    **dict.fromkeys(
        ("text", "select", "multiselect", "radiobutton", "category", "tracking_data", "org_legal_name"), _plain
    ),
    **dict.fromkeys(("textarea", "streetaddress"), _long),
    **dict.fromkeys(("monetary", "price"), _money),
    **dict.fromkeys(("date", "birthday"), _date),
    **dict.fromkeys(("legal_entity", "payer", "supplier"), _legal_entity),
    "url": _url,
    "numeric": _number,
    "checkbox": _flag,
    "date_time": _date_time,
    "linked_entity": _linked,
    "chained_list": _chained,
    "file": _file,
    "items": _items,
}
