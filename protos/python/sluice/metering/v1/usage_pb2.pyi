import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.metering.v1 import access_pb2 as _access_pb2
from sluice.type.v1 import content_pb2 as _content_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UsageOrigin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USAGE_ORIGIN_UNSPECIFIED: _ClassVar[UsageOrigin]
    USAGE_ORIGIN_GATE: _ClassVar[UsageOrigin]
    USAGE_ORIGIN_SEEN: _ClassVar[UsageOrigin]
USAGE_ORIGIN_UNSPECIFIED: UsageOrigin
USAGE_ORIGIN_GATE: UsageOrigin
USAGE_ORIGIN_SEEN: UsageOrigin

class UsageOf(_message.Message):
    __slots__ = ("party_id", "group_id", "license_id")
    PARTY_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    party_id: str
    group_id: str
    license_id: str
    def __init__(self, party_id: _Optional[str] = ..., group_id: _Optional[str] = ..., license_id: _Optional[str] = ...) -> None: ...

class UsageRow(_message.Message):
    __slots__ = ("origin", "access", "kind", "media_flags", "used", "held")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MEDIA_FLAGS_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    origin: UsageOrigin
    access: _access_pb2.AccessKind
    kind: _content_pb2.ContentKind
    media_flags: int
    used: int
    held: int
    def __init__(self, origin: _Optional[_Union[UsageOrigin, str]] = ..., access: _Optional[_Union[_access_pb2.AccessKind, str]] = ..., kind: _Optional[_Union[_content_pb2.ContentKind, str]] = ..., media_flags: _Optional[int] = ..., used: _Optional[int] = ..., held: _Optional[int] = ...) -> None: ...

class Peak(_message.Message):
    __slots__ = ("since", "until", "posts", "at")
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    posts: int
    at: _timestamp_pb2.Timestamp
    def __init__(self, since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., posts: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
