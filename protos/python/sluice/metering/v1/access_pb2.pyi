import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.type.v1 import content_pb2 as _content_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AccessKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCESS_KIND_UNSPECIFIED: _ClassVar[AccessKind]
    ACCESS_KIND_REQUEST: _ClassVar[AccessKind]
    ACCESS_KIND_VIEW: _ClassVar[AccessKind]
    ACCESS_KIND_ACCESS: _ClassVar[AccessKind]
ACCESS_KIND_UNSPECIFIED: AccessKind
ACCESS_KIND_REQUEST: AccessKind
ACCESS_KIND_VIEW: AccessKind
ACCESS_KIND_ACCESS: AccessKind

class ContentCount(_message.Message):
    __slots__ = ("kind", "media_flags", "posts")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MEDIA_FLAGS_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    kind: _content_pb2.ContentKind
    media_flags: int
    posts: int
    def __init__(self, kind: _Optional[_Union[_content_pb2.ContentKind, str]] = ..., media_flags: _Optional[int] = ..., posts: _Optional[int] = ...) -> None: ...

class SeenAccess(_message.Message):
    __slots__ = ("source", "id", "line_digest", "party_id", "accessed_at", "access", "kind", "media_flags", "posts", "reservation_id")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LINE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PARTY_ID_FIELD_NUMBER: _ClassVar[int]
    ACCESSED_AT_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MEDIA_FLAGS_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    source: str
    id: str
    line_digest: bytes
    party_id: str
    accessed_at: _timestamp_pb2.Timestamp
    access: AccessKind
    kind: _content_pb2.ContentKind
    media_flags: int
    posts: int
    reservation_id: str
    def __init__(self, source: _Optional[str] = ..., id: _Optional[str] = ..., line_digest: _Optional[bytes] = ..., party_id: _Optional[str] = ..., accessed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., access: _Optional[_Union[AccessKind, str]] = ..., kind: _Optional[_Union[_content_pb2.ContentKind, str]] = ..., media_flags: _Optional[int] = ..., posts: _Optional[int] = ..., reservation_id: _Optional[str] = ...) -> None: ...
