"""Logging in and out: the same answer and the same work for a wrong password and for nobody of that name."""

from dataclasses import dataclass

import pyotp
from sqlalchemy.orm import Session

from kommo.access import passwords
from kommo.db import now, reading, writing
from kommo.services import Services
from kommo.store import attempts, audit, login_sessions, people
from kommo.store.audit import Actor
from kommo.store.tables import User

_STEP = 30  # seconds of one code of the second factor
_DRIFT = 1  # steps that a telephone's clock may be off
LONGEST_CODE = 16  # characters


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a login: `token` for the cookie, or why there is none.

    `wait` is how many seconds nothing more is tried. `code_missing`: the password is right, the second factor's code
    was not given; `password_at` is to be shown to `by_code` with it. Neither a wrong name nor a wrong password nor a
    wrong code tells which of them it was.
    """

    token: str | None = None
    user_id: int | None = None
    wait: float = 0.0
    code_missing: bool = False
    password_at: float = 0.0
    locked: bool = False  # this attempt began the wait


def login(services: Services, name: str, password: str, code: str, address: str, agent: str) -> Outcome:
    """Try to log somebody in from a network address. Raises VaultError where the second factor cannot be read."""
    known = people.clean_name(name)
    with reading(services.engine) as session:
        subjects = _subjects(session, known or name, address)
        if (wait := attempts.locked_for(session, subjects)) > 0:
            return Outcome(wait=wait)
        user = people.by_name(session, known) if known else None
    fits = passwords.fits(user.password if user else None, password[: passwords.LONGEST + 1])
    if not fits or user is None or user.disabled:
        return _failed(services, subjects, user, address)
    if passwords.is_outdated(user.password):
        _renew(services, user.id, password)
    if user.totp and not code.strip():
        return Outcome(user_id=user.id, code_missing=True, password_at=user.password_at)
    return _begin(services, user, code, subjects, address, agent)


def by_code(services: Services, user_id: int, password_at: float, code: str, address: str, agent: str) -> Outcome:
    """The second step: the code of somebody whose password, that of `password_at`, was right a moment ago.

    An empty outcome where that holds no more. Raises VaultError where the second factor cannot be read.
    """
    with reading(services.engine) as session:
        user = people.by_id(session, user_id)
        if user is None or user.disabled or not user.totp or user.password_at != password_at:
            return Outcome()
        subjects = _subjects(session, user.name, address)
        if (wait := attempts.locked_for(session, subjects)) > 0:
            return Outcome(wait=wait)
    return _begin(services, user, code, subjects, address, agent)


def _begin(services: Services, user: User, code: str, subjects: list[str], address: str, agent: str) -> Outcome:
    """Begin the session of somebody whose password is right; checks the code where there is a second factor."""
    step = None
    if user.totp:
        with reading(services.engine) as session:
            moment = now(session)
        step = step_of(services.vault.open(user.totp, user.place), code, moment)
        if step is None:
            return _failed(services, subjects, user, address)
    with writing(services.engine) as session:
        if step is None or people.use_code(session, user.id, step):
            attempts.succeed(session, user.name, address)
            people.seen(session, user.id)
            audit.note(session, Actor("user", user.name, address), "login.ok", owner=user.owner)
            return Outcome(login_sessions.begin(session, user.id, address, agent), user.id)
    return _failed(services, subjects, user, address)  # a code counts once


def step_of(secret: str, code: str, moment: float) -> int | None:
    """The half minute whose code was given, of those around `moment` (Unix seconds); None for a wrong code."""
    digits = "".join(code.split())[:LONGEST_CODE]
    if not (digits.isascii() and digits.isdigit()):
        return None
    totp, current = pyotp.TOTP(secret, interval=_STEP), int(moment) // _STEP
    for step in range(current - _DRIFT, current + _DRIFT + 1):
        if pyotp.utils.strings_equal(totp.at(step * _STEP), digits):
            return step
    return None


def is_password_of(services: Services, user_id: int, password: str, address: str) -> Outcome:
    """Whether somebody who is logged in knows their password: asked again before what matters. Failures count."""
    with reading(services.engine) as session:
        user = people.by_id(session, user_id)
        subjects = _subjects(session, user.name if user else "", address)
        if (wait := attempts.locked_for(session, subjects)) > 0:
            return Outcome(wait=wait)
    fits = passwords.fits(user.password if user else None, password[: passwords.LONGEST + 1])
    return Outcome(user_id=user_id) if fits else _failed(services, subjects, user, address)


def _subjects(session: Session, name: str, address: str) -> list[str]:
    """What a failure counts against: the name, and the address."""
    return [attempts.name_subject(session, name, address), attempts.address_key(address)]


def _failed(services: Services, subjects: list[str], user: User | None, address: str) -> Outcome:
    """Count a failure. The audit log names whom it was tried for only where there is such a person: else what was typed
    may be a password.
    """
    owner, subject = (user.owner, user.name) if user else (None, "")
    with writing(services.engine) as session:
        of_name = attempts.fail(session, subjects[0], attempts.OF_NAME)
        from_address = attempts.fail(session, subjects[1], attempts.FROM_ADDRESS)
        wait = attempts.locked_for(session, subjects)
        audit.note(
            session,
            Actor("system", "", address),
            "login.locked" if wait else "login.refused",
            owner=owner,
            subject=subject,
        )
    return Outcome(wait=wait, locked=of_name or from_address)


def _renew(services: Services, user_id: int, password: str) -> None:
    """Hash a password anew that was hashed with weaker parameters: now it is known."""
    hashed = passwords.hash_of(password)
    with writing(services.engine) as session:
        if (user := people.by_id(session, user_id)) is not None:
            user.password = hashed
