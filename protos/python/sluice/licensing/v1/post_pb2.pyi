import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.type.v1 import content_pb2 as _content_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Embed(_message.Message):
    __slots__ = ("id", "author_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    author_id: int
    def __init__(self, id: _Optional[int] = ..., author_id: _Optional[int] = ...) -> None: ...

class Post(_message.Message):
    __slots__ = ("id", "author_id", "kind", "media_flags", "language", "posted_at", "embeds")
    ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MEDIA_FLAGS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    POSTED_AT_FIELD_NUMBER: _ClassVar[int]
    EMBEDS_FIELD_NUMBER: _ClassVar[int]
    id: int
    author_id: int
    kind: _content_pb2.ContentKind
    media_flags: int
    language: str
    posted_at: _timestamp_pb2.Timestamp
    embeds: _containers.RepeatedCompositeFieldContainer[Embed]
    def __init__(self, id: _Optional[int] = ..., author_id: _Optional[int] = ..., kind: _Optional[_Union[_content_pb2.ContentKind, str]] = ..., media_flags: _Optional[int] = ..., language: _Optional[str] = ..., posted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., embeds: _Optional[_Iterable[_Union[Embed, _Mapping]]] = ...) -> None: ...

class PostList(_message.Message):
    __slots__ = ("posts",)
    POSTS_FIELD_NUMBER: _ClassVar[int]
    posts: _containers.RepeatedCompositeFieldContainer[Post]
    def __init__(self, posts: _Optional[_Iterable[_Union[Post, _Mapping]]] = ...) -> None: ...

class PostColumns(_message.Message):
    __slots__ = ("ids", "author_ids", "kinds", "media_flags", "posted_at_us", "languages", "language_indexes", "embed_offsets", "embed_ids", "embed_author_ids")
    IDS_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_IDS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    MEDIA_FLAGS_FIELD_NUMBER: _ClassVar[int]
    POSTED_AT_US_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_INDEXES_FIELD_NUMBER: _ClassVar[int]
    EMBED_OFFSETS_FIELD_NUMBER: _ClassVar[int]
    EMBED_IDS_FIELD_NUMBER: _ClassVar[int]
    EMBED_AUTHOR_IDS_FIELD_NUMBER: _ClassVar[int]
    ids: bytes
    author_ids: bytes
    kinds: bytes
    media_flags: bytes
    posted_at_us: bytes
    languages: _containers.RepeatedScalarFieldContainer[str]
    language_indexes: bytes
    embed_offsets: bytes
    embed_ids: bytes
    embed_author_ids: bytes
    def __init__(self, ids: _Optional[bytes] = ..., author_ids: _Optional[bytes] = ..., kinds: _Optional[bytes] = ..., media_flags: _Optional[bytes] = ..., posted_at_us: _Optional[bytes] = ..., languages: _Optional[_Iterable[str]] = ..., language_indexes: _Optional[bytes] = ..., embed_offsets: _Optional[bytes] = ..., embed_ids: _Optional[bytes] = ..., embed_author_ids: _Optional[bytes] = ...) -> None: ...
