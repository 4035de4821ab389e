"""Fill a SQLite database with a large account, by the product's own writing: for measuring what reads it.

python -m bench.fill FILE [--contacts 100000] [--deals 50000] [--seed 7]
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine

from kommo.crm.records import contact_from, deal_from
from kommo.db import engine_options, prepare_engine, writing
from kommo.store import connections, schema, search
from kommo.store.connections import DEFAULT_OWNER, Account
from kommo.store.records import Incoming, Target, write_page
from kommo.store.tables import Company, Connection, KommoUser, LossReason, Pipeline, Stage, SyncRun, SyncStream
from kommo.store.tables.wallet import CONTACT, DEAL
from kommo.sync.rows import contact_row, deal_row
from kommo.vault import Vault

PAGE = 250
FIRST = (
    "Ana",
    "Antônio",
    "Bruna",
    "Carlos",
    "Débora",
    "Eduardo",
    "Fernanda",
    "Igor",
    "José",
    "Juliana",
    "João",
    "Lúcia",
)
KEY = bytes(32)  # seals the account's token, which is none
MIDDLE = ("Beatriz", "Luiz", "Maria", "Paulo", "Regina", "de Fátima", "Augusto", "Helena")
LAST = (
    "Souza",
    "Lima",
    "Carvalho",
    "d'Ávila",
    "Nunes",
    "Prates",
    "Reis",
    "Matos",
    "Acácio",
    "Paiva",
    "Conceição",
    "Araújo",
)
SHOPS = ("Padaria", "Café", "Clínica", "Empório", "Hotel", "Oficina", "Papelaria", "Mercado")
GOODS = ("contrato anual", "pedido de amostra", "reforma", "entrega semanal", "orçamento", "cesta de Natal")
USERS = tuple(range(7001, 7013))
PIPELINES = {4401: "Vendas", 4402: "Atacado", 4403: "Pós-venda"}
STAGES = ("Entrada", "Contato inicial", "Diagnóstico", "Proposta", "Negociação", "Fechamento")


def main() -> None:
    """Fill the file named on the command line and print how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--deals", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    began = time.perf_counter()
    fill(given.file, given.contacts, given.deals, given.seed).dispose()
    print(f"{given.contacts} contacts, {given.deals} deals in {time.perf_counter() - began:.1f} s: {given.file}")


def fill(file: Path, contacts: int, deals: int, seed: int = 7) -> Engine:
    """An engine on a new file with one account, its records, its search index and a proved run."""
    url = f"sqlite:///{file}"
    engine = create_engine(url, **engine_options(url))
    prepare_engine(engine)
    schema.upgrade(engine, file.parent / "backups")
    chance, now = random.Random(seed), int(time.time())
    connection = _account(engine)
    run = _run(engine, connection, contacts, deals, now)
    _store(engine, Target(connection.user_id, connection.id, CONTACT, run, "contacts"), contact_row, contact_from,
           (contact(number, chance, now) for number in range(1, contacts + 1)))  # fmt: skip
    _store(engine, Target(connection.user_id, connection.id, DEAL, run, "deals"), deal_row, deal_from,
           (deal(number, contacts, chance, now) for number in range(1, deals + 1)))  # fmt: skip
    search.catch_up(engine)
    return engine


def contact(number: int, chance: random.Random, now: int) -> dict[str, Any]:
    """A contact as Kommo gives it: half of them have an e-mail, most a phone."""
    name = f"{chance.choice(FIRST)} {chance.choice(MIDDLE)} {chance.choice(LAST)} {number}"
    phone = f"+55 {chance.randint(11, 99)} 9{chance.randint(1000, 9999)}-{chance.randint(1000, 9999)}"
    fields = [_multitext(9001, "Telefone", "PHONE", phone)] if chance.random() < 0.9 else []
    if chance.random() < 0.5:
        fields.append(_multitext(9002, "E-mail", "EMAIL", f"pessoa{number}@exemplo.com.br"))
    return _record(number, name, fields, chance, now) | {"first_name": "", "last_name": "", "is_unsorted": False}


