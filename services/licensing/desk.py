"""The release desk: the recipe of a decision."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from services.chassis.clock import Clock
from services.licensing.domain.answers import (
    BEGINNING,
    ConsentAnswer,
    Hold,
    HoldAnswer,
    NoRoom,
    Revision,
    Rivalry,
    RoomAnswer,
)
from services.licensing.domain.asking import covered_in, without_room
from services.licensing.domain.counts import ContentCounts, count_content, of_one_kind
from services.licensing.domain.decisions import Draft, Request
from services.licensing.domain.licenses import License
from services.licensing.domain.manifests import Manifest, manifest_of
from services.licensing.domain.posts import Batch
from services.licensing.domain.reasons import Reason, Reasons
from services.licensing.domain.releases import after_room
from services.licensing.evaluation import Contracts, evaluate
from services.licensing.ledger import Behind, Concluded, Ledger, contended

TRIES = 4
"""Attempts before a request that keeps being overtaken is sent back; each lost to one that committed.

Also how often one attempt is to be concluded before it is given up; each time the fence had moved."""

LARGE_BATCH = 2_000
"""Posts from which on the manifest is made beside the event loop, which its hashes would hold up."""


class Consent(Protocol):
    """Who knows what authors allow."""

    async def check(
        self, batch: Batch, license: License, at_least: Revision = BEGINNING
    ) -> ConsentAnswer: ...


class Meter(Protocol):
    """Who holds room."""

    async def reserve(
        self, reservation_id: str, request_key: str, license: License, counts: ContentCounts
    ) -> HoldAnswer: ...

    async def room(self, license: License, counts: ContentCounts) -> RoomAnswer: ...
    async def cancel(self, reservation_id: str) -> None: ...


@dataclass(frozen=True)
class Chance:
    """Where chance comes from, so that a test can say it."""

    new_id: Callable[[], str]
    """A fresh UUIDv7."""
    new_salt: Callable[[], bytes]
    """32 random bytes."""


@dataclass(frozen=True)
class _Room:
    """What came of asking for room: the attempt that holds it, or why there is none."""

    attempt_id: str
    revision: Revision | None = None
    """As of when metering answered; None where nothing was left to ask for."""
    hold: Hold | None = None
    no_room: NoRoom | None = None


class ReleaseDesk:
    """Answers release requests and keeps a receipt for every answer."""

    def __init__(
        self,
        ledger: Ledger,
        contracts: Contracts,
        consent: Consent,
        meter: Meter,
        *,
        clock: Clock,
        chance: Chance,
        margin_us: int,
    ) -> None:
        """`margin_us` is how far ahead of this clock a post's time may lie."""
        self._ledger = ledger
        self._contracts = contracts
        self._consent = consent
        self._meter = meter
        self._clock = clock
        self._chance = chance
        self._margin_us = margin_us

    async def decide(self, request: Request) -> Concluded:
        """The decision on a request: the stored one if it has one, else a new one, concluded and durable.

        Raises Refusal: REQUEST_ID_REUSED, LICENSE_UNKNOWN, DECISION_CONTENDED, and UNAVAILABLE in its forms.
        """
        earlier = await self._ledger.earlier(request.asker, request.fingerprint)
        if earlier is not None:
            return Concluded(earlier, replayed=True)
        for _ in range(TRIES):
            if concluded := await self._attempt(request):
                return concluded
        raise contended("what the decision rests on kept changing; ask again")

    async def _attempt(self, request: Request) -> Concluded | None:
        """One try; None where it was overtaken, which has given it up."""
        evaluated = await evaluate(
            request.batch,
            self._contracts,
            self._consent,
            judged_at_us=self._clock.now_us(),
            margin_us=self._margin_us,
            unknown=request.unknown,
        )
        if request.is_unresolved and evaluated.consent is not None:
            raise contended("the license permits this by now; ask again")
        license, reasons = evaluated.license, evaluated.reasons
        # Metering comes last: nothing after it can still say no, so nothing is held in vain.
        room = await self._hold_room(request, license, reasons)
        if room is None:
            return None
        if room.no_room is not None and request.by_ids is not None:
            reasons = without_room(reasons)
        elif room.no_room is not None:
            reasons = after_room(reasons, 0)
        draft = Draft(
            attempt_id=room.attempt_id,
            decision_id=self._chance.new_id(),
            salt=self._chance.new_salt(),
            request=request,
            license=license,
            judged_at_us=evaluated.judged_at_us,
            reasons=reasons,
            consent=evaluated.consent,
            hold=room.hold,
            no_room=room.no_room,
            metering_revision=room.revision,
        )
        return await self._conclude(draft)

    async def _conclude(self, draft: Draft) -> Concluded | None:
        """Concludes; where the fence has overtaken the answer of consent, on a newer one (W5)."""
        for _ in range(TRIES):
            outcome = await self._ledger.conclude(draft, await manifest_for(draft))
            if not isinstance(outcome, Behind):
                return outcome
            draft = await self._ask_again(draft, outcome.fence)
            if not draft.releases:
                break
        # With nothing left to release, or a fence that is faster: from the beginning, and with another hold.
        await self._ledger.give_up([draft.attempt_id])
        return None

    async def _ask_again(self, draft: Draft, fence: Revision) -> Draft:
        """Consent alone, and only about what would still go: license and hold stay as they are."""
        batch, going = draft.request.batch, draft.released
        still = batch if going.all() else batch.take(going)
        return draft.asked_again(await self._consent.check(still, draft.license, fence))

    async def _hold_room(self, request: Request, license: License, reasons: Reasons) -> _Room | None:
        """Room for what is left; None where the attempt turned out to be dead."""
        released, batch = reasons == Reason.RELEASED, request.batch
        if not released.any():
            return _Room(self._chance.new_id())
        counts = count_content(batch.kinds, batch.media_flags, released)
        room, rivals = await self._reserve(request, license, counts)
        if rivals:
            # Dead attempts of this very request must not keep its room from it (M2).
            for attempt_id in await self._ledger.give_up(rivals):
                await self._meter.cancel(attempt_id)
            room, _ = await self._reserve(request, license, counts)
        if room is not None and room.no_room is not None and request.by_ids is not None:
            return await self._told_alike(room, license, reasons)
        return room

    async def _told_alike(self, room: _Room, license: License, reasons: Reasons) -> _Room | None:
        """Why there is no room, as if all that is covered went; None where there is by now.

        When there is room again, and whether ever, would tell a licensee how many posts consent let pass.
        """
        covered = of_one_kind(int(np.count_nonzero(covered_in(reasons))))
        answer = await self._meter.room(license, covered)
        if answer.no_room is None:
            return None
        return replace(room, no_room=replace(answer.no_room, retry_at_is_exact=False))

    async def _reserve(
        self, request: Request, license: License, counts: ContentCounts
    ) -> tuple[_Room | None, tuple[str, ...]]:
        attempt_id = self._chance.new_id()
        answer = await self._meter.reserve(attempt_id, request.asker.request_key, license, counts)
        match answer.outcome:
            case Hold() as hold:
                return _Room(attempt_id, answer.revision, hold=hold), ()
            case NoRoom() as no_room:
                return _Room(attempt_id, answer.revision, no_room=no_room), ()
            case Rivalry(no_room, rivals):
                return _Room(attempt_id, answer.revision, no_room=no_room), rivals
            case None:
                return None, ()


async def manifest_for(draft: Draft) -> Manifest:
    """Who is in what would go out; of a large batch made beside the event loop."""
    batch, released = draft.request.batch, draft.released
    if len(batch) < LARGE_BATCH:
        return manifest_of(batch, released, draft.salt)
    return await asyncio.to_thread(manifest_of, batch, released, draft.salt)
