"""Answers as messages of the contract."""

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.identity import Principal
from services.consent.acknowledging import Acknowledged
from services.consent.domain.changes import Revision
from services.consent.domain.outcomes import Imported, Published, Recorded, Rejected, Retracted
from services.consent.domain.policies import Policy, Rule
from services.consent.registrar import Answer
from services.consent.rpc.requests import page_token_of
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import policy_pb2
from sluice.consent.v1.rejection_pb2 import RejectedRow
from sluice.type.v1 import purpose_pb2, revision_pb2

_EARLIEST_US, _LATEST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
"""0001-01-01 to 9999-12-31, the span of google.protobuf.Timestamp."""


def caller(principal: Principal) -> pb.GetCallerResponse:
    """Who somebody is by their token."""
    return pb.GetCallerResponse(
        kind=principal.kind,
        party=principal.party,
        roles=sorted(principal.roles),
        subject_ids=sorted(principal.subjects),
        expires_at=timestamp(principal.expires_us),
    )


def checked(answer: Answer) -> pb.CheckConsentResponse:
    """A reason a post, and as of when."""
    return pb.CheckConsentResponse(
        reasons=answer.reasons.tobytes(),
        revision=revision_message(answer.revision),
        policy_version=answer.policy_version,
        good_until=timestamp(answer.good_until_us),
        checked_at=timestamp(answer.checked_us),
    )


def recorded(acknowledged: Acknowledged[Recorded]) -> pb.RecordChoiceResponse:
    """A durable choice."""
    return pb.RecordChoiceResponse(
        revision=revision_message(acknowledged.outcome.revision),
        stated_at=timestamp(acknowledged.outcome.stated_us),
        in_force_after=timestamp(acknowledged.in_force_after_us),
    )


def choices_imported(
    acknowledged: Acknowledged[Imported], bad: tuple[Rejected, ...]
) -> pb.RecordChoicesResponse:
    """What became of the rows; `bad` were turned away at the edge."""
    outcome = acknowledged.outcome.with_rejected(bad)
    return pb.RecordChoicesResponse(
        accepted=outcome.accepted,
        unchanged=outcome.unchanged,
        rejected=rejected_rows(outcome.rejected),
        revision=revision_message(outcome.revision),
        in_force_after=timestamp(acknowledged.in_force_after_us),
    )


def subjects_imported(
    acknowledged: Acknowledged[Imported], bad: tuple[Rejected, ...]
) -> pb.ImportSubjectsResponse:
    """What became of the rows; `bad` were turned away at the edge."""
    outcome = acknowledged.outcome.with_rejected(bad)
    return pb.ImportSubjectsResponse(
        accepted=outcome.accepted,
        unchanged=outcome.unchanged,
        rejected=rejected_rows(outcome.rejected),
        revision=revision_message(outcome.revision),
        in_force_after=timestamp(acknowledged.in_force_after_us),
    )


def published(acknowledged: Acknowledged[Published], policy: Policy) -> pb.PublishPolicyResponse:
    """The policy as stored."""
    return pb.PublishPolicyResponse(
        policy=_policy(policy),
        revision=revision_message(acknowledged.outcome.revision),
        in_force_after=timestamp(acknowledged.in_force_after_us),
    )


def retracted(outcome: Retracted, policy: Policy) -> pb.RetractPolicyResponse:
    """The policy as stored."""
    return pb.RetractPolicyResponse(policy=_policy(policy), revision=revision_message(outcome.revision))


def listed(policies: Sequence[Policy], size: int) -> pb.ListPoliciesResponse:
    """The first `size` of them; a token where there are more."""
    page = policies[:size]
    return pb.ListPoliciesResponse(
        policies=[_policy(policy) for policy in page],
        next_page_token=page_token_of(page[-1].version) if len(policies) > size else "",
    )


def _policy(policy: Policy) -> policy_pb2.Policy:
    draft, activation, retraction = policy.draft, policy.activation, policy.retraction
    return policy_pb2.Policy(
        version=policy.version,
        effective_at=timestamp(draft.effective_us),
        text_digest=draft.text_digest,
        rules=[_rule(rule) for rule in draft.rules],
        notice_digests=sorted(draft.notices),
        activated_at=None if activation is None else timestamp(activation.activated_us),
        activation_revision=0 if activation is None else activation.revision,
        retracted_at=None if retraction is None else timestamp(retraction.retracted_us),
        retraction_revision=0 if retraction is None else retraction.revision,
    )


def _rule(rule: Rule) -> policy_pb2.PolicyRule:
    return policy_pb2.PolicyRule(
        jurisdiction=rule.jurisdiction,
        purpose=purpose_pb2.Purpose.Name(rule.purpose),
        regime=policy_pb2.Regime.Name(rule.regime),
    )


def rejected_rows(rows: Sequence[Rejected]) -> list[RejectedRow]:
    """Rows that were not taken."""
    return [RejectedRow(line=row.line, reason=row.reason, message=row.message) for row in rows]


def revision_message(revision: Revision) -> revision_pb2.Revision:
    """A position in the history."""
    return revision_pb2.Revision(epoch=revision.epoch, number=revision.number)


def timestamp(time_us: int) -> Timestamp:
    """A time in microseconds UTC; what no timestamp can say is the nearest that one can."""
    message = Timestamp()
    message.FromMicroseconds(min(max(time_us, _EARLIEST_US), _LATEST_US))
    return message
