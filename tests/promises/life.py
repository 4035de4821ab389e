"""What people do in an account, each as one function of the world and a number that chooses among its records."""

import random
import threading
from collections.abc import Callable

from kommo.sandbox import World

Deed = Callable[[World, int], object]


def _pick(world: World, kind: str, number: int, *, deleted: bool = False) -> int | None:
    ids = world.ids(kind, deleted=deleted)
    return ids[number % len(ids)] if ids else None


def _update(kind: str) -> Deed:
    def deed(world: World, number: int) -> None:
        if (key := _pick(world, kind, number)) is not None:
            world.update(kind, key, name=f"Mudou {number}")

    return deed


def _add(kind: str) -> Deed:
    return lambda world, number: world.add(kind, name=f"Novo {number}")


def _delete(kind: str) -> Deed:
    def deed(world: World, number: int) -> None:
        if (key := _pick(world, kind, number)) is not None:
            world.delete(kind, key)

    return deed


def _restore(kind: str) -> Deed:
    def deed(world: World, number: int) -> None:
        if (key := _pick(world, kind, number, deleted=True)) is not None:
            world.restore(kind, key)

    return deed


def _merge(kind: str) -> Deed:
    def deed(world: World, number: int) -> None:
        ids = world.ids(kind)
        if len(ids) > 1:
            world.merge(kind, ids[number % len(ids)], ids[(number // 7 + number + 1) % len(ids)])

    def safe(world: World, number: int) -> None:
        ids = world.ids(kind)
        if len(ids) > 1 and number % len(ids) != (number // 7 + number + 1) % len(ids):
            deed(world, number)

    return safe


def _pair(world: World, kind: str, other: str, number: int) -> tuple[int, int] | None:
    one, two = _pick(world, kind, number), _pick(world, other, number // 3)
    return None if one is None or two is None else (one, two)


def _link(kind: str, other: str) -> Deed:
    def deed(world: World, number: int) -> None:
        if (pair := _pair(world, kind, other, number)) is not None:
            world.link(kind, pair[0], other, pair[1], is_main=number % 2 == 0)

    return deed


def _unlink(world: World, number: int) -> None:
    linked = [key for key in world.ids("leads") if world.contacts_of(key)]
    if linked:
        deal = linked[number % len(linked)]
        contacts = world.contacts_of(deal)
        world.unlink("leads", deal, "contacts", contacts[number % len(contacts)])


def _tag(kind: str) -> Deed:
    def deed(world: World, number: int) -> None:
        if (key := _pick(world, kind, number)) is not None:
            world.update(kind, key, _embedded={"tags": [{"id": 900 + number % 9, "name": "campanha", "color": None}]})

    return deed


def _purge(kind: str) -> Deed:
    def deed(world: World, number: int) -> None:
        if (key := _pick(world, kind, number)) is not None:
            world.purge(kind, key)

    return deed


def _bulk(world: World, number: int) -> None:
    world.bulk_delete("contacts" if number % 2 else "leads", 5 + number % 40)


def _import(world: World, number: int) -> None:
    """Very many in the same second."""
    moment = int(world.state.clock())
    with world.changing():
        for key in world.ids("contacts")[: 100 + number % 300]:
            world.update("contacts", key, name=f"Importado {number}", updated_at=moment)


def _rename_stage(world: World, number: int) -> None:
    pipeline = min(world.state.lists["pipelines"])
    world.change_stage(pipeline, world.state.lists["pipelines"][pipeline]["statuses"][1]["id"], name=f"Etapa {number}")


def _rename_field(kind: str) -> Deed:
    def deed(world: World, number: int) -> None:
        fields = sorted(world.state.lists[f"{kind}/custom_fields"])
        world.change_item(f"{kind}/custom_fields", fields[number % len(fields)], name=f"Campo {number}")

    return deed


#: What Kommo reports: by a time of change, by an event, or by a count that is another one.
REPORTED: dict[str, Deed] = {
    **{f"update {kind}": _update(kind) for kind in ("contacts", "leads", "companies")},
    **{f"add {kind}": _add(kind) for kind in ("contacts", "leads")},
    **{f"delete {kind}": _delete(kind) for kind in ("contacts", "leads", "companies")},
    **{f"restore {kind}": _restore(kind) for kind in ("contacts", "leads", "companies")},
    **{f"merge {kind}": _merge(kind) for kind in ("contacts", "leads", "companies")},
    **{f"tag {kind}": _tag(kind) for kind in ("contacts", "leads")},
    "link deal": _link("leads", "contacts"),
    "link contact to company": _link("contacts", "companies"),
    "link deal to company": _link("leads", "companies"),
    "unlink deal": _unlink,
    "delete many": _bulk,
    "import": _import,
    "rename stage": _rename_stage,
    "purge contacts": _purge("contacts"),
    "purge leads": _purge("leads"),
}
#: What no record, event or count tells of at once.
UNTOLD: dict[str, Deed] = {
    "purge companies": _purge("companies"),
    "rename field of contacts": _rename_field("contacts"),
    "rename field of deals": _rename_field("leads"),
}


class Stir:
    """People at work while the account is read: at every request a few of the deeds, chosen by a seed."""

    def __init__(self, world: World, seed: int, *, at_most: int = 20, deeds: tuple[str, ...] = tuple(REPORTED)) -> None:
        self.world = world
        self.left = at_most
        self._deeds = deeds
        self._rng = random.Random(seed)
        self._lock = threading.Lock()

    def __call__(self, _method: str, _path: str, _query: str) -> None:
        with self._lock:
            if self.left <= 0 or self._rng.random() < 0.5:
                return
            self.left -= 1
            REPORTED[self._rng.choice(self._deeds)](self.world, self._rng.randrange(10**6))
