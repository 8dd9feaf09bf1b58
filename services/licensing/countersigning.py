"""Takes countersignatures of deliveries, beside the ledger: nothing that is billed rests on them (B2)."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from services.chassis.clock import Clock
from services.licensing.domain.countersignatures import Countersignature, Difference, countersign
from services.licensing.domain.decisions import Decision
from services.licensing.ledger import unknown_decision

T = TypeVar("T")


class Rows(Protocol):
    """Decisions and what was said of them inside one transaction."""

    def lock_head(self) -> None: ...
    def decision(self, decision_id: str) -> Decision | None: ...
    def countersignature(self, decision_id: str) -> Countersignature | None: ...
    def countersign(self, countersignature: Countersignature) -> None: ...
    def differences(self, licensee_id: str | None, after: int, limit: int) -> Sequence[Difference]: ...


class Store(Protocol):
    """Where the rows are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...


class Countersigning:
    """Keeps what licensees say they received."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def countersign(self, decision_id: str, licensee_id: str, posts: int) -> Countersignature:
        """What stands after a licensee has said that so many posts arrived.

        Raises Refusal: DECISION_UNKNOWN, also where nothing was released to them; COUNTERSIGNED_OTHERWISE.
        """
        return await self._store.write(lambda rows: self._countersign(rows, decision_id, licensee_id, posts))

    def _countersign(self, rows: Rows, decision_id: str, licensee_id: str, posts: int) -> Countersignature:
        # Two calls at once on one delivery: the second one must see what the first one wrote.
        rows.lock_head()
        decision = rows.decision(decision_id)
        if decision is None or decision.licensee_id != licensee_id or not decision.posts_released:
            raise unknown_decision()
        earlier = rows.countersignature(decision_id)
        said = Countersignature(decision_id, decision.number, licensee_id, posts, self._clock.now_us())
        stands = countersign(earlier, said)
        if earlier is None:
            rows.countersign(stands)
        return stands

    async def differences(self, licensee_id: str | None, after: int, limit: int) -> Sequence[Difference]:
        """At most `limit` with receipt numbers above `after`, in their order; of one licensee, or of all."""
        return await self._store.read(lambda rows: rows.differences(licensee_id, after, limit))
