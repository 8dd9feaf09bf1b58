"""What a decision released, for the pipeline that serves the content of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.chassis.refusals import precondition
from services.licensing.domain.decisions import Asker, Decision
from services.licensing.domain.deliveries import Confirmation, Delivery, Settlement, delivery_of
from services.licensing.domain.posts import Ids
from services.licensing.ledger import unknown_decision

T = TypeVar("T")


class Rows(Protocol):
    """Decisions, and what became of them, inside one transaction."""

    def decision(self, decision_id: str) -> Decision | None: ...
    def released_ids(self, decision: Decision) -> Ids | None: ...
    def settlement(self, decision_id: str) -> Settlement | None: ...
    def confirmation(self, decision_id: str) -> Confirmation | None: ...


class Store(Protocol):
    """Where the rows are."""

    async def read(self, query: Callable[[Rows], T]) -> T: ...


@dataclass(frozen=True, eq=False)
class Served:
    """What may be served, as long as the permit is valid."""

    decision: Decision
    post_ids: Ids
    """Of the released posts, in the order of the request."""
    delivery: Delivery


class ServingDesk:
    """Reads what was released."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def released(self, decision_id: str, may_see: Callable[[Asker], bool]) -> Served:
        """What a decision released, for whoever may see what this asker asked for.

        Raises Refusal: DECISION_UNKNOWN (also of what they may not see), RELEASED_ORDER_UNKNOWN.
        """
        return await self._store.read(lambda rows: _served(rows, decision_id, may_see))


def _served(rows: Rows, decision_id: str, may_see: Callable[[Asker], bool]) -> Served:
    decision = rows.decision(decision_id)
    if decision is None or not may_see(decision.asker):
        raise unknown_decision()
    settlement, confirmation = rows.settlement(decision_id), rows.confirmation(decision_id)
    delivery = delivery_of(decision.posts_released, settlement, confirmation)
    post_ids = rows.released_ids(decision)
    if post_ids is None:
        # By the wrong positions posts would be confirmed that never went.
        message = "this decision is older than what says where in its request each post stood"
        raise precondition("RELEASED_ORDER_UNKNOWN", message)
    return Served(decision, post_ids, delivery)
