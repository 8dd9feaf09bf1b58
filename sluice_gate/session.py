"""One session of a job, from start or resumption to its end: the recipe that `job` describes.

Batches are asked for side by side and written one after another; at most as many are held as may be in
flight.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sluice_gate.answers import Answer
from sluice_gate.asking import Asking
from sluice_gate.batching import Batch, batches
from sluice_gate.clocks import Clock
from sluice_gate.columns import columns_of
from sluice_gate.confirming import Confirmations
from sluice_gate.delivering import AtStep, Deliveries, Step
from sluice_gate.errors import AnswerInvalid, CallRefused, GateError
from sluice_gate.journal import Entry, Journal
from sluice_gate.plan import Plan
from sluice_gate.reading.lines import Span
from sluice_gate.reading.reader import PostReader
from sluice_gate.report import Ended, Report
from sluice_gate.threads import finish
from sluice_gate.turns import Rounds, Turn

SHORTEST_WAIT_US = 1_000_000
"""Before a batch that had no room is asked again; also the time for room that was given back to be free."""
WAIT_WITHOUT_TIME_US = 60_000_000
"""How long to wait for room where licensing does not say how long."""

Progress = Callable[[int, int, Report], None]
"""Called after each batch with the bytes of input done, the bytes of input, and the figures so far."""


@dataclass
class Past:
    """What earlier sessions of a run have done."""

    report: Report
    last: Entry | None = None
    """The last batch that is done."""
    owed: dict[int, Entry] = field(default_factory=dict)
    """Deliveries that are not known to be confirmed, by batch."""
    finished: bool = False


@dataclass
class Session:
    """Everything that one session works with."""

    plan: Plan
    clock: Clock
    stop: asyncio.Event
    asking: Asking
    rounds: Rounds
    deliveries: Deliveries
    confirmations: Confirmations
    journal: Journal
    reader: PostReader
    past: Past
    on_progress: Progress
    at_step: AtStep

    def __post_init__(self) -> None:
        self._turns: deque[Turn] = deque()
        self._batches = self._unread()
        self._report = self.past.report

    async def run(self) -> Report:
        """Does all there is to do, or as much as can be done now; the report says which."""
        started_us = self.clock.elapsed_us()
        try:
            await self._work()
            await self._wind_up()
        finally:
            await self._let_go()
        self._report.session_us = self.clock.elapsed_us() - started_us
        return self._report

    async def _work(self) -> None:
        try:
            for owed in self.past.owed.values():
                await self.confirmations.add(owed)
            while turn := await self._next():
                if not await self._through(turn):
                    return
            await self.confirmations.drain()
            self._report.end_of_input()
        except CallRefused as refusal:
            self._report.end(self._why(refusal), refusal.reason, refusal.message)
        except AnswerInvalid as error:
            self._report.end(Ended.REFUSED, error.reason, error.message)
        except OSError as error:
            self._report.end(Ended.NOT_WRITTEN, "FILE_UNUSABLE", error.strerror or "a file could not be used")

    def _why(self, refusal: CallRefused) -> Ended:
        if self.stop.is_set():
            return Ended.INTERRUPTED
        return Ended.UNAVAILABLE if refusal.passing else Ended.REFUSED

    async def _next(self) -> Turn | None:
        """The first batch that is not written; the ones after it are read and asked for too."""
        while len(self._turns) < self.plan.in_flight and (turn := await finish(self._read)):
            self._turns.append(turn)
            self._ask()
        self._ask()
        return self._turns[0] if self._turns else None

    async def _through(self, turn: Turn) -> bool:
        """Sees the first batch through; False if the job has to end before it is written."""
        while True:
            self._ask()
            answered = await self._answered(turn)
            if not answered:
                self._report.end(Ended.INTERRUPTED, "INTERRUPTED", "the job was told to stop")
                return False
            answer = turn.asked.result() if turn.asked else None
            self.at_step(Step.ANSWERED)
            if answer is not None and answer.lacks_room:
                if not await self._find_room(turn, answer):
                    return False
            elif entry := await finish(lambda: self.deliveries.deliver(turn, answer)):  # noqa: B023 - awaited here
                await self._written(entry)
                return True
            elif answer is not None:
                await self.rounds.give_up(turn, answer)
                turn.asked = None

    async def _answered(self, turn: Turn) -> bool:
        """Waits for the answer or the order to stop; True if the answer is there, or none is needed."""
        if turn.asked is None:
            return not self.stop.is_set()
        stopping = asyncio.ensure_future(self.stop.wait())
        await asyncio.wait([turn.asked, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        return turn.asked.done()

    async def _find_room(self, turn: Turn, answer: Answer) -> bool:
        """Makes or awaits room for a batch that had none; False if the job has to end for it (M8)."""
        freed = await self._hold_back()
        if not freed and not self.plan.wait:
            denial = answer.decision.room_denial
            known = denial.HasField("retry_at")
            self._report.retry_at_us = denial.retry_at.ToMicroseconds() if known else None
            self._report.end(Ended.NO_ROOM, "NO_ROOM", f"no room: {denial.allowance}")
            return False
        await self.rounds.give_up(turn, answer)
        turn.asked, turn.alone = None, True
        if freed:
            # Later batches had taken what this one needs; it is given back and soon counted so.
            await self.asking.pause(SHORTEST_WAIT_US)
        else:
            turn.waits += 1
            wait_us = answer.retry_after_us
            await self.asking.pause(
                max(SHORTEST_WAIT_US, WAIT_WITHOUT_TIME_US if wait_us is None else wait_us)
            )
        return True

    async def _hold_back(self) -> bool:
        """Gives back what was decided for later batches, which must not pass by; True if it frees room."""
        freed = False
        for turn in list(self._turns)[1:]:
            if turn.asked is None:
                continue
            answer = await turn.asked
            if answer.posts_released or answer.lacks_room:
                await self.rounds.give_up(turn, answer)
                turn.asked = None
                freed = freed or answer.posts_released > 0
        return freed

    def _ask(self) -> None:
        """Asks for every batch at hand whose turn it is to be asked for."""
        for turn in self._turns:
            if turn.asked is None and turn.batch.records and not self.stop.is_set():
                turn.asked = asyncio.create_task(self.rounds.answer(turn))
            if turn.alone:
                return

    async def _written(self, entry: Entry) -> None:
        self._turns.popleft()
        self._report.count(entry)
        self._report.session_posts += entry.posts
        self.on_progress(entry.input[1], self.reader.size, self._report)
        await self.confirmations.add(entry)

    async def _wind_up(self) -> None:
        """Gives back what was decided and not written, waits for confirmations, and closes the books."""
        self.stop.set()
        await self._give_back()
        await self.confirmations.settle()
        self._report.unconfirmed += self.confirmations.failed
        self._report.problems += self.confirmations.problems
        try:
            self.journal.flush(finished=not self._report.resumable and not self.past.finished)
        except OSError as error:
            self._report.end(Ended.NOT_WRITTEN, "FILE_UNUSABLE", error.strerror or "the journal")

    async def _give_back(self) -> None:
        """Confirms as undelivered what was not, and will not be, written in the session."""
        asked = {turn.batch.ordinal: turn.asked for turn in self._turns if turn.asked}
        results = await asyncio.gather(*asked.values(), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, GateError):
                raise result
        # A write that failed may be on disk all the same. Only whoever reads the journal again can tell: to
        # give such a batch back would leave posts in the output that are billed to nobody.
        begun = {turn.batch.ordinal for turn in self._turns if turn.begun}
        self._report.unconfirmed += len(begun)
        held = [
            result
            for ordinal, result in zip(asked, results, strict=True)
            if isinstance(result, Answer) and result.posts_released and ordinal not in begun
        ]
        await asyncio.gather(*(self._give_back_one(answer) for answer in held))

    async def _give_back_one(self, answer: Answer) -> None:
        try:
            await self.rounds.confirm_nothing(answer)
        except CallRefused:
            self._report.unconfirmed += 1
        except AnswerInvalid as error:
            self._report.problems.append(error.message)

    async def _let_go(self) -> None:
        asked = [turn.asked for turn in self._turns if turn.asked]
        for asking in asked:
            asking.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        await self.confirmations.cancel()

    def _unread(self) -> Iterator[Batch]:
        body, last = self.reader.body, self.past.last
        start = Span(last.input[1], body.end, last.next_line) if last else body
        return batches(self.reader, self.plan.batch_size, start, last.batch + 1 if last else 0)

    def _read(self) -> Turn | None:
        """Reads the next batch; None where there is no more. Raises OSError."""
        batch = next(self._batches, None)
        return None if batch is None else Turn(batch, columns_of(batch.posts))
