import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.licensing.v1 import post_pb2 as _post_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetPostsRequest(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, ids: _Optional[_Iterable[int]] = ...) -> None: ...

class GetPostsResponse(_message.Message):
    __slots__ = ("posts", "as_of")
    POSTS_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    posts: _post_pb2.PostColumns
    as_of: _timestamp_pb2.Timestamp
    def __init__(self, posts: _Optional[_Union[_post_pb2.PostColumns, _Mapping]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PutPostsRequest(_message.Message):
    __slots__ = ("request_id", "columns", "posts")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    columns: _post_pb2.PostColumns
    posts: _post_pb2.PostList
    def __init__(self, request_id: _Optional[str] = ..., columns: _Optional[_Union[_post_pb2.PostColumns, _Mapping]] = ..., posts: _Optional[_Union[_post_pb2.PostList, _Mapping]] = ...) -> None: ...

class PutPostsResponse(_message.Message):
    __slots__ = ("posts_kept", "faults")
    POSTS_KEPT_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    posts_kept: int
    faults: _containers.RepeatedCompositeFieldContainer[PostFault]
    def __init__(self, posts_kept: _Optional[int] = ..., faults: _Optional[_Iterable[_Union[PostFault, _Mapping]]] = ...) -> None: ...

class PostFault(_message.Message):
    __slots__ = ("position", "fault")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    position: int
    fault: str
    def __init__(self, position: _Optional[int] = ..., fault: _Optional[str] = ...) -> None: ...
