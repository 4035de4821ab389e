"""The error tree: every class says what to do next and what to tell the person."""

import pickle
import re

import pytest

from kommo.crm import errors
from kommo.crm.errors import BadToken, KommoError, Verdict


def classes(root: type[KommoError] = KommoError) -> list[type[KommoError]]:
    """The root's descendants, depth first."""
    return [one for child in root.__subclasses__() for one in (child, *classes(child))]


ALL = classes()


def test_the_tree_is_the_one_the_module_shows() -> None:
    shown = re.findall(r"[├└]─ (\w+) +(retry|stop|skip)", errors.__doc__ or "")
    assert shown == [(one.__name__, one.verdict.value) for one in ALL]


@pytest.mark.parametrize("one", ALL)
def test_every_error_has_a_code_and_texts_of_its_own(one: type[KommoError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", one.code)
    assert "code" in vars(one)
    assert one.sentence.endswith(".") and one.advice.endswith(".")
    assert "!" not in one.sentence + one.advice
    assert "KOMMO_API_URL" not in one.advice  # a person who never set it does not know it
    assert "cole-o aqui" not in one.advice  # it stands on pages that have no field for it


def test_codes_and_sentences_are_told_apart() -> None:
    assert len({one.code for one in ALL}) == len(ALL)
    assert len({one.sentence for one in ALL}) == len(ALL)


@pytest.mark.parametrize("one", ALL)
def test_the_text_of_an_error_is_its_sentence(one: type[KommoError]) -> None:
    assert str(one()) == one.sentence


@pytest.mark.parametrize("one", ALL)
def test_errors_survive_a_process_border(one: type[KommoError]) -> None:
    error = one(503)
    error.retry_after = 4.0
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.status, copy.retry_after, str(copy)) == (one, 503, 4.0, str(error))


@pytest.mark.parametrize("one", ALL)
def test_what_may_be_sent_again_at_once(one: type[KommoError]) -> None:
    assert one().again == (one.verdict is Verdict.RETRY or one is errors.Nonsense)


def test_the_five_kinds_of_unreachable_are_one_family() -> None:
    family = {errors.NameNotFound, errors.ConnectionRefused, errors.TlsFailed}
    assert {one for one in ALL if issubclass(one, errors.Unreachable)} == family | {errors.Unreachable}


def test_a_missing_scope_is_said_in_words_of_its_own() -> None:
    plain, scope = errors.Forbidden(), errors.Forbidden(scope_missing=True)
    assert not plain.scope_missing and scope.scope_missing
    assert "escopo" in scope.sentence and "escopo" not in plain.sentence
    assert "crm" in scope.advice


def test_an_expired_token_names_its_day_where_it_is_known() -> None:
    assert errors.TokenExpired(day="20/02/2025").sentence == "O token venceu em 20/02/2025."
    assert errors.TokenExpired().sentence == "O token venceu."


def test_a_block_says_whom_to_write_to_and_what() -> None:
    assert "Escreva ao suporte do Kommo e peça que desbloqueie o IP deste servidor" in errors.Blocked.advice


@pytest.mark.parametrize(
    "code", ["token_missing", "token_not_jwt", "token_too_long", "token_bad_characters", "host_refused"]
)
def test_a_bad_token_says_what_helps(code: str) -> None:
    error = BadToken(code)
    assert error.code == code
    assert str(error) == error.sentence and error.sentence.endswith(".") and "!" not in error.sentence
    assert pickle.loads(pickle.dumps(error)).sentence == error.sentence


def test_a_bad_token_takes_another_sentence() -> None:
    assert (
        BadToken("token_not_jwt", "O token guardado está danificado.").sentence == "O token guardado está danificado."
    )


def test_an_unknown_code_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        BadToken("token_blue")
