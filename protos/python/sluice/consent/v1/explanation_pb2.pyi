import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.consent.v1 import reason_pb2 as _reason_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExplainConsentRequest(_message.Message):
    __slots__ = ("subject_id", "post_id", "licensee_id", "purpose", "author_jurisdictions", "territory", "as_of")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_JURISDICTIONS_FIELD_NUMBER: _ClassVar[int]
    TERRITORY_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    subject_id: int
    post_id: int
    licensee_id: str
    purpose: _purpose_pb2.Purpose
    author_jurisdictions: _containers.RepeatedScalarFieldContainer[str]
    territory: _containers.RepeatedScalarFieldContainer[str]
    as_of: _timestamp_pb2.Timestamp
    def __init__(self, subject_id: _Optional[int] = ..., post_id: _Optional[int] = ..., licensee_id: _Optional[str] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., author_jurisdictions: _Optional[_Iterable[str]] = ..., territory: _Optional[_Iterable[str]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExplainConsentResponse(_message.Message):
    __slots__ = ("reason", "steps", "policy_version", "revision", "as_of")
    REASON_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    reason: _reason_pb2.ConsentReason
    steps: _containers.RepeatedCompositeFieldContainer[ExplanationStep]
    policy_version: int
    revision: _revision_pb2.Revision
    as_of: _timestamp_pb2.Timestamp
    def __init__(self, reason: _Optional[_Union[_reason_pb2.ConsentReason, str]] = ..., steps: _Optional[_Iterable[_Union[ExplanationStep, _Mapping]]] = ..., policy_version: _Optional[int] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExplanationStep(_message.Message):
    __slots__ = ("rule", "reason", "message", "purpose", "record_revision")
    RULE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    RECORD_REVISION_FIELD_NUMBER: _ClassVar[int]
    rule: str
    reason: _reason_pb2.ConsentReason
    message: str
    purpose: _purpose_pb2.Purpose
    record_revision: int
    def __init__(self, rule: _Optional[str] = ..., reason: _Optional[_Union[_reason_pb2.ConsentReason, str]] = ..., message: _Optional[str] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., record_revision: _Optional[int] = ...) -> None: ...
