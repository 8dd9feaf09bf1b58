import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.consent.v1 import policy_pb2 as _policy_pb2
from sluice.consent.v1 import reason_pb2 as _reason_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetStandingRequest(_message.Message):
    __slots__ = ("subject_id", "licensee_ids")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_IDS_FIELD_NUMBER: _ClassVar[int]
    subject_id: int
    licensee_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, subject_id: _Optional[int] = ..., licensee_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetStandingResponse(_message.Message):
    __slots__ = ("anyone", "licensees", "policy_version", "revision", "as_of")
    ANYONE_FIELD_NUMBER: _ClassVar[int]
    LICENSEES_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    anyone: _containers.RepeatedCompositeFieldContainer[PurposeStanding]
    licensees: _containers.RepeatedCompositeFieldContainer[LicenseeStanding]
    policy_version: int
    revision: _revision_pb2.Revision
    as_of: _timestamp_pb2.Timestamp
    def __init__(self, anyone: _Optional[_Iterable[_Union[PurposeStanding, _Mapping]]] = ..., licensees: _Optional[_Iterable[_Union[LicenseeStanding, _Mapping]]] = ..., policy_version: _Optional[int] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class LicenseeStanding(_message.Message):
    __slots__ = ("licensee_id", "purposes")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSES_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    purposes: _containers.RepeatedCompositeFieldContainer[PurposeStanding]
    def __init__(self, licensee_id: _Optional[str] = ..., purposes: _Optional[_Iterable[_Union[PurposeStanding, _Mapping]]] = ...) -> None: ...

class PurposeStanding(_message.Message):
    __slots__ = ("purpose", "reason", "by_choice", "record_revision", "regime", "denied_by_purpose")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BY_CHOICE_FIELD_NUMBER: _ClassVar[int]
    RECORD_REVISION_FIELD_NUMBER: _ClassVar[int]
    REGIME_FIELD_NUMBER: _ClassVar[int]
    DENIED_BY_PURPOSE_FIELD_NUMBER: _ClassVar[int]
    purpose: _purpose_pb2.Purpose
    reason: _reason_pb2.ConsentReason
    by_choice: bool
    record_revision: int
    regime: _policy_pb2.Regime
    denied_by_purpose: _purpose_pb2.Purpose
    def __init__(self, purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., reason: _Optional[_Union[_reason_pb2.ConsentReason, str]] = ..., by_choice: _Optional[bool] = ..., record_revision: _Optional[int] = ..., regime: _Optional[_Union[_policy_pb2.Regime, str]] = ..., denied_by_purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ...) -> None: ...
