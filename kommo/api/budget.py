"""/api/kommo/budget: how many requests go to Kommo, who used them, and how fast they may go at this moment."""

from typing import Any

from flask import Response

from kommo.api.accounts import held, services
from kommo.api.answers import iso, write
from kommo.api.asked import Call, read
from kommo.connect.access import inline
from kommo.connect.client import DEMO, budget_for
from kommo.connect.support import blocked
from kommo.db import reading
from kommo.store import use
from kommo.store.budget import INSTALLATION
from kommo.store.pace import Slots
from kommo.store.use import Used

OBTAINED = "Uso do limite de requisições obtido"
_SCOPES = {INSTALLATION: "installation", DEMO: "demo"}


def status() -> Response:
    """The budget of the call's account: that of the installation, unless each account has its own. Asks nobody."""
    call = read(Call)
    with reading(services().engine) as session:
        connection = held(session, call)
        account_id = connection.account_id if connection else _claimed(call)
        rows = budget_for(services(), account_id, is_demo=connection is not None and connection.is_demo).rows
        slots = rows.slots()
        used = use.used(session, rows.scope, slots.now)
    block = blocked(slots, account_id, connection)
    found = _state(slots) | {
        "scope": _SCOPES.get(rows.scope, "account"),
        "accountId": account_id,
        "blockedUntil": iso(block.until) if block else None,
        "supportText": block.text if block else None,
        "used": {name: _used(part) for name, part in (("minute", used.minute), ("hour", used.hour), ("day", used.day))},
        "minutes": [{"at": iso(minute.at)} | _used(minute.used) for minute in used.minutes],
    }
    return write({"success": True, "message": OBTAINED, "data": found})


def _claimed(call: Call) -> int | None:
    """The account that a token in the call names; a list read with it counts for that account, connected or not."""
    return inline(call.jwt_token, services().settings).account_id if call.jwt_token is not None else None


def _state(slots: Slots) -> dict[str, Any]:
    full = slots.full_at is None and not slots.paused_until
    return {
        "state": "blocked" if slots.stopped_until else "full" if full else "slowed",
        "limit": slots.limit or None,
        "speed": round(slots.speed, 2) or None,
        "pausedUntil": iso(slots.paused_until or None),
        "fullSpeedAt": iso(slots.full_at),
    }


def _used(part: Used) -> dict[str, int]:
    return {"sync": part.sync, "page": part.page, "api": part.api, "total": part.total, "refused": part.refused}
