"""Records that look like nobody's dream, on purpose: every program that shows a CRM's data meets them some day."""

from __future__ import annotations

from typing import Any

from kommo.sandbox import records, seed_values
from kommo.sandbox.fields import stored_item
from kommo.sandbox.rows import Record, make_row
from kommo.sandbox.seed_deals import first_name
from kommo.sandbox.seed_setup import REMOVED_USER
from kommo.sandbox.state import State

NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "${7*7}",
    '=HYPERLINK("http://evil.example")',
    "+5511999990000",
    "-2+3",
    "@SUM(A1:A9)",
    "javascript:alert(1)",
    "</textarea><b>negrito</b>",
    "&#x3c;b&#x3e;",
    "Robert'); DROP TABLE Wallet;--",
    "Ana \u202eamiL ed\u202c Souza",
    "Zero\u200bLargura\u200d",
    "Zalgo Z\u0301\u0302\u0303a\u0304\u0305\u0306l",
    "Família 👨‍👩‍👧‍👦 Souza 🥐",
    "N" + "o" * 298 + "me",
    "Palavra " * 37,
    "   ",
    "",
    "João Silva",
    "Joao Silva",
    "JOÃO SILVA",
    "Tab\tQuebra\nLinha",
    "null",
    "0",
)

# No value at all, in three ways; `...` takes the key away.
_SHAPES: tuple[Any, ...] = (None, [], ...)


def add_ugly(state: State, contacts: list[int], leads: list[int]) -> None:
    """Add the ugly contacts and deals; links some of the given ones in unusual numbers."""
    made = [_contact(state, name) for name in NAMES]
    for place, shape in enumerate(_SHAPES):
        _set(state, "contacts", made[place], custom_fields_values=shape)
    _set(state, "contacts", made[3], closest_task_at=0, responsible_user_id=REMOVED_USER)
    _set(state, "contacts", made[4], responsible_user_id=REMOVED_USER, created_by=REMOVED_USER)
    _set(state, "contacts", made[5], is_unsorted=True)
    deals = [_deal(state, name) for name in NAMES]
    for place, shape in enumerate(_SHAPES):
        _set(state, "leads", deals[place], custom_fields_values=shape)
    _set(state, "leads", deals[3], closest_task_at=0, responsible_user_id=REMOVED_USER)
    # Lost more than twelve months ago, so that nobody's open value and no month that is shown starts with a million.
    long_ago = state.now() - 366 * seed_values.DAY
    _set(state, "leads", deals[4], price=1_234_567, price_with_minor_units=1_234_567.89, status_id=143,
         loss_reason_id=min(state.lists["loss_reasons"]), closed_at=long_ago,
         created_at=long_ago - 20 * 3600, updated_at=long_ago)  # fmt: skip
    _set(state, "leads", deals[5], status_id=99_999_999)
    _set(state, "leads", deals[6], price=0, price_with_minor_units=0, labor_cost=0, score=7)
    _unknown_type(state, deals[7])
    for contact in made[:12]:
        state.links.join(deals[8], contact, is_main=contact == made[0])
    for deal in [*deals[9:], *leads[:20]]:
        alone = not state.links.contacts_of.get(deal)
        state.links.join(deal, made[20], is_main=alone)
        if alone and deal in leads:
            order = state.tables["leads"].rows[deal].record()["name"].partition(" - ")[0]
            _set(state, "leads", deal, name=f"{order} - {first_name(state, made[20])}")
    for contact in contacts[:1]:
        state.links.join(deals[10], contact, is_main=False)


def _times(state: State) -> Record:
    at = state.now() - 3 * seed_values.DAY
    return {"created_at": at, "updated_at": at}


def _contact(state: State, name: str) -> int:
    record = records.blank(state, "contacts", state.take_id("contacts"), 0)
    phone, email = (seed_values.definitions(state, "contacts")[code] for code in ("PHONE", "EMAIL"))
    value: Any = {"value": name, "enum_id": phone["enums"][0]["id"], "enum_code": "WORK"}
    mail: Any = {"value": f"{name}@exemplo.example", "enum_id": email["enums"][0]["id"], "enum_code": "WORK"}
    record |= _times(state) | {"name": name, "custom_fields_values": [
        stored_item(phone, [value]), stored_item(email, [mail, mail]),
    ]}  # fmt: skip
    return _keep(state, "contacts", record)


def _deal(state: State, name: str) -> int:
    record = records.blank(state, "leads", state.take_id("leads"), 0)
    pipeline = state.lists["pipelines"][max(state.lists["pipelines"])]
    text = seed_values.definitions(state, "leads")["Referência"]
    record |= _times(state) | {
        "name": name, "pipeline_id": pipeline["id"], "status_id": pipeline["statuses"][1]["id"], "price": 10,
        "price_with_minor_units": 10, "custom_fields_values": [stored_item(text, [{"value": name}])],
    }  # fmt: skip
    return _keep(state, "leads", record)


def _unknown_type(state: State, deal: int) -> None:
    definition = seed_values.definitions(state, "leads")["Previsão"]
    value = {"value": {"score": 42, "why": ["<b>histórico</b>"]}, "enum_id": None}
    gone = {"field_id": 1, "field_name": "Campo apagado", "field_code": None, "field_type": "text", "values": []}
    _set(state, "leads", deal, custom_fields_values=[stored_item(definition, [value]), gone])


def _set(state: State, kind: str, record_id: int, **values: Any) -> None:
    record = state.tables[kind].rows[record_id].record()
    for key, value in values.items():
        if value is ...:
            del record[key]
        else:
            record[key] = value
    _keep(state, kind, record)


def _keep(state: State, kind: str, record: Record) -> int:
    row = make_row(record, unsorted=bool(record.get("is_unsorted")))
    state.tables[kind].put(row)
    return row.id
