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

class SubjectState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUBJECT_STATE_UNSPECIFIED: _ClassVar[SubjectState]
    SUBJECT_STATE_MINOR: _ClassVar[SubjectState]
    SUBJECT_STATE_DEACTIVATED: _ClassVar[SubjectState]
    SUBJECT_STATE_SUSPENDED: _ClassVar[SubjectState]
    SUBJECT_STATE_DELETED: _ClassVar[SubjectState]
    SUBJECT_STATE_PROTECTED: _ClassVar[SubjectState]
SUBJECT_STATE_UNSPECIFIED: SubjectState
SUBJECT_STATE_MINOR: SubjectState
SUBJECT_STATE_DEACTIVATED: SubjectState
SUBJECT_STATE_SUSPENDED: SubjectState
SUBJECT_STATE_DELETED: SubjectState
SUBJECT_STATE_PROTECTED: SubjectState

class Subject(_message.Message):
    __slots__ = ("subject_id", "jurisdiction", "states", "withheld_countries", "as_of", "notice_digests")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    JURISDICTION_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_COUNTRIES_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    NOTICE_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    subject_id: int
    jurisdiction: str
    states: _containers.RepeatedScalarFieldContainer[SubjectState]
    withheld_countries: _containers.RepeatedScalarFieldContainer[str]
    as_of: _timestamp_pb2.Timestamp
    notice_digests: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, subject_id: _Optional[int] = ..., jurisdiction: _Optional[str] = ..., states: _Optional[_Iterable[_Union[SubjectState, str]]] = ..., withheld_countries: _Optional[_Iterable[str]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., notice_digests: _Optional[_Iterable[bytes]] = ...) -> None: ...
