"""A decision on the way (request, draft) and as it is stored."""

from dataclasses import dataclass, replace

import numpy as np

from services.licensing.domain.answers import ConsentAnswer, Hold, NoRoom, Revision
from services.licensing.domain.asking import ByIds, probes_in
from services.licensing.domain.counts import ContentCounts, count_content
from services.licensing.domain.licenses import License
from services.licensing.domain.posts import Batch, Bytes, Mask
from services.licensing.domain.reasons import COARSE, Reason, Reasons, Verdict, Verdicts
from services.licensing.domain.releases import Outcome, after_asking_again, outcome_of

LICENSEE, PIPELINE = "licensee", "pipeline"
"""Kinds of principals."""


@dataclass(frozen=True)
class Asker:
    """Whose request this is: another principal's request_id is another request."""

    principal: str
    principal_kind: str
    request_id: str

    def is_asked_by(self, kind: str, party: str) -> bool:
        """Whether this principal made the request. A party of another kind is someone else."""
        return (self.principal_kind, self.principal) == (kind, party)

    @property
    def is_licensee(self) -> bool:
        """Whether a licensee asks, who is told verdicts and no reasons."""
        return self.principal_kind == LICENSEE

    def is_served_by(self, kind: str, party: str) -> bool:
        """Whether this principal may deliver on it: who asked, and for a licensee whichever pipeline does."""
        return self.is_asked_by(kind, party) or (self.is_licensee and kind == PIPELINE)

    @property
    def request_key(self) -> str:
        """The same for all attempts of this request, whatever the RPC that carried it."""
        return f"{self.principal_kind}:{self.principal}/decide/{self.request_id}"

    @property
    def probe_key(self) -> str:
        """Likewise, for what holds room for the denials of this request."""
        return f"{self.principal_kind}:{self.principal}/probe/{self.request_id}"


@dataclass(frozen=True)
class Request:
    """One call for a decision."""

    asker: Asker
    batch: Batch
    arrived_at_us: int
    """Licensing's clock when the call arrived; validity is told relative to it."""
    trace_id: str
    """32 hex digits, "" if there is no trace."""
    by_ids: ByIds | None = None
    """Set where ids alone were sent, and `batch` is what the directory made of them."""

    @property
    def fingerprint(self) -> bytes:
        """Of what was sent, 32 bytes."""
        return self.batch.fingerprint() if self.by_ids is None else self.by_ids.asked.fingerprint()

    @property
    def sent(self) -> bytes:
        """The canonical form of what was sent: R, or S, of docs/receipt-format.md."""
        return self.batch.canonical() if self.by_ids is None else self.by_ids.asked.canonical()

    @property
    def unknown(self) -> Mask | None:
        """N booleans, which posts nobody knows; None where the caller has said all about them."""
        return None if self.by_ids is None else self.by_ids.unknown

    @property
    def is_unresolved(self) -> bool:
        """Whether ids were sent that nobody looked up, for the license was seen to deny all of them."""
        return self.by_ids is not None and self.by_ids.probe_id is None

    @property
    def probe_id(self) -> str | None:
        """The reservation for what may be denied, where that is counted."""
        return None if self.by_ids is None else self.by_ids.probe_id


@dataclass(frozen=True)
class Draft:
    """All that one attempt found out, ready to be concluded if it still holds then."""

    attempt_id: str
    """Also the id of its reservation."""
    decision_id: str
    """The id that the decision will have."""
    salt: bytes
    """The 32 random bytes that open the digests of the receipt."""
    request: Request
    license: License
    """As it was read for this attempt."""
    judged_at_us: int
    """When coverage and faults were judged."""
    reasons: Reasons
    """N final reasons."""
    consent: ConsentAnswer | None
    """None where no post was left to ask about; of several answers the last one, on what would still go."""
    hold: Hold | None
    """None where nothing was left to hold room for, or there was none."""
    no_room: NoRoom | None
    metering_revision: Revision | None = None
    """As of when metering answered; None where it was not asked."""
    holds_too_much: bool = False
    """Posts that room is held for have been dropped since."""

    @property
    def consent_revision(self) -> Revision | None:
        """As of when consent answered; None where it was not asked."""
        return self.consent.revision if self.consent else None

    @property
    def released(self) -> Mask:
        """N booleans: what would go out."""
        return np.equal(self.reasons, Reason.RELEASED)

    @property
    def releases(self) -> bool:
        """Whether anything would go out."""
        return bool(self.released.any())

    @property
    def counts(self) -> ContentCounts:
        """What would go out, by kind."""
        batch = self.request.batch
        return count_content(batch.kinds, batch.media_flags, self.released)

    def is_behind(self, fence: Revision) -> bool:
        """Whether it would release on an answer from before the fence (W5); a denial may rest on one."""
        return self.releases and (self.consent is None or self.consent.revision < fence)

    def asked_again(self, answer: ConsentAnswer) -> "Draft":
        """The draft once consent has answered anew for the posts that would go, in their order.

        Raises Refusal (unavailable, PEER_ANSWER_INVALID) unless it answered for each of them.
        """
        reasons = after_asking_again(self.reasons, answer.reasons)
        dropped = not np.array_equal(reasons, self.reasons)
        return replace(self, reasons=reasons, consent=answer, holds_too_much=self.holds_too_much or dropped)

    def still_holds(self, license: License, now_us: int) -> bool:
        """Whether license (L1, L4) and consent's answer (C9) are still as the attempt had them."""
        as_read, license = self.license, license.as_of(now_us)
        unchanged = (
            (license.version, license.state, license.terms_digest)
            == (as_read.version, as_read.state, as_read.terms_digest)
            # The term begins and ends without anybody writing it down.
            and license.in_force(now_us) == as_read.in_force(self.judged_at_us)
        )
        in_time = not self.releases or (self.consent is not None and now_us < self.consent.good_until_us)
        return unchanged and in_time


@dataclass(frozen=True, eq=False)
class Decision:
    """A concluded decision, as it is for ever."""

    decision_id: str
    number: int
    """Of the receipt, in commit order, from 1; 0 in the sandbox, whose receipts have none."""
    asker: Asker
    fingerprint: bytes
    """SHA-256 of the canonical form of what was sent."""
    licensee_id: str
    license_id: str
    license_version: int
    terms_digest: bytes
    purpose: int
    reasons: Reasons
    kinds: Bytes
    media_flags: Bytes
    salt: bytes
    policy_version: int | None
    """None, like the revision, where consent was not asked."""
    consent_revision: Revision | None
    hold: Hold | None
    no_room: NoRoom | None
    decided_at_us: int
    not_after_us: int | None
    """None where nothing was released."""
    trace_id: str
    receipt: str

    @property
    def verdicts(self) -> Verdicts:
        """N coarse verdicts."""
        return COARSE[self.reasons]

    @property
    def released(self) -> Mask:
        """N booleans: which posts may go."""
        return np.equal(self.verdicts, Verdict.RELEASED)

    @property
    def posts_released(self) -> int:
        """How many may go."""
        return int(np.count_nonzero(self.released))

    @property
    def probes(self) -> int:
        """How many denials told the caller something about a post."""
        return probes_in(self.verdicts)

    @property
    def outcome(self) -> Outcome:
        """How the batch came out."""
        return outcome_of(self.verdicts)

    def valid_for_us(self, asked_at_us: int) -> int:
        """What is left of the permit for a caller whose call arrived at `asked_at_us`; 0 when nothing is."""
        return max(0, self.not_after_us - asked_at_us) if self.not_after_us is not None else 0
