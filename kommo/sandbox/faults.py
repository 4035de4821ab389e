"""Things that go wrong on command: errors, broken bodies, broken connections, broken records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from kommo.sandbox.answers import HTML, PROBLEM, Answer, gateway, problem
from kommo.sandbox.gate import too_many
from kommo.sandbox.switches import Switches

ELSEWHERE = "https://kommo.example.com/"
LOGIN_PAGE = b"<!doctype html><html><head><title>Entrar</title></head><body><form>login</form></body></html>"


@dataclass(slots=True)
class Fault:
    """What happens to the requests that match. `times` counts down (below 0: for ever), `skip` lets some pass first."""

    match: str
    how: str
    times: int = 1
    skip: int = 0
    seconds: float = 1.0
    megabytes: int = 200
    url: str = ELSEWHERE
    hits: int = 0

    def meets(self, method: str, path: str, query: str) -> bool:
        """Whether this request is one of those: substring, else regular expression, on `METHOD /path?query`."""
        target = f"{method} {path}?{query}" if query else f"{method} {path}"
        for text in (target, unquote(target)):
            if self.match in text:
                return True
            try:
                if re.search(self.match, text):
                    return True
            except re.error:
                return False
        return False

    def strikes(self) -> bool:
        """Take one turn: True if the fault is to happen now."""
        if self.skip > 0:
            self.skip -= 1
            return False
        self.hits += 1
        self.times -= 1
        return True


def fault(match: str, times: int | None, how: str, **options: float | str) -> Fault:
    """A checked Fault. Raises ValueError for a `how` that does not exist."""
    if how not in BEFORE and how not in AFTER:
        raise ValueError(f"unknown fault: {how}")
    numbers = {key: options.pop(key) for key in ("skip", "seconds", "megabytes") if key in options}
    made = Fault(match, how, -1 if times is None else times, url=str(options.pop("url", ELSEWHERE)))
    if options:
        raise ValueError(f"unknown option: {', '.join(options)}")
    made.skip = int(numbers.get("skip", made.skip))
    made.seconds = float(numbers.get("seconds", made.seconds))
    made.megabytes = int(numbers.get("megabytes", made.megabytes))
    return made


def before(one: Fault, switches: Switches) -> Answer | None:
    """The answer to a request that is not even carried out, or None if this fault comes after."""
    make = BEFORE.get(one.how)
    return make(one, switches) if make else None


def after(one: Fault, answer: Answer) -> Answer:
    """The answer to a request that was carried out, spoilt."""
    return AFTER[one.how](one, answer)


def _page(status: int) -> Callable[[Fault, Switches], Answer]:
    return lambda _fault, _switches: gateway(status)


def _problem(status: int, detail: str) -> Callable[[Fault, Switches], Answer]:
    return lambda _fault, _switches: problem(status, detail)


def _too_many_json(one: Fault, _switches: Switches) -> Answer:
    return too_many(Switches(rate_body="json", retry_after=int(one.seconds)))


def _redirect(one: Fault, _switches: Switches) -> Answer:
    return Answer(302, b"", HTML, [("Location", one.url)])


def _huge(one: Fault, _switches: Switches) -> Answer:
    start, end = b'{"_page":1,"_embedded":{"contacts":["', b'"]}}'
    megabyte = b"x" * 1_000_000

    def chunks() -> Iterator[bytes]:
        yield start
        for _ in range(one.megabytes):
            yield megabyte
        yield end

    return Answer(200, chunks=chunks(), length=len(start) + one.megabytes * len(megabyte) + len(end))


def _empty_next(_fault: Fault, _switches: Switches) -> Answer:
    return Answer(200, b'{"_page":1,"_links":{"next":{"href":"https://x.kommo.com/api/v4/contacts?page=2"}}}')


BEFORE: dict[str, Callable[[Fault, Switches], Answer]] = {
    "400": _problem(400, "Request validation failed"),
    "401": _problem(401, "Invalid user name or password"),
    "402": _problem(402, "Account is not paid"),
    "403": _problem(403, "Access denied"),
    "403_scope": _problem(403, "Client doesn't have the required scope"),
    "403_html": _page(403),
    "404": _problem(404, "Not Found"),
    "429": lambda _fault, switches: too_many(switches),
    "429_json": _too_many_json,
    "500": _page(500),
    "502": _page(502),
    "504": _page(504),
    "204": lambda _fault, _switches: Answer(204),
    "empty_200": lambda _fault, _switches: Answer(200),
    "html_200": lambda _fault, _switches: Answer(200, LOGIN_PAGE, HTML),
    "empty_next": _empty_next,
    "redirect": _redirect,
    "huge": _huge,
    "reset": lambda _fault, _switches: Answer(200, wire="reset"),
    "no_answer": lambda _fault, _switches: Answer(200, wire="close"),
}


def _status(status: int) -> Callable[[Fault, Answer], Answer]:
    return lambda _fault, _answer: gateway(status)


def _body(change: Callable[[bytes], bytes]) -> Callable[[Fault, Answer], Answer]:
    def spoil(_fault: Fault, answer: Answer) -> Answer:
        answer.body = change(answer.body)
        return answer

    return spoil


def _first(pattern: bytes, replacement: bytes) -> Callable[[bytes], bytes]:
    """A change of the first record in the body (the first one of a list, or the body itself)."""

    def change(body: bytes) -> bytes:
        start = max(body.find(b'"_embedded":{'), 0) if body.startswith(b'{"_') else 0
        return body[:start] + re.sub(pattern, replacement, body[start:], count=1)

    return change


def _cut(_fault: Fault, answer: Answer) -> Answer:
    answer.length = len(answer.body)
    answer.body = answer.body[: len(answer.body) // 2]
    return answer


def _too_long(_fault: Fault, answer: Answer) -> Answer:
    answer.length = len(answer.body) + 1000
    return answer


def _bad_gzip(_fault: Fault, answer: Answer) -> Answer:
    answer.body = b"\x1f\x8b\x08\x00" + answer.body
    answer.headers.append(("Content-Encoding", "gzip"))
    return answer


def _slow(one: Fault, answer: Answer) -> Answer:
    answer.wire = f"wait {one.seconds}"
    return answer


def _drip(one: Fault, answer: Answer) -> Answer:
    answer.wire = f"drip {one.seconds}"
    return answer


def _wrong_type(_fault: Fault, answer: Answer) -> Answer:
    answer.content_type = PROBLEM
    return answer


AFTER: dict[str, Callable[[Fault, Answer], Answer]] = {
    "500_after": _status(500),
    "502_after": _status(502),
    "504_after": _status(504),
    "reset_after": lambda _fault, _answer: Answer(200, wire="reset"),
    "truncated": _body(lambda body: body[: len(body) * 2 // 3]),
    "cut": _cut,
    "long_length": _too_long,
    "bad_gzip": _bad_gzip,
    "slow": _slow,
    "drip": _drip,
    "nan": _body(_first(rb'"created_at":\d+', b'"created_at":NaN')),
    "surrogate": _body(_first(rb'"name":"', rb'"name":"\\ud800')),
    "duplicate_keys": _body(_first(rb'"name":"', b'"name":"primeiro","name":"')),
    "huge_id": _body(_first(rb'"id":\d+', b'"id":%d' % 2**70)),
    "no_id": _body(_first(rb'"id":\d+,', b"")),
    "null_updated_at": _body(_first(rb'"updated_at":\d+', b'"updated_at":null')),
    "wrong_type": _wrong_type,
}
