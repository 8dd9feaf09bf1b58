from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ContentKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTENT_KIND_UNSPECIFIED: _ClassVar[ContentKind]
    CONTENT_KIND_POST: _ClassVar[ContentKind]
    CONTENT_KIND_REPLY: _ClassVar[ContentKind]
    CONTENT_KIND_QUOTE: _ClassVar[ContentKind]
    CONTENT_KIND_REPOST: _ClassVar[ContentKind]

class MediaFlag(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEDIA_FLAG_UNSPECIFIED: _ClassVar[MediaFlag]
    MEDIA_FLAG_IMAGE: _ClassVar[MediaFlag]
    MEDIA_FLAG_VIDEO: _ClassVar[MediaFlag]
    MEDIA_FLAG_OTHER: _ClassVar[MediaFlag]
CONTENT_KIND_UNSPECIFIED: ContentKind
CONTENT_KIND_POST: ContentKind
CONTENT_KIND_REPLY: ContentKind
CONTENT_KIND_QUOTE: ContentKind
CONTENT_KIND_REPOST: ContentKind
MEDIA_FLAG_UNSPECIFIED: MediaFlag
MEDIA_FLAG_IMAGE: MediaFlag
MEDIA_FLAG_VIDEO: MediaFlag
MEDIA_FLAG_OTHER: MediaFlag
