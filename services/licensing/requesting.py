"""The request desk: a licensee names posts by their ids, and the release desk decides on what they are.

What may be denied is held in metering before anything is looked up, and counted with the decision: so no
licensee learns of more denials in any 24 hours than the limit, however many requests are under way at once.
The answer that a request has is given again without asking the directory, whatever that would say by now.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import structlog

from services.chassis.clock import Clock
from services.chassis.refusals import Kind, Refusal, not_found, precondition
from services.licensing.domain.answers import Hold, HoldAnswer, NoRoom, Rivalry
from services.licensing.domain.asking import ByIds, PostIds, resolve
from services.licensing.domain.decisions import Asker, Decision, Request
from services.licensing.domain.licenses import License
from services.licensing.domain.posts import Batch
from services.licensing.ledger import Concluded, contended

Outcome: TypeAlias = Hold | NoRoom | Rivalry | None


class Directory(Protocol):
    """Who knows what posts are."""

    async def posts(self, asked: PostIds) -> Batch | None: ...


class Probes(Protocol):
    """Who counts what was denied to a licensee."""

    async def hold(self, probe_id: str, asker: Asker, posts: int) -> HoldAnswer: ...
    async def cancel(self, probe_id: str) -> None: ...


class Contracts(Protocol):
    """Where licenses are read."""

    async def current(self, license_id: str) -> License: ...


class Ledger(Protocol):
    """Where decisions are, and where what holds room is given up."""

    async def earlier(self, asker: Asker, fingerprint: bytes) -> Decision | None: ...
    async def give_up(self, attempt_ids: Sequence[str]) -> list[str]: ...


class Desk(Protocol):
    """Who decides."""

    async def decide(self, request: Request) -> Concluded: ...


@dataclass(frozen=True)
class Asking:
    """One call of a licensee."""

    asker: Asker
    asked: PostIds
    arrived_at_us: int
    """As in `Request`, like the next."""
    trace_id: str


class RequestDesk:
    """Answers licensees who ask by post id."""

    def __init__(
        self,
        desk: Desk,
        ledger: Ledger,
        contracts: Contracts,
        directory: Directory | None,
        probes: Probes,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        sweep_age_us: int,
    ) -> None:
        """Without a `directory` nothing is decided; `new_id` makes ids for what holds room for probes.

        `sweep_age_us` is the age at which a hold is given up that nobody else resolves.
        """
        self._desk = desk
        self._ledger = ledger
        self._contracts = contracts
        self._directory = directory
        self._probes = probes
        self._clock = clock
        self._new_id = new_id
        self._log = structlog.get_logger("requests")
        self._sweep_age_us = sweep_age_us

    async def request(self, asking: Asking) -> Concluded:
        """The decision on a request: the stored one if it has one, else a new one, concluded and durable.

        Raises Refusal: REQUEST_ID_REUSED, DIRECTORY_MISSING, LICENSE_UNKNOWN (also one that is another's),
        PROBES_EXHAUSTED, DECISION_CONTENDED, and UNAVAILABLE in its forms.
        """
        earlier = await self._ledger.earlier(asking.asker, asking.asked.fingerprint())
        if earlier is not None:
            return Concluded(earlier, replayed=True)
        if self._directory is None:
            raise precondition(
                "DIRECTORY_MISSING", "this installation has no directory to look up post ids in"
            )
        license = await self._own_license(asking)
        if not license.permits(asking.asked.purpose, self._clock.now_us()):
            # The answer says nothing of any post, so nobody is asked what they are and nothing is counted.
            return await self._conclude(asking, None, None)
        # Where no answer comes there may be a hold all the same: it is a rival of the same request when that
        # is asked again, and else the sweeper finds it, as it does attempts.
        probe_id = await self._hold(asking)
        try:
            concluded = await self._decide(self._directory, probe_id, asking)
        except Refusal:
            await self._free(probe_id)
            raise
        if concluded.replayed:
            # Another call with this request was faster, and what it denied is counted with it.
            await self._ledger.give_up([probe_id])
        return concluded

    async def _free(self, probe_id: str) -> None:
        """Gives a hold up at once, not by the outbox alone: other requests must not find it in the way.

        Where that fails, outbox and sweeper see to it later: what the request was refused for is to be heard.
        """
        try:
            for given_up in await self._ledger.give_up([probe_id]):
                await self._probes.cancel(given_up)
        except Refusal as refusal:
            self._log.warning("probes_not_freed_at_once", reason=refusal.reason)

    async def _decide(self, directory: Directory, probe_id: str, asking: Asking) -> Concluded:
        return await self._conclude(asking, await directory.posts(asking.asked), probe_id)

    async def _conclude(self, asking: Asking, found: Batch | None, probe_id: str | None) -> Concluded:
        batch, unknown = resolve(asking.asked, found)
        by_ids = ByIds(asking.asked, unknown, probe_id)
        return await self._desk.decide(
            Request(asking.asker, batch, asking.arrived_at_us, asking.trace_id, by_ids)
        )

    async def _own_license(self, asking: Asking) -> License:
        license = await self._contracts.current(asking.asked.license_id)
        if license.terms.licensee_id != asking.asker.principal:
            raise not_found("LICENSE_UNKNOWN", "there is no such license")
        return license.as_of(self._clock.now_us())

    async def _hold(self, asking: Asking) -> str:
        """The reservation that holds room for what may be denied."""
        probe_id, outcome = await self._reserve(asking)
        if isinstance(outcome, Rivalry):
            # Dead holds of this very request must not keep its room from it (M2).
            for given_up in await self._ledger.give_up(outcome.reservation_ids):
                await self._probes.cancel(given_up)
            probe_id, outcome = await self._reserve(asking)
        match outcome:
            case Hold():
                return probe_id
            case NoRoom() as no_room:
                raise self._exhausted(no_room)
            case Rivalry(no_room):
                raise self._exhausted(no_room)
            case None:
                raise contended("the room for this request was given up; ask again")

    async def _reserve(self, asking: Asking) -> tuple[str, Outcome]:
        probe_id = self._new_id()
        return probe_id, (await self._probes.hold(probe_id, asking.asker, asking.asked.posts)).outcome

    def _exhausted(self, no_room: NoRoom) -> Refusal:
        return probes_exhausted(no_room, self._clock.now_us(), self._sweep_age_us)


def probes_exhausted(no_room: NoRoom, now_us: int, sweep_age_us: int) -> Refusal:
    """The refusal of a request that could bring a licensee's denied posts over the limit.

    Where the time at which there is room again is not exact, something is held: most of that is freed with
    the answer it is for, and what nobody answers once it is `sweep_age_us` old.
    """
    message = f"only {no_room.limit} posts may be denied to a licensee in any 24 hours, and this request"
    retry_after_us = None if no_room.retry_at_us is None else max(0, no_room.retry_at_us - now_us)
    if no_room.never_fits:
        message += " could pass that by itself; ask for fewer at once"
    elif no_room.retry_at_is_exact:
        message += " could pass that"
    else:
        message += ", with those that are being answered now, could pass that"
        retry_after_us = sweep_age_us if retry_after_us is None else min(retry_after_us, sweep_age_us)
    return Refusal(Kind.EXHAUSTED, "PROBES_EXHAUSTED", message, retry_after_us=retry_after_us)
