"""A busy account: people work in it while it is read, a little at every page, the same for the same seed."""

import random
import threading

from kommo.sandbox import World

LISTS = {"/api/v4/contacts": "contacts", "/api/v4/leads": "leads"}


class Churn:
    """At each page of a list that is asked for: so many updates, deletions, insertions and restorations in it."""

    def __init__(
        self, world: World, seed: int, *, updates: int = 10, deletes: int = 3, inserts: int = 2, restores: int = 0
    ) -> None:
        self.world = world
        self.rng = random.Random(seed)
        self.updates, self.deletes, self.inserts, self.restores = updates, deletes, inserts, restores
        self.pages = 0
        self.touched: set[tuple[str, int]] = set()  # (kind, id), their links' other ends too
        self._lock = threading.Lock()

    def __enter__(self) -> "Churn":
        self.world.before_request = self
        return self

    def __exit__(self, *_exc: object) -> None:
        self.world.before_request = None

    def __call__(self, _method: str, path: str, query: str) -> None:
        kind = LISTS.get(path)
        if kind is None or "page=" not in query or "filter" in query:
            return
        with self._lock, self.world.changing():
            self.pages += 1
            self._stir(kind)

    def _stir(self, kind: str) -> None:
        live = self.world.ids(kind)
        for key in self.rng.sample(live, min(self.updates, len(live))):
            self.world.update(kind, key, name=f"Mudou {self.rng.randrange(10**6)}")
            self._touch(kind, key)
        for key in self.rng.sample(live, min(self.deletes, len(live))):
            self._touch(kind, key)
            self.world.delete(kind, key)
        for _ in range(self.inserts):
            self._touch(kind, self.world.add(kind, name=f"Novo {self.rng.randrange(10**6)}"))
        trash = self.world.ids(kind, deleted=True)
        for key in self.rng.sample(trash, min(self.restores, len(trash))):
            self.world.restore(kind, key)
            self._touch(kind, key)

    def _touch(self, kind: str, key: int) -> None:
        self.touched.add((kind, key))
        if kind == "contacts":  # its deals show it, or do so no more
            self.touched |= {("leads", deal) for deal in self.world.state.links.leads_of.get(key, ())}
