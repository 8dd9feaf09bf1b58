import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import money_pb2 as _money_pb2
from sluice.metering.v1 import damages_pb2 as _damages_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DisputeStepKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DISPUTE_STEP_KIND_UNSPECIFIED: _ClassVar[DisputeStepKind]
    DISPUTE_STEP_KIND_DISPUTE: _ClassVar[DisputeStepKind]
    DISPUTE_STEP_KIND_UPHOLD: _ClassVar[DisputeStepKind]
    DISPUTE_STEP_KIND_REDUCE: _ClassVar[DisputeStepKind]
    DISPUTE_STEP_KIND_WITHDRAW: _ClassVar[DisputeStepKind]

class ProposalState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROPOSAL_STATE_UNSPECIFIED: _ClassVar[ProposalState]
    PROPOSAL_STATE_PENDING: _ClassVar[ProposalState]
    PROPOSAL_STATE_APPROVED: _ClassVar[ProposalState]
    PROPOSAL_STATE_REJECTED: _ClassVar[ProposalState]
DISPUTE_STEP_KIND_UNSPECIFIED: DisputeStepKind
DISPUTE_STEP_KIND_DISPUTE: DisputeStepKind
DISPUTE_STEP_KIND_UPHOLD: DisputeStepKind
DISPUTE_STEP_KIND_REDUCE: DisputeStepKind
DISPUTE_STEP_KIND_WITHDRAW: DisputeStepKind
PROPOSAL_STATE_UNSPECIFIED: ProposalState
PROPOSAL_STATE_PENDING: ProposalState
PROPOSAL_STATE_APPROVED: ProposalState
PROPOSAL_STATE_REJECTED: ProposalState

class AssessmentStanding(_message.Message):
    __slots__ = ("state", "amount_in_force")
    STATE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    state: _damages_pb2.AssessmentState
    amount_in_force: _money_pb2.Money
    def __init__(self, state: _Optional[_Union[_damages_pb2.AssessmentState, str]] = ..., amount_in_force: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class DisputeStep(_message.Message):
    __slots__ = ("proposal_id", "assessment_id", "kind", "reason", "amount", "state", "proposed_by", "proposed_at", "decided_by", "decided_at", "decision_reason", "before", "after")
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_BY_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_AT_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    DECISION_REASON_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    proposal_id: str
    assessment_id: str
    kind: DisputeStepKind
    reason: str
    amount: _money_pb2.Money
    state: ProposalState
    proposed_by: str
    proposed_at: _timestamp_pb2.Timestamp
    decided_by: str
    decided_at: _timestamp_pb2.Timestamp
    decision_reason: str
    before: AssessmentStanding
    after: AssessmentStanding
    def __init__(self, proposal_id: _Optional[str] = ..., assessment_id: _Optional[str] = ..., kind: _Optional[_Union[DisputeStepKind, str]] = ..., reason: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., state: _Optional[_Union[ProposalState, str]] = ..., proposed_by: _Optional[str] = ..., proposed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decided_by: _Optional[str] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decision_reason: _Optional[str] = ..., before: _Optional[_Union[AssessmentStanding, _Mapping]] = ..., after: _Optional[_Union[AssessmentStanding, _Mapping]] = ...) -> None: ...

class DamagesNotice(_message.Message):
    __slots__ = ("party_id", "sent_at", "how", "digest", "recorded_by", "recorded_at")
    PARTY_ID_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    HOW_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    RECORDED_BY_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    party_id: str
    sent_at: _timestamp_pb2.Timestamp
    how: str
    digest: bytes
    recorded_by: str
    recorded_at: _timestamp_pb2.Timestamp
    def __init__(self, party_id: _Optional[str] = ..., sent_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., how: _Optional[str] = ..., digest: _Optional[bytes] = ..., recorded_by: _Optional[str] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
