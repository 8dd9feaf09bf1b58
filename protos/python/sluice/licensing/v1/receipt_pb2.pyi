import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReceiptClaims(_message.Message):
    __slots__ = ("v", "decision_id", "number", "principal_kind", "principal", "request_id", "licensee_id", "license_id", "license_version", "terms_digest", "purpose", "outcome", "policy_version", "consent_epoch", "consent_revision", "reservation_id", "counted_at", "counts", "request_digest", "resolved_digest", "manifest_root", "manifest_leaves", "decided_at", "not_after", "trace_id", "verdicts_digest")
    class CountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    V_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_KIND_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_VERSION_FIELD_NUMBER: _ClassVar[int]
    TERMS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    CONSENT_EPOCH_FIELD_NUMBER: _ClassVar[int]
    CONSENT_REVISION_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTED_AT_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_ROOT_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_LEAVES_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    v: int
    decision_id: str
    number: int
    principal_kind: str
    principal: str
    request_id: str
    licensee_id: str
    license_id: str
    license_version: int
    terms_digest: bytes
    purpose: str
    outcome: str
    policy_version: int
    consent_epoch: int
    consent_revision: int
    reservation_id: str
    counted_at: _timestamp_pb2.Timestamp
    counts: _containers.ScalarMap[str, int]
    request_digest: bytes
    resolved_digest: bytes
    manifest_root: bytes
    manifest_leaves: int
    decided_at: _timestamp_pb2.Timestamp
    not_after: _timestamp_pb2.Timestamp
    trace_id: str
    verdicts_digest: bytes
    def __init__(self, v: _Optional[int] = ..., decision_id: _Optional[str] = ..., number: _Optional[int] = ..., principal_kind: _Optional[str] = ..., principal: _Optional[str] = ..., request_id: _Optional[str] = ..., licensee_id: _Optional[str] = ..., license_id: _Optional[str] = ..., license_version: _Optional[int] = ..., terms_digest: _Optional[bytes] = ..., purpose: _Optional[str] = ..., outcome: _Optional[str] = ..., policy_version: _Optional[int] = ..., consent_epoch: _Optional[int] = ..., consent_revision: _Optional[int] = ..., reservation_id: _Optional[str] = ..., counted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., counts: _Optional[_Mapping[str, int]] = ..., request_digest: _Optional[bytes] = ..., resolved_digest: _Optional[bytes] = ..., manifest_root: _Optional[bytes] = ..., manifest_leaves: _Optional[int] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., not_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., trace_id: _Optional[str] = ..., verdicts_digest: _Optional[bytes] = ...) -> None: ...
