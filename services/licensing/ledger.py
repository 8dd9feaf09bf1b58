"""The ledger: concludes attempts, gives them up, and settles what was released.

Invariant: an attempt ends once, concluded or tombstoned, and a request has one decision. Every transaction
locks the head row first and reads what it checks afterwards, so nothing it rests on can change before it
commits. No release rests on an answer of consent from before the fence (W5). Metering is told only what a
committed row says, through the outbox row that is written with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.ids import uuid7_time_us
from services.chassis.refusals import Kind, Refusal, not_found, request_id_reused
from services.licensing.domain.answers import Revision
from services.licensing.domain.attempts import Ending
from services.licensing.domain.counts import ContentCounts, count_content, of_one_kind
from services.licensing.domain.decisions import Asker, Decision, Draft
from services.licensing.domain.deliveries import (
    Confirmation,
    Delivery,
    Settlement,
    confirm,
    delivery_of,
    read_bitmap,
)
from services.licensing.domain.licenses import License
from services.licensing.domain.manifests import Manifest
from services.licensing.domain.released import Released, released_of
from services.licensing.domain.restores import may_have_concluded

EXPIRED_AT_ONCE = 500
"""Permits settled in one transaction, so that decisions do not wait behind a long sweep."""

T = TypeVar("T")


class Rows(Protocol):
    """The ledger's rows inside one transaction."""

    def lock_head(self) -> None: ...
    def fence(self) -> Revision: ...
    def take_number(self, consent: Revision | None, metering: Revision | None) -> int: ...
    def has_ended(self, attempt_id: str) -> bool: ...
    def ended(self, attempt_ids: Sequence[str]) -> dict[str, Ending]: ...
    def is_lost(self, attempt_id: str) -> bool: ...
    def bury(self, attempt_id: str, now_us: int) -> None: ...
    def bury_lost(self, attempt_id: str, posts: int, now_us: int) -> None: ...
    def restored_us(self) -> int | None: ...
    def license(self, license_id: str) -> License | None: ...
    def decision_of(self, asker: Asker) -> Decision | None: ...
    def decision(self, decision_id: str) -> Decision | None: ...
    def decision_of_attempt(self, attempt_id: str) -> Decision | None: ...
    def record(self, attempt_id: str, decision: Decision, manifest: Manifest, released: Released) -> None: ...
    def record_probes(self, probe_id: str, decision_id: str, posts: int) -> None: ...
    def probes(self, probe_id: str) -> int | None: ...
    def settlement(self, decision_id: str) -> Settlement | None: ...
    def settle(self, decision_id: str, settlement: Settlement) -> None: ...
    def confirmation(self, decision_id: str) -> Confirmation | None: ...
    def confirm(self, decision_id: str, confirmation: Confirmation) -> None: ...
    def expired_permits(self, now_us: int, limit: int) -> Sequence[str]: ...
    def send_settle(self, reservation_id: str, delivered: ContentCounts, now_us: int) -> None: ...
    def send_reduce(self, reservation_id: str, keep: ContentCounts, now_us: int) -> None: ...
    def send_cancel(self, reservation_id: str, now_us: int) -> None: ...
    def is_pending(self, reservation_id: str) -> bool: ...


