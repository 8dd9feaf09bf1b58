"""The sandbox: what a decision would be, as license and consent stand, without any of it happening.

Nothing is held in metering, no receipt number is taken, and nothing of the ledger is written: this recipe
does not know them. What it keeps is its answer, for whoever asks the same again within a day.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from services.chassis.clock import Clock
from services.chassis.ids import DAY_US, check_request_id
from services.chassis.replays import ReplayKey
from services.licensing.desk import Chance, manifest_for
from services.licensing.domain.decisions import Decision, Draft, Request
from services.licensing.domain.manifests import Manifest
from services.licensing.evaluation import Consent, Contracts, Evaluated, evaluate
from services.licensing.pacing import Pacing

OPERATION = "DecideInSandbox"
"""As what its answers are kept."""
REMEMBERED_US = DAY_US
"""How old a request id may be here: longer than that no answer is kept (see `forgetting`)."""


class Answers(Protocol):
    """Where answers are kept, by the request that they answer."""

    async def earlier(self, key: ReplayKey) -> bytes | None: ...
    async def keep(self, key: ReplayKey, answer: bytes, at_us: int) -> bytes: ...


class Sealer(Protocol):
    """Turns a draft into an answer: dated and signed as one of the sandbox."""

    def seal(self, draft: Draft, manifest: Manifest, decided_at_us: int) -> Decision: ...


@dataclass(frozen=True)
class Tried:
    """The answer that a request has in the sandbox now."""

    answer: bytes
    """As it was rendered the first time."""
    replayed: bool


class SandboxDesk:
    """Answers release requests of sandbox principals."""

    def __init__(
        self,
        answers: Answers,
        contracts: Contracts,
        consent: Consent,
        sealer: Sealer,
        pacing: Pacing,
        *,
        clock: Clock,
        chance: Chance,
        margin_us: int,
    ) -> None:
        """`margin_us` is how far ahead of this clock a post's time may lie."""
        self._answers = answers
        self._contracts = contracts
        self._consent = consent
        self._sealer = sealer
        self._pacing = pacing
        self._clock = clock
        self._chance = chance
        self._margin_us = margin_us

    async def decide(self, request: Request, render: Callable[[Decision], bytes]) -> Tried:
        """What would be decided; the stored answer if the request has one.

        `render` makes the answer that is stored and given again. Raises Refusal: REQUEST_ID_TOO_OLD,
        REQUEST_ID_REUSED, SANDBOX_LIMIT (exhausted), TOO_MANY_POSTS, LICENSE_UNKNOWN, and UNAVAILABLE in its
        forms.
        """
        key, asked_at_us = _key_of(request), self._clock.now_us()
        check_request_id(request.asker.request_id, asked_at_us, REMEMBERED_US)
        if (earlier := await self._answers.earlier(key)) is not None:
            return Tried(earlier, replayed=True)
        # Counted before anything is looked up: also a question that then fails has been asked.
        self._pacing.take(key.principal, len(request.batch), self._clock.now_us())
        evaluated = await evaluate(
            request.batch,
            self._contracts,
            self._consent,
            judged_at_us=self._clock.now_us(),
            margin_us=self._margin_us,
        )
        draft = self._draft(request, evaluated)
        now_us = self._clock.now_us()
        answer = render(self._sealer.seal(draft, await manifest_for(draft), now_us))
        # Of two that were asked at once, both get the answer of whichever was kept.
        kept = await self._answers.keep(key, answer, now_us)
        return Tried(kept, replayed=kept != answer)

    def _draft(self, request: Request, evaluated: Evaluated) -> Draft:
        return Draft(
            attempt_id="",
            decision_id=self._chance.new_id(),
            salt=self._chance.new_salt(),
            request=request,
            license=evaluated.license,
            judged_at_us=evaluated.judged_at_us,
            reasons=evaluated.reasons,
            consent=evaluated.consent,
            # Whether there is room is not asked: an answer to that would be old when it arrives.
            hold=None,
            no_room=None,
        )


def _key_of(request: Request) -> ReplayKey:
    """The request, by what it means: both forms of a batch are the same request, as in the ledger."""
    asker = request.asker
    principal = f"{asker.principal_kind}:{asker.principal}"
    return ReplayKey(principal, OPERATION, asker.request_id, request.batch.fingerprint())
