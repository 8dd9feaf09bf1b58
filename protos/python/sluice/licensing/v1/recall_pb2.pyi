import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecallState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECALL_STATE_UNSPECIFIED: _ClassVar[RecallState]
    RECALL_STATE_ISSUED: _ClassVar[RecallState]
    RECALL_STATE_ACKNOWLEDGED: _ClassVar[RecallState]
    RECALL_STATE_DELETED: _ClassVar[RecallState]
    RECALL_STATE_CANNOT_UNTRAIN: _ClassVar[RecallState]
    RECALL_STATE_REFUSED: _ClassVar[RecallState]
    RECALL_STATE_OVERDUE: _ClassVar[RecallState]
RECALL_STATE_UNSPECIFIED: RecallState
RECALL_STATE_ISSUED: RecallState
RECALL_STATE_ACKNOWLEDGED: RecallState
RECALL_STATE_DELETED: RecallState
RECALL_STATE_CANNOT_UNTRAIN: RecallState
RECALL_STATE_REFUSED: RecallState
RECALL_STATE_OVERDUE: RecallState

class Recall(_message.Message):
    __slots__ = ("recall_id", "number", "licensee_id", "state", "withdrawals", "posts", "issued_at", "due_at", "acknowledged_at", "overdue_at", "resolution")
    RECALL_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWALS_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_AT_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_AT_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    recall_id: str
    number: int
    licensee_id: str
    state: RecallState
    withdrawals: int
    posts: int
    issued_at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    acknowledged_at: _timestamp_pb2.Timestamp
    overdue_at: _timestamp_pb2.Timestamp
    resolution: RecallResolution
    def __init__(self, recall_id: _Optional[str] = ..., number: _Optional[int] = ..., licensee_id: _Optional[str] = ..., state: _Optional[_Union[RecallState, str]] = ..., withdrawals: _Optional[int] = ..., posts: _Optional[int] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledged_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., overdue_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resolution: _Optional[_Union[RecallResolution, _Mapping]] = ...) -> None: ...

class RecallResolution(_message.Message):
    __slots__ = ("outcome", "attestation", "resolved_at", "resolved_by")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_AT_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_BY_FIELD_NUMBER: _ClassVar[int]
    outcome: RecallState
    attestation: Attestation
    resolved_at: _timestamp_pb2.Timestamp
    resolved_by: str
    def __init__(self, outcome: _Optional[_Union[RecallState, str]] = ..., attestation: _Optional[_Union[Attestation, _Mapping]] = ..., resolved_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resolved_by: _Optional[str] = ...) -> None: ...

class Attestation(_message.Message):
    __slots__ = ("name", "role", "statement", "document_digest")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    role: str
    statement: str
    document_digest: bytes
    def __init__(self, name: _Optional[str] = ..., role: _Optional[str] = ..., statement: _Optional[str] = ..., document_digest: _Optional[bytes] = ...) -> None: ...

class RecallEntry(_message.Message):
    __slots__ = ("withdrawal_id", "releases")
    WITHDRAWAL_ID_FIELD_NUMBER: _ClassVar[int]
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    withdrawal_id: str
    releases: _containers.RepeatedCompositeFieldContainer[RecalledRelease]
    def __init__(self, withdrawal_id: _Optional[str] = ..., releases: _Optional[_Iterable[_Union[RecalledRelease, _Mapping]]] = ...) -> None: ...

class RecalledRelease(_message.Message):
    __slots__ = ("decision_id", "license_id", "post_ids")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    license_id: str
    post_ids: bytes
    def __init__(self, decision_id: _Optional[str] = ..., license_id: _Optional[str] = ..., post_ids: _Optional[bytes] = ...) -> None: ...

class ReleaseGap(_message.Message):
    __slots__ = ("recall_id", "withdrawal_id", "licensee_id", "decision_id", "kind", "posts", "withdrawn_at", "decided_at", "not_after")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[ReleaseGap.Kind]
        KIND_PERMIT_OPEN: _ClassVar[ReleaseGap.Kind]
        KIND_DECIDED_AFTER: _ClassVar[ReleaseGap.Kind]
    KIND_UNSPECIFIED: ReleaseGap.Kind
    KIND_PERMIT_OPEN: ReleaseGap.Kind
    KIND_DECIDED_AFTER: ReleaseGap.Kind
    RECALL_ID_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWAL_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_AT_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    recall_id: str
    withdrawal_id: str
    licensee_id: str
    decision_id: str
    kind: ReleaseGap.Kind
    posts: int
    withdrawn_at: _timestamp_pb2.Timestamp
    decided_at: _timestamp_pb2.Timestamp
    not_after: _timestamp_pb2.Timestamp
    def __init__(self, recall_id: _Optional[str] = ..., withdrawal_id: _Optional[str] = ..., licensee_id: _Optional[str] = ..., decision_id: _Optional[str] = ..., kind: _Optional[_Union[ReleaseGap.Kind, str]] = ..., posts: _Optional[int] = ..., withdrawn_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., not_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