def deal(number: int, contacts: int, chance: random.Random, now: int) -> dict[str, Any]:
    """A deal as Kommo gives it: half of them closed within the last two years, one to three contacts each."""
    name = f"{chance.choice(SHOPS)} {chance.choice(LAST)} {number}: {chance.choice(GOODS)}"
    pipeline, drawn = chance.choice(list(PIPELINES)), chance.random()
    stage = 142 if drawn < 0.3 else 143 if drawn < 0.5 else pipeline * 100 + chance.randrange(len(STAGES))
    made = _record(number, name, [], chance, now)
    linked = chance.sample(range(1, contacts + 1), chance.randint(1, 3)) if contacts >= 3 else []
    made["_embedded"]["contacts"] = [{"id": each, "is_main": place == 0} for place, each in enumerate(linked)]
    return made | {
        "price": chance.randint(1, 400) * 50,
        "pipeline_id": pipeline,
        "status_id": stage,
        "closed_at": now - chance.randint(0, 730 * 86_400) if stage in (142, 143) else None,
        "loss_reason_id": chance.choice((81, 82, 83)) if stage == 143 else None,
    }


def _record(number: int, name: str, fields: list[dict[str, Any]], chance: random.Random, now: int) -> dict[str, Any]:
    created = now - chance.randint(0, 900 * 86_400)
    origin = chance.choice(("Instagram", "Indicação", "Site", "Google"))
    return {
        "id": number,
        "name": name,
        "responsible_user_id": chance.choice(USERS),
        "group_id": 0,
        "created_by": chance.choice(USERS),
        "updated_by": 0,
        "created_at": created,
        "updated_at": chance.randint(created, now),
        "closest_task_at": None,
        "is_deleted": False,
        "custom_fields_values": [
            *fields,
            {"field_id": 9100, "field_name": "Origem", "field_code": None, "field_type": "select",
             "values": [{"value": origin, "enum_id": 88100, "enum_code": None}]},
            {"field_id": 9101, "field_name": "Observação", "field_code": None, "field_type": "textarea",
             "values": [{"value": " ".join(chance.choices(LAST + GOODS, k=12))}]},
        ],
        "account_id": 30001000,
        "_embedded": {
            "tags": [{"id": 31, "name": "vip", "color": None}] if chance.random() < 0.2 else [],
            "companies": [{"id": chance.randint(1, 500)}] if chance.random() < 0.3 else [],
        },
    }  # fmt: skip


def _multitext(key: int, name: str, code: str, text: str) -> dict[str, Any]:
    values = [{"value": text, "enum_id": 88001, "enum_code": "WORK"}]
    return {"field_id": key, "field_name": name, "field_code": code, "field_type": "multitext", "values": values}


def _store(
    engine: Engine,
    target: Target,
    to_row: Callable[[Any], Incoming],
    to_record: Callable[[Any], Any],
    records: Iterator[dict[str, Any]],
) -> None:
    version = 0
    while page := list(islice(records, PAGE)):
        version += 1
        with writing(engine) as session:
            write_page(session, target, [to_row(to_record(record)) for record in page], version)


def _account(engine: Engine) -> Connection:
    account = Account(30001000, "https://api-c.kommo.com", "eyJ0…hi9Q", ("crm",), None, None, name="Padaria Estrela")
    with writing(engine) as session:
        connection = connections.save(session, Vault(KEY), DEFAULT_OWNER, account, "no token at all")
        of = {"connection_id": connection.id}
        session.add_all(KommoUser(id=key, name=f"{FIRST[key - 7001]} Nogueira", **of) for key in USERS)
        session.add_all(LossReason(id=key, name=f"Motivo {key}", **of) for key in (81, 82, 83))
        session.add_all(Company(id=key, name=f"Empresa {key} Ltda", **of) for key in range(1, 501))
        for sort, (key, name) in enumerate(PIPELINES.items()):
            session.add(Pipeline(id=key, name=name, sort=sort, is_main=sort == 0, **of))
            stages = [(key * 100 + place, word) for place, word in enumerate(STAGES)] + [
                (142, "Ganha"),
                (143, "Perdida"),
            ]
            session.add_all(Stage(pipeline_id=key, id=id_, name=word, sort=id_, **of) for id_, word in stages)
    return connection


def _run(engine: Engine, connection: Connection, contacts: int, deals: int, now: int) -> int:
    with writing(engine) as session:
        run = SyncRun(connection_id=connection.id, trigger="bench", state="done", phase="over", requested_at=now - 600,
                      started_at=now - 600, finished_at=now - 60)  # fmt: skip
        session.add(run)
        session.flush()
        for stream, number in (("contacts", contacts), ("deals", deals)):
            session.add(SyncStream(run_id=run.id, stream=stream, state="done", remote_count=number, local_count=number))
        return run.id


if __name__ == "__main__":
    main()
