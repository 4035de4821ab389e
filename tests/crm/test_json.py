"""JSON as it comes: fit to be stored in both databases and to be written again, or refused as nonsense."""

import sqlite3
from typing import Any

import orjson
import pytest

from kommo.crm import json
from kommo.crm.errors import Nonsense

GOOD: list[tuple[bytes, Any]] = [
    (b'{"a":1}', {"a": 1}),
    (b"[]", []),
    (b'"P\xc3\xa3o"', "Pão"),
    (b" null\n", None),
    (b"18446744073709551615", 2**64 - 1),
    (b"-9223372036854775808", -(2**63)),
    (b'{"a":1,"a":2}', {"a": 2}),
    (rb'"\u0041\ud83c\udf5e"', "A🍞"),
    # forgiven
    (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
    (rb'"Ana\u0000Lima"', "Ana\ufffdLima"),
    (rb'{"\u0000":["\u0000"]}', {"\ufffd": ["\ufffd"]}),
    (rb'"\\u0000"', r"\u0000"),
    (rb'"Ana \ud800 Lima"', "Ana \ufffd Lima"),
    (rb'"\udc00\ud800"', "\ufffd\ufffd"),
    (rb'{"\ud800":{"x":["\udfff",1,true,null]}}', {"\ufffd": {"x": ["\ufffd", 1, True, None]}}),
    (rb'"\ud800\u0000"', "\ufffd\ufffd"),
    (rb'"\ud800 \ud83c\udf5e"', "\ufffd 🍞"),
    (b'"caf\xe9"', "caf\ufffd"),
    # numbers beyond 64 bits
    (b'{"id":1180591620717411303424}', {"id": 2.0**70}),
    (b'{"id":18446744073709551616,"n":"\\ud800"}', {"id": 2.0**64, "n": "\ufffd"}),
    (b'{"x":1e400}', {"x": None}),
    (b"[-1e999]", [None]),
    (rb'["\ud800",' + b"9" * 400 + b"]", ["\ufffd", None]),
]


@pytest.mark.parametrize(("body", "value"), GOOD)
def test_what_can_be_read(body: bytes, value: Any) -> None:
    assert json.loads(body) == value


@pytest.mark.parametrize(("body", "value"), GOOD)
def test_what_was_read_can_be_stored(body: bytes, value: Any) -> None:
    stored = orjson.dumps(json.loads(body)).decode()
    assert "\0" not in stored and "\\u0000" not in stored.replace("\\\\u0000", "")  # PostgreSQL's jsonb refuses it
    with sqlite3.connect(":memory:") as database:
        assert database.execute("select ?", (stored,)).fetchone() == (stored,)
    database.close()


def nested(levels: int, opening: bytes = b"[", closing: bytes = b"]", core: bytes = b"") -> bytes:
    """JSON of so many levels."""
    return opening * levels + core + closing * levels


NONSENSE = {
    "nothing": b"",
    "spaces": b"  ",
    "a page": b"<html></html>",
    "cut in a text": b'{"name":"Pad',
    "cut in a list": b'{"_embedded":{"contacts":[{"id":1},',
    "cut in an escape": rb'"\ud8',
    "two values": b"{}{}",
    "single quotes": b"{'a':1}",
    "NaN": b'{"created_at":NaN}',
    "Infinity": b"[Infinity]",
    "minus Infinity": b"[-Infinity]",
    "NaN beside half a pair": rb'{"a":NaN,"b":"\ud800"}',
    "a trailing comma": b"[1,]",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "a number of 5,000 digits": b"[" + b"9" * 5000 + b"]",
    "5,000 digits beside half a pair": rb'["\ud800",' + b"9" * 5000 + b"]",
    "300 levels": nested(300),
    "300 levels of objects": nested(300, b'{"a":', b"}", b"1"),
    "300 levels beside half a pair": rb'["\ud800",' + nested(300) + b"]",
    "50,000 levels": nested(50_000),
    "50,000 levels, never closed": b"[" * 50_000,
    "50,000 levels with a stray byte": b'["\xff",' + nested(50_000) + b"]",
    "300 levels around a NUL": nested(300, core=rb'"\u0000"'),
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
def test_what_is_nonsense(body: bytes) -> None:
    with pytest.raises(Nonsense) as caught:
        json.loads(body)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("body", [nested(240), nested(240, core=rb'"\ud800"'), nested(240, core=rb'"\u0000"')])
def test_deep_but_not_too_deep(body: bytes) -> None:
    found = json.loads(body)
    assert orjson.loads(orjson.dumps(found)) == found
