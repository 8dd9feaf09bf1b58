"""The recall desk: what licensees are told to delete, and what they answer (W2, W3).

A licensee sees and answers their own recalls; another's look like those that are not there, and so does one
that is still collected, to everybody. Every answer is written under the head's lock, so that of two one is
the first.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.refusals import Refusal, not_found
from services.licensing.domain.answers import Revision
from services.licensing.domain.recalls.reading import (
    Entry,
    EntryKey,
    GapKey,
    OnRecord,
    Progress,
    ReleaseGap,
)
from services.licensing.domain.recalls.recalls import Recall, RecallState
from services.licensing.domain.recalls.resolving import Ending, acknowledged, resolved

T = TypeVar("T")


class Rows(Protocol):
    """Recalls inside one transaction; none that is still collected."""

    def lock_head(self) -> None: ...
    def recall(self, recall_id: str) -> Recall | None: ...
    def put_answer(self, recall: Recall) -> None: ...
    def recalls(
        self, licensee_id: str | None, states: Set[RecallState], below: int, limit: int
    ) -> Sequence[Recall]: ...
    def entries(self, recall_id: str, after: EntryKey, limit: int) -> tuple[Sequence[Entry], bool]: ...
    def gaps(
        self, licensee_id: str | None, after: GapKey | None, limit: int
    ) -> Sequence[tuple[GapKey, ReleaseGap]]: ...
    def on_record(self) -> OnRecord: ...


class Store(Protocol):
    """Where the rows are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...


class Following(Protocol):
    """How far this process has read consent's stream of withdrawals."""

    @property
    def followed(self) -> Revision:
        """The position up to which all was read; 0, 0 before the first."""
        ...

    @property
    def oldest_at_us(self) -> int | None:
        """When the oldest withdrawal was recorded that was read and not scanned; None where there is none."""
        ...


@dataclass(frozen=True)
class Page:
    """Which recalls are asked for."""

    licensee_id: str | None
    """None: of all."""
    states: Set[RecallState]
    """Empty: in any."""
    below: int
    """Below this place: a number among those of the licensee, or among all."""
    limit: int


class RecallDesk:
    """Shows recalls, and keeps what licensees say to them. All raise what `Store.read` or `write` raises."""

    def __init__(self, store: Store, following: Following, clock: Clock) -> None:
        self._store = store
        self._following = following
        self._clock = clock

    async def page(self, asked: Page) -> Sequence[Recall]:
        """Recalls below a place, newest first."""
        return await self._store.read(
            lambda rows: rows.recalls(asked.licensee_id, asked.states, asked.below, asked.limit)
        )

    async def recall(self, recall_id: str, own: str | None) -> Recall:
        """One that `own`, or everybody (None), may see. Raises Refusal RECALL_UNKNOWN."""
        return await self._store.read(lambda rows: _found(rows, recall_id, own))

    async def entries(
        self, recall_id: str, own: str | None, after: EntryKey, limit: int
    ) -> tuple[Sequence[Entry], bool]:
        """A page of what a recall asks to delete, and whether there is more. Raises as `recall`."""

        def query(rows: Rows) -> tuple[Sequence[Entry], bool]:
            return rows.entries(_found(rows, recall_id, own).recall_id, after, limit)

        return await self._store.read(query)

    async def acknowledge(self, recall_id: str, licensee_id: str) -> Recall:
        """A licensee has it. Raises Refusal RECALL_UNKNOWN."""
        return await self._answer(recall_id, licensee_id, acknowledged)

    async def resolve(self, recall_id: str, licensee_id: str, ending: Ending, by: str) -> Recall:
        """How it ended. Raises Refusal RECALL_UNKNOWN, RECALL_RESOLVED_OTHERWISE."""
        return await self._answer(
            recall_id, licensee_id, lambda recall, now_us: resolved(recall, ending, by, now_us)
        )

    async def gaps(
        self, licensee_id: str | None, after: GapKey | None, limit: int
    ) -> Sequence[tuple[GapKey, ReleaseGap]]:
        """Releases that could still go out when a withdrawal of them was known, with their places (W3)."""
        return await self._store.read(lambda rows: rows.gaps(licensee_id, after, limit))

    async def progress(self) -> Progress:
        """How far withdrawals have been read and have led to recalls (W5)."""
        on_record = await self._store.read(lambda rows: rows.on_record())
        return Progress(on_record, self._following.followed, self._following.oldest_at_us)

    async def _answer(
        self, recall_id: str, licensee_id: str, change: Callable[[Recall, int], Recall]
    ) -> Recall:
        def unit(rows: Rows) -> Recall:
            rows.lock_head()
            # Read after the lock, like the time: of two answers one sees the other.
            before = _found(rows, recall_id, licensee_id)
            after = change(before, self._clock.now_us())
            if after != before:
                rows.put_answer(after)
            return after

        return await self._store.write(unit)


def unknown_recall() -> Refusal:
    """There is no such recall, or not for this caller; it does not say which."""
    return not_found("RECALL_UNKNOWN", "there is no such recall")


def _found(rows: Rows, recall_id: str, own: str | None) -> Recall:
    recall = rows.recall(recall_id)
    if recall is None or own not in {None, recall.licensee_id}:
        raise unknown_recall()
    return recall
