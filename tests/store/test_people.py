"""People, their sessions and keys in the database."""

import pytest
from sqlalchemy import update

from kommo.access import passwords
from kommo.db import clock, reading, writing
from kommo.services import Services
from kommo.store import api_keys, login_sessions, people
from kommo.store.people import PeopleError
from kommo.store.tables import ApiKey, LoginSession, User
from tests.access.people import make


@pytest.mark.parametrize("name", ["", "a", " ", "Ana Maria", "joão", "-ana", "a" * 65, "a\nb", "a\x00b", "<b>", "a/b"])
def test_a_name_that_does_not_serve_is_refused(services: Services, name: str) -> None:
    with pytest.raises(PeopleError, match="2 a 64"), writing(services.engine) as session:
        people.add(session, name, "viewer", "x")
    with reading(services.engine) as session:
        assert not people.any_user(session)


def test_a_name_is_taken_once_in_whatever_letters(services: Services) -> None:
    make(services, "Ana@Empresa.com.br")
    with pytest.raises(PeopleError, match="Já existe"):
        make(services, "ANA@empresa.com.br")


def test_the_last_administrator_stays(services: Services) -> None:
    ana, bruno = make(services, "ana"), make(services, "bruno", "operator")
    carla = make(services, "carla")
    with writing(services.engine) as session:
        people.change(session, session.merge(carla), disabled=True)
    for attempt in (
        lambda session: people.change(session, session.merge(ana), role="viewer"),
        lambda session: people.change(session, session.merge(ana), disabled=True),
        lambda session: people.remove(session, session.merge(ana)),
    ):
        with pytest.raises(PeopleError, match="única pessoa"), writing(services.engine) as session:
            attempt(session)
    with writing(services.engine) as session:
        people.change(session, session.merge(bruno), role="administrator")
    with writing(services.engine) as session:
        people.remove(session, session.merge(ana))
    with reading(services.engine) as session:
        assert [found.name for found in people.everybody(session)] == ["bruno", "carla"]


def _begin(services: Services, user: User, agent: str = "Firefox") -> str:
    with writing(services.engine) as session:
        return login_sessions.begin(session, user.id, "10.0.0.1", agent)


def _find(services: Services, token: str) -> login_sessions.Found | None:
    with reading(services.engine) as session:
        return login_sessions.find(session, token)


def test_another_password_ends_the_other_sessions(services: Services) -> None:
    ana, bruno = make(services, "ana"), make(services, "bruno")
    here, there, his = _begin(services, ana), _begin(services, ana), _begin(services, bruno)
    kept = _find(services, here)
    assert kept is not None
    with writing(services.engine) as session:
        people.set_password(session, session.merge(ana), passwords.hash_of("x"), kept.id)
    assert [bool(_find(services, token)) for token in (here, there, his)] == [True, False, True]


@pytest.mark.parametrize(("column", "age"), [("seen_at", login_sessions.IDLE), ("created_at", login_sessions.LONGEST)])
def test_a_session_ends_by_itself(services: Services, column: str, age: float) -> None:
    token = _begin(services, make(services, "ana"))
    for seconds, lasts in ((age - 60, True), (age + 60, False)):
        with writing(services.engine) as session:
            session.execute(update(LoginSession).values({column: clock() - seconds}))
        assert bool(_find(services, token)) is lasts
    _begin(services, make(services, "bruno"))
    with reading(services.engine) as session:
        assert session.query(LoginSession).count() == 1, "what is over is cleared"


def test_sessions_are_listed_and_ended_by_their_person_only(services: Services) -> None:
    ana, bruno = make(services, "ana"), make(services, "bruno")
    first, second = _begin(services, ana, "Telefone"), _begin(services, ana, "Mesa\x1b[31m\u202e")
    with reading(services.engine) as session:
        listed = login_sessions.of_user(session, ana.id)
    assert [found.agent for found in listed] == ["Mesa[31m", "Telefone"]
    with writing(services.engine) as session:
        assert login_sessions.end(session, bruno.id, listed[0].id) is False
        assert login_sessions.end(session, ana.id, listed[1].id) is True
    assert _find(services, first) is None
    assert _find(services, second) is not None
    with writing(services.engine) as session:
        login_sessions.end_others(session, ana.id, None)
    assert _find(services, second) is None


