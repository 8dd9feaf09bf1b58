from buf.validate import validate_pb2 as _validate_pb2
from sluice.type.v1 import content_pb2 as _content_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
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
