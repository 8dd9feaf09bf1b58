import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CountersignDeliveryRequest(_message.Message):
    __slots__ = ("decision_id", "posts_received")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    POSTS_RECEIVED_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    posts_received: int
    def __init__(self, decision_id: _Optional[str] = ..., posts_received: _Optional[int] = ...) -> None: ...

class CountersignDeliveryResponse(_message.Message):
    __slots__ = ("countersignature",)
    COUNTERSIGNATURE_FIELD_NUMBER: _ClassVar[int]
    countersignature: Countersignature
    def __init__(self, countersignature: _Optional[_Union[Countersignature, _Mapping]] = ...) -> None: ...

class Countersignature(_message.Message):
    __slots__ = ("decision_id", "receipt_number", "licensee_id", "posts_received", "countersigned_at")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    POSTS_RECEIVED_FIELD_NUMBER: _ClassVar[int]
    COUNTERSIGNED_AT_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    receipt_number: int
    licensee_id: str
    posts_received: int
    countersigned_at: _timestamp_pb2.Timestamp
    def __init__(self, decision_id: _Optional[str] = ..., receipt_number: _Optional[int] = ..., licensee_id: _Optional[str] = ..., posts_received: _Optional[int] = ..., countersigned_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListDeliveryDifferencesRequest(_message.Message):
    __slots__ = ("licensee_id", "page_size", "page_token")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    page_size: int
    page_token: str
    def __init__(self, licensee_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDeliveryDifferencesResponse(_message.Message):
    __slots__ = ("differences", "next_page_token")
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    differences: _containers.RepeatedCompositeFieldContainer[DeliveryDifference]
    next_page_token: str
    def __init__(self, differences: _Optional[_Iterable[_Union[DeliveryDifference, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeliveryDifference(_message.Message):
    __slots__ = ("countersignature", "license_id", "posts_released", "posts_billed", "confirmed_at")
    COUNTERSIGNATURE_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    POSTS_RELEASED_FIELD_NUMBER: _ClassVar[int]
    POSTS_BILLED_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_AT_FIELD_NUMBER: _ClassVar[int]
    countersignature: Countersignature
    license_id: str
    posts_released: int
    posts_billed: int
    confirmed_at: _timestamp_pb2.Timestamp
    def __init__(self, countersignature: _Optional[_Union[Countersignature, _Mapping]] = ..., license_id: _Optional[str] = ..., posts_released: _Optional[int] = ..., posts_billed: _Optional[int] = ..., confirmed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
