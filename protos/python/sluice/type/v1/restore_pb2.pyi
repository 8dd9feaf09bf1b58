import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Restore(_message.Message):
    __slots__ = ("epoch", "found", "lost", "shared_number", "accepted_at", "accepted_by", "reason")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    SHARED_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_AT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    found: _revision_pb2.Revision
    lost: _revision_pb2.Revision
    shared_number: int
    accepted_at: _timestamp_pb2.Timestamp
    accepted_by: str
    reason: str
    def __init__(self, epoch: _Optional[int] = ..., found: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., lost: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., shared_number: _Optional[int] = ..., accepted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accepted_by: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
