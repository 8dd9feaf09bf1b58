import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.licensing.v1 import reason_pb2 as _reason_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StatsStretch(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATS_STRETCH_UNSPECIFIED: _ClassVar[StatsStretch]
    STATS_STRETCH_MINUTE: _ClassVar[StatsStretch]
    STATS_STRETCH_HOUR: _ClassVar[StatsStretch]
    STATS_STRETCH_DAY: _ClassVar[StatsStretch]
STATS_STRETCH_UNSPECIFIED: StatsStretch
STATS_STRETCH_MINUTE: StatsStretch
STATS_STRETCH_HOUR: StatsStretch
STATS_STRETCH_DAY: StatsStretch

class GetDecisionStatsRequest(_message.Message):
    __slots__ = ("by", "since", "until", "licensee_id", "page_size", "page_token", "together")
    BY_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOGETHER_FIELD_NUMBER: _ClassVar[int]
    by: StatsStretch
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    licensee_id: str
    page_size: int
    page_token: str
    together: bool
    def __init__(self, by: _Optional[_Union[StatsStretch, str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., licensee_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., together: _Optional[bool] = ...) -> None: ...

class GetDecisionStatsResponse(_message.Message):
    __slots__ = ("rows", "next_page_token", "as_of_receipt_number")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AS_OF_RECEIPT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[DecisionStats]
    next_page_token: str
    as_of_receipt_number: int
    def __init__(self, rows: _Optional[_Iterable[_Union[DecisionStats, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., as_of_receipt_number: _Optional[int] = ...) -> None: ...

class DecisionStats(_message.Message):
    __slots__ = ("since", "licensee_id", "purpose", "decisions_released", "decisions_partial", "decisions_denied", "posts")
    SINCE_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_RELEASED_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_PARTIAL_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_DENIED_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    since: _timestamp_pb2.Timestamp
    licensee_id: str
    purpose: _purpose_pb2.Purpose
    decisions_released: int
    decisions_partial: int
    decisions_denied: int
    posts: _containers.RepeatedCompositeFieldContainer[PostCount]
    def __init__(self, since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., licensee_id: _Optional[str] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., decisions_released: _Optional[int] = ..., decisions_partial: _Optional[int] = ..., decisions_denied: _Optional[int] = ..., posts: _Optional[_Iterable[_Union[PostCount, _Mapping]]] = ...) -> None: ...

class PostCount(_message.Message):
    __slots__ = ("verdict", "reason", "posts")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    verdict: _reason_pb2.Verdict
    reason: _reason_pb2.Reason
    posts: int
    def __init__(self, verdict: _Optional[_Union[_reason_pb2.Verdict, str]] = ..., reason: _Optional[_Union[_reason_pb2.Reason, str]] = ..., posts: _Optional[int] = ...) -> None: ...

class RebuildDecisionStatsRequest(_message.Message):
    __slots__ = ("request_id",)
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    def __init__(self, request_id: _Optional[str] = ...) -> None: ...

class RebuildDecisionStatsResponse(_message.Message):
    __slots__ = ("up_to_receipt_number",)
    UP_TO_RECEIPT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    up_to_receipt_number: int
    def __init__(self, up_to_receipt_number: _Optional[int] = ...) -> None: ...
