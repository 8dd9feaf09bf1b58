import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.metering.v1 import access_pb2 as _access_pb2
from sluice.metering.v1 import allowance_pb2 as _allowance_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReservationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESERVATION_STATE_UNSPECIFIED: _ClassVar[ReservationState]
    RESERVATION_STATE_HELD: _ClassVar[ReservationState]
    RESERVATION_STATE_SETTLED: _ClassVar[ReservationState]
    RESERVATION_STATE_CANCELLED: _ClassVar[ReservationState]
    RESERVATION_STATE_NO_ROOM: _ClassVar[ReservationState]
RESERVATION_STATE_UNSPECIFIED: ReservationState
RESERVATION_STATE_HELD: ReservationState
RESERVATION_STATE_SETTLED: ReservationState
RESERVATION_STATE_CANCELLED: ReservationState
RESERVATION_STATE_NO_ROOM: ReservationState

class ReserveRequest(_message.Message):
    __slots__ = ("reservation_id", "claim")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    claim: Claim
    def __init__(self, reservation_id: _Optional[str] = ..., claim: _Optional[_Union[Claim, _Mapping]] = ...) -> None: ...

class Claim(_message.Message):
    __slots__ = ("request_key", "party_id", "license_id", "access", "counts", "allowances", "as_many_as_fit")
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    PARTY_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    ALLOWANCES_FIELD_NUMBER: _ClassVar[int]
    AS_MANY_AS_FIT_FIELD_NUMBER: _ClassVar[int]
    request_key: str
    party_id: str
    license_id: str
    access: _access_pb2.AccessKind
    counts: _containers.RepeatedCompositeFieldContainer[_access_pb2.ContentCount]
    allowances: _containers.RepeatedCompositeFieldContainer[_allowance_pb2.Allowance]
    as_many_as_fit: bool
    def __init__(self, request_key: _Optional[str] = ..., party_id: _Optional[str] = ..., license_id: _Optional[str] = ..., access: _Optional[_Union[_access_pb2.AccessKind, str]] = ..., counts: _Optional[_Iterable[_Union[_access_pb2.ContentCount, _Mapping]]] = ..., allowances: _Optional[_Iterable[_Union[_allowance_pb2.Allowance, _Mapping]]] = ..., as_many_as_fit: _Optional[bool] = ...) -> None: ...

