"""One request with its retries: attempts, slots, pauses, and the word to stop. Time moves by sleeping only."""

import time
from typing import Any

import pytest

from kommo.crm import errors
from kommo.crm.answers import Answer
from kommo.crm.caller import BLOCK_PAUSE, LATE, LIMIT, LONGEST_PAUSE, LOOK, PIECE, TURN, Caller
from kommo.crm.transport import Transport
from tests.crm.budgets import Unlimited
from tests.crm.people import HandClock, Ledger, token
from tests.crm.servers import BLOCK, FAULT, HTML, OK, REFUSED, TOO_MANY, Handler, RawServer, answer, says

PATH = "/api/v4/account"
HTML_200 = answer(200, HTML, "text/html")


def body_of(reply: Answer) -> bytes:
    """The simplest reading of an answer."""
    return reply.body


class Scene:
    """A server that says what it is told, and a caller whose clock is moved by hand."""

    def __init__(self, handler: Handler, **options: Any) -> None:
        self.clock = HandClock()
        self.ledger: Any = options.pop("budget", None) or Ledger(waits=options.pop("waits", []))
        self.requests: list[tuple[int | None, float]] = []
        self.waits: list[tuple[str, float]] = []
        self.parse = options.pop("parse", body_of)
        self._handler = handler
        self._options = options
        self.heads = 0

    def call(self) -> Any:
        """Make the call; what the caller raises comes through."""
        with RawServer(self._handler) as server, Transport(server.address, token(), timeout=60) as transport:
            self.caller = Caller(
                transport, self.ledger, sleep=self.clock.sleep, clock=self.clock, chance=lambda: 0.0,
                on_request=lambda status, elapsed: self.requests.append((status, elapsed)),
                on_wait=lambda sentence, seconds: self.waits.append((sentence, seconds)), **self._options,
            )  # fmt: skip
            try:
                return self.caller.call(PATH, [], self.parse)
            finally:
                self.heads = len(server.heads)

    def failure(self) -> errors.KommoError:
        """What the call raises."""
        with pytest.raises(errors.KommoError) as caught:
            self.call()
        return caught.value

    @property
    def pauses(self) -> list[float]:
        """The seconds of each wait."""
        return [seconds for _, seconds in self.waits]


def test_a_good_answer_takes_one_slot_and_no_pause() -> None:
    scene = Scene(says(OK))
    assert b"Padaria" in scene.call()
    assert (scene.ledger.slots, scene.waits, scene.clock.slept) == (["sync"], [], [])
    assert [status for status, _ in scene.requests] == [200]


@pytest.mark.parametrize("bad", [FAULT, TOO_MANY, HTML_200, answer(200, b"{cut"), answer(408, HTML, "text/html")])
def test_a_passing_trouble_is_tried_again(bad: bytes) -> None:
    def parse(reply: Answer) -> bytes:
        if reply.body == b"{cut":
            raise errors.Nonsense
        return reply.body

    scene = Scene(says(bad, bad, OK), parse=parse)
    assert b"Padaria" in scene.call()
    assert (len(scene.ledger.slots), scene.pauses) == (3, [1.0, 2.0])


@pytest.mark.parametrize(
    ("bad", "kind"), [(FAULT, errors.ServerFault), (TOO_MANY, errors.RateLimited), (HTML_200, errors.Nonsense)]
)
@pytest.mark.parametrize("attempts", [0, 1, 3])
def test_attempts_are_counted_beside_the_first_try(bad: bytes, kind: type[errors.KommoError], attempts: int) -> None:
    scene = Scene(says(bad), attempts=attempts)
    assert type(scene.failure()) is kind
    assert scene.heads == len(scene.ledger.slots) == len(scene.requests) == attempts + 1
    assert len(scene.pauses) == attempts


