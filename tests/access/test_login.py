"""Logging in: who gets a session, that failures look alike, lock-outs in the database, the second factor once."""

import pyotp
import pytest
from sqlalchemy import delete, update

from kommo.access import login, passwords
from kommo.access.login import Outcome
from kommo.db import clock, now, reading, writing
from kommo.services import Services
from kommo.store import attempts, login_sessions, people
from kommo.store.tables import Attempt, LoginSession, User
from tests.access.people import PASSWORD, make
from tests.conftest import make_services


def _try(
    services: Services, name: str = "ana", password: str = PASSWORD, code: str = "", address: str = "10.0.0.1"
) -> Outcome:
    return login.login(services, name, password, code, address, "Firefox")


def _with_totp(services: Services, user: User) -> str:
    secret = pyotp.random_base32()
    with writing(services.engine) as session:
        session.execute(update(User).where(User.id == user.id).values(totp=services.vault.seal(secret, user.place)))
    return secret


def _code(services: Services, secret: str, steps: int = 0) -> str:
    with reading(services.engine) as session:
        return pyotp.TOTP(secret).at(int(now(session)) + 30 * steps)


def test_the_right_password_begins_a_session(services: Services) -> None:
    ana = make(services, "ana")
    found = _try(services, " ANA ")
    assert found.token is not None
    with reading(services.engine) as session:
        held = login_sessions.find(session, found.token)
        kept = session.query(LoginSession).one()
    assert held is not None
    assert (held.user_id, held.name, held.role, held.owner) == (ana.id, "ana", "administrator", "1")
    assert found.token not in kept.token_hash
    assert (kept.address, kept.agent) == ("10.0.0.1", "Firefox")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ana", "outra-senha-errada"),
        ("ninguem", PASSWORD),
        ("", ""),
        ("a\x00na", "x"),
        ("ana\ud800", "x"),
        ("x" * 5000, "y" * 5000),
    ],
)
def test_every_failure_looks_alike(services: Services, name: str, password: str) -> None:
    make(services, "ana")
    assert _try(services, name, password) == Outcome()


def test_a_disabled_person_looks_like_nobody(services: Services) -> None:
    make(services, "ana")
    bruno = make(services, "bruno", "viewer")
    token = _try(services, "bruno").token
    with writing(services.engine) as session:
        people.change(session, session.merge(bruno), disabled=True)
    assert _try(services, "bruno") == Outcome()
    with reading(services.engine) as session:
        assert login_sessions.find(session, str(token)) is None


@pytest.mark.parametrize("name", ["ana", "ninguem"])
def test_failures_lock_a_name_whoever_it_is(services: Services, name: str) -> None:
    make(services, "ana")
    for at in range(attempts.OF_NAME - 1):
        assert _try(services, name, "errada", address=f"10.0.1.{at}") == Outcome()
    last = _try(services, name, "errada", address="10.0.1.200")
    assert last.locked
    assert 0 < last.wait <= attempts.LOCK
    refused = _try(services, name, PASSWORD, address="10.0.1.201")
    assert refused.token is None
    assert 0 < refused.wait <= attempts.LOCK
    other = make(services, "carla")
    assert _try(services, "carla", address="10.0.1.1").user_id == other.id


def test_failures_lock_an_address_over_all_names(services: Services) -> None:
    make(services, "ana")
    for at in range(attempts.FROM_ADDRESS):
        _try(services, f"nome{at}", "errada", address="10.9.9.9")
    assert _try(services, address="10.9.9.9").wait > 0
    assert _try(services, address="10.9.9.8").token is not None


def test_a_lock_is_counted_in_the_database_and_grows(services: Services) -> None:
    """Another process, and one that was started anew, know of it."""
    make(services, "ana")
    for _ in range(attempts.OF_NAME):
        _try(services, password="errada")
    again = make_services(services.settings)
    assert _try(again).wait > 0
    with writing(services.engine) as session:
        session.execute(update(Attempt).values(locked_until=clock() - 1))
    second = _try(again, password="errada")
    assert attempts.LOCK < second.wait <= 2 * attempts.LOCK
    with writing(services.engine) as session:
        session.execute(update(Attempt).values(locked_until=clock() - 1))
    assert _try(again).token is not None
    with reading(services.engine) as session:
        assert session.get(Attempt, attempts.name_key("ana")) is None


