import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HaltScope(_message.Message):
    __slots__ = ("everything", "purpose", "jurisdiction", "licensee_id")
    EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    JURISDICTION_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    everything: bool
    purpose: _purpose_pb2.Purpose
    jurisdiction: str
    licensee_id: str
    def __init__(self, everything: _Optional[bool] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., jurisdiction: _Optional[str] = ..., licensee_id: _Optional[str] = ...) -> None: ...

class Halt(_message.Message):
    __slots__ = ("halt_id", "scope", "cause", "recall", "ordered_at", "ordered_by", "lifted_at", "lifted_by")
    HALT_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    ORDERED_AT_FIELD_NUMBER: _ClassVar[int]
    ORDERED_BY_FIELD_NUMBER: _ClassVar[int]
    LIFTED_AT_FIELD_NUMBER: _ClassVar[int]
    LIFTED_BY_FIELD_NUMBER: _ClassVar[int]
    halt_id: int
    scope: HaltScope
    cause: str
    recall: bool
    ordered_at: _timestamp_pb2.Timestamp
    ordered_by: str
    lifted_at: _timestamp_pb2.Timestamp
    lifted_by: str
    def __init__(self, halt_id: _Optional[int] = ..., scope: _Optional[_Union[HaltScope, _Mapping]] = ..., cause: _Optional[str] = ..., recall: _Optional[bool] = ..., ordered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ordered_by: _Optional[str] = ..., lifted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lifted_by: _Optional[str] = ...) -> None: ...