STOPPING = [
    (REFUSED, errors.TokenRefused),
    (answer(402, {}), errors.Unpaid),
    (answer(403, {"detail": "Access denied"}), errors.Forbidden),
    (BLOCK, errors.Blocked),
    (answer(302, b"", Location="https://evil.example/"), errors.WrongHost),
    (answer(404, HTML, "text/html"), errors.WrongHost),
    (answer(404, {}), errors.NotFound),
    (answer(400, {}), errors.Rejected),
    (answer(422, {}), errors.Rejected),
]


@pytest.mark.parametrize(("reply", "kind"), STOPPING)
def test_a_refusal_is_not_tried_again(reply: bytes, kind: type[errors.KommoError]) -> None:
    scene = Scene(says(reply), attempts=5)
    assert type(scene.failure()) is kind
    assert (scene.heads, scene.waits) == (1, [])


def test_a_broken_connection_is_tried_again_and_told() -> None:
    served = []

    def handle(connection: Any, _head: bytes) -> bool:
        served.append(1)
        if len(served) < 3:
            return False
        connection.sendall(OK)
        return True

    scene = Scene(handle)
    scene.call()
    assert [status for status, _ in scene.requests] == [None, None, 200]


def test_pauses_double_up_to_a_minute() -> None:
    scene = Scene(says(FAULT), attempts=9, delay=0.5)
    scene.failure()
    assert scene.pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LONGEST_PAUSE, LONGEST_PAUSE]


def test_very_many_attempts_do_not_overflow() -> None:
    scene = Scene(says(FAULT), attempts=40)
    scene.failure()
    assert scene.pauses[-1] == LONGEST_PAUSE


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 4.0), (0.5, 4.5), (1.0, 5.0)])
def test_a_pause_is_up_to_a_quarter_longer_by_chance(chance: float, pause: float) -> None:
    scene = Scene(says(FAULT, OK), delay=4.0)
    with RawServer(says(FAULT, OK)) as server, Transport(server.address, token()) as transport:
        clock = HandClock()
        caller = Caller(
            transport, Unlimited(), delay=4.0, sleep=clock.sleep, clock=clock, chance=lambda: chance,
            on_wait=lambda sentence, seconds: scene.waits.append((sentence, seconds)),
        )  # fmt: skip
        caller.call(PATH, [], body_of)
    assert scene.pauses == [pause]


def test_no_delay_is_no_pause() -> None:
    scene = Scene(says(FAULT), delay=0.0)
    scene.failure()
    assert scene.waits == [] and scene.heads == 4


@pytest.mark.parametrize(("said", "pause"), [("7", 7.0), ("0", 1.0), ("60", 60.0), ("300", 60.0), ("x", 1.0)])
def test_retry_after_is_honoured_up_to_a_minute(said: str, pause: float) -> None:
    scene = Scene(says(answer(429, HTML, "text/html", Retry_After=said), OK))
    scene.call()
    assert scene.pauses == [pause] == scene.ledger.slowed


def test_a_longer_retry_after_is_left_to_the_one_who_gives_up() -> None:
    scene = Scene(says(answer(429, {"retry_after": 300}, "application/problem+json")), attempts=1)
    assert scene.failure().retry_after == 300.0


def test_each_429_pushes_everybody_back() -> None:
    scene = Scene(says(TOO_MANY), attempts=2)
    scene.failure()
    assert scene.ledger.slowed == [1.0, 2.0, 4.0]


def test_other_troubles_slow_nobody_else_down() -> None:
    scene = Scene(says(FAULT))
    scene.failure()
    assert scene.ledger.slowed == [] == scene.ledger.blocked


def test_a_block_stops_everybody_at_once() -> None:
    scene = Scene(says(BLOCK))
    error = scene.failure()
    assert scene.ledger.blocked == [BLOCK_PAUSE] and error.retry_after == BLOCK_PAUSE
    again = Scene(says(OK), budget=scene.ledger)
    assert isinstance(again.failure(), errors.Blocked)
    assert (again.heads, again.requests) == (0, [])


def test_a_block_seen_at_the_slot_is_not_made_longer() -> None:
    ledger = Ledger(blocked=[5.0])
    assert Scene(says(OK), budget=ledger).failure().retry_after == 5.0
    assert ledger.blocked == [5.0]


