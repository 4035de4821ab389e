"""Kommo as the rest of the product uses it: typed questions, typed answers, one error tree."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from kommo.crm import directories, errors, json
from kommo.crm.answers import Answer
from kommo.crm.budget import Budget
from kommo.crm.caller import Caller
from kommo.crm.directories import Account, Field, LossReason, Pipeline, Stage, User
from kommo.crm.feed import PAGE as EVENTS_PAGE
from kommo.crm.feed import Event, events_from
from kommo.crm.pages import (
    MAX_LIMIT,
    Page,
    Params,
    Stream,
    linked_ids,
    page_from,
    page_params,
    record_from,
    rows_from,
)  # fmt: skip
from kommo.crm.records import Company, Contact, Deal
from kommo.crm.transport import Transport

__all__ = [
    "Account", "Company", "Event", "Field", "Kommo", "LossReason", "Page", "Pipeline", "Probe", "Stage", "Stream",
    "User",
]  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Probe:
    """How an endpoint answered: its status (None without an answer), and the error if it was one."""

    status: int | None
    error: errors.KommoError | None


class Kommo:
    """A client for one account. May be shared by threads. Every method may raise any KommoError.

    `options` are those of `Caller`: purpose, attempts (KOMMO_RETRY_ATTEMPTS), delay (seconds), max_wait, within,
    sleep, clock, address_set, chance, should_stop, on_request, on_wait.
    """

    def __init__(self, transport: Transport, budget: Budget, **options: Any) -> None:
        self._transport = transport
        self._caller = Caller(transport, budget, **options)

    @property
    def host(self) -> str:
        """The host that is asked."""
        return self._transport.host

    @property
    def server_time(self) -> float | None:
        """Kommo's clock in the latest answer, Unix seconds; None before the first one."""
        return self._caller.server_time

    @property
    def last(self) -> Answer | None:
        """The latest answer, whatever it was: its status, its times."""
        return self._caller.last

    @property
    def clock(self) -> Callable[[], float]:
        """The monotonic clock in use, seconds."""
        return self._caller.clock

    def account(self) -> Account:
        """The account that the token belongs to: the cheapest question that proves a token."""
        return self._get("/account", [("with", "datetime_settings")], directories.account_from)

    def users(self) -> list[User]:
        """All users, at least one. Forbidden unless an administrator made the token."""
        return directories.many(self._all("/users", "users", least=1), directories.user_from)

    def pipelines(self) -> list[Pipeline]:
        """All pipelines with their stages, at least one."""
        return directories.many(self._all("/leads/pipelines", "pipelines", least=1), directories.pipeline_from)

    def loss_reasons(self) -> list[LossReason]:
        """All reasons for which deals are lost."""
        return directories.many(self._all("/leads/loss_reasons", "loss_reasons"), directories.loss_reason_from)

    def custom_fields(self, entity: str) -> list[Field]:
        """The definitions of the custom fields of "contacts", "leads" or "companies"; ValueError for another."""
        if entity not in directories.FIELD_ENTITIES:
            raise ValueError(f"no custom fields of {entity}")
        rows = self._all(f"/{entity}/custom_fields", "custom_fields")
        return directories.many(rows, partial(directories.field_from, entity))

    def linked(self, stream: Stream, ids: Sequence[int], key: str) -> list[int]:
        """The ids of the records of the list `key` (leads, contacts) that these at most 150 are linked to, in order."""
        params = [("page", "1"), ("limit", str(MAX_LIMIT)), ("with", key)]
        params += [("filter[id][]", str(one)) for one in ids]
        rows, _ = self._caller.call(stream.path, params, partial(rows_from, key=stream.key))
        return linked_ids(rows, key, of=ids)

    def page(
        self,
        stream: Stream,
        number: int,
        *,
        limit: int = MAX_LIMIT,
        order: str = "id",
        updated_from: int | None = None,
        updated_to: int | None = None,
        ids: Sequence[int] = (),
        query: str | None = None,
        only_deleted: bool = False,
        version: int = 0,
    ) -> Page:
        """Page `number` (from 1) of a list by `order` (id, updated_at, created_at; "-id" descends); empty past the end.

        Kommo ignores filters it does not know without a word: whether the rows match is for the caller to check.
        Bounds are Unix seconds; at most 150 `ids`, 250 rows. Raises ValueError for values out of range.
        """
        params = page_params(
            stream, number, limit=limit, order=order, updated_from=updated_from, updated_to=updated_to, ids=ids,
            query=query, only_deleted=only_deleted,
        )  # fmt: skip
        parse = partial(page_from, stream=stream, number=number, version=version)
        return self._caller.call(stream.path, params, parse)

    def one(self, stream: Stream, record_id: int) -> Contact | Deal | None:
        """The contact or deal with this id as it is now; None where there is none, or only its trace in the trash."""
        params = [("with", stream.expand)] if stream.expand else []
        parse = partial(_record, stream=stream, record_id=record_id)
        try:
            return self._caller.call(f"{stream.path}/{record_id:d}", params, parse)
        except errors.NotFound:
            return None

    def events(self, since: int, until: int, types: Sequence[str]) -> Iterator[Event]:
        """The events of these types from `since` to `until` (Unix seconds), each once, in Kommo's order.

        Filters are checked here. A whole page of other times, or one already seen, would go on without end: it
        raises Nonsense.
        """
        params = [
            ("limit", str(EVENTS_PAGE)), ("filter[created_at][from]", str(since)),
            ("filter[created_at][to]", str(until)), ("filter[type]", ",".join(types)),
        ]  # fmt: skip
        wanted, seen = set(types), set[str]()
        for rows in self._pages("/events", "events", params):
            fresh = [one for one in events_from(rows) if since <= one.created_at <= until and one.id not in seen]
            if rows and not fresh:
                raise errors.Nonsense(200, note="events of another time, or again")
            seen.update(one.id for one in fresh)
            yield from (one for one in fresh if one.type in wanted)

    def probe(self, path: str, params: Sequence[tuple[str, str]] = ()) -> Probe:
        """How `path` (below /api/v4) answers, without raising: for the connection test."""
        try:
            answer = self._get(path, list(params), _any_json)
        except errors.KommoError as error:
            return Probe(error.status, error)
        return Probe(answer.status, None)

    def close(self) -> None:
        """Close the transport's connections."""
        self._transport.close()

    def _get(self, path: str, params: Params, parse: Callable[[Answer], T]) -> T:
        return self._caller.call(f"/api/v4{path}", params, parse)

    def _all(self, path: str, key: str, least: int = 0) -> list[Any]:
        """All rows of a directory, whose first page holds at least so many."""
        found: list[Any] = []
        for rows in self._pages(path, key, [("limit", str(MAX_LIMIT))], least):
            if rows and found[-len(rows) :] == rows:  # a list that is not paginated, yet links on and on
                raise errors.Nonsense(200, note="the same page twice")
            found += rows
        return found

    def _pages(self, path: str, key: str, params: Params, least: int = 0) -> Iterator[list[Any]]:
        number, more = 1, True
        while more:
            parse = partial(_rows, key=key, least=least if number == 1 else 0)
            rows, more = self._get(path, [("page", str(number)), *params], parse)
            yield rows
            number += 1


def _rows(answer: Answer, key: str, least: int) -> tuple[list[Any], bool]:
    """As `rows_from`; Nonsense below `least` rows: believed, it would wipe out the names held here."""
    rows, more = rows_from(answer, key)
    if len(rows) < least:
        raise errors.Nonsense(answer.status, note="an empty directory")
    return rows, more


def _any_json(answer: Answer) -> Answer:
    if answer.status != 204:
        json.loads(answer.body)
    return answer


def _record(answer: Answer, stream: Stream, record_id: int) -> Contact | Deal | None:
    if answer.status == 204:
        return None
    try:
        found = record_from(stream, json.loads(answer.body))
    except ValueError:
        raise errors.Nonsense(answer.status, note="no record") from None
    if isinstance(found, Company) or found.id != record_id:
        raise errors.Nonsense(answer.status, note="another record")
    return None if found.is_deleted else found
