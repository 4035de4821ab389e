"""Two people at the same moment: somebody is left to administer, and only one is the first."""

import threading
from collections.abc import Callable

from sqlalchemy import select

from kommo.db import reading, writing
from kommo.services import Services
from kommo.store import people
from kommo.store.people import PeopleError
from kommo.store.tables import User

ROUNDS = 8


def both(*acts: Callable[[], None]) -> None:
    """Do two things at once, as far as two threads can."""
    start = threading.Barrier(len(acts))
    errors: list[BaseException] = []

    def run(act: Callable[[], None]) -> None:
        start.wait(30)
        try:
            act()
        except BaseException as error:  # told below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


def test_two_administrators_who_take_the_role_from_each_other(services: Services) -> None:
    with writing(services.engine) as session:
        for name in ("ana", "bruno"):
            people.add(session, name, "administrator", "no hash")

    refused: list[str] = []

    def demote(name: str) -> None:
        try:
            with writing(services.engine) as session:
                found = people.by_name(session, name)
                assert found is not None
                people.change(session, found, role="viewer")
        except PeopleError:
            refused.append(name)

    for _ in range(ROUNDS):
        both(lambda: demote("ana"), lambda: demote("bruno"))
        with writing(services.engine) as session:
            left = [user for user in session.scalars(select(User)) if user.role == people.ADMINISTRATOR]
            assert len(left) == 1
            for user in session.scalars(select(User)):
                user.role = people.ADMINISTRATOR
    assert len(refused) == ROUNDS


def test_two_who_would_be_the_first(services: Services) -> None:
    made: list[str] = []

    def begin(name: str) -> None:
        with writing(services.engine) as session:
            if people.add_first(session, name, "no hash") is not None:
                made.append(name)

    for _ in range(ROUNDS):
        made.clear()
        both(lambda: begin("ana"), lambda: begin("bruno"))
        assert len(made) == 1
        with reading(services.engine) as session:
            assert [user.name for user in people.everybody(session)] == made
        with writing(services.engine) as session:
            session.delete(people.everybody(session)[0])