class Store(Protocol):
    """Where the rows are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...


class Sealer(Protocol):
    """Turns a draft into the decision that it is at the moment of its conclusion: numbered, dated, signed."""

    def seal(self, draft: Draft, manifest: Manifest, number: int, decided_at_us: int) -> Decision: ...


@dataclass(frozen=True)
class Concluded:
    """The decision that a request has now."""

    decision: Decision
    replayed: bool
    """It was concluded before, by another attempt."""


@dataclass(frozen=True)
class Behind:
    """Nothing was written: the attempt would release on an answer of consent from before the fence (W5)."""

    fence: Revision
    """What consent is known to have shown; its next answer is not below it."""


@dataclass(frozen=True)
class Uncounted:
    """Nothing was concluded: what holds room for the denials of the request was given up before."""


class Ledger:
    """Every decision ever made, and what became of it."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        clock: Clock,
        wake_outbox: Callable[[], None],
        *,
        margin_us: int,
    ) -> None:
        """`margin_us` is how far the clocks of licensing's own processes may differ."""
        self._margin_us = margin_us
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._wake_outbox = wake_outbox

    async def earlier(self, asker: Asker, fingerprint: bytes) -> Decision | None:
        """The decision that this request got before.

        Raises Refusal REQUEST_ID_REUSED when the id stands for other content.
        """
        decision = await self._store.read(lambda rows: rows.decision_of(asker))
        if decision is not None:
            _check_same(decision, fingerprint)
        return decision

    async def conclude(self, draft: Draft, manifest: Manifest) -> Concluded | Behind | None:
        """Concludes the attempt; None where what it rests on no longer holds, and it was given up instead.

        A request that another attempt has concluded meanwhile gets that decision; this attempt is given up.
        One that is behind the fence lives on, with its hold. Raises Refusal: REQUEST_ID_REUSED when the
        decision is on other content, DECISION_CONTENDED where its denials could not be counted any more.
        """
        outcome = await self._store.write(lambda rows: self._conclude(rows, draft, manifest))
        if isinstance(outcome, Behind):
            return outcome
        if isinstance(outcome, Uncounted):
            self._wake_outbox()
            # Another attempt would find the same.
            raise contended("the room for this request was given up; ask again")
        if outcome is None or outcome.replayed or draft.holds_too_much or draft.request.probe_id:
            self._wake_outbox()
        if outcome is not None:
            _check_same(outcome.decision, draft.request.fingerprint)
        return outcome

    def _conclude(
        self, rows: Rows, draft: Draft, manifest: Manifest
    ) -> Concluded | Behind | Uncounted | None:
        rows.lock_head()
        now_us = self._clock.now_us()
        if rows.has_ended(draft.attempt_id):
            return None  # the sweeper, or a repeat of this request, has tombstoned it
        if winner := rows.decision_of(draft.request.asker):
            give_up(rows, draft.attempt_id, now_us)
            return Concluded(winner, replayed=True)
        if draft.request.probe_id is not None and rows.has_ended(draft.request.probe_id):
            give_up(rows, draft.attempt_id, now_us)
            return Uncounted()
        license = rows.license(draft.license.license_id)
        if license is None or not draft.still_holds(license, now_us):
            give_up(rows, draft.attempt_id, now_us)
            return None
        # Read under the lock: whoever scans up to the fence finds all that was released on less (W5).
        if draft.is_behind(fence := rows.fence()):
            return Behind(fence)
        # It names the version that was judged; but the next one may have got its hour since it was read.
        as_judged = replace(draft.license, next=license.as_of(now_us).next)
        concluding = replace(draft, license=as_judged)
        number = rows.take_number(draft.consent_revision, draft.metering_revision)
        decision = self._sealer.seal(concluding, manifest, number, now_us)
        rows.record(draft.attempt_id, decision, manifest, released_of(draft.request.batch, decision.released))
        if draft.holds_too_much:
            rows.send_reduce(draft.attempt_id, draft.counts, now_us)
        if draft.request.probe_id is not None:
            rows.record_probes(draft.request.probe_id, decision.decision_id, decision.probes)
            rows.send_settle(draft.request.probe_id, of_one_kind(decision.probes), now_us)
        return Concluded(decision, replayed=False)

    async def give_up(self, attempt_ids: Sequence[str]) -> list[str]:
        """Makes sure that these attempts can never conclude; those whose holds may be cancelled.

        Left out are those that have concluded, and those that may have, in what a restore has lost (R5).
        """
        given_up = await self._store.write(lambda rows: self._give_up_all(rows, attempt_ids))
        self._wake_outbox()
        return given_up

    def _give_up_all(self, rows: Rows, attempt_ids: Sequence[str]) -> list[str]:
        rows.lock_head()
        now_us, restored_us = self._clock.now_us(), rows.restored_us()
        known = rows.ended(attempt_ids)
        for attempt_id in dict.fromkeys(attempt_ids):
            if attempt_id not in known and not self._may_be_lost(attempt_id, restored_us):
                give_up(rows, attempt_id, now_us)
                known[attempt_id] = Ending.TOMBSTONED
        return [id for id in attempt_ids if known.get(id) is Ending.TOMBSTONED]

    def _may_be_lost(self, attempt_id: str, restored_us: int | None) -> bool:
        if restored_us is None:
            return False
        # Metering names a rival by its id alone; that has the time at which one of us made the attempt.
        return may_have_concluded(uuid7_time_us(attempt_id), restored_us, self._margin_us)

    async def ended(self, attempt_ids: Sequence[str]) -> dict[str, Ending]:
        """How each attempt ended that has."""
        return await self._store.read(lambda rows: rows.ended(attempt_ids))

    async def find(self, decision_id: str) -> tuple[Decision, Delivery]:
        """A decision and its delivery. Raises Refusal DECISION_UNKNOWN."""
        return await self._store.read(lambda rows: self._find(rows, decision_id))

    def _find(self, rows: Rows, decision_id: str) -> tuple[Decision, Delivery]:
        decision = rows.decision(decision_id)
        if decision is None:
            raise unknown_decision()
        settlement, confirmation = rows.settlement(decision_id), rows.confirmation(decision_id)
        return decision, delivery_of(decision.posts_released, settlement, confirmation)

    async def confirm(self, decision_id: str, kind: str, party: str, bitmap: bytes) -> Delivery:
        """Takes the confirmation of a delivery; the first one stands.

        Raises Refusal: DECISION_UNKNOWN, BITMAP_LENGTH, DELIVERED_WITHOUT_RELEASE, CONFIRMED_OTHERWISE.
        """
        delivery = await self._store.write(lambda rows: self._confirm(rows, decision_id, kind, party, bitmap))
        self._wake_outbox()
        return delivery

    def _confirm(self, rows: Rows, decision_id: str, kind: str, party: str, bitmap: bytes) -> Delivery:
        rows.lock_head()
        now_us = self._clock.now_us()
        decision = rows.decision(decision_id)
        if decision is None or not decision.asker.is_served_by(kind, party):
            raise unknown_decision()
        earlier, settlement = rows.confirmation(decision_id), rows.settlement(decision_id)
        stands = confirm(
            earlier,
            settlement,
            bitmap,
            by=f"{kind}:{party}",
            released=decision.released,
            not_after_us=decision.not_after_us,
            now_us=now_us,
        )
        if earlier is None:
            rows.confirm(decision_id, stands.confirmation)
        if settlement is None and stands.settlement is not None:
            self._settle(rows, decision, stands.settlement)
        return delivery_of(decision.posts_released, stands.settlement, stands.confirmation)

    def _settle(self, rows: Rows, decision: Decision, settlement: Settlement) -> None:
        rows.settle(decision.decision_id, settlement)
        assert decision.hold is not None, "what was released was held"
        counts = settled_counts(rows, decision, settlement)
        rows.send_settle(decision.hold.reservation_id, counts, settlement.settled_at_us)

    async def settle_expired(self) -> int:
        """Settles in full what was released, not confirmed and is no longer valid; how many decisions."""
        settled = await self._store.write(self._settle_expired)
        if settled:
            self._wake_outbox()
        return settled

    def _settle_expired(self, rows: Rows) -> int:
        rows.lock_head()
        now_us = self._clock.now_us()
        expired = rows.expired_permits(now_us, EXPIRED_AT_ONCE)
        for decision_id in expired:
            decision = rows.decision(decision_id)
            assert decision is not None, "a permit is recorded with its decision"
            self._settle(
                rows, decision, Settlement(decision.posts_released, by_expiry=True, settled_at_us=now_us)
            )
        return len(expired)


def unknown_decision() -> Refusal:
    """The refusal for a decision that is not there, or not the caller's."""
    return not_found("DECISION_UNKNOWN", "there is no such decision")


def contended(message: str) -> Refusal:
    """The refusal of a request that was overtaken; `message` says by what."""
    return Refusal(Kind.ABORTED, "DECISION_CONTENDED", message)


def give_up(rows: Rows, attempt_id: str, now_us: int) -> None:
    """Tombstones an attempt that has not ended, and has metering told in the same transaction."""
    rows.bury(attempt_id, now_us)
    rows.send_cancel(attempt_id, now_us)


def settled_counts(rows: Rows, decision: Decision, settlement: Settlement) -> ContentCounts:
    """What metering is told: what was confirmed in time, else all that was released."""
    confirmation = rows.confirmation(decision.decision_id)
    if settlement.by_expiry or confirmation is None:
        delivered = decision.released
    else:
        delivered = read_bitmap(confirmation.bitmap, decision.released)
    return count_content(decision.kinds, decision.media_flags, delivered)


def _check_same(decision: Decision, fingerprint: bytes) -> None:
    if decision.fingerprint != fingerprint:
        raise request_id_reused()
