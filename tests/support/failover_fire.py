"""Choices, decisions and confirmations at full speed while a primary is lost, and what was acknowledged.

Each worker has one author: it records a choice, has a decision made that must follow from it, confirms what
was released and reads both back, each again until it is acknowledged. What was acknowledged is kept.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.refusals import Refusal
from sluice.consent.v1 import choice_pb2
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.licensing.v1 import release_service_pb2 as releases_pb
from sluice_gate.verifying.checkpoints import Log, verify_checkpoint
from sluice_gate.verifying.keys import load_keys
from sluice_gate.verifying.logged import verify_in_copy
from sluice_gate.verifying.tiles import verify_kept, verify_log_folder
from tests.support.failover_fleet import Side, newest_choice
from tests.support.keys import some_keys
from tests.support.licensing_fleet import AUTHORS
from tests.support.log_fire import NO_ANSWER
from tests.support.postgres import PostgresServer
from tests.support.receipts_made import ReceiptMaker
from tests.support.replicas import Lines, pause
from tests.support.willing_subjects import NOTICE

PATIENCE_SECONDS = 300.0
"""Until there is so much more: on a machine that others use as well."""
AGAIN_SECONDS = 0.05
LOOK_SECONDS = 0.02
UNANSWERED = 10
"""Calls of a side before it is taken for granted that nothing is confirmed there."""

T = TypeVar("T")


@dataclass(frozen=True)
class Choice:
    """As it was acknowledged."""

    revision: int
    subject: int
    stance: int


@dataclass
class FailoverFire:
    """One run; `wrong` has whatever was answered that does not follow from what was acknowledged before."""

    sides: Sequence[Side]
    folder: Path
    choices: list[Choice] = field(default_factory=list)
    decisions: list[releases_pb.Decision] = field(default_factory=list)
    delivered: set[str] = field(default_factory=set)
    """Decisions whose delivery was confirmed."""
    shown: set[bytes] = field(default_factory=set)
    """Checkpoints that the folder has had."""
    wrong: list[str] = field(default_factory=list)
    made_at: dict[str, str] = field(default_factory=dict)
    """By the id of a decision, the side that acknowledged it."""

    def __post_init__(self) -> None:
        self._clock = SystemClock()
        self._tasks: list[asyncio.Task[None]] = []

    def __str__(self) -> str:
        """In one line."""
        acknowledged = ", ".join(f"{side.acknowledged:,} {side.name}" for side in self.sides)
        unanswered = sum(side.unanswered for side in self.sides)
        return (
            f"calls acknowledged: {acknowledged} ({len(self.choices):,} choices, {len(self.decisions):,} "
            f"decisions, {len(self.delivered):,} confirmations), {unanswered:,} not answered"
        )

    def begin(self) -> None:
        """Workers share the authors out among the sides."""
        sides = [self.sides[number % len(self.sides)] for number in range(len(AUTHORS))]
        workers = [self._worker(side, author) for side, author in zip(sides, AUTHORS, strict=True)]
        self._tasks = [asyncio.create_task(work) for work in (*workers, self._watch())]

    async def more(self, side: Side, calls: int) -> float:
        """Returns when so many more calls were acknowledged; the seconds until the first of them."""
        began, before, first = time.monotonic(), side.acknowledged, 0.0
        async with asyncio.timeout(PATIENCE_SECONDS):
            while side.acknowledged < before + calls:
                await self._go_on()
                if not first and side.acknowledged > before:
                    first = time.monotonic() - began
        return first

    async def until_unanswered(self, side: Side) -> None:
        """Returns when some more calls were not answered."""
        before = side.unanswered
        async with asyncio.timeout(PATIENCE_SECONDS):
            while side.unanswered < before + UNANSWERED:
                await self._go_on()

    async def end(self) -> None:
        """Stops asking, and returns when the log has every receipt that was answered."""
        watching = self._tasks.pop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        last = max(decision.receipt_number for decision in self.decisions)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self._published() < last:
                await pause(asyncio.Event(), LOOK_SECONDS)
        watching.cancel()

    async def _go_on(self) -> None:
        """A moment; raises what a worker has raised."""
        await asyncio.sleep(LOOK_SECONDS)
        for task in self._tasks:
            if task.done():
                task.result()

    async def _worker(self, side: Side, author: int) -> None:
        lines, maker, denies = side.lines(), side.maker(), False
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                denies = not denies
                await self._choose(side, lines, author, denies=denies)
                request_id = self._new_id()
                decision = await _until(side, "Decide", lambda: maker.decide(request_id, author))  # noqa: B023
                self.made_at[decision.decision_id] = side.name
                self.decisions.append(decision)
                if (decision.outcome == releases_pb.OUTCOME_RELEASED) == denies:
                    self.wrong.append(f"{author} denies: {denies}, and the outcome is {decision.outcome}")
                if not denies:
                    await _until(side, "ConfirmDelivery", lambda: _confirmed(maker, decision))  # noqa: B023
                    self.delivered.add(decision.decision_id)
                await self._read_back(side, lines, author, decision)
        await asyncio.gather(lines.close(), maker.close())

    async def _choose(self, side: Side, lines: Lines, author: int, *, denies: bool) -> None:
        choice = choice_pb2.Choice(
            subject_id=author,
            stance=choice_pb2.STANCE_DENY if denies else choice_pb2.STANCE_ALLOW,
            everyone=True,
            all_purposes=True,
            method=choice_pb2.CHOICE_METHOD_SETTINGS,
            notice_digest=NOTICE,
        )
        request = pb.RecordChoiceRequest(request_id=self._new_id(), choice=choice)
        kind, answer = PrincipalKind.OPERATOR, pb.RecordChoiceResponse
        told = await _until(
            side, "RecordChoice", lambda: lines.call(0, "RecordChoice", kind, request, answer)
        )
        self.choices.append(Choice(told.revision.number, author, choice.stance))

    async def _read_back(self, side: Side, lines: Lines, author: int, decision: releases_pb.Decision) -> None:
        """What reads say is as binding: who sees a choice, a decision or its replay takes it for made."""
        maker = side.maker()
        try:
            newest = await _until(side, "ListChoiceHistory", lambda: newest_choice(lines, author))
            if newest != max(each.revision for each in self.choices if each.subject == author):
                self.wrong.append(f"{author} is shown {newest} as what they chose last")
            stored = await _until(side, "GetDecision", lambda: maker.decision(decision.decision_id))
            again = await _until(side, "Decide", lambda: maker.decide(decision.request_id, author))
            await self._read_elsewhere(side, maker)
        finally:
            await maker.close()
        if {stored.receipt, again.receipt} != {decision.receipt} or not again.replayed:
            self.wrong.append(f"{decision.decision_id} has another receipt by now")

    async def _read_elsewhere(self, side: Side, maker: ReceiptMaker) -> None:
        """What another side has acknowledged is never said not to be there; that would be an answer."""
        theirs = (each for each in reversed(self.decisions) if self.made_at[each.decision_id] != side.name)
        if newest := next(theirs, None):
            found = await _until(side, "GetDecision", lambda: maker.decision(newest.decision_id))
            if found.receipt != newest.receipt:
                self.wrong.append(f"{newest.decision_id} has another receipt on the other side")

    async def _watch(self) -> None:
        """Keeps every checkpoint that the folder shows."""
        note = self.folder / "log" / "checkpoint"
        while True:
            if note.exists():
                self.shown.add(note.read_bytes())
            await asyncio.sleep(LOOK_SECONDS)

    def _published(self) -> int:
        note = self.folder / "log" / "checkpoint"
        return int(note.read_text(encoding="utf-8").split("\n")[1]) if note.exists() else 0

    def _new_id(self) -> str:
        return uuid7(self._clock.now_us())

    def audit(self, server: PostgresServer) -> None:
        """Everything that was acknowledged is in the databases of a server and in the log, as it was told."""
        self._audit_choices(server)
        self._audit_decisions(server)
        self._audit_holds(server)
        self._audit_log()

    def _audit_choices(self, server: PostgresServer) -> None:
        rows = server.execute("SELECT revision, subject_id, stance FROM choices", "consent")
        assert {Choice(*row) for row in rows} >= set(self.choices)
        assert len(set(self.choices)) == len(self.choices)

    def _audit_decisions(self, server: PostgresServer) -> None:
        rows = server.execute("SELECT decision_id, number, receipt FROM decisions", "licensing")
        told = {(each.decision_id, each.receipt_number, each.receipt) for each in self.decisions}
        assert {tuple(row) for row in rows} >= told
        confirmed = server.execute("SELECT decision_id FROM confirmations", "licensing")
        assert {id for (id,) in confirmed} >= self.delivered

    def _audit_holds(self, server: PostgresServer) -> None:
        """Each release has its own hold of one post, which was settled once where it was delivered."""
        query = "SELECT reservation_id, posts_reserved, posts_settled, posts_freed FROM reservations"
        holds = {id: tuple(posts) for id, *posts in server.execute(query, "metering")}
        released = [each for each in self.decisions if each.outcome == releases_pb.OUTCOME_RELEASED]
        assert len({each.reservation_id for each in released}) == len(released)
        for decision in released:
            allowed = {(1, 1, 0)} if decision.decision_id in self.delivered else {(1, 1, 0), (1, 0, 0)}
            assert holds[decision.reservation_id] in allowed
        counted = "FROM reservations WHERE counted_at_us IS NOT NULL"
        sums = f"SELECT coalesce(sum(posts_reserved - posts_freed), 0) {counted}"
        concluded = server.execute(
            "SELECT count(*) FROM decisions WHERE reservation_id IS NOT NULL", "licensing"
        )
        # What was held for an attempt that nobody concluded is still held, for nothing sweeps in this run.
        assert server.execute(sums, "metering")[0][0] >= concluded[0][0]

    def _audit_log(self) -> None:
        keys, folder = some_keys(self.folder), self.folder / "log"
        log = Log("localhost/receipts", load_keys(keys.checkpoint_jwks))
        newest, receipt_keys = verify_log_folder(folder, log), load_keys(keys.receipt_jwks)
        for decision in self.decisions:
            number = verify_in_copy(decision.receipt, folder, newest, receipt_keys).number
            assert number == decision.receipt_number
        seen = {(each.size, each.root) for each in (verify_checkpoint(note, log) for note in self.shown)}
        assert len(seen) == len({size for size, _ in seen}), "two roots for one size"
        for note in self.shown:
            verify_kept(folder, newest, note, log)


async def _until(side: Side, what: str, call: Callable[[], Awaitable[T | None]]) -> T:
    """The answer, however often it is to be asked for."""
    while True:
        was_past = side.is_past
        try:
            answer = await call()
        except Refusal as refusal:
            assert refusal.reason in NO_ANSWER, refusal
            answer = None
        if answer is not None:
            side.acknowledged += 1
            # One that has waited until the way was free again may have been answered by the new primary.
            if was_past and side.is_past:
                side.by_the_past.append(what)
            return answer
        side.unanswered += 1
        await pause(asyncio.Event(), AGAIN_SECONDS)


async def _confirmed(maker: ReceiptMaker, decision: releases_pb.Decision) -> bool:
    await maker.confirm(decision.decision_id)
    return True
