"""Resolves holds that metering still has, and that nobody else will (M2).

What has concluded is settled by its delivery. What never did is given up, and only then cancelled. What a
restore of the ledger may have lost is settled in full: what may have gone out is never taken for what did not
(R5).
"""

from collections.abc import Callable, Sequence

from services.chassis.clock import Clock
from services.licensing.domain.attempts import OpenHold
from services.licensing.domain.counts import of_one_kind
from services.licensing.domain.restores import may_have_concluded
from services.licensing.ledger import Rows, Store, give_up, settled_counts


class Resolver:
    """Sees to holds, page by page."""

    def __init__(
        self, store: Store, clock: Clock, wake_outbox: Callable[[], None], *, margin_us: int
    ) -> None:
        """`margin_us` is how far metering's clock may differ from ours."""
        self._store = store
        self._clock = clock
        self._wake_outbox = wake_outbox
        self._margin_us = margin_us

    async def resolve(self, holds: Sequence[OpenHold]) -> Sequence[OpenHold]:
        """Has each hold resolved that can be; those that are settled as lost now, for somebody to hear of."""
        lost = await self._store.write(lambda rows: self._resolve(rows, holds))
        self._wake_outbox()
        return lost

    def _resolve(self, rows: Rows, holds: Sequence[OpenHold]) -> Sequence[OpenHold]:
        rows.lock_head()
        now_us, restored_us = self._clock.now_us(), rows.restored_us()
        lost = []
        for hold in holds:
            if rows.has_ended(hold.reservation_id):
                if not rows.is_pending(hold.reservation_id):
                    _say_again(rows, hold, now_us)
            elif may_have_concluded(hold.counted_at_us, restored_us, self._margin_us):
                rows.bury_lost(hold.reservation_id, hold.posts, now_us)
                rows.send_settle(hold.reservation_id, hold.held, now_us)
                lost.append(hold)
            else:
                give_up(rows, hold.reservation_id, now_us)
        return lost


def _say_again(rows: Rows, hold: OpenHold, now_us: int) -> None:
    """Metering has not heard what became of it, or has forgotten."""
    decision = rows.decision_of_attempt(hold.reservation_id)
    if (denied := rows.probes(hold.reservation_id)) is not None:
        rows.send_settle(hold.reservation_id, of_one_kind(denied), now_us)
    elif decision is not None:
        if settlement := rows.settlement(decision.decision_id):
            counts = settled_counts(rows, decision, settlement)
            rows.send_settle(hold.reservation_id, counts, now_us)
    elif rows.is_lost(hold.reservation_id):
        rows.send_settle(hold.reservation_id, hold.held, now_us)
    else:
        rows.send_cancel(hold.reservation_id, now_us)
