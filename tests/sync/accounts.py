"""Helpers of the sync's tests: connect an account, run to the end, and compare copy and account value by value."""

import json
import threading
from typing import Any

from sqlalchemy import select

from kommo.connect import flow
from kommo.connect.access import Access
from kommo.connect.client import open_client
from kommo.crm import json as kommo_json
from kommo.crm.pages import record_from
from kommo.crm.token import read_token
from kommo.db import reading
from kommo.sandbox import Server, World
from kommo.sandbox import lists as sandbox_lists
from kommo.services import Services
from kommo.store import progress
from kommo.store.progress import RunView
from kommo.store.records import Incoming
from kommo.store.tables import DealContact, Wallet
from kommo.sync import control, engine, streams
from kommo.sync.counting import PAGE

__all__ = ["Access", "at_once", "connect", "copy_of", "difference", "open_client", "run", "run_view"]


def connect(services: Services, server: Server, owner: str = "1", *, full: bool = False) -> int:
    """Connect the sandbox's account for an owner; gives the connection's number."""
    access = Access(server.token, read_token(server.token), server.address)
    outcome = flow.keep(services, owner, access, flow.test(services, access, full=full))
    assert outcome.connection_id is not None, outcome.report.error
    return outcome.connection_id


def run(
    services: Services, connection_id: int, *, stopping: threading.Event | None = None, sweep: bool = False
) -> RunView:
    """One run from start to its end, or to where it pauses; gives what a person would see of it.

    `sweep` reads everything; otherwise only a first run does.
    """
    run_id = control.start(services, connection_id, "shell", sweep=sweep)
    assert engine.run_one(services, run_id, "test", stopping or threading.Event())
    return run_view(services, connection_id, run_id)


def run_view(services: Services, connection_id: int, run_id: int | None = None) -> RunView:
    """What a person sees of a run."""
    with reading(services.engine) as session:
        view = progress.run_view(session, connection_id, run_id)
    assert view is not None
    return view


def at_once(view: RunView) -> bool:
    """Whether the first comparison of every stream came out right: nothing was left for the proof to find and mend.

    One costs a request for the last page and one for another page, where there is one.
    """
    return all(one.proof_requests <= (2 if (one.remote_count or 0) > PAGE else 1) for one in view.streams)


def copy_of(services: Services, connection_id: int, kind: str) -> dict[int, dict[str, Any]]:
    """The live records held, by Kommo's id."""
    with reading(services.engine) as session:
        statement = select(Wallet.remote_id, Wallet.record).where(
            Wallet.connection_id == connection_id, Wallet.kind == kind, Wallet.deleted_at.is_(None)
        )
        return {row.remote_id: row.record for row in session.execute(statement)}


def difference(services: Services, connection_id: int, world: World) -> list[str]:
    """Every way in which copy and account differ: missing, ghost, content, columns, links. Empty when exact."""
    found = []
    for spec in streams.ALL:
        there, held = listed(world, spec), rows_of(services, connection_id, spec.kind)
        found += [f"{spec.name} {key} missing" for key in sorted(set(there) - set(held))]
        found += [f"{spec.name} {key} ghost" for key in sorted(set(held) - set(there))]
        for key in sorted(set(there) & set(held)):
            found += [f"{spec.name} {key} {text}" for text in _compare(there[key], held[key])]
    links = links_of(services, connection_id)
    for key, deal in listed(world, streams.DEALS).items():
        if links.get(key, []) != deal.links:
            found.append(f"deal {key} links {links.get(key)} instead of {deal.links}")
    return found


def listed(world: World, spec: streams.StreamSpec) -> dict[int, Incoming]:
    """What Kommo's list gives, by id, as the store would hold it: not incoming requests, where they are left out."""
    kind = spec.remote.key
    with world.lock:
        rows = [row for row in world.state.tables[kind] if not row.deleted]
        rows = [row for row in rows if world.switches.list_unsorted or not row.unsorted]
        parts = sandbox_lists.render(world.state, kind, rows, {spec.remote.expand} - {""})
    raw = kommo_json.loads(b"[" + b"".join(parts)[1:] + b"]")
    return {one["id"]: spec.to_row(record_from(spec.remote, one)) for one in raw}


def rows_of(services: Services, connection_id: int, kind: str) -> dict[int, Any]:
    """The live rows held, all their columns, by Kommo's id."""
    table = Wallet.__table__
    statement = select(table).where(
        table.c.connection_id == connection_id, table.c.kind == kind, table.c.deleted_at.is_(None)
    )
    with reading(services.engine) as session:
        return {row.remote_id: row._mapping for row in session.execute(statement)}


def links_of(services: Services, connection_id: int) -> dict[int, list[tuple[int, bool]]]:
    """The contacts of every deal, in Kommo's order, and which is the main one."""
    found: dict[int, list[tuple[int, bool]]] = {}
    statement = select(DealContact).where(DealContact.connection_id == connection_id).order_by(DealContact.position)
    with reading(services.engine) as session:
        for link in session.scalars(statement):
            found.setdefault(link.deal_id, []).append((link.contact_id, link.is_main))
    return found


def _compare(there: Incoming, held: Any) -> list[str]:
    if there.content_hash != held["content_hash"]:
        record = json.loads(there.values["metadata"])
        keys = [key for key in {**record, **held["metadata"]} if record.get(key) != held["metadata"].get(key)]
        return [f"{key}: {held['metadata'].get(key)!r} instead of {record.get(key)!r}" for key in keys] or ["hash"]
    return [
        f"column {name}: {held[name]!r} instead of {value!r}"
        for name, value in there.values.items()
        if name != "metadata" and held[name] != value
    ]
