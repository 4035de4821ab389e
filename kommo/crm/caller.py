"""One request with its retries: a slot of the budget for every attempt, pauses that grow, waits that can be ended."""

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from kommo.crm import errors
from kommo.crm.answers import Answer, raise_for
from kommo.crm.budget import Budget, NotYet
from kommo.crm.transport import Transport

T = TypeVar("T")
LONGEST_PAUSE = 60.0  # seconds; a longer Retry-After is in the error, for the caller to heed
BLOCK_PAUSE = 900.0  # seconds for which nobody sends anything after Kommo blocked this address
LATE = 0.02  # seconds a request may leave after its slot; the slots' own margin covers as much
LIMIT = "limit of the call"  # the note of a TimedOut that the caller's own limit made, not Kommo's silence
LOOK = 0.02  # seconds before its slot at which somebody looks whether it is still good: the look takes a moment too
PIECE = 0.25  # seconds of sleep between two looks at `should_stop`
log = structlog.get_logger()
TURN = "Esperando a vez: o Kommo aceita poucas requisições por segundo."  # what a wait for a slot is called


def never() -> bool:
    """The `should_stop` of a caller that never stops."""
    return False


def _over() -> errors.TimedOut:
    """The error of a call whose own time is over: a longer KOMMO_TIMEOUT would not help."""
    error = errors.TimedOut(note=LIMIT)
    error.advice = errors.KommoError.advice
    return error


@dataclass(slots=True)
class Caller:
    """Carries out requests. May be shared by threads. Times are seconds.

    `attempts` are retries beside the first try; `delay` is the first pause, doubled each time and up to a quarter
    longer by chance. `within` is for all requests together, from now on: what would last longer is TimedOut, its note
    LIMIT. `sleep` and `clock` belong together: sleeping moves the clock. `on_request(status or None, elapsed)` is told
    of each attempt, `on_wait(sentence, seconds)` of each wait, in Portuguese; of one whose end was not known, again
    whenever it has doubled. `address_set` tells that KOMMO_API_URL names the address: only then may an error speak of
    it.
    """

    transport: Transport
    budget: Budget
    purpose: str = "sync"
    attempts: int = 3
    delay: float = 1.0
    max_wait: float | None = None
    within: float | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    address_set: bool = False
    chance: Callable[[], float] = random.random
    should_stop: Callable[[], bool] = never
    on_request: Callable[[int | None, float], None] | None = None
    on_wait: Callable[[str, float], None] | None = None
    server_time: float | None = None
    last: Answer | None = None
    _until: float = field(init=False, default=math.inf)

    def __post_init__(self) -> None:
        if self.within is not None:
            self._until = self.clock() + self.within

    def call(self, path: str, params: Sequence[tuple[str, str]], parse: Callable[[Answer], T]) -> T:
        """GET `path` and give what `parse` makes of a good answer; `parse` may raise Nonsense, which is retried.

        Raises the last attempt's KommoError when it may not or no longer be retried, Cancelled when told to stop.
        """
        failures = 0
        while True:
            self._wait_for_slot()
            sent = self.clock()
            try:
                return parse(self._attempt(path, params))
            except errors.KommoError as error:
                pause = self._settle(error, failures, self.clock() - sent)
                if not error.again or failures >= self.attempts or pause >= self._until - self.clock():
                    if self.address_set:
                        error.blame_setting()
                    raise
                sentence = f"{error.sentence} Nova tentativa em {math.ceil(pause)}\u00a0s."
            failures += 1
            self._wait(sentence, pause)

    def _wait_for_slot(self) -> None:
        """Wait for a slot and be on time for it: a slot that has gone by is not used, another one is taken.

        Requests that a busy machine held up would leave together otherwise, and be too many in one second. What
        Kommo told somebody else meanwhile, a 429 or a block, holds for this request too.
        """
        began, told = self.clock(), 0.0
        good = reserved = False
        while not good:
            if self.should_stop():
                raise errors.Cancelled
            seconds, mine = self._slot(self.clock() - began, again=reserved)
            reserved, begin = reserved or mine, self.clock()
            if (whole := begin - began + seconds) >= 2 * told:
                told = whole
                self._tell_wait(TURN, whole)
            self._sleep(seconds - LOOK)
            void = not mine or (seconds > 0 and self.budget.held())
            self._sleep(begin + seconds - self.clock())
            good = not void and self.clock() - begin - seconds <= LATE

    def _slot(self, waited: float, *, again: bool) -> tuple[float, bool]:
        """Reserve a slot; gives the seconds until it and True, or until it may be asked for again and False.

        TimedOut where it would come after the call's limit.
        """
        left = self._until - self.clock()
        longest = math.inf if self.max_wait is None else self.max_wait
        if left <= 0:
            raise _over()
        try:
            most = min(left, longest) if left < math.inf else self.max_wait
            return self.budget.slot(self.purpose, max_wait=most, waited=waited, again=again), True
        except NotYet as early:
            return early.seconds, False
        except errors.RateLimited:
            if left < longest:
                raise _over() from None
            raise

    def _attempt(self, path: str, params: Sequence[tuple[str, str]]) -> Answer:
        started = self.clock()
        try:
            answer = self.transport.get(path, params, within=self._until - started)
        except errors.KommoError as error:
            self._tell_request(path, error.status, self.clock() - started)
            if isinstance(error, errors.TimedOut) and self.clock() >= self._until:
                raise _over() from None
            raise
        self._tell_request(path, answer.status, answer.elapsed)
        self.last, self.server_time = answer, answer.server_time or self.server_time
        raise_for(answer)
        return answer

    def _settle(self, error: errors.KommoError, failures: int, sent: float) -> float:
        """Tell everybody what a 429 or a block means; gives the seconds to pause before another attempt.

        `sent` is how many seconds ago the request was sent.
        """
        if isinstance(error, errors.Blocked):
            error.retry_after = BLOCK_PAUSE
            self.budget.block(BLOCK_PAUSE)
        grown = self.delay * 2.0 ** min(failures, 30) * (1 + self.chance() / 4)
        pause = min(max(grown, error.retry_after or 0.0), LONGEST_PAUSE)
        if isinstance(error, errors.RateLimited):
            self.budget.slow_down(pause, self.purpose, sent)
        return pause

    def _wait(self, sentence: str, seconds: float) -> None:
        self._tell_wait(sentence, seconds)
        self._sleep(seconds)

    def _tell_wait(self, sentence: str, seconds: float) -> None:
        if seconds > 0 and self.on_wait is not None:
            self.on_wait(sentence, seconds)

    def _sleep(self, seconds: float) -> None:
        """Sleep in pieces; the last one ends on time, so that a slot is used when it comes."""
        until = self.clock() + seconds
        while (left := until - self.clock()) > 0:
            if self.should_stop():
                raise errors.Cancelled
            self.sleep(min(left, PIECE))

    def _tell_request(self, path: str, status: int | None, elapsed: float) -> None:
        log.debug("kommo_request", path=path, status=status, ms=round(elapsed * 1000), purpose=self.purpose)
        if self.on_request is not None:
            self.on_request(status, elapsed)
