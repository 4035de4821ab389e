"""What a caller may wish about waiting, as the header says it."""

import pytest

from kommo.api.waiting import Preference, preference

MOST = 600.0


@pytest.mark.parametrize(
    ("headers", "wish", "seconds"),
    [
        ([], Preference(), MOST),
        ([""], Preference(), MOST),
        (["respond-async"], Preference(respond_async=True), 0.0),
        (["Respond-Async"], Preference(respond_async=True), 0.0),
        (["respond-async; foo=1"], Preference(respond_async=True), 0.0),
        (["wait=5"], Preference(wait=5), 5.0),
        (['wait="5"'], Preference(wait=5), 5.0),
        (["wait = 5"], Preference(wait=5), 5.0),
        (["wait=0"], Preference(wait=0), 0.0),
        (["wait=99999"], Preference(wait=99999), MOST),
        (["respond-async, wait=10"], Preference(respond_async=True, wait=10), 10.0),
        (["respond-async", "wait=10"], Preference(respond_async=True, wait=10), 10.0),
        (["wait=3, wait=9"], Preference(wait=3), 3.0),
        (["return=minimal, wait=7"], Preference(wait=7), 7.0),
        (["wait=-1"], Preference(), MOST),
        (["wait=abc"], Preference(), MOST),
        (["wait=1.5"], Preference(), MOST),
        (["wait=99999999999999999999"], Preference(), MOST),
        (["=;,,;="], Preference(), MOST),
    ],
)
def test_preferences(headers: list[str], wish: Preference, seconds: float) -> None:
    """What cannot be understood is ignored, as RFC 7240 wants it; the server's own limit holds above all."""
    assert preference(headers) == wish
    assert preference(headers).seconds(MOST) == seconds


def test_the_server_may_not_wait_at_all() -> None:
    assert Preference(wait=5).seconds(0.0) == 0.0
    assert Preference().seconds(0.0) == 0.0


def test_what_was_kept_is_told() -> None:
    assert Preference().applied(MOST, 1.0) == {}
    assert Preference(respond_async=True).applied(0.0, 1.0) == {"Preference-Applied": "respond-async"}
    assert Preference(respond_async=True, wait=3).applied(3.0, 0.1) == {"Preference-Applied": "wait=3"}


def test_what_was_not_kept_is_not_told() -> None:
    """The server's own limit, no place to wait in, and a first check that took longer than the caller wanted."""
    assert Preference(wait=60).applied(2.0, 2.1) == {"Preference-Applied": "wait=2"}
    assert Preference(wait=60).applied(0.0, 0.1) == {"Preference-Applied": "wait=0"}
    assert Preference(wait=1).applied(1.0, 3.2) == {"Preference-Applied": "wait=3"}
