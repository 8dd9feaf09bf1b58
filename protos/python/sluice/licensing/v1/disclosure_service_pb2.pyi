import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.licensing.v1 import recall_pb2 as _recall_pb2
from sluice.licensing.v1 import release_service_pb2 as _release_service_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListSubjectReleasesRequest(_message.Message):
    __slots__ = ("subject_id", "page_size", "page_token")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    subject_id: int
    page_size: int
    page_token: str
    def __init__(self, subject_id: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSubjectReleasesResponse(_message.Message):
    __slots__ = ("releases", "next_page_token")
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    releases: _containers.RepeatedCompositeFieldContainer[SubjectRelease]
    next_page_token: str
    def __init__(self, releases: _Optional[_Iterable[_Union[SubjectRelease, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SubjectRelease(_message.Message):
    __slots__ = ("decision_id", "receipt_number", "licensee_id", "licensee_name", "license_id", "purpose", "decided_at", "delivery", "posts", "posts_delivered", "posts_undelivered", "posts_unconfirmed", "post_ids", "receipt", "recalls")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_NAME_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    POSTS_DELIVERED_FIELD_NUMBER: _ClassVar[int]
    POSTS_UNDELIVERED_FIELD_NUMBER: _ClassVar[int]
    POSTS_UNCONFIRMED_FIELD_NUMBER: _ClassVar[int]
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    RECALLS_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    receipt_number: int
    licensee_id: str
    licensee_name: str
    license_id: str
    purpose: _purpose_pb2.Purpose
    decided_at: _timestamp_pb2.Timestamp
    delivery: _release_service_pb2.DeliveryState
    posts: int
    posts_delivered: int
    posts_undelivered: int
    posts_unconfirmed: int
    post_ids: bytes
    receipt: str
    recalls: _containers.RepeatedCompositeFieldContainer[SubjectRecall]
    def __init__(self, decision_id: _Optional[str] = ..., receipt_number: _Optional[int] = ..., licensee_id: _Optional[str] = ..., licensee_name: _Optional[str] = ..., license_id: _Optional[str] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delivery: _Optional[_Union[_release_service_pb2.DeliveryState, str]] = ..., posts: _Optional[int] = ..., posts_delivered: _Optional[int] = ..., posts_undelivered: _Optional[int] = ..., posts_unconfirmed: _Optional[int] = ..., post_ids: _Optional[bytes] = ..., receipt: _Optional[str] = ..., recalls: _Optional[_Iterable[_Union[SubjectRecall, _Mapping]]] = ...) -> None: ...

class SubjectRecall(_message.Message):
    __slots__ = ("recall_id", "state", "issued_at", "due_at", "resolved_at", "posts")
    RECALL_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_AT_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    recall_id: str
    state: _recall_pb2.RecallState
    issued_at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    resolved_at: _timestamp_pb2.Timestamp
    posts: int
    def __init__(self, recall_id: _Optional[str] = ..., state: _Optional[_Union[_recall_pb2.RecallState, str]] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resolved_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., posts: _Optional[int] = ...) -> None: ...

class GetSubjectSummaryRequest(_message.Message):
    __slots__ = ("subject_id",)
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    subject_id: int
    def __init__(self, subject_id: _Optional[int] = ...) -> None: ...

class GetSubjectSummaryResponse(_message.Message):
    __slots__ = ("sums",)
    SUMS_FIELD_NUMBER: _ClassVar[int]
    sums: _containers.RepeatedCompositeFieldContainer[SubjectReleaseSum]
    def __init__(self, sums: _Optional[_Iterable[_Union[SubjectReleaseSum, _Mapping]]] = ...) -> None: ...

class SubjectReleaseSum(_message.Message):
    __slots__ = ("licensee_id", "licensee_name", "purpose", "releases", "posts", "posts_delivered", "posts_undelivered", "posts_unconfirmed", "first_decided_at", "last_decided_at")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_NAME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    POSTS_DELIVERED_FIELD_NUMBER: _ClassVar[int]
    POSTS_UNDELIVERED_FIELD_NUMBER: _ClassVar[int]
    POSTS_UNCONFIRMED_FIELD_NUMBER: _ClassVar[int]
    FIRST_DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    licensee_name: str
    purpose: _purpose_pb2.Purpose
    releases: int
    posts: int
    posts_delivered: int
    posts_undelivered: int
    posts_unconfirmed: int
    first_decided_at: _timestamp_pb2.Timestamp
    last_decided_at: _timestamp_pb2.Timestamp
    def __init__(self, licensee_id: _Optional[str] = ..., licensee_name: _Optional[str] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., releases: _Optional[int] = ..., posts: _Optional[int] = ..., posts_delivered: _Optional[int] = ..., posts_undelivered: _Optional[int] = ..., posts_unconfirmed: _Optional[int] = ..., first_decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RebuildReleaseIndexRequest(_message.Message):
    __slots__ = ("request_id",)
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    def __init__(self, request_id: _Optional[str] = ...) -> None: ...

class RebuildReleaseIndexResponse(_message.Message):
    __slots__ = ("up_to_receipt_number",)
    UP_TO_RECEIPT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    up_to_receipt_number: int
    def __init__(self, up_to_receipt_number: _Optional[int] = ...) -> None: ...
