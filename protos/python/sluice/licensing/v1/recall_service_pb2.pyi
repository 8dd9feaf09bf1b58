import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.licensing.v1 import recall_pb2 as _recall_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListRecallsRequest(_message.Message):
    __slots__ = ("licensee_id", "states", "page_size", "page_token")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    states: _containers.RepeatedScalarFieldContainer[_recall_pb2.RecallState]
    page_size: int
    page_token: str
    def __init__(self, licensee_id: _Optional[str] = ..., states: _Optional[_Iterable[_Union[_recall_pb2.RecallState, str]]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRecallsResponse(_message.Message):
    __slots__ = ("recalls", "next_page_token")
    RECALLS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    recalls: _containers.RepeatedCompositeFieldContainer[_recall_pb2.Recall]
    next_page_token: str
    def __init__(self, recalls: _Optional[_Iterable[_Union[_recall_pb2.Recall, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetRecallRequest(_message.Message):
    __slots__ = ("recall_id",)
    RECALL_ID_FIELD_NUMBER: _ClassVar[int]
    recall_id: str
    def __init__(self, recall_id: _Optional[str] = ...) -> None: ...

class GetRecallResponse(_message.Message):
    __slots__ = ("recall",)
    RECALL_FIELD_NUMBER: _ClassVar[int]
    recall: _recall_pb2.Recall
    def __init__(self, recall: _Optional[_Union[_recall_pb2.Recall, _Mapping]] = ...) -> None: ...

class ListRecallEntriesRequest(_message.Message):
    __slots__ = ("recall_id", "page_size", "page_token")
    RECALL_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    recall_id: str
    page_size: int
    page_token: str
    def __init__(self, recall_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRecallEntriesResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_recall_pb2.RecallEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[_recall_pb2.RecallEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchRecallsRequest(_message.Message):
    __slots__ = ("after", "licensee_id")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    after: int
    licensee_id: str
    def __init__(self, after: _Optional[int] = ..., licensee_id: _Optional[str] = ...) -> None: ...

class WatchRecallsResponse(_message.Message):
    __slots__ = ("recall", "number")
    RECALL_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    recall: _recall_pb2.Recall
    number: int
    def __init__(self, recall: _Optional[_Union[_recall_pb2.Recall, _Mapping]] = ..., number: _Optional[int] = ...) -> None: ...

class AcknowledgeRecallRequest(_message.Message):
    __slots__ = ("recall_id",)
    RECALL_ID_FIELD_NUMBER: _ClassVar[int]
    recall_id: str
    def __init__(self, recall_id: _Optional[str] = ...) -> None: ...

class AcknowledgeRecallResponse(_message.Message):
    __slots__ = ("recall",)
    RECALL_FIELD_NUMBER: _ClassVar[int]
    recall: _recall_pb2.Recall
    def __init__(self, recall: _Optional[_Union[_recall_pb2.Recall, _Mapping]] = ...) -> None: ...

class ResolveRecallRequest(_message.Message):
    __slots__ = ("recall_id", "resolution")
    RECALL_ID_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    recall_id: str
    resolution: _recall_pb2.RecallResolution
    def __init__(self, recall_id: _Optional[str] = ..., resolution: _Optional[_Union[_recall_pb2.RecallResolution, _Mapping]] = ...) -> None: ...

class ResolveRecallResponse(_message.Message):
    __slots__ = ("recall",)
    RECALL_FIELD_NUMBER: _ClassVar[int]
    recall: _recall_pb2.Recall
    def __init__(self, recall: _Optional[_Union[_recall_pb2.Recall, _Mapping]] = ...) -> None: ...

class ListReleaseGapsRequest(_message.Message):
    __slots__ = ("licensee_id", "page_size", "page_token")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    page_size: int
    page_token: str
    def __init__(self, licensee_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListReleaseGapsResponse(_message.Message):
    __slots__ = ("gaps", "next_page_token")
    GAPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    gaps: _containers.RepeatedCompositeFieldContainer[_recall_pb2.ReleaseGap]
    next_page_token: str
    def __init__(self, gaps: _Optional[_Iterable[_Union[_recall_pb2.ReleaseGap, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetRecallProgressRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetRecallProgressResponse(_message.Message):
    __slots__ = ("fence", "scanned", "followed", "oldest_unscanned_at", "rechecks_open", "recalls_collecting")
    FENCE_FIELD_NUMBER: _ClassVar[int]
    SCANNED_FIELD_NUMBER: _ClassVar[int]
    FOLLOWED_FIELD_NUMBER: _ClassVar[int]
    OLDEST_UNSCANNED_AT_FIELD_NUMBER: _ClassVar[int]
    RECHECKS_OPEN_FIELD_NUMBER: _ClassVar[int]
    RECALLS_COLLECTING_FIELD_NUMBER: _ClassVar[int]
    fence: _revision_pb2.Revision
    scanned: _revision_pb2.Revision
    followed: _revision_pb2.Revision
    oldest_unscanned_at: _timestamp_pb2.Timestamp
    rechecks_open: int
    recalls_collecting: int
    def __init__(self, fence: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., scanned: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., followed: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., oldest_unscanned_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rechecks_open: _Optional[int] = ..., recalls_collecting: _Optional[int] = ...) -> None: ...
