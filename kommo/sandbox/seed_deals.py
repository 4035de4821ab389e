"""The seed's deals: a year of orders through the pipelines, and how each got where it stands."""

from __future__ import annotations

import random
from bisect import bisect
from datetime import UTC, datetime, timedelta, timezone

from kommo.sandbox import records, seed_values
from kommo.sandbox import seed_words as words
from kommo.sandbox.records import LOST, WON
from kommo.sandbox.rows import Record, make_row
from kommo.sandbox.seed_people import moments, sign, some_tags
from kommo.sandbox.state import State

_BRASILIA = timezone(timedelta(hours=-3))
# Of all deals, what falls to the first pipeline, and to the first two.
_SHARES = (0.55, 0.8)


def add_deals(state: State, rng: random.Random, number: int, contacts: list[int]) -> list[int]:
    """Deals over the year with their contacts. Gives their ids."""
    fields = seed_values.definitions(state, "leads")
    common = [fields[name] for name in ("Origem", "Data de entrega", "Tipo de pedido", "UTM_SOURCE")]
    rare = [one for one in fields.values() if one not in common and one["type"] != "ai_forecast"]
    pipelines = [(item, [one for one in item["statuses"] if not one["type"] and one["id"] not in (WON, LOST)])
                 for item in state.lists["pipelines"].values()]  # fmt: skip
    now, rows = state.now(), []
    times = moments(rng, number, now)
    fresh = max(number // 40, 3)
    for place, created in enumerate(times):
        record = records.blank(state, "leads", state.take_id("leads"), 0)
        sign(record, rng, state, created, now)
        item, stages = pipelines[bisect(_SHARES, rng.random())]
        record["pipeline_id"], record["status_id"] = item["id"], rng.choice(stages)["id"]
        _price(record, rng)
        order, somebody = rng.choice(words.ORDERS), rng.choice(words.FIRST_NAMES)
        if number - place <= fresh:
            record["status_id"] = item["statuses"][0]["id"] if rng.random() < 0.1 else record["status_id"]
        else:
            _close(state, record, rng, now)
        values = [seed_values.any_value(one, rng, now) for one in common if rng.random() < 0.5]
        values += [seed_values.any_value(one, rng, now) for one in rng.sample(rare, int(rng.random() * 2.5))]
        record["custom_fields_values"] = values or None
        record["_embedded"]["tags"] = some_tags(state, "leads", rng)
        customer = _people(state, record, rng, contacts)
        record["name"] = f"{order} - {somebody if customer is None else first_name(state, customer)}"
        rows.append(make_row(record, unsorted=record["status_id"] == item["statuses"][0]["id"]))
    state.tables["leads"].fill(rows)
    return [row.id for row in rows]


def _price(record: Record, rng: random.Random) -> None:
    price = int(rng.lognormvariate(6.2, 0.9)) if rng.random() < 0.92 else 0
    record["price"] = price
    record["price_with_minor_units"] = price + rng.choice((0.5, 0.9, 0.35)) if rng.random() < 0.15 else price


def _close(state: State, record: Record, rng: random.Random, now: int) -> None:
    lag = int(rng.expovariate(1 / (18 * seed_values.DAY))) + 1800
    if rng.random() < 0.3 or record["created_at"] + lag >= now:
        return
    _end(state, record, rng, record["created_at"] + lag, won=rng.random() < 0.62)


def _end(state: State, record: Record, rng: random.Random, at: int, *, won: bool) -> None:
    record["status_id"] = WON if won else LOST
    record["closed_at"] = at
    record["updated_at"] = max(record["updated_at"], at)
    record["loss_reason_id"] = None if won else rng.choice(list(state.lists["loss_reasons"]))
    if won and not record["price"]:
        record["price"] = record["price_with_minor_units"] = 180


def first_name(state: State, contact: int) -> str:
    """What people call a seeded contact, as deals are named after them."""
    return str(state.tables["contacts"].rows[contact].record()["name"]).partition(" ")[0]


def _people(state: State, record: Record, rng: random.Random, contacts: list[int]) -> int | None:
    """Link a deal with its people and their company. Gives the main contact."""
    if not contacts or rng.random() < 0.03:
        return None
    chosen = {contacts[int(rng.random() * len(contacts))] for _ in range(2 if rng.random() < 0.1 else 1)}
    for place, contact in enumerate(sorted(chosen)):
        state.links.join(record["id"], contact, is_main=not place)
    company = state.links.company_of.get(("contacts", min(chosen)))
    if company is not None:
        record["_embedded"]["companies"] = records.company_refs(state, company)
        state.links.employ("leads", record["id"], company)
    return min(chosen)


def close_some_this_month(state: State, rng: random.Random, ids: list[int]) -> None:
    """See to it that the running month has deals won and lost, however young it is."""
    now = state.now()
    today = datetime.fromtimestamp(now, UTC).astimezone(_BRASILIA)
    start = int(today.replace(day=1, hour=0, minute=0, second=0).timestamp())
    table = state.tables["leads"]
    still_open = [one for one in ids if table.rows[one].created_at < now - 3600 and _is_open(table.rows[one].record())]
    for place, one in enumerate(still_open[-40::2]):
        record = table.rows[one].record()
        earliest = max(start, record["created_at"] + 60)
        if earliest < now - 60:
            _end(state, record, rng, rng.randrange(earliest, now - 30), won=place % 3 != 2)
            table.put(make_row(record))


def _is_open(record: Record) -> bool:
    return record["status_id"] not in (WON, LOST)
