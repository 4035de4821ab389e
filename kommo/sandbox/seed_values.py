"""Plausible values of custom fields, in the shape in which Kommo sends each type."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from kommo.sandbox import seed_words as words
from kommo.sandbox.fields import stored_item
from kommo.sandbox.rows import Record
from kommo.sandbox.state import State

DAY = 86400
Definitions = dict[str, Record]


def definitions(state: State, kind: str) -> Definitions:
    """The custom field definitions of `kind` by code or name."""
    return {item["code"] or item["name"]: item for item in state.lists[f"{kind}/custom_fields"].values()}


def option(enum: Record) -> Record:
    """The value of a choice field for one of its options."""
    return {"value": enum["value"], "enum_id": enum["id"], "enum_code": enum["code"]}


def phone(rng: random.Random) -> str:
    """A phone number as people type it: seven habits."""
    area = rng.choice(words.CITIES)[2]
    first, last = f"9{rng.randrange(10000):04d}", f"{rng.randrange(10000):04d}"
    return rng.choice((
        f"+55 {area} {first}-{last}", f"({area}) {first}-{last}", f"{area} {first} {last}", f"55{area}{first}{last}",
        f"0{area} 3{first[2:]}-{last}", f"+55{area}{first}{last}", f"{area}{first}{last}",
    ))  # fmt: skip


def texts(definition: Record, rng: random.Random, *found: str) -> Record:
    """PHONE or EMAIL with these values, each of some kind."""
    enums = definition["enums"]
    return stored_item(
        definition,
        [{"value": one, "enum_id": enum["id"], "enum_code": enum["code"]}
         for one in found for enum in (enums[int(rng.random() * 3)],)],
    )  # fmt: skip


def _cnpj(rng: random.Random) -> str:
    number = f"{rng.randrange(10**8):08d}"
    return f"{number[:2]}.{number[2:5]}.{number[5:]}/0001-{rng.randrange(100):02d}"


def _legal(rng: random.Random) -> Any:
    name = f"{rng.choice(words.SHOPS)} {rng.choice(words.SHOP_NAMES)} {rng.choice(words.ENDINGS)}".strip()
    return {"name": name, "entity_type": 2, "vat_id": _cnpj(rng), "tax_registration_reason_code": None, "address": ""}


def _address(definition: Record, rng: random.Random) -> list[Any]:
    city, region, _ = rng.choice(words.CITIES)
    street = f"{rng.choice(words.STREETS)}, {rng.randrange(1, 2000)}"
    postcode = f"{rng.randrange(100000):05d}-{rng.randrange(1000):03d}"
    parts = {"address_line_1": street, "city": city, "state": region, "zip": postcode, "country": "BR"}
    return [
        {"value": parts[enum["code"]], "enum_id": place, "enum_code": enum["code"]}
        for place, enum in enumerate(definition["enums"], 1)
        if enum["code"] in parts
    ]


def _file(rng: random.Random) -> Any:
    return {
        "file_uuid": f"{rng.getrandbits(32):08x}-0000-4000-8000-{rng.getrandbits(48):012x}",
        "version_uuid": f"{rng.getrandbits(32):08x}-0000-4000-8000-{rng.getrandbits(48):012x}",
        "file_name": rng.choice(("orçamento.pdf", "contrato assinado.pdf", "foto do bolo.jpg", "cardápio.png")),
        "file_size": rng.randrange(10_000, 4_000_000),
    }


def _choice(definition: Record, rng: random.Random, _now: int) -> list[Any]:
    return [option(rng.choice(definition["enums"]))]


def _choices(definition: Record, rng: random.Random, _now: int) -> list[Any]:
    return [option(enum) for enum in rng.sample(definition["enums"], rng.randrange(1, 4))]


def _plain(make: Callable[[random.Random, int], Any]) -> Callable[[Record, random.Random, int], list[Any]]:
    return lambda _definition, rng, now: [{"value": make(rng, now)}]


_MAKERS: dict[str, Callable[[Record, random.Random, int], list[Any]]] = {
    "select": _choice,
    "radiobutton": _choice,
    "multiselect": _choices,
    "checkbox": _plain(lambda rng, _now: rng.random() < 0.7),
    "numeric": _plain(lambda rng, _now: rng.choice((str(rng.randrange(1, 500)), f"{rng.randrange(1, 90)}.5"))),
    "monetary": _plain(lambda rng, _now: f"{rng.randrange(50, 9000)}.{rng.choice(('00', '50', '90'))}"),
    "date": _plain(lambda rng, now: (now // DAY - rng.randrange(-60, 300)) * DAY + 3 * 3600),
    "date_time": _plain(lambda rng, now: now - rng.randrange(-30 * DAY, 200 * DAY)),
    "birthday": _plain(lambda rng, _now: rng.randrange(-800, 12500) * DAY + 3 * 3600),
    "url": _plain(lambda rng, _now: f"https://www.{rng.choice(words.MAIL_HOSTS)}/{rng.randrange(10**6)}"),
    "text": _plain(lambda rng, _now: rng.choice(words.JOBS)),
    "textarea": _plain(lambda rng, _now: f"{rng.choice(words.NOTES)}\n{rng.choice(words.NOTES)}"),
    "streetaddress": _plain(lambda rng, _now: f"{rng.choice(words.STREETS)}, {rng.randrange(1, 2000)}"),
    "smart_address": lambda definition, rng, _now: _address(definition, rng),
    "legal_entity": _plain(lambda rng, _now: _legal(rng)),
    "file": _plain(lambda rng, _now: _file(rng)),
    "chained_list": lambda _definition, rng, _now: [{"catalog_id": 1001, "catalog_element_id": rng.randrange(1, 60)}],
    "tracking_data": _plain(lambda rng, _now: rng.choice(("instagram", "google", "newsletter", "cpc", "natal"))),
    "ai_forecast": _plain(lambda rng, _now: {"score": rng.randrange(100), "why": ["histórico", "valor"]}),
}


def any_value(definition: Record, rng: random.Random, now: int) -> Record:
    """A custom field filled with a plausible value."""
    return stored_item(definition, _MAKERS[definition["type"]](definition, rng, now))