def test_the_slot_is_waited_for() -> None:
    scene = Scene(says(OK), waits=[0.7])
    scene.call()
    assert sum(scene.clock.slept) == pytest.approx(0.7)
    assert scene.waits == [(TURN, 0.7)]
    assert TURN == "Esperando a vez: o Kommo aceita poucas requisições por segundo."


def test_each_attempt_waits_for_its_own_slot() -> None:
    scene = Scene(says(FAULT, FAULT, OK), waits=[0.1, 0.2, 0.3])
    scene.call()
    assert scene.pauses == [0.1, 1.0, 0.2, 2.0, 0.3]


def test_the_purpose_and_the_longest_wait_reach_the_budget() -> None:
    scene = Scene(says(OK), purpose="page", max_wait=2.0)
    scene.call()
    assert (scene.ledger.slots, scene.ledger.max_waits) == (["page"], [2.0])


def test_a_slot_that_is_too_far_off_is_the_limit() -> None:
    scene = Scene(says(OK), waits=[30.0], max_wait=2.0)
    assert type(scene.failure()) is errors.RateLimited
    assert (scene.heads, scene.waits) == (0, [])


@pytest.mark.parametrize("stopped_after", [0, 1, 4])
@pytest.mark.parametrize("options", [{"waits": [60.0]}, {"delay": 60.0}])
def test_a_wait_ends_when_told_to_stop(stopped_after: int, options: dict[str, Any]) -> None:
    """`should_stop` is looked at before the attempt and between all pieces of a wait, each under half a second."""
    scene = Scene(says(FAULT), **options)
    scene._options["should_stop"] = lambda: len(scene.clock.slept) >= stopped_after and bool(scene.waits)
    assert type(scene.failure()) is errors.Cancelled
    assert len(scene.clock.slept) == stopped_after and max(scene.clock.slept, default=0) <= PIECE <= 0.5


def test_who_is_stopped_sends_nothing_and_takes_no_slot() -> None:
    scene = Scene(says(OK), should_stop=lambda: True)
    assert type(scene.failure()) is errors.Cancelled
    assert (scene.heads, scene.ledger.slots) == (0, [])


def test_who_is_stopped_after_a_failure_does_not_try_again() -> None:
    scene = Scene(says(FAULT))
    scene._options["should_stop"] = lambda: bool(scene.requests)
    assert type(scene.failure()) is errors.Cancelled
    assert scene.heads == 1


def test_what_is_waited_for_is_said_in_portuguese() -> None:
    scene = Scene(says(FAULT, TOO_MANY, HTML_200, OK))
    scene.call()
    assert [sentence for sentence, _ in scene.waits] == [
        "O Kommo está com uma falha interna. Nova tentativa em 1\u00a0s.",
        "O limite de requisições do Kommo foi atingido. Nova tentativa em 2\u00a0s.",
        "O Kommo respondeu algo que não se pode ler. Nova tentativa em 4\u00a0s.",
    ]


def test_every_attempt_is_told_with_its_status() -> None:
    scene = Scene(says(FAULT, TOO_MANY, REFUSED))
    scene.failure()
    assert [status for status, _ in scene.requests] == [502, 429, 401]
    assert all(elapsed >= 0 for _, elapsed in scene.requests)


def test_kommos_clock_is_that_of_the_latest_answer_that_tells_it() -> None:
    dated = answer(502, HTML, "text/html", Date="Mon, 23 Nov 2026 16:00:00 GMT")
    scene = Scene(says(dated, OK))
    scene.call()
    assert scene.caller.server_time == 1_795_449_600
    assert scene.caller.last is not None and scene.caller.last.status == 200


def test_a_mistake_of_ours_is_not_swallowed() -> None:
    def parse(_reply: Answer) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Scene(says(OK), parse=parse).call()


