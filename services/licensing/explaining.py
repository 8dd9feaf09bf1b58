"""Explains what a decision would be: the same questions to the same peers, and nothing stored or held."""

from collections.abc import Sequence
from typing import Protocol

from services.chassis.clock import Clock
from services.licensing.domain.answers import ConsentAnswer, RoomAnswer
from services.licensing.domain.counts import ContentCounts, count_content
from services.licensing.domain.explanations import Explanation, Judged, judge, with_room
from services.licensing.domain.judging import as_if_active, unknown_version
from services.licensing.domain.licenses import License
from services.licensing.domain.posts import Batch
from services.licensing.domain.reasons import Reason
from services.licensing.domain.versions import Version

AS_IT_STANDS = 0
"""No version has this number."""
UNASKED = RoomAnswer(no_room=None, standings=())
"""Where nothing may go, room is no question."""


class Contracts(Protocol):
    """Where licenses are read."""

    async def current(self, license_id: str) -> License: ...
    async def versions(
        self, license_id: str, below: int, limit: int, *, drafts: bool
    ) -> Sequence[Version]: ...


class Consent(Protocol):
    """Who knows what authors allow."""

    async def check(self, batch: Batch, license: License) -> ConsentAnswer: ...


class Meter(Protocol):
    """Who knows whether there is room."""

    async def room(self, license: License, counts: ContentCounts) -> RoomAnswer: ...


class Explainer:
    """Works out decisions that nobody makes."""

    def __init__(
        self, contracts: Contracts, consent: Consent, meter: Meter, clock: Clock, *, margin_us: int
    ) -> None:
        """`margin_us` is how far ahead of this clock a post's time may lie."""
        self._contracts = contracts
        self._consent = consent
        self._meter = meter
        self._clock = clock
        self._margin_us = margin_us

    async def explain(self, batch: Batch, version: int) -> Explanation:
        """Why each post would go or not by the license AS_IT_STANDS, or as if a version of it were active.

        Raises Refusal: LICENSE_UNKNOWN, VERSION_UNKNOWN, and UNAVAILABLE in its forms.
        """
        judged_at_us = self._clock.now_us()
        as_it_stands = (await self._contracts.current(batch.license_id)).as_of(judged_at_us)
        license = await self._in_version(as_it_stands, version)
        # Of every post, for all reasons are wanted. What consent says of one does not depend on the others,
        # so what it would say of fewer is in its answer.
        consent = await self._consent.check(batch, license)
        judged = judge(batch, license, consent.reasons, judged_at_us, self._margin_us)
        room = await self._room(batch, license, judged)
        reasons, all_reasons = with_room(judged, is_room=room.no_room is None)
        return Explanation(
            reasons=reasons,
            all_reasons=all_reasons,
            license=as_it_stands,
            version=license.version,
            consent=consent,
            no_room=room.no_room,
            standings=room.standings,
            judged_at_us=judged_at_us,
        )

    async def _in_version(self, license: License, version: int) -> License:
        if version == AS_IT_STANDS:
            return license
        found = await self._contracts.versions(license.license_id, version + 1, 1, drafts=True)
        if not found or found[0].version != version:
            raise unknown_version(version)
        return as_if_active(license, found[0])

    async def _room(self, batch: Batch, license: License, judged: Judged) -> RoomAnswer:
        may_go = judged.reasons == Reason.RELEASED
        if not may_go.any():
            return UNASKED
        return await self._meter.room(license, count_content(batch.kinds, batch.media_flags, may_go))
