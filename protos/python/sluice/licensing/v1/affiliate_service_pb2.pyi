import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AffiliateStanding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AFFILIATE_STANDING_UNSPECIFIED: _ClassVar[AffiliateStanding]
    AFFILIATE_STANDING_COUNTED: _ClassVar[AffiliateStanding]
    AFFILIATE_STANDING_ANNOUNCED: _ClassVar[AffiliateStanding]
    AFFILIATE_STANDING_ENDED: _ClassVar[AffiliateStanding]
    AFFILIATE_STANDING_CHANGING: _ClassVar[AffiliateStanding]
    AFFILIATE_STANDING_DIFFERS: _ClassVar[AffiliateStanding]
AFFILIATE_STANDING_UNSPECIFIED: AffiliateStanding
AFFILIATE_STANDING_COUNTED: AffiliateStanding
AFFILIATE_STANDING_ANNOUNCED: AffiliateStanding
AFFILIATE_STANDING_ENDED: AffiliateStanding
AFFILIATE_STANDING_CHANGING: AffiliateStanding
AFFILIATE_STANDING_DIFFERS: AffiliateStanding

class AffiliateStretch(_message.Message):
    __slots__ = ("since", "until")
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    def __init__(self, since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Affiliate(_message.Message):
    __slots__ = ("affiliate_id", "display_name", "standing", "recorded", "counted", "removal_reason")
    AFFILIATE_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    REMOVAL_REASON_FIELD_NUMBER: _ClassVar[int]
    affiliate_id: str
    display_name: str
    standing: AffiliateStanding
    recorded: _containers.RepeatedCompositeFieldContainer[AffiliateStretch]
    counted: _containers.RepeatedCompositeFieldContainer[AffiliateStretch]
    removal_reason: str
    def __init__(self, affiliate_id: _Optional[str] = ..., display_name: _Optional[str] = ..., standing: _Optional[_Union[AffiliateStanding, str]] = ..., recorded: _Optional[_Iterable[_Union[AffiliateStretch, _Mapping]]] = ..., counted: _Optional[_Iterable[_Union[AffiliateStretch, _Mapping]]] = ..., removal_reason: _Optional[str] = ...) -> None: ...

class AddAffiliateRequest(_message.Message):
    __slots__ = ("request_id", "licensee_id", "affiliate_id", "display_name", "effective_at")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    AFFILIATE_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_AT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    licensee_id: str
    affiliate_id: str
    display_name: str
    effective_at: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., licensee_id: _Optional[str] = ..., affiliate_id: _Optional[str] = ..., display_name: _Optional[str] = ..., effective_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AddAffiliateResponse(_message.Message):
    __slots__ = ("effective_at", "back_dated")
    EFFECTIVE_AT_FIELD_NUMBER: _ClassVar[int]
    BACK_DATED_FIELD_NUMBER: _ClassVar[int]
    effective_at: _timestamp_pb2.Timestamp
    back_dated: bool
    def __init__(self, effective_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., back_dated: _Optional[bool] = ...) -> None: ...

class RemoveAffiliateRequest(_message.Message):
    __slots__ = ("request_id", "licensee_id", "affiliate_id", "effective_at", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    AFFILIATE_ID_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_AT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    licensee_id: str
    affiliate_id: str
    effective_at: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., licensee_id: _Optional[str] = ..., affiliate_id: _Optional[str] = ..., effective_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class RemoveAffiliateResponse(_message.Message):
    __slots__ = ("effective_at", "back_dated")
    EFFECTIVE_AT_FIELD_NUMBER: _ClassVar[int]
    BACK_DATED_FIELD_NUMBER: _ClassVar[int]
    effective_at: _timestamp_pb2.Timestamp
    back_dated: bool
    def __init__(self, effective_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., back_dated: _Optional[bool] = ...) -> None: ...

class ListAffiliatesRequest(_message.Message):
    __slots__ = ("licensee_id", "include_ended", "page_size", "page_token")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_ENDED_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    include_ended: bool
    page_size: int
    page_token: str
    def __init__(self, licensee_id: _Optional[str] = ..., include_ended: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAffiliatesResponse(_message.Message):
    __slots__ = ("affiliates", "next_page_token", "licensee_in_group", "as_of")
    AFFILIATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_IN_GROUP_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    affiliates: _containers.RepeatedCompositeFieldContainer[Affiliate]
    next_page_token: str
    licensee_in_group: bool
    as_of: _timestamp_pb2.Timestamp
    def __init__(self, affiliates: _Optional[_Iterable[_Union[Affiliate, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., licensee_in_group: _Optional[bool] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