def test_whoever_knows_a_name_locks_nobody_out_of_their_own_place(services: Services) -> None:
    make(services, "ana")
    assert _try(services, address="10.0.0.1").token is not None
    for at in range(3 * attempts.OF_NAME):
        _try(services, password="errada", address=f"203.0.113.{at}")
    assert _try(services, address="203.0.113.99").wait > 0
    assert _try(services, address="10.0.0.1").token is not None, "her own place"
    assert _try(services, address="10.0.0.2").token is not None, "her login has lifted the lock"


def test_a_persons_own_place_is_locked_by_its_own_failures(services: Services) -> None:
    make(services, "ana")
    assert _try(services).token is not None
    for _ in range(attempts.OF_NAME):
        _try(services, password="errada")
    assert _try(services).wait > 0
    assert _try(services, address="10.0.0.2").token is not None


def test_a_place_is_ones_own_for_thirty_days(services: Services) -> None:
    make(services, "ana")
    assert _try(services).token is not None
    with writing(services.engine) as session:
        session.execute(update(Attempt).values(last_at=clock() - attempts.OWN_PLACE - 60))
    for at in range(attempts.OF_NAME):
        _try(services, password="errada", address=f"203.0.113.{at}")
    assert _try(services).wait > 0


def test_what_is_long_past_is_forgotten(services: Services) -> None:
    make(services, "ana")
    for _ in range(attempts.OF_NAME - 1):
        _try(services, password="errada")
    with writing(services.engine) as session:
        session.execute(update(Attempt).values(last_at=clock() - attempts.FORGOTTEN - 1))
    assert _try(services, password="errada") == Outcome()


def test_nothing_of_a_typed_name_is_kept(services: Services) -> None:
    _try(services, "minha-senha-por-engano", "x")
    with reading(services.engine) as session:
        assert all("minha" not in found.subject for found in session.query(Attempt))


def test_the_second_factor_is_asked_for_after_the_password(services: Services) -> None:
    ana = make(services, "ana")
    secret = _with_totp(services, ana)
    assert _try(services, password="errada", code=_code(services, secret)) == Outcome()
    known = _try(services)
    assert (known.token, known.code_missing) == (None, True)
    assert _try(services, code="000000").token is None
    assert _try(services, code="abc").token is None
    code = _code(services, secret)
    assert _try(services, code=f"{code[:3]} {code[3:]}").token is not None
    assert _try(services, code=code).token is None, "a code counts once"
    assert _try(services, code=_code(services, secret, 1)).token is not None


def test_codes_of_another_time_do_not_count(services: Services) -> None:
    secret = _with_totp(services, make(services, "ana"))
    for steps in (-3, -2, 2, 3, 100):
        assert _try(services, code=_code(services, secret, steps), address=f"10.3.0.{steps % 200}").token is None
        with writing(services.engine) as session:
            session.execute(delete(Attempt))


def test_a_sealed_second_factor_belongs_to_one_person(services: Services) -> None:
    from kommo.vault import VaultError

    ana, bruno = make(services, "ana"), make(services, "bruno", "viewer")
    secret = _with_totp(services, ana)
    with writing(services.engine) as session:
        moved = people.by_id(session, ana.id).totp
        session.execute(update(User).where(User.id == bruno.id).values(totp=moved))
    with pytest.raises(VaultError):
        _try(services, "bruno", code=_code(services, secret))


def test_a_weak_hash_is_made_anew_when_the_password_is_known(services: Services) -> None:
    from argon2 import PasswordHasher

    ana = make(services, "ana")
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with writing(services.engine) as session:
        session.execute(update(User).where(User.id == ana.id).values(password=weak))
    assert _try(services).token is not None
    with reading(services.engine) as session:
        stored = people.by_id(session, ana.id).password
    assert stored != weak
    assert not passwords.is_outdated(stored)
    assert _try(services).token is not None


def test_the_password_is_asked_again_and_failures_count(services: Services) -> None:
    ana = make(services, "ana")
    assert login.is_password_of(services, ana.id, PASSWORD, "10.0.0.1").user_id == ana.id
    for _ in range(attempts.OF_NAME):
        assert login.is_password_of(services, ana.id, "errada", "10.0.0.1").user_id is None
    assert login.is_password_of(services, ana.id, PASSWORD, "10.0.0.1").wait > 0