def test_the_last_request_is_noted_now_and_then(services: Services) -> None:
    token = _begin(services, make(services, "ana"))
    found = _find(services, token)
    assert found is not None
    assert not found.note_due
    with writing(services.engine) as session:
        session.execute(update(LoginSession).values(seen_at=clock() - 120))
    assert _find(services, token).note_due
    with writing(services.engine) as session:
        login_sessions.note(session, found.id, "10.0.0.2")
    assert not _find(services, token).note_due


@pytest.mark.parametrize("text", ["", "x", "\ud800", "a" * 10_000])
def test_any_other_cookie_is_nobodys(services: Services, text: str) -> None:
    _begin(services, make(services, "ana"))
    assert _find(services, text) is None


def _make_key(services: Services, user: User, **values: object) -> tuple[ApiKey, str]:
    given: dict = {"name": "relatórios", "scopes": ["read"]} | values
    with writing(services.engine) as session:
        return api_keys.make(session, user.id, **given)


def _key(services: Services, key: str) -> api_keys.Found | None:
    with reading(services.engine) as session:
        return api_keys.find(session, key)


def test_a_key_is_kept_as_a_hash_and_found(services: Services) -> None:
    ana = make(services, "ana", "operator", "7")
    row, key = _make_key(services, ana, scopes=["sync", "read", "read"])
    with reading(services.engine) as session:
        kept = session.query(ApiKey).one()
    assert key not in str(vars(kept))
    assert key.startswith(kept.hint)
    assert len(kept.hint) <= 8
    found = _key(services, key)
    assert found is not None
    assert (found.id, found.owner, found.role, found.scopes) == (row.id, "7", "operator", ("read", "sync"))
    assert found.note_due
    with writing(services.engine) as session:
        api_keys.note(session, row.id)
    assert not _key(services, key).note_due
    assert _key(services, key + "x") is None


def test_a_key_ends_with_its_time_its_person_or_a_word(services: Services) -> None:
    make(services, "ana")
    bruno = make(services, "bruno", "viewer")
    _, over = _make_key(services, bruno, expires_at=1.0)
    row, revoked = _make_key(services, bruno)
    _, of_disabled = _make_key(services, bruno)
    assert _key(services, over) is None
    with writing(services.engine) as session:
        assert api_keys.revoke(session, row.id, user_id=bruno.id + 1) is None
        assert api_keys.revoke(session, row.id, user_id=bruno.id) is not None
        assert api_keys.revoke(session, row.id) is None
    assert _key(services, revoked) is None
    assert _key(services, of_disabled) is not None
    with writing(services.engine) as session:
        people.change(session, session.merge(bruno), disabled=True)
    assert _key(services, of_disabled) is None
    with writing(services.engine) as session:
        people.remove(session, session.merge(bruno))
    with reading(services.engine) as session:
        assert session.query(ApiKey).count() == 0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": " "}, "nome de 1 a 64"),
        ({"name": "x" * 65}, "nome de 1 a 64"),
        ({"name": "a\x1bb"}, "nome"),
        ({"scopes": []}, "permissão"),
    ],
)
def test_a_key_that_does_not_serve_is_refused(services: Services, values: dict, said: str) -> None:
    with pytest.raises(PeopleError, match=said):
        _make_key(services, make(services, "ana"), **values)


def test_there_is_an_end_to_keys(services: Services) -> None:
    ana = make(services, "ana")
    for _ in range(api_keys.MOST):
        _make_key(services, ana)
    with pytest.raises(PeopleError, match="20 chaves"):
        _make_key(services, ana)
