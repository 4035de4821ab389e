"""Finding a person by whatever they give: name, phone, e-mail, document, number; here and no longer at Kommo."""

import pytest
from sqlalchemy import select

from kommo.db import reading, writing
from kommo.privacy import erase, find
from kommo.store.tables import Audit
from tests.privacy.conftest import BY, EMAIL, NAME, VALUES, Scene
from tests.sync.accounts import connect, run

WAYS = (
    NAME, "quiteria", "xisto brandao", "QUITÉRIA", EMAIL, "quiteria.xisto@", "98123-4567", "(47) 98123", "981234567",
    "5547981234567", "529.982.247-25", "52998224725", "529982247",
)  # fmt: skip


def found(scene: Scene, query: str, owner: str = "1") -> list[int]:
    with reading(scene.services.engine) as session:
        return [one.id for one in find.find(session, owner, query)[0]]


@pytest.mark.parametrize("query", WAYS)
def test_each_way_finds_the_person_and_nobody_else(scene: Scene, query: str) -> None:
    assert found(scene, query) == [scene.person]


def test_by_the_number_at_kommo(scene: Scene) -> None:
    assert scene.person in found(scene, str(scene.person))


@pytest.mark.parametrize("query", [NAME, EMAIL, "98123-4567", "52998224725"])
def test_who_left_kommo_is_found_as_well(scene: Scene, query: str) -> None:
    scene.kommo.world.delete("contacts", scene.person)
    run(scene.services, scene.connection_id)
    assert found(scene, query) == [scene.person]
    with reading(scene.services.engine) as session:
        assert find.find(session, "1", query)[0][0].deleted_at is not None


@pytest.mark.parametrize("query", WAYS)
def test_who_was_erased_is_found_by_number_only(scene: Scene, query: str) -> None:
    erase.erase(scene.services, scene.connection, scene.person, BY)
    assert found(scene, query) == []
    assert scene.person in found(scene, str(scene.person))


def test_another_owner_does_not_find_them(scene: Scene) -> None:
    assert found(scene, NAME, owner="2") == []
    assert found(scene, str(scene.person), owner="2") == []
    connect(scene.services, scene.kommo, owner="2")
    assert found(scene, NAME, owner="2") == []  # connected, nothing copied


@pytest.mark.parametrize("query", ["", " ", "a", "ab", "%%", "..", "--", "\0\0"])
def test_what_is_too_short_is_refused(scene: Scene, query: str) -> None:
    with reading(scene.services.engine) as session, pytest.raises(ValueError, match="short"):
        find.find(session, "1", query)


@pytest.mark.parametrize("query", ["9" * 400, "' OR 1=1 --", '"""', "\\\\\\", "%_%", "'; DROP", "\ud7ff\uffff​abc"])
def test_odd_texts_find_nobody_and_break_nothing(scene: Scene, query: str) -> None:
    assert found(scene, query) == []


def test_more_than_are_shown_is_said(scene: Scene) -> None:
    with reading(scene.services.engine) as session:
        rows, more = find.find(session, "1", "example", most=5)
        assert (len(rows), more) == (5, True)
        rows, more = find.find(session, "1", NAME, most=5)
        assert (len(rows), more) == (1, False)


def test_the_log_says_that_somebody_searched_and_not_for_what(scene: Scene) -> None:
    with writing(scene.services.engine) as session:
        find.note(session, BY, "1", 3)
    with reading(scene.services.engine) as session:
        row = session.scalars(select(Audit)).one()
        assert (row.action, row.actor, row.address, row.details) == ("person.found", "marta", BY.address, {"found": 3})
        assert not any(value in str(vars(row)) for value in VALUES)


def test_a_person_under_two_numbers_is_pointed_out(scene: Scene) -> None:
    twin = scene.kommo.world.add("contacts", name="Q. Xisto", custom_fields_values=[_mail()])
    run(scene.services, scene.connection_id)
    with reading(scene.services.engine) as session:
        reach = erase.reach(session, scene.connection, scene.person)
    assert reach is not None
    assert [one.id for one in reach.others] == [twin]
    assert reach.linked == [scene.own]
    assert reach.naming == sorted([scene.own, scene.naming])
    assert reach.companies == [scene.company]


def _mail() -> dict[str, object]:
    from tests.privacy.conftest import FIELDS

    return FIELDS[1]
