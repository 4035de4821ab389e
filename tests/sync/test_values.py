"""Whatever stands in Kommo's JSON, both databases take it, or the run says in words that Kommo answers nonsense.

The sandbox's answers are changed on their way: every text, or every number, of a kind becomes the same odd literal.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from kommo.crm.answers import Answer
from kommo.crm.transport import Transport
from kommo.db import reading
from kommo.sandbox import Server, make_world, serve
from kommo.services import Services
from kommo.store.contacts import contact_list
from kommo.store.deals import deal_list
from kommo.store.filters import Filters
from kommo.store.overview import overview
from kommo.store.tables import Connection
from tests.sync.accounts import connect, copy_of, run

TEXTS = {
    "name", "first_name", "last_name", "subdomain", "currency", "currency_symbol", "timezone", "country", "language",
    "color", "code", "email", "lang", "uuid", "value", "field_name", "field_code", "field_type", "enum_code",
}  # fmt: skip
NUMBERS = {
    "sort", "type", "price", "price_with_minor_units", "created_at", "updated_at", "closed_at", "closest_task_at",
    "created_by", "updated_by", "group_id", "responsible_user_id", "pipeline_id", "status_id", "loss_reason_id",
    "field_id", "enum_id", "role_id", "current_user_id",
}  # fmt: skip
PLACE = "@odd@"
Feed = Callable[[set[str], str], None]

LITERALS = {
    "a long text": json.dumps("Padaria " * 40),
    "a very long text": json.dumps("çã\U0001f35e" * 4000),
    "a colour with its opacity": '"rgba(255,255,255,0.5)"',
    "one that folds to 18 letters": json.dumps("\ufdfa" * 300),
    "NUL": r'"Ana\u0000Lima"',
    "half a surrogate": r'"Ana \ud800 Lima"',
    "a NUL for a name": r'{"a\u0000b":"\udfff"}',
    "an escaped backslash": r'"\\u0000"',
    "nothing": "null",
    "true": "true",
    "a list": "[]",
    "an object": "{}",
    "a fraction": "12.5",
    "more than 31 bits": "2147483648",
    "less than 31 bits": "-2147483649",
    "63 bits": "9223372036854775807",
    "64 bits": "18446744073709551615",
    "less than 63 bits": "-9223372036854775808",
    "more than 64 bits": "1180591620717411303424",
    "a number as text": '"9223372036854775808"',
    "almost infinite": "1.7e308",
    "almost infinite below": "-1.7e308",
    "beyond infinity": "1e400",
    "infinity as text": '"Infinity"',
    "NaN as text": '"NaN"',
    "almost nothing": "5e-324",
}


@pytest.fixture
def padaria() -> Iterator[Server]:
    """Padaria Estrela as it was in its first days: one page of everything."""
    with serve(make_world(contacts=12, deals=8)) as server:
        yield server


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Feed:
    """Lets every answer carry a literal under all these keys."""
    real = Transport.get

    def begin(keys: set[str], literal: str) -> None:
        def get(self: Transport, path: str, params: Any = (), **asked: Any) -> Answer:
            answer = real(self, path, params, **asked)
            if path.endswith("/events") or not answer.body.startswith(b"{"):
                return answer
            body = json.dumps(_with(json.loads(answer.body), keys))
            return replace(answer, body=body.replace(f'"{PLACE}"', literal).encode())

        monkeypatch.setattr(Transport, "get", get)

    return begin


def _with(value: Any, keys: set[str]) -> Any:
    if isinstance(value, list):
        return [_with(item, keys) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: PLACE if key in keys else _with(item, keys) for key, item in value.items()}


@pytest.mark.parametrize("keys", [TEXTS, NUMBERS], ids=["texts", "numbers"])
def test_an_account_of_odd_values_is_copied_whole(
    services: Services, padaria: Server, feed: Feed, keys: set[str]
) -> None:
    """Connected, read, counted and shown, with one literal after the other in the same copy."""
    for name, literal in LITERALS.items():
        feed(keys, literal)
        account = connect(services, padaria)
        view = run(services, account)
        assert (name, view.state, view.errors) == (name, "done", [])
        assert len(copy_of(services, account, "contact")) == padaria.world.count("contacts"), name
        with reading(services.engine) as session:
            connection = session.get_one(Connection, account)
            assert overview(session, connection, time.time()).months, name
            assert contact_list(session, connection, Filters(sort="nome")).rows, name
            assert deal_list(session, connection, Filters(sort="valor", query="ana")).total, name


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", '"cut'])
def test_what_is_no_json_ends_the_run_in_words(services: Services, padaria: Server, feed: Feed, literal: str) -> None:
    account = connect(services, padaria)
    feed({"sort"}, literal)
    view = run(services, account)
    assert view.state == "failed"
    assert "não se pode ler" in view.errors[0]


def test_events_of_odd_values_are_taken_or_left_out(
    services: Services, padaria: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id that no database holds is none; a type and an id of any text are only compared."""
    account, real = connect(services, padaria), Transport.get
    ids = ["9223372036854775807", "18446744073709551615", "1e400", r'"\u0000"', "null", "-1"]

    def get(self: Transport, path: str, params: Any = (), **asked: Any) -> Answer:
        answer = real(self, path, params, **asked)
        if not path.endswith("/events"):
            return answer
        rows = [
            f'{{"id":"e{number}\\u0000","type":"contact_deleted","entity_type":"contact","entity_id":{key},'
            f'"created_at":{int(time.time())},"value_after":[{{"\\ud800":1e999}}]}}'
            for number, key in enumerate(ids)
        ]
        body = f'{{"_page":1,"_links":{{}},"_embedded":{{"events":[{",".join(rows)}]}}}}'
        return replace(answer, status=200, body=body.encode())

    monkeypatch.setattr(Transport, "get", get)
    view = run(services, account)
    assert (view.state, view.errors) == ("done", [])
