import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StateChangeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATE_CHANGE_KIND_UNSPECIFIED: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_DELETE: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_UNDELETE: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_PROTECT: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_UNPROTECT: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_SUSPEND: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_UNSUSPEND: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_DEACTIVATE: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_REACTIVATE: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_MINOR: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_ADULT: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_WITHHELD: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_NOTICE_SERVED: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_DENY: _ClassVar[StateChangeKind]
    STATE_CHANGE_KIND_UNDENY: _ClassVar[StateChangeKind]
STATE_CHANGE_KIND_UNSPECIFIED: StateChangeKind
STATE_CHANGE_KIND_DELETE: StateChangeKind
STATE_CHANGE_KIND_UNDELETE: StateChangeKind
STATE_CHANGE_KIND_PROTECT: StateChangeKind
STATE_CHANGE_KIND_UNPROTECT: StateChangeKind
STATE_CHANGE_KIND_SUSPEND: StateChangeKind
STATE_CHANGE_KIND_UNSUSPEND: StateChangeKind
STATE_CHANGE_KIND_DEACTIVATE: StateChangeKind
STATE_CHANGE_KIND_REACTIVATE: StateChangeKind
STATE_CHANGE_KIND_MINOR: StateChangeKind
STATE_CHANGE_KIND_ADULT: StateChangeKind
STATE_CHANGE_KIND_WITHHELD: StateChangeKind
STATE_CHANGE_KIND_NOTICE_SERVED: StateChangeKind
STATE_CHANGE_KIND_DENY: StateChangeKind
STATE_CHANGE_KIND_UNDENY: StateChangeKind

class StateChange(_message.Message):
    __slots__ = ("subject_id", "post_id", "kind", "countries", "notice_digest", "occurred_at")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    COUNTRIES_FIELD_NUMBER: _ClassVar[int]
    NOTICE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    subject_id: int
    post_id: int
    kind: StateChangeKind
    countries: _containers.RepeatedScalarFieldContainer[str]
    notice_digest: bytes
    occurred_at: _timestamp_pb2.Timestamp
    def __init__(self, subject_id: _Optional[int] = ..., post_id: _Optional[int] = ..., kind: _Optional[_Union[StateChangeKind, str]] = ..., countries: _Optional[_Iterable[str]] = ..., notice_digest: _Optional[bytes] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
