"""Helpers of the sync's tests: connect an account, run to the end, and compare copy and account value by value."""

import json
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from kommo.connect import flow
from kommo.connect.access import Access
from kommo.connect.client import open_client
from kommo.crm.token import read_token
from kommo.db import reading
from kommo.sandbox import Server, World
from kommo.services import Services
from kommo.store import progress
from kommo.store.progress import RunView
from kommo.store.tables import DealContact, Wallet
from kommo.sync import control, engine

__all__ = ["Access", "connect", "copy_of", "difference", "open_client", "run", "run_view"]
KINDS = {"contact": "contacts", "deal": "leads"}


def connect(services: Services, server: Server, owner: str = "1", *, full: bool = False) -> int:
    """Connect the sandbox's account for an owner; gives the connection's number."""
    access = Access(server.token, read_token(server.token), server.address)
    outcome = flow.keep(services, owner, access, flow.test(services, access, full=full))
    assert outcome.connection_id is not None, outcome.report.error
    return outcome.connection_id


def run(services: Services, connection_id: int, *, stopping: threading.Event | None = None) -> RunView:
    """One run from start to its end, or to where it pauses; gives what a person would see of it."""
    run_id = control.start(services, connection_id, "shell")
    assert engine.run_one(services, run_id, "test", stopping or threading.Event())
    return run_view(services, connection_id, run_id)


def run_view(services: Services, connection_id: int, run_id: int | None = None) -> RunView:
    """What a person sees of a run."""
    with reading(services.engine) as session:
        view = progress.run_view(session, connection_id, run_id)
    assert view is not None
    return view


def copy_of(services: Services, connection_id: int, kind: str) -> dict[int, dict[str, Any]]:
    """The live records held, by Kommo's id."""
    with reading(services.engine) as session:
        statement = select(Wallet.remote_id, Wallet.record).where(
            Wallet.connection_id == connection_id, Wallet.kind == kind, Wallet.deleted_at.is_(None)
        )
        return {row.remote_id: row.record for row in session.execute(statement)}


def difference(services: Services, connection_id: int, world: World) -> list[str]:
    """Every way in which copy and account differ: missing, ghost, other values, other links. Empty when exact."""
    found = []
    for kind, plural in KINDS.items():
        held, there = copy_of(services, connection_id, kind), set(listed(world, plural))
        found += [f"{kind} {key} missing" for key in sorted(there - set(held))]
        found += [f"{kind} {key} ghost" for key in sorted(set(held) - there)]
        for key in sorted(there & set(held)):
            found += _compare(kind, key, held[key], world)
    with reading(services.engine) as session:
        links: dict[int, list[int]] = {}
        statement = select(DealContact).where(DealContact.connection_id == connection_id).order_by(DealContact.position)
        for link in session.scalars(statement):
            links.setdefault(link.deal_id, []).append(link.contact_id)
    living = set(world.ids("contacts"))  # Kommo shows a deal's living contacts only
    for key in listed(world, "leads"):
        there_now = [contact for contact in world.contacts_of(key) if contact in living]
        if sorted(links.get(key, [])) != sorted(there_now):
            found.append(f"deal {key} links {links.get(key)} instead of {there_now}")
    return found


def listed(world: World, kind: str) -> list[int]:
    """Ids of the records that Kommo's list gives: not those of incoming requests, where they are left out."""
    with world.lock:
        rows = list(world.state.tables[kind])
    return sorted(row.id for row in rows if not row.deleted and (world.switches.list_unsorted or not row.unsorted))


def _compare(kind: str, key: int, held: dict[str, Any], world: World) -> list[str]:
    there = json.loads(json.dumps(world.record(KINDS[kind], key)))
    return [
        f"{kind} {key} {name}: {held.get(name)!r} instead of {value!r}"
        for name, value in there.items()
        if name in held and not name.startswith("_") and (held[name] or None) != (value or None)
    ]


Churn = Callable[[str, str, str], None]