def test_an_unlimited_budget_never_waits_but_honours_a_block() -> None:
    clock = HandClock()
    budget = Unlimited(clock)
    assert budget.slot("sync") == budget.slot("page", max_wait=0.0) == 0.0
    budget.slow_down(50.0, "sync", 0.1)
    assert budget.slot("sync") == 0.0
    budget.block(10.0)
    clock.sleep(4.0)
    with pytest.raises(errors.Blocked) as caught:
        budget.slot("sync")
    assert caught.value.retry_after == pytest.approx(6.0)
    clock.sleep(6.0)
    assert budget.slot("sync") == 0.0


class TestAllTogetherWithin:
    """A limit for the whole call."""

    def test_no_pause_goes_beyond_it(self) -> None:
        scene = Scene(says(FAULT), attempts=9, within=5.0)
        assert type(scene.failure()) is errors.ServerFault
        assert scene.pauses == [1.0, 2.0]  # the third one would be four seconds

    def test_no_slot_is_taken_beyond_it(self) -> None:
        scene = Scene(says(OK), waits=[7.0], max_wait=15.0, within=5.0)
        error = scene.failure()
        assert (type(error), error.note, scene.heads) == (errors.TimedOut, LIMIT, 0)

    def test_a_busy_budget_is_still_the_budgets_word(self) -> None:
        scene = Scene(says(OK), waits=[30.0], max_wait=2.0, within=5.0)
        assert type(scene.failure()) is errors.RateLimited

    def test_a_request_ends_with_it(self) -> None:
        """In real time: the server is silent, and the transport would wait longer."""
        with RawServer(lambda *_: time.sleep(1) is None) as server, Transport(server.address, token()) as transport:
            began = time.monotonic()
            with pytest.raises(errors.TimedOut) as caught:
                Caller(transport, Ledger(), within=0.3).call(PATH, [], body_of)
        assert caught.value.note == LIMIT
        assert "KOMMO_TIMEOUT" not in caught.value.advice
        assert time.monotonic() - began < 3

    def test_kommos_own_silence_is_not_it(self) -> None:
        silent = RawServer(lambda *_: time.sleep(1) is None)
        with silent as server, Transport(server.address, token(), timeout=0.2) as transport:
            caller = Caller(transport, Ledger(), attempts=0, within=9.0)
            with pytest.raises(errors.TimedOut) as caught:
                caller.call(PATH, [], body_of)
        assert caught.value.note != LIMIT

    def test_after_it_nothing_is_sent(self) -> None:
        clock = HandClock()
        with RawServer(says(OK)) as server, Transport(server.address, token(), timeout=5) as transport:
            caller = Caller(transport, Ledger(), sleep=clock.sleep, clock=clock, within=5.0)
            caller.call(PATH, [], body_of)
            clock.sleep(5.0)
            with pytest.raises(errors.TimedOut) as caught:
                caller.call(PATH, [], body_of)
            assert (caught.value.note, len(server.heads)) == (LIMIT, 1)


def test_a_slot_that_went_by_is_not_used() -> None:
    """A busy machine wakes us late: the request would leave beside others, so another slot is taken."""
    clock, ledger = HandClock(), Ledger(waits=[0.1, -0.3, 0.0])
    oversleeps = iter([LATE * 3])

    def sleep(seconds: float) -> None:
        clock.sleep(seconds + next(oversleeps, 0.0))

    with RawServer(says(OK)) as server, Transport(server.address, token(), timeout=60) as transport:
        Caller(transport, ledger, sleep=sleep, clock=clock).call(PATH, [], body_of)
        assert len(server.heads) == 1
    assert ledger.slots == ["sync"] * 3  # overslept, gone by on arrival, on time


def test_a_slot_is_void_once_kommo_has_said_stop() -> None:
    """While we waited for it, somebody else met a 429: another slot is taken."""
    ledger = Ledger(waits=[0.2, 0.1, 0.0], holds=[True, False])
    scene = Scene(says(OK), budget=ledger)
    scene.call()
    assert len(ledger.slots) == 2


