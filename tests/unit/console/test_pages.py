"""Pages of an import arrive in order, each once, whatever becomes of the connection."""

import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from services.chassis.refusals import Kind, Refusal, invalid, unauthenticated, unavailable
from services.console.pages import BUSY_TRIES, IN_FLIGHT, LOST_TRIES, Courier, Page, pause_us

EXPIRED = Refusal(Kind.UNAUTHENTICATED, "TOKEN_EXPIRED", "open it again", retry_after_us=1_000)
LOST = unavailable("PEER_UNAVAILABLE", "consent did not answer")
BUSY = Refusal(Kind.EXHAUSTED, "QUEUE_FULL", "too much at once", retry_after_us=300_000)


class Consent:
    """Keeps each page once by its id; fails on the n-th that it gets, before it is kept or after."""

    def __init__(self, before: dict[int, Refusal] | None = None, after: dict[int, Refusal] | None = None):
        self.got: list[str] = []
        self.kept: list[str] = []
        self.lines = 0
        self.finished = 0
        self.most_waiting = 0
        self._before, self._after = before or {}, after or {}

    @contextlib.asynccontextmanager
    async def line(self) -> AsyncIterator["Line"]:
        self.lines += 1
        yield Line(self)

    def take(self, id: str) -> str:
        number = len(self.got)
        self.got.append(id)
        if number in self._before:
            raise self._before[number]
        if id not in self.kept:
            self.kept.append(id)
        if number in self._after:
            raise self._after[number]
        return f"answer to {id}"


class Line:
    """A stream that is lost with everything that is under way on it when the service fails."""

    def __init__(self, consent: Consent) -> None:
        self._consent = consent
        self._sent: deque[str] = deque()

    async def send(self, request: str) -> None:
        self._sent.append(request)
        self._consent.most_waiting = max(self._consent.most_waiting, len(self._sent))

    async def receive(self) -> str:
        return self._consent.take(self._sent.popleft())

    async def finish(self) -> None:
        self._consent.finished += 1


class Told:
    """Answers and waits as the courier tells them."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, str]] = []
        self.slept: list[float] = []

    def answer(self, page: Page[str], answer: str) -> None:
        self.answers.append((page.bytes_read, answer))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def delivered(consent: Consent, count: int = 4, read: Callable[[], None] = lambda: None) -> Told:
    """What was told of pages "a", "b", ..."""

    def pages() -> Iterator[Page[str]]:
        for number in range(count):
            read()
            yield Page("abcdefgh"[number], bytes_read=10 * (number + 1))

    told = Told()
    await Courier(consent.line, told.answer, told.sleep).deliver(pages())
    return told


ALL = [(10, "answer to a"), (20, "answer to b"), (30, "answer to c"), (40, "answer to d")]


async def test_pages_go_in_order_over_one_line_a_few_at_a_time() -> None:
    consent = Consent()

    told = await delivered(consent)

    assert told.answers == ALL
    assert consent.got == ["a", "b", "c", "d"]
    assert (consent.lines, consent.finished, consent.most_waiting) == (1, 1, IN_FLIGHT)


async def test_a_page_whose_answer_is_lost_goes_again_with_the_same_id() -> None:
    consent = Consent(after={1: LOST})

    told = await delivered(consent)

    assert told.answers == ALL
    assert consent.got == ["a", "b", "b", "c", "d"]
    assert consent.kept == ["a", "b", "c", "d"]
    assert consent.lines == 2


async def test_a_page_that_never_arrived_goes_again_before_those_after_it() -> None:
    consent = Consent(before={0: LOST, 1: LOST, 4: LOST})

    told = await delivered(consent)

    assert told.answers == ALL
    assert consent.kept == ["a", "b", "c", "d"]


async def test_a_busy_service_is_given_the_time_that_it_asks_for() -> None:
    consent = Consent(before={0: BUSY, 1: BUSY})

    told = await delivered(consent)

    assert told.slept == [0.3, 0.3]
    assert told.answers == ALL


async def test_a_service_that_does_not_answer_is_given_more_time_with_each_try() -> None:
    told = await delivered(Consent(before=dict.fromkeys(range(6), LOST)))

    assert told.slept == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0]


async def test_an_answer_makes_up_for_the_failures_before_it() -> None:
    # One less than is put up with in a row, twice; the eighth try is answered.
    told = await delivered(Consent(before=dict.fromkeys([*range(7), *range(8, 15)], LOST)))

    assert told.answers == ALL


@pytest.mark.parametrize(("refusal", "tries"), [(LOST, LOST_TRIES), (BUSY, BUSY_TRIES)])
async def test_patience_has_an_end(refusal: Refusal, tries: int) -> None:
    consent = Consent(before=dict.fromkeys(range(1000), refusal))

    with pytest.raises(Refusal, match=refusal.reason):
        await delivered(consent)

    assert len(consent.got) == tries


async def test_what_no_patience_helps_against_ends_it_at_once() -> None:
    consent = Consent(before={1: Refusal(Kind.FORBIDDEN, "NOT_ADMITTED", "not you")})

    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await delivered(consent)

    assert consent.got == ["a", "b"]


async def test_a_file_that_turns_out_to_be_broken_ends_it_too() -> None:
    reads = iter([None, None, invalid("PARQUET_UNREADABLE", "torn")])

    def read() -> None:
        if refusal := next(reads):
            raise refusal

    consent = Consent()
    with pytest.raises(Refusal, match="PARQUET_UNREADABLE"):
        await delivered(consent, read=read)

    assert consent.got == ["a"]


async def test_nothing_to_send_is_no_failure() -> None:
    assert (await delivered(Consent(), count=0)).answers == []


def test_exhausted_without_a_time_to_come_back_is_final() -> None:
    with pytest.raises(Refusal, match="TOO_LARGE"):
        pause_us(Refusal(Kind.EXHAUSTED, "TOO_LARGE", "too large"), failures=1)


async def test_an_import_that_outlives_its_token_goes_on_under_a_new_one_however_often() -> None:
    consent = Consent(before=dict.fromkeys(range(2 * LOST_TRIES), EXPIRED))

    told = await delivered(consent, 3)

    assert consent.kept == ["a", "b", "c"]
    assert told.slept == [0.001] * (2 * LOST_TRIES)


async def test_an_import_whose_token_is_not_taken_at_all_ends() -> None:
    consent = Consent(before={1: unauthenticated("TOKEN_EXPIRED", "the token has expired")})

    with pytest.raises(Refusal, match="TOKEN_EXPIRED"):
        await delivered(consent, 3)
