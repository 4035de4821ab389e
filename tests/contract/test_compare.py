"""The comparison itself notices what a contract test has to notice."""

from typing import Any

import pytest

from tests.contract.compare import differences

DOCUMENTED: dict[str, Any] = {
    "success": True,
    "message": "50 contatos obtidos",
    "price": 5000.00,
    "count": 3,
    "name": "João",
    "at": "2025-01-19T10:30:00.000Z",
    "data": [{"id": 1, "tags": ["a"]}],
    "errors": [],
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"message": "7 contatos obtidos"},
        {"price": 12, "count": 0, "name": ""},
        {"at": "2026-11-24T00:00:00.123Z"},
        {"errors": ["um erro"]},
        {"data": [{"id": 5, "tags": ["b"], "more": None}, {"id": 6, "tags": ["c", "d"]}]},
        {"added": {"anything": 1}},
    ],
)
def test_what_is_as_documented(changes: dict[str, Any]) -> None:
    assert differences(DOCUMENTED, DOCUMENTED | changes) == []


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"success": False}, "answer.success"),
        ({"success": 1}, "answer.success"),
        ({"message": "50 contatos obtidos."}, "answer.message"),
        ({"message": "cinquenta contatos obtidos"}, "answer.message"),
        ({"price": "5000"}, "answer.price"),
        ({"price": True}, "answer.price"),
        ({"count": 3.5}, "answer.count"),
        ({"count": None}, "answer.count"),
        ({"name": None}, "answer.name"),
        ({"at": "2026-11-24T00:00:00Z"}, "answer.at"),
        ({"data": []}, "answer.data"),
        ({"data": {}}, "answer.data"),
        ({"data": [{"id": 1, "tags": ["a"]}, {"id": "2", "tags": ["a"]}]}, "answer.data[1].id"),
        ({"data": [{"id": 1}]}, "answer.data[0].tags"),
        ({"errors": None}, "answer.errors"),
    ],
)
def test_what_is_not(changes: dict[str, Any], where: str) -> None:
    (line,) = differences(DOCUMENTED, DOCUMENTED | changes)
    assert line.startswith(f"{where} ")


def test_a_field_that_went_missing_or_may_be_null() -> None:
    without = {name: value for name, value in DOCUMENTED.items() if name != "price"}
    assert differences(DOCUMENTED, without, nullable=["price"]) == ["answer.price is missing"]
    assert differences(DOCUMENTED, DOCUMENTED | {"price": None}, nullable=["price"]) == []