class TestTakingTurns:
    """A budget that says: not yet."""

    def test_it_is_asked_again_when_it_said_and_knows_how_long_that_has_been(self) -> None:
        scene = Scene(says(OK), budget=Ledger(early=[0.3, 0.2], waits=[0.1]))
        scene.call()
        assert scene.heads == 1
        assert sum(scene.clock.slept) == pytest.approx(0.6)
        assert [waited for waited, _ in scene.ledger.asked] == pytest.approx([0.0, 0.3, 0.5])
        assert scene.ledger.slots == ["sync"]

    def test_a_person_hears_of_the_whole_wait_and_not_of_every_piece(self) -> None:
        """Each word is a write on the run's row: one as it begins, and one whenever it has doubled."""
        scene = Scene(says(OK), budget=Ledger(early=[0.25] * 40))
        scene.call()
        assert scene.pauses == pytest.approx([0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
        assert {sentence for sentence, _ in scene.waits} == {TURN}

    def test_it_ends_when_told_to_stop(self) -> None:
        scene = Scene(says(OK), budget=Ledger(early=[0.2] * 1000))
        scene._options["should_stop"] = lambda: len(scene.clock.slept) >= 12
        assert type(scene.failure()) is errors.Cancelled
        assert (scene.heads, scene.ledger.slots) == (0, [])
        assert len(scene.clock.slept) == 12

    def test_it_ends_with_the_calls_own_time(self) -> None:
        scene = Scene(says(OK), budget=Ledger(early=[1.0] * 1000), within=5.0)
        error = scene.failure()
        assert (type(error), error.note, scene.heads) == (errors.TimedOut, LIMIT, 0)
        assert len(scene.ledger.asked) == 5

    def test_only_a_slot_that_was_reserved_is_replaced(self) -> None:
        """The budget counts requests as it gives slots: one that could not be used is not counted twice."""
        scene = Scene(says(OK), budget=Ledger(early=[0.2], waits=[0.2, 0.1], holds=[True, False]))
        scene.call()
        assert [again for _, again in scene.ledger.asked] == [False, False, True]

    def test_every_attempt_is_counted(self) -> None:
        scene = Scene(says(FAULT, OK))
        scene.call()
        assert [again for _, again in scene.ledger.asked] == [False, False]


def test_a_slot_is_looked_at_before_it_comes_and_used_on_time() -> None:
    """What the look takes is not what makes the request late."""
    clock = HandClock()
    looked: list[float] = []

    class Slow(Ledger):
        def held(self) -> bool:
            looked.append(clock.now)
            clock.now += LOOK
            return False

    ledger = Slow(waits=[0.7])
    with RawServer(says(OK)) as server, Transport(server.address, token(), timeout=60) as transport:
        Caller(transport, ledger, sleep=clock.sleep, clock=clock).call(PATH, [], body_of)
    assert looked == pytest.approx([1000.7 - LOOK])
    assert (clock.now, ledger.slots) == (pytest.approx(1000.7), ["sync"])


def test_the_budget_hears_how_long_ago_the_refused_request_left() -> None:
    """Whoever was under way when others were refused is not to slow everybody down once more."""
    clock, ledger = HandClock(), Ledger()

    def refuse(connection: Any, _head: bytes) -> bool:
        clock.now += 3.0
        connection.sendall(TOO_MANY)
        return True

    with RawServer(refuse) as server, Transport(server.address, token(), timeout=60) as transport:
        caller = Caller(transport, ledger, sleep=clock.sleep, clock=clock, attempts=0)
        with pytest.raises(errors.RateLimited):
            caller.call(PATH, [], body_of)
    assert ledger.sent == [3.0]


@pytest.mark.parametrize("address_set", [True, False])
def test_the_setting_of_the_address_is_named_only_where_it_is_set(address_set: bool) -> None:
    scene = Scene(says(answer(404, HTML, "text/html")), address_set=address_set, attempts=0)
    failure = scene.failure()
    assert type(failure) is errors.WrongHost
    assert ("KOMMO_API_URL" in failure.advice) == address_set
    assert "KOMMO_API_URL" not in errors.WrongHost.advice
