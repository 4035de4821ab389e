"""People at the panel, as a load: what they click, how long they look at it, and how long they waited for it.

A person keeps one connection open, as a browser does, opens a page, looks at it for some seconds (`think`), and goes
on. Files in static/ are not asked for again: a browser has them. On the page of a run its fragment is asked for once
a second, as htmx does.
"""

import http.client
import random
import re
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
_WORDS = ("silva", "maria", "an", "souza lima", "@exemplo", "98812", "padaria", "xyzxyz")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HTMX = {"HX-Request": "true"}


@dataclass(slots=True)
class Waited:
    """Seconds waited for each kind of answer, and the answers that must not be: 429, 5xx, none at all."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    bad: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Account:
    """What people find: how many contacts and deals by id, and the token that somebody pastes."""

    contacts: list[int]
    deals: list[int]
    token: str


class Person(threading.Thread):
    """One of them, until `over`; `think` gives the shortest and the longest look at a page, seconds."""

    def __init__(self, number: int, address: str, account: Account, think: tuple[float, float]) -> None:
        super().__init__(name=f"person-{number}", daemon=True)
        self.waited = Waited()
        self.over = threading.Event()
        self._chance = random.Random(number)
        self._account, self._think = account, think
        self._host = urlsplit(address).netloc
        self._address = address
        self._connection = http.client.HTTPConnection(self._host, timeout=60)
        self._cookie = ""

    def run(self) -> None:
        """Click through lists and records; every now and then edit the token page, or follow the run."""
        self._wait()  # not all at the same moment
        while not self.over.is_set():
            self._chance.choices(
                (self._lists, self._record, self._overview, self._follow, self._edit), (45, 30, 10, 5, 10)
            )[0]()

    def _wait(self) -> None:
        self.over.wait(self._chance.uniform(*self._think))

    def _lists(self) -> None:
        pick, number = self._chance.choice, self._chance.randint
        places = {
            "list of contacts": f"/contatos?pagina={number(1, max(len(self._account.contacts) // 50, 1))}",
            "list of contacts, sorted": f"/contatos?ordem={pick(('nome', '-nome', '-atualizado'))}",
            "list of deals": f"/negociacoes?pagina={number(1, max(len(self._account.deals) // 50, 1))}",
            "search in contacts": f"/contatos?q={quote(pick(_WORDS))}",
            "search in deals": f"/negociacoes?q={quote(pick(_WORDS))}",
        }
        name = pick(list(places))
        self.get(name, places[name], HTMX if name.startswith("search") else {})
        self._wait()

    def _record(self) -> None:
        contact = self._chance.random() < 0.6
        kind, ids = ("contatos", self._account.contacts) if contact else ("negociacoes", self._account.deals)
        self.get("record of a contact" if contact else "record of a deal", f"/{kind}/{self._chance.choice(ids)}")
        self._wait()

    def _overview(self) -> None:
        self.get("overview", "/")
        self._wait()

    def _follow(self) -> None:
        """Look at the run for five seconds."""
        page = self.get("page of the runs", "/sincronizacao")
        found = re.search(r'id="progress" hx-get="([^"]+)"', page)
        for _ in range(5 if found else 0):
            if not self.over.wait(1.0 if self._think[1] else 0.0) and found:
                self.get("progress of a run", found[1].replace("&amp;", "&"), HTMX)
        self._wait()

    def _edit(self) -> None:
        """Paste a token into the token page, read what it says, then send one that was cut off in copying."""
        found = _TOKEN.search(self.get("token page", "/conexao"))
        if found is None:
            return
        self._wait()
        sent = {"csrf_token": found[1]}
        self.post("token page: what a token says", "/conexao/token", sent | {"jwt_token": self._account.token}, HTMX)
        self._wait()
        self.post("token page: sent", "/conexao", sent | {"jwt_token": self._account.token[:40]}, {}, 422)
        self._wait()

    def get(self, kind: str, path: str, headers: dict[str, str] | None = None) -> str:
        """Open a page; gives its text."""
        return self._ask(kind, "GET", path, None, headers or {}, 200)

    def post(self, kind: str, path: str, form: dict[str, str], headers: dict[str, str], status: int = 200) -> str:
        """Send a form."""
        return self._ask(kind, "POST", path, urlencode(form), FORM | headers, status)

    def _ask(self, kind: str, method: str, path: str, body: str | None, headers: dict[str, str], status: int) -> str:
        sent = {"Host": self._host, "Origin": self._address, **headers}
        if self._cookie:
            sent["Cookie"] = self._cookie
        began = time.perf_counter()
        try:
            self._connection.request(method, path, body, sent)
            answer = self._connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self.waited.bad.append(f"{kind}: {type(error).__name__}")
            return ""
        self.waited.times[kind].append(time.perf_counter() - began)
        if answer.status != status:
            self.waited.bad.append(f"{kind}: {answer.status}")
        if cookie := answer.getheader("Set-Cookie"):
            self._cookie = cookie.partition(";")[0]
        return text


def crowd(address: str, account: Account, number: int, seconds: float, think: tuple[float, float]) -> Waited:
    """So many people for so long; what all of them waited."""
    people = [Person(each, address, account, think) for each in range(number)]
    for person in people:
        person.start()
    time.sleep(seconds)
    for person in people:
        person.over.set()
    for person in people:
        person.join()
    together = Waited()
    for person in people:
        together.bad += person.waited.bad
        for kind, times in person.waited.times.items():
            together.times[kind] += times
    return together
