"""The seed's companies and contacts."""

from __future__ import annotations

import random

from kommo.sandbox import records, seed_values
from kommo.sandbox import seed_words as words
from kommo.sandbox.rows import Record, make_row
from kommo.sandbox.seed_setup import REMOVED_USER
from kommo.sandbox.select import folded
from kommo.sandbox.state import State

YEAR = 365 * seed_values.DAY


def moments(rng: random.Random, number: int, now: int) -> list[int]:
    """Ascending times over the year before `now`, the later months fuller."""
    return sorted(now - int(YEAR * (1 - rng.random() ** 0.7)) - 60 for _ in range(number))


def updated_after(rng: random.Random, created: int, now: int) -> int:
    """A time between `created` and `now`, nearer to `created`; several records share one, as after an import."""
    at = created + int((now - created) * rng.random() ** 3)
    return at if rng.random() < 0.8 else max(created, at - at % 3600)


def sign(record: Record, rng: random.Random, state: State, created: int, now: int) -> None:
    """Times, people and tags of a seeded record."""
    admin = state.profile.admin_id
    record["created_at"], record["updated_at"] = created, updated_after(rng, created, now)
    record["created_by"] = 0 if rng.random() < 0.4 else admin + int(rng.random() * 7)
    record["updated_by"] = 0 if rng.random() < 0.3 else admin + int(rng.random() * 7)
    record["responsible_user_id"] = REMOVED_USER if rng.random() < 0.004 else admin + int(rng.random() * 8)
    record["group_id"] = records.group_of(state, record["responsible_user_id"])


def add_companies(state: State, rng: random.Random, number: int) -> list[int]:
    """Companies over the year. Gives their ids."""
    fields = seed_values.definitions(state, "companies")
    more = [fields[name] for name in ("Origem", "Segmento", "Dados fiscais", "Endereço", "Funcionários", "Ativa")]
    now, rows = state.now(), []
    for created in moments(rng, number, now):
        record = records.blank(state, "companies", state.take_id("companies"), 0)
        name = f"{rng.choice(words.SHOPS)} {rng.choice(words.SHOP_NAMES)} {rng.choice(words.ENDINGS)}"
        record["name"] = name.strip()
        sign(record, rng, state, created, now)
        values = [seed_values.texts(fields["PHONE"], rng, seed_values.phone(rng))]
        values += [seed_values.any_value(one, rng, now) for one in more if rng.random() < 0.45]
        record["custom_fields_values"] = values
        record["_embedded"]["tags"] = some_tags(state, "companies", rng)
        rows.append(make_row(record))
    state.tables["companies"].fill(rows)
    return [row.id for row in rows]


def some_tags(state: State, kind: str, rng: random.Random) -> list[Record]:
    """None to three tags as a record embeds them."""
    number = int(rng.random() ** 2 * 4)
    return rng.sample(list(state.lists[f"{kind}/tags"].values()), number) if number else []


def add_contacts(state: State, rng: random.Random, number: int, companies: list[int]) -> list[int]:
    """Contacts over the year, some of them with a company. Gives their ids."""
    fields = seed_values.definitions(state, "contacts")
    rare = [one for key, one in fields.items() if key not in ("PHONE", "EMAIL", "Origem")]
    now, rows = state.now(), []
    for created in moments(rng, number, now):
        record = records.blank(state, "contacts", state.take_id("contacts"), 0)
        _name(record, rng)
        sign(record, rng, state, created, now)
        record["custom_fields_values"] = _values(record, fields, rare, rng, now)
        record["_embedded"]["tags"] = some_tags(state, "contacts", rng)
        if companies and rng.random() < 0.3:
            company = companies[int(rng.random() * len(companies))]
            record["_embedded"]["companies"] = records.company_refs(state, company)
            state.links.employ("contacts", record["id"], company)
        rows.append(make_row(record))
    state.tables["contacts"].fill(rows)
    return [row.id for row in rows]


def _name(record: Record, rng: random.Random) -> None:
    first, last = rng.choice(words.FIRST_NAMES), rng.choice(words.SURNAMES)
    if rng.random() < 0.35:
        last = f"{rng.choice(words.SURNAMES)} {last}"
    elif rng.random() < 0.12:
        last = f"{rng.choice(words.PARTICLES)} {last}"
    record["name"] = f"{first} {last}"
    if rng.random() < 0.7:
        record["first_name"], record["last_name"] = first, last


def _values(
    record: Record, fields: seed_values.Definitions, rare: list[Record], rng: random.Random, now: int
) -> list[Record] | None:
    values = []
    if rng.random() < 0.93:
        phones = [seed_values.phone(rng) for _ in range(1 + (rng.random() < 0.15))]
        values.append(seed_values.texts(fields["PHONE"], rng, *phones))
    if rng.random() < 0.7:
        local = folded(record["name"]).replace(" ", ".")
        address = f"{local}{record['id'] % 1000}@{rng.choice(words.MAIL_HOSTS)}"
        values.append(seed_values.texts(fields["EMAIL"], rng, address))
    if rng.random() < 0.6:
        values.append(seed_values.any_value(fields["Origem"], rng, now))
    values += [seed_values.any_value(one, rng, now) for one in rng.sample(rare, int(rng.random() * 3))]
    return values or None
