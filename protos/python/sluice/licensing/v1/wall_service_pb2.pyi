import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WallTier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WALL_TIER_UNSPECIFIED: _ClassVar[WallTier]
    WALL_TIER_API: _ClassVar[WallTier]
    WALL_TIER_RESEARCH: _ClassVar[WallTier]
    WALL_TIER_KNOWN: _ClassVar[WallTier]
WALL_TIER_UNSPECIFIED: WallTier
WALL_TIER_API: WallTier
WALL_TIER_RESEARCH: WallTier
WALL_TIER_KNOWN: WallTier

class WallChange(_message.Message):
    __slots__ = ("number", "raised", "tiers", "reason", "until", "changed_by", "changed_at")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    RAISED_FIELD_NUMBER: _ClassVar[int]
    TIERS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BY_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    number: int
    raised: bool
    tiers: _containers.RepeatedScalarFieldContainer[WallTier]
    reason: str
    until: _timestamp_pb2.Timestamp
    changed_by: str
    changed_at: _timestamp_pb2.Timestamp
    def __init__(self, number: _Optional[int] = ..., raised: _Optional[bool] = ..., tiers: _Optional[_Iterable[_Union[WallTier, str]]] = ..., reason: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., changed_by: _Optional[str] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RaiseWallRequest(_message.Message):
    __slots__ = ("request_id", "reason", "lasts", "until", "tiers")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LASTS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    TIERS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    reason: str
    lasts: _duration_pb2.Duration
    until: _timestamp_pb2.Timestamp
    tiers: _containers.RepeatedScalarFieldContainer[WallTier]
    def __init__(self, request_id: _Optional[str] = ..., reason: _Optional[str] = ..., lasts: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tiers: _Optional[_Iterable[_Union[WallTier, str]]] = ...) -> None: ...

class RaiseWallResponse(_message.Message):
    __slots__ = ("change",)
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    change: WallChange
    def __init__(self, change: _Optional[_Union[WallChange, _Mapping]] = ...) -> None: ...

class LowerWallRequest(_message.Message):
    __slots__ = ("request_id", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class LowerWallResponse(_message.Message):
    __slots__ = ("change",)
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    change: WallChange
    def __init__(self, change: _Optional[_Union[WallChange, _Mapping]] = ...) -> None: ...

class GetWallRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetWallResponse(_message.Message):
    __slots__ = ("up", "last", "at")
    UP_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    up: bool
    last: WallChange
    at: _timestamp_pb2.Timestamp
    def __init__(self, up: _Optional[bool] = ..., last: _Optional[_Union[WallChange, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListWallChangesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListWallChangesResponse(_message.Message):
    __slots__ = ("changes", "next_page_token")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[WallChange]
    next_page_token: str
    def __init__(self, changes: _Optional[_Iterable[_Union[WallChange, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
