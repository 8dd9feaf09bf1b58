"""Requests as values of the domain."""

import base64
import binascii

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.identity import current_principal
from services.chassis.refusals import invalid
from services.consent.domain.batches import Batch, batch_of
from services.consent.domain.choices import subject_unknown
from services.consent.domain.policies import PolicyDraft, Regime, Rule
from services.consent.domain.verdicts import EVERYWHERE, Question
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import explanation_pb2, policy_pb2

LARGEST_VERSION = 2**31 - 1
LARGEST_REVISION = 2**63 - 1
"""Versions are numbers of 32 bits in the database, revisions of 64."""
EARLIEST_US = -(2**62)
LATEST_US = 2**62
"""Times that a caller may claim; beyond is as good as there."""


def question(request: pb.CheckConsentRequest) -> Question:
    """Raises Refusal PURPOSE_UNSPECIFIED."""
    if request.purpose == 0:
        raise invalid("PURPOSE_UNSPECIFIED", "the request names no purpose", field="purpose")
    return Question(
        request.licensee_id,
        request.purpose,
        frozenset(request.author_jurisdictions),
        frozenset(request.territory),
    )


def explained_question(request: explanation_pb2.ExplainConsentRequest) -> Question:
    """Raises Refusal PURPOSE_UNSPECIFIED."""
    if request.purpose == 0:
        raise invalid("PURPOSE_UNSPECIFIED", "the request names no purpose", field="purpose")
    jurisdictions = frozenset(request.author_jurisdictions) or EVERYWHERE
    return Question(request.licensee_id, request.purpose, jurisdictions, frozenset(request.territory))


def as_of(request: explanation_pb2.ExplainConsentRequest) -> int | None:
    """The time asked about, microseconds UTC; None for now."""
    return bounded_us(request.as_of) if request.HasField("as_of") else None


def check_own(subject_id: int) -> None:
    """A subject sees and changes their own alone, an agent what is of those it acts for; another's id looks
    like one that is not there.
    """
    if not current_principal().reaches(subject_id):
        raise subject_unknown()


def batch(request: pb.CheckConsentRequest) -> Batch:
    """Raises Refusal TOO_MANY_POSTS, COLUMN_LENGTHS."""
    return batch_of(
        request.post_ids,
        request.author_ids,
        request.embed_offsets,
        request.embed_ids,
        request.embed_author_ids,
    )


def policy(given: policy_pb2.Policy) -> PolicyDraft:
    """The policy without what consent adds to it; raises Refusal INVALID_REQUEST."""
    rules = tuple(Rule(rule.jurisdiction, rule.purpose, Regime(rule.regime)) for rule in given.rules)
    try:
        effective_us = given.effective_at.ToMicroseconds()
    except ValueError as error:
        raise invalid("INVALID_REQUEST", "this is no time", field="policy.effective_at") from error
    return PolicyDraft(effective_us, given.text_digest, rules, frozenset(given.notice_digests))


def bounded_us(time: Timestamp) -> int:
    """A time that a caller claims, microseconds UTC, within what can be stored, whatever the fields hold."""
    claimed_us = time.seconds * 1_000_000 + time.nanos // 1_000
    return min(max(claimed_us, EARLIEST_US), LATEST_US)


def number_of(page_token: str, largest: int = LARGEST_REVISION) -> int | None:
    """The number below which the page begins; raises Refusal PAGE_TOKEN_INVALID."""
    if not page_token:
        return None
    refusal = invalid("PAGE_TOKEN_INVALID", "no answer gave this page token", field="page_token")
    try:
        number = int(base64.b64decode(page_token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise refusal from error
    # A number can be written in many ways, of which answers use one; and the database knows none so large.
    if not 0 < number <= largest or page_token_of(number) != page_token:
        raise refusal
    return number


def page_token_of(number: int) -> str:
    """Back from `number_of`."""
    return base64.urlsafe_b64encode(str(number).encode()).decode()
