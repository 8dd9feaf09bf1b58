"""The requests after which consent lets subjects' posts go unless they deny."""

from collections.abc import Iterable

from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import policy_pb2, subject_pb2
from sluice.type.v1 import purpose_pb2

NOTICE = b"\x11" * 32
TRAINING = purpose_pb2.PURPOSE_AI_TRAINING_GENERATIVE
SHARING = purpose_pb2.PURPOSE_THIRD_PARTY_SHARING


def an_import(request_id: str, subject_ids: Iterable[int]) -> pb.ImportSubjectsRequest:
    """Ordinary subjects in the US who were served the notice."""
    rows = [
        pb.ImportSubjectsRequest.Row(
            line=line,
            subject=subject_pb2.Subject(subject_id=subject, jurisdiction="US", notice_digests=[NOTICE]),
        )
        for line, subject in enumerate(subject_ids, start=1)
    ]
    return pb.ImportSubjectsRequest(request_id=request_id, rows=rows)


def an_opt_out_policy(request_id: str, effective_us: int) -> pb.PublishPolicyRequest:
    """In the US training is allowed unless denied, from `effective_us` on."""
    policy = policy_pb2.Policy(
        text_digest=b"\x33" * 32,
        rules=[
            policy_pb2.PolicyRule(jurisdiction="US", purpose=purpose, regime=policy_pb2.REGIME_OPT_OUT)
            for purpose in (TRAINING, SHARING)
        ],
        notice_digests=[NOTICE],
    )
    policy.effective_at.FromMicroseconds(effective_us)
    return pb.PublishPolicyRequest(request_id=request_id, policy=policy)