class ReserveResponse(_message.Message):
    __slots__ = ("state", "counted_at", "no_room", "rival_reservation_ids", "revision", "held")
    STATE_FIELD_NUMBER: _ClassVar[int]
    COUNTED_AT_FIELD_NUMBER: _ClassVar[int]
    NO_ROOM_FIELD_NUMBER: _ClassVar[int]
    RIVAL_RESERVATION_IDS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    state: ReservationState
    counted_at: _timestamp_pb2.Timestamp
    no_room: NoRoom
    rival_reservation_ids: _containers.RepeatedScalarFieldContainer[str]
    revision: _revision_pb2.Revision
    held: _containers.RepeatedCompositeFieldContainer[_access_pb2.ContentCount]
    def __init__(self, state: _Optional[_Union[ReservationState, str]] = ..., counted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., no_room: _Optional[_Union[NoRoom, _Mapping]] = ..., rival_reservation_ids: _Optional[_Iterable[str]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., held: _Optional[_Iterable[_Union[_access_pb2.ContentCount, _Mapping]]] = ...) -> None: ...

class CheckRoomRequest(_message.Message):
    __slots__ = ("claim",)
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    claim: Claim
    def __init__(self, claim: _Optional[_Union[Claim, _Mapping]] = ...) -> None: ...

class CheckRoomResponse(_message.Message):
    __slots__ = ("posts_that_fit", "no_room", "rooms", "checked_at", "revision")
    POSTS_THAT_FIT_FIELD_NUMBER: _ClassVar[int]
    NO_ROOM_FIELD_NUMBER: _ClassVar[int]
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    CHECKED_AT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    posts_that_fit: int
    no_room: NoRoom
    rooms: _containers.RepeatedCompositeFieldContainer[_allowance_pb2.AllowanceRoom]
    checked_at: _timestamp_pb2.Timestamp
    revision: _revision_pb2.Revision
    def __init__(self, posts_that_fit: _Optional[int] = ..., no_room: _Optional[_Union[NoRoom, _Mapping]] = ..., rooms: _Optional[_Iterable[_Union[_allowance_pb2.AllowanceRoom, _Mapping]]] = ..., checked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class RecordRequest(_message.Message):
    __slots__ = ("reservation_id", "claim")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    claim: Claim
    def __init__(self, reservation_id: _Optional[str] = ..., claim: _Optional[_Union[Claim, _Mapping]] = ...) -> None: ...

class RecordResponse(_message.Message):
    __slots__ = ("state", "counted_at", "no_room", "counted", "revision")
    STATE_FIELD_NUMBER: _ClassVar[int]
    COUNTED_AT_FIELD_NUMBER: _ClassVar[int]
    NO_ROOM_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    state: ReservationState
    counted_at: _timestamp_pb2.Timestamp
    no_room: NoRoom
    counted: _containers.RepeatedCompositeFieldContainer[_access_pb2.ContentCount]
    revision: _revision_pb2.Revision
    def __init__(self, state: _Optional[_Union[ReservationState, str]] = ..., counted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., no_room: _Optional[_Union[NoRoom, _Mapping]] = ..., counted: _Optional[_Iterable[_Union[_access_pb2.ContentCount, _Mapping]]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class NoRoom(_message.Message):
    __slots__ = ("allowance", "used", "held", "retry_at", "retry_at_is_exact", "never_fits")
    ALLOWANCE_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    RETRY_AT_FIELD_NUMBER: _ClassVar[int]
    RETRY_AT_IS_EXACT_FIELD_NUMBER: _ClassVar[int]
    NEVER_FITS_FIELD_NUMBER: _ClassVar[int]
    allowance: _allowance_pb2.Allowance
    used: int
    held: int
    retry_at: _timestamp_pb2.Timestamp
    retry_at_is_exact: bool
    never_fits: bool
    def __init__(self, allowance: _Optional[_Union[_allowance_pb2.Allowance, _Mapping]] = ..., used: _Optional[int] = ..., held: _Optional[int] = ..., retry_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., retry_at_is_exact: _Optional[bool] = ..., never_fits: _Optional[bool] = ...) -> None: ...

class SettleRequest(_message.Message):
    __slots__ = ("reservation_id", "delivered")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    delivered: _containers.RepeatedCompositeFieldContainer[_access_pb2.ContentCount]
    def __init__(self, reservation_id: _Optional[str] = ..., delivered: _Optional[_Iterable[_Union[_access_pb2.ContentCount, _Mapping]]] = ...) -> None: ...

class SettleResponse(_message.Message):
    __slots__ = ("reservation",)
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    reservation: Reservation
    def __init__(self, reservation: _Optional[_Union[Reservation, _Mapping]] = ...) -> None: ...

class ReduceHoldRequest(_message.Message):
    __slots__ = ("reservation_id", "keep")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    keep: _containers.RepeatedCompositeFieldContainer[_access_pb2.ContentCount]
    def __init__(self, reservation_id: _Optional[str] = ..., keep: _Optional[_Iterable[_Union[_access_pb2.ContentCount, _Mapping]]] = ...) -> None: ...

class ReduceHoldResponse(_message.Message):
    __slots__ = ("reservation",)
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    reservation: Reservation
    def __init__(self, reservation: _Optional[_Union[Reservation, _Mapping]] = ...) -> None: ...

class CancelRequest(_message.Message):
    __slots__ = ("reservation_id",)
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    def __init__(self, reservation_id: _Optional[str] = ...) -> None: ...

class CancelResponse(_message.Message):
    __slots__ = ("reservation",)
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    reservation: Reservation
    def __init__(self, reservation: _Optional[_Union[Reservation, _Mapping]] = ...) -> None: ...

class ListHoldsRequest(_message.Message):
    __slots__ = ("counted_before", "page_size", "page_token")
    COUNTED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    counted_before: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, counted_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListHoldsResponse(_message.Message):
    __slots__ = ("holds", "next_page_token")
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    holds: _containers.RepeatedCompositeFieldContainer[Reservation]
    next_page_token: str
    def __init__(self, holds: _Optional[_Iterable[_Union[Reservation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetReservationRequest(_message.Message):
    __slots__ = ("reservation_id",)
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    def __init__(self, reservation_id: _Optional[str] = ...) -> None: ...

class GetReservationResponse(_message.Message):
    __slots__ = ("reservation",)
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    reservation: Reservation
    def __init__(self, reservation: _Optional[_Union[Reservation, _Mapping]] = ...) -> None: ...

class GetReservationsRequest(_message.Message):
    __slots__ = ("reservation_ids",)
    RESERVATION_IDS_FIELD_NUMBER: _ClassVar[int]
    reservation_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, reservation_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetReservationsResponse(_message.Message):
    __slots__ = ("reservations", "revision")
    RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    reservations: _containers.RepeatedCompositeFieldContainer[Reservation]
    revision: _revision_pb2.Revision
    def __init__(self, reservations: _Optional[_Iterable[_Union[Reservation, _Mapping]]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class ListReservationsRequest(_message.Message):
    __slots__ = ("after_reservation_id", "counted_before", "page_size", "page_token")
    AFTER_RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    after_reservation_id: str
    counted_before: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, after_reservation_id: _Optional[str] = ..., counted_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListReservationsResponse(_message.Message):
    __slots__ = ("reservations", "next_page_token", "revision")
    RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    reservations: _containers.RepeatedCompositeFieldContainer[Reservation]
    next_page_token: str
    revision: _revision_pb2.Revision
    def __init__(self, reservations: _Optional[_Iterable[_Union[Reservation, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class Reservation(_message.Message):
    __slots__ = ("reservation_id", "request_key", "party_id", "state", "counted_at", "posts_reserved", "posts_settled", "posts_freed", "license_id", "group_id", "access", "reserved", "held")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    PARTY_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    COUNTED_AT_FIELD_NUMBER: _ClassVar[int]
    POSTS_RESERVED_FIELD_NUMBER: _ClassVar[int]
    POSTS_SETTLED_FIELD_NUMBER: _ClassVar[int]
    POSTS_FREED_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    request_key: str
    party_id: str
    state: ReservationState
    counted_at: _timestamp_pb2.Timestamp
    posts_reserved: int
    posts_settled: int
    posts_freed: int
    license_id: str
    group_id: str
    access: _access_pb2.AccessKind
    reserved: _containers.RepeatedCompositeFieldContainer[_access_pb2.ContentCount]
    held: _containers.RepeatedCompositeFieldContainer[_access_pb2.ContentCount]
    def __init__(self, reservation_id: _Optional[str] = ..., request_key: _Optional[str] = ..., party_id: _Optional[str] = ..., state: _Optional[_Union[ReservationState, str]] = ..., counted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., posts_reserved: _Optional[int] = ..., posts_settled: _Optional[int] = ..., posts_freed: _Optional[int] = ..., license_id: _Optional[str] = ..., group_id: _Optional[str] = ..., access: _Optional[_Union[_access_pb2.AccessKind, str]] = ..., reserved: _Optional[_Iterable[_Union[_access_pb2.ContentCount, _Mapping]]] = ..., held: _Optional[_Iterable[_Union[_access_pb2.ContentCount, _Mapping]]] = ...) -> None: ...
