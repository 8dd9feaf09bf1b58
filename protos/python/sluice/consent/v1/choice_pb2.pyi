import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Stance(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STANCE_UNSPECIFIED: _ClassVar[Stance]
    STANCE_ALLOW: _ClassVar[Stance]
    STANCE_DENY: _ClassVar[Stance]

class ChoiceMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHOICE_METHOD_UNSPECIFIED: _ClassVar[ChoiceMethod]
    CHOICE_METHOD_SETTINGS: _ClassVar[ChoiceMethod]
    CHOICE_METHOD_OPERATOR: _ClassVar[ChoiceMethod]
    CHOICE_METHOD_IMPORT: _ClassVar[ChoiceMethod]
    CHOICE_METHOD_SIGNAL_GPC: _ClassVar[ChoiceMethod]
    CHOICE_METHOD_SIGNAL_AIPREF: _ClassVar[ChoiceMethod]
    CHOICE_METHOD_AGENT: _ClassVar[ChoiceMethod]
STANCE_UNSPECIFIED: Stance
STANCE_ALLOW: Stance
STANCE_DENY: Stance
CHOICE_METHOD_UNSPECIFIED: ChoiceMethod
CHOICE_METHOD_SETTINGS: ChoiceMethod
CHOICE_METHOD_OPERATOR: ChoiceMethod
CHOICE_METHOD_IMPORT: ChoiceMethod
CHOICE_METHOD_SIGNAL_GPC: ChoiceMethod
CHOICE_METHOD_SIGNAL_AIPREF: ChoiceMethod
CHOICE_METHOD_AGENT: ChoiceMethod

class Choice(_message.Message):
    __slots__ = ("subject_id", "stance", "everyone", "licensee_id", "all_purposes", "purpose", "method", "notice_digest", "stated_at")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    STANCE_FIELD_NUMBER: _ClassVar[int]
    EVERYONE_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    ALL_PURPOSES_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    NOTICE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    STATED_AT_FIELD_NUMBER: _ClassVar[int]
    subject_id: int
    stance: Stance
    everyone: bool
    licensee_id: str
    all_purposes: bool
    purpose: _purpose_pb2.Purpose
    method: ChoiceMethod
    notice_digest: bytes
    stated_at: _timestamp_pb2.Timestamp
    def __init__(self, subject_id: _Optional[int] = ..., stance: _Optional[_Union[Stance, str]] = ..., everyone: _Optional[bool] = ..., licensee_id: _Optional[str] = ..., all_purposes: _Optional[bool] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., method: _Optional[_Union[ChoiceMethod, str]] = ..., notice_digest: _Optional[bytes] = ..., stated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RecordedChoice(_message.Message):
    __slots__ = ("choice", "revision", "recorded_at", "recorded_by")
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_BY_FIELD_NUMBER: _ClassVar[int]
    choice: Choice
    revision: int
    recorded_at: _timestamp_pb2.Timestamp
    recorded_by: str
    def __init__(self, choice: _Optional[_Union[Choice, _Mapping]] = ..., revision: _Optional[int] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_by: _Optional[str] = ...) -> None: ...
