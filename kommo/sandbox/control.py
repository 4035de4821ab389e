"""`POST /_control/<verb>`: what a World does in its own process, for tests that run the sandbox in another one."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

import orjson

from kommo.sandbox.answers import Answer, not_found
from kommo.sandbox.clock import MovableClock
from kommo.sandbox.requests import Request
from kommo.sandbox.world import World

Arguments = dict[str, Any]
HEADER = "HTTP_X_CONTROL_KEY"


def _counters(world: World, _arguments: Arguments) -> Any:
    return {
        "requests": world.requests,
        "max_in_one_second": world.max_in_one_second,
        "rejected_429": world.rejected_429,
        "blocked": world.gate.blocked,
        "counts": {kind: world.count(kind) for kind in ("contacts", "leads", "companies")},
    }


def _log(world: World, _arguments: Arguments) -> Any:
    return [
        {"at": one.at, "method": one.method, "path": one.path, "query": one.query, "status": one.status}
        for one in world.log
    ]


def _fail(world: World, arguments: Arguments) -> Any:
    world.fail(**arguments)


def _clock(world: World, arguments: Arguments) -> Any:
    clock = world.state.clock
    if not isinstance(clock, MovableClock):
        raise TypeError("this world's clock cannot be moved")
    clock.advance(float(arguments.get("advance", 0)))
    return clock()


def _rate(world: World, arguments: Arguments) -> Any:
    world.gate.rate = int(arguments["rate"])


def _plain(call: Callable[..., Any]) -> Callable[[World, Arguments], Any]:
    """A verb whose arguments are the method's: `kind`, `ids` and the like become positional ones."""

    def run(world: World, arguments: Arguments) -> Any:
        named = dict(arguments)
        places = [named.pop(key) for key in _PLACES if key in named]
        return call(world, *places, *named.pop("ids", ()), **named.pop("values", {}), **named)

    return run


_PLACES = ("kind", "what", "pipeline", "stage", "id", "to_kind", "to_id", "name", "number", "winner", "loser")
VERBS: dict[str, Callable[[World, Arguments], Any]] = {
    "add": _plain(World.add),
    "change": _plain(World.update),
    "delete": _plain(World.delete),
    "restore": _plain(World.restore),
    "purge": _plain(World.purge),
    "bulk_delete": _plain(World.bulk_delete),
    "merge": _plain(World.merge),
    "link": _plain(World.link),
    "unlink": _plain(World.unlink),
    "add_item": _plain(World.add_item),
    "change_item": _plain(World.change_item),
    "remove_item": _plain(World.remove_item),
    "add_stage": _plain(World.add_stage),
    "change_stage": _plain(World.change_stage),
    "remove_stage": _plain(World.remove_stage),
    "record": _plain(World.record),
    "ids": _plain(World.ids),
    "token": _plain(World.token),
    "switches": _plain(World.turn),
    "fail": _fail,
    "heal": _plain(World.heal),
    "block": _plain(World.block),
    "unblock": _plain(World.unblock),
    "rate": _rate,
    "clock": _clock,
    "counters": _counters,
    "log": _log,
    "reset": _plain(World.reset),
}


def answer(world: World, request: Request, key: str) -> Answer:
    """Carry out a verb; `{"result": …}`, or 400 with `{"error": …}`. Without the right key there is nothing here."""
    sent = request.headers.get(HEADER, "")
    verb = VERBS.get(request.path.removeprefix("/_control/"))
    if not key or not hmac.compare_digest(sent.encode(), key.encode()) or verb is None or request.method != "POST":
        return not_found()
    try:
        arguments = orjson.loads(request.body or b"{}")
        result = verb(world, arguments)
    except (ValueError, KeyError, TypeError) as error:
        return Answer(400, orjson.dumps({"error": f"{type(error).__name__}: {error}"}), "application/json")
    return Answer(200, orjson.dumps({"result": result}), "application/json")
