"""The audit: whether the ledger is whole, and whether metering says the same.

Metering is always read before the ledger: whatever metering was told had been committed here before, so most
rules hold at any moment, also while decisions go on. The other way round a message may be on its way: what
differs is looked at again, and reported if it goes on differing.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.refusals import precondition
from services.licensing.domain.audits.entries import (
    Entry,
    check_attempt,
    check_leaf,
    check_manifest,
    check_number,
    check_receipt,
    check_settlement,
)
from services.licensing.domain.audits.findings import Difference, Stage, Step, Tally
from services.licensing.domain.audits.holds import (
    Reservation,
    Tombstone,
    check_hold,
    check_stranger,
    check_sums,
    check_tombstone,
)

ENTRIES_AT_ONCE = 250
"""Decisions of 10,000 posts at most: tens of megabytes with their manifests."""
ATTEMPTS_AT_ONCE = 1_000
LOOKS = 5
"""At what differs from metering, before it is a difference and not a message on its way."""
BETWEEN_LOOKS_SECONDS = 0.2
LOGGED_WITHIN_US = 5_000_000
"""A receipt that is older and not in the log is late: a second is what is promised."""


class Store(Protocol):
    """The ledger, to be read from one end to the other. Each call is of one moment of its own."""

    async def reservations(self, after: int, limit: int) -> Mapping[int, str | None]: ...
    async def entries(self, first: int, last: int) -> Sequence[Entry]: ...
    async def leaves(self, first: int, last: int) -> Mapping[int, bytes]: ...
    async def lost(self) -> Sequence[range]: ...
    async def restored_at_us(self) -> int | None: ...
    async def next_number(self) -> int: ...
    async def not_concluded_once(self, after: int) -> Sequence[tuple[str, int]]: ...
    async def count_decisions(self, after: int) -> int: ...
    async def tombstoned(self, after: str, limit: int) -> Sequence[str]: ...
    async def tombstones(self, attempt_ids: Sequence[str]) -> Sequence[Tombstone]: ...
    async def ended(self, attempt_ids: Sequence[str]) -> frozenset[str]: ...
    async def messages(self) -> Sequence["LateMessage"]: ...


@dataclass(frozen=True)
class LateMessage:
    """Something that metering has not taken."""

    reservation_id: str
    written_at_us: int
    parked: str | None
    """Why metering refused it for good."""


class Meter(Protocol):
    """What metering has of attempts. Raises Refusal UNAVAILABLE where it does not answer."""

    async def reservations(self, ids: Sequence[str]) -> Mapping[str, Reservation]: ...
    async def page(self, token: str) -> tuple[Sequence[Reservation], str]: ...


Differences = Sequence[Difference]
K = TypeVar("K", int, str)

ReadReceipt = Callable[[str], Mapping[str, Any] | None]
"""The claims of a receipt that a key of ours has signed; else None."""


class Auditor:
    """Reads everything and compares; changes nothing."""

    def __init__(
        self, store: Store, meter: Meter, read_receipt: ReadReceipt, clock: Clock, *, grace_us: int
    ) -> None:
        """`grace_us`: how long licensing may take to see to expired permits, dead attempts and messages."""
        self._store = store
        self._meter = meter
        self._read_receipt = read_receipt
        self._clock = clock
        self._grace_us = grace_us

    async def steps(self, after: int = 0) -> AsyncGenerator[Step]:
        """Each check as it starts, goes on, and is done; of decisions with numbers above `after`.

        Raises Refusal (unavailable) where metering or the database cannot be read, and (precondition,
        CURSOR_AHEAD) where `after` lies beyond the last receipt.
        """
        if after >= await self._store.next_number():
            raise precondition("CURSOR_AHEAD", f"the number {after} lies beyond the last receipt on record")
        for check in (self._entries, self._conclusions, self._tombstones, self._strangers, self._messages):
            async for step in check(after):
                yield step

    async def _entries(self, after: int) -> AsyncGenerator[Step]:
        tallies = _EntryTallies()
        for tally in tallies.all:
            yield tally.step(Stage.STARTED)
        lost, last = await self._store.lost(), after
        while reservations := await self._store.reservations(last, ENTRIES_AT_ONCE):
            first, last, before = min(reservations), max(reservations), last
            held = await self._meter.reservations([each for each in reservations.values() if each])
            leaves = await self._store.leaves(first, last)
            entries = await self._store.entries(first, last)
            now_us = self._clock.now_us()
            # Beside the event loop: a signature and a Merkle root for each of them.
            await asyncio.to_thread(self._compare, tallies, _numbered(entries, before, lost), leaves, now_us)
            await self._compare_holds(tallies.holds, entries, held)
            yield tallies.receipts.step(Stage.GOING_ON)
        tallies.numbers.add(_missing_at_the_end(await self._store.next_number(), last, lost))
        for tally in tallies.all:
            yield tally.step(Stage.DONE)

    def _compare(
        self,
        tallies: "_EntryTallies",
        entries: Sequence[tuple[int, Entry]],
        leaves: Mapping[int, bytes],
        now_us: int,
    ) -> None:
        for expected, entry in entries:
            decision = entry.decision
            tallies.numbers.add(check_number(entry, expected))
            tallies.receipts.add(check_receipt(entry, self._read_receipt(decision.receipt)))
            is_due = decision.decided_at_us < now_us - LOGGED_WITHIN_US
            tallies.leaves.add(check_leaf(entry, leaves.get(decision.number), is_due=is_due))
            tallies.manifests.add(check_manifest(entry))
            tallies.attempts.add(check_attempt(entry))
            tallies.settlements.add(check_settlement(entry, now_us, self._grace_us))

    async def _compare_holds(
        self, tally: Tally, entries: Sequence[Entry], held: Mapping[str, Reservation]
    ) -> None:
        found = _differences_of_holds(entries, held)

        async def look(numbers: Sequence[int]) -> Mapping[int, Differences]:
            # All of the page once more: few differ, and they stand together.
            newly_held = await self._meter.reservations(_reservations_of(entries))
            return _differences_of_holds(await self._store.entries(numbers[0], numbers[-1]), newly_held)

        last = await _what_goes_on_differing(found, look)
        for number in found:
            tally.add(last.get(number, ()))

    async def _conclusions(self, after: int) -> AsyncGenerator[Step]:
        tally = Tally("Each decision is the conclusion of one attempt")
        yield tally.step(Stage.STARTED)
        several = await self._store.not_concluded_once(after)
        tally.compared = await self._store.count_decisions(after)
        for decision_id, attempts in several:
            tally.add([Difference(f"decision {decision_id}", "one attempt", f"{attempts} attempts")])
            tally.compared -= 1
        yield tally.step(Stage.DONE)

    async def _tombstones(self, _: int) -> AsyncGenerator[Step]:
        tally = Tally(
            "Metering has settled nothing of an attempt that was given up, and holds nothing for it"
        )
        yield tally.step(Stage.STARTED)
        last = ""
        while ids := await self._store.tombstoned(last, ATTEMPTS_AT_ONCE):
            last = ids[-1]
            found = await self._differences_of_tombstones(ids)
            last_found = await _what_goes_on_differing(found, self._differences_of_tombstones)
            for attempt_id in found:
                tally.add(last_found.get(attempt_id, ()))
            yield tally.step(Stage.GOING_ON)
        yield tally.step(Stage.DONE)

    async def _differences_of_tombstones(self, ids: Sequence[str]) -> Mapping[str, Differences]:
        held = await self._meter.reservations(ids)
        return {
            each.attempt_id: list(check_tombstone(each, held.get(each.attempt_id)))
            for each in await self._store.tombstones(ids)
        }

    async def _strangers(self, _: int) -> AsyncGenerator[Step]:
        sums = Tally("What metering reserved is held, settled or freed, each post once")
        tally = Tally("Metering holds and has settled nothing for a decision that the ledger does not know")
        yield sums.step(Stage.STARTED)
        yield tally.step(Stage.STARTED)
        restored_at_us = await self._store.restored_at_us()
        token, is_last = "", False
        while not is_last:
            before_us = self._clock.now_us() - self._grace_us
            page, token = await self._meter.page(token)
            is_last = not token
            known = await self._store.ended([each.reservation_id for each in page])
            for each in page:
                sums.add(check_sums(each))
                is_known = each.reservation_id in known
                tally.add(() if is_known else check_stranger(each, before_us, restored_at_us))
            yield tally.step(Stage.GOING_ON)
        yield sums.step(Stage.DONE)
        yield tally.step(Stage.DONE)

    async def _messages(self, _: int) -> AsyncGenerator[Step]:
        tally = Tally("Metering has taken every message in time, and refused none")
        yield tally.step(Stage.STARTED)
        before_us = self._clock.now_us() - self._grace_us
        for message in await self._store.messages():
            tally.add(_late(message, before_us))
        yield tally.step(Stage.DONE)


class _EntryTallies:
    """The checks that are made decision by decision."""

    def __init__(self) -> None:
        self.numbers = Tally("Decisions are numbered without a gap")
        self.receipts = Tally(
            "Each decision has a receipt that a key of ours has signed and that says the same"
        )
        self.leaves = Tally("Each receipt is the leaf of its number in the log")
        self.manifests = Tally("Each decision has a manifest of the posts that it released")
        self.attempts = Tally("What was released was held by the attempt that concluded it")
        self.settlements = Tally("Each release, and nothing else, has a settlement in time")
        self.holds = Tally("Metering holds or has settled what follows from the decision")

    @property
    def all(self) -> tuple[Tally, ...]:
        """In the order in which they are told."""
        return (
            *(self.numbers, self.receipts, self.leaves, self.manifests, self.attempts),
            *(self.settlements, self.holds),
        )


def _reservations_of(entries: Sequence[Entry]) -> list[str]:
    return [entry.decision.hold.reservation_id for entry in entries if entry.decision.hold is not None]


def _differences_of_holds(
    entries: Sequence[Entry], held: Mapping[str, Reservation]
) -> Mapping[int, Differences]:
    """By the numbers of the decisions that held room."""
    return {
        entry.decision.number: list(check_hold(entry, held.get(entry.decision.hold.reservation_id)))
        for entry in entries
        if entry.decision.hold is not None
    }


async def _what_goes_on_differing(
    found: Mapping[K, Differences], look: Callable[[Sequence[K]], Awaitable[Mapping[K, Differences]]]
) -> Mapping[K, Differences]:
    """What still differs after some more looks at all that did, together: the others were on their way."""
    keys = [key for key, differences in found.items() if differences]
    for number in range(LOOKS):
        if not keys:
            break
        await asyncio.sleep(BETWEEN_LOOKS_SECONDS if number else 0)
        found = await look(keys)
        keys = [key for key in keys if found.get(key)]
    return {key: found[key] for key in keys}


def _numbered(entries: Sequence[Entry], before: int, lost: Sequence[range]) -> Sequence[tuple[int, Entry]]:
    """Entries with the numbers that they should have, after the one `before` them."""
    numbered = []
    for entry in entries:
        numbered.append((_following(before, lost), entry))
        before = entry.decision.number
    return numbered


def _following(number: int, lost: Sequence[range]) -> int:
    """The next number of a decision that was not lost with an older database."""
    following = number + 1
    while missing := next((each for each in lost if following in each), None):
        following = missing.stop
    return following


def _missing_at_the_end(next_number: int, last: int, lost: Sequence[range]) -> Sequence[Difference]:
    expected = _following(last, lost)
    # Decisions that came after the last page was read have their numbers, and no entry here.
    if expected > next_number:
        return [Difference("the number of the next decision", f"at least {expected}", str(next_number))]
    return ()


def _late(message: LateMessage, before_us: int) -> Sequence[Difference]:
    subject = f"reservation {message.reservation_id}"
    if message.parked is not None:
        return [Difference(subject, "a message that metering takes", f"refused: {message.parked}")]
    if message.written_at_us < before_us:
        return [Difference(subject, "a message that metering has taken by now", "one that still waits")]
    return ()
