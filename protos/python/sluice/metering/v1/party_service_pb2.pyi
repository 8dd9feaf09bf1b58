import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.metering.v1 import party_pb2 as _party_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PutPartyRequest(_message.Message):
    __slots__ = ("request_id", "party", "effective_at")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_AT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    party: _party_pb2.Party
    effective_at: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., party: _Optional[_Union[_party_pb2.Party, _Mapping]] = ..., effective_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PutPartyResponse(_message.Message):
    __slots__ = ("revision", "effective_at")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_AT_FIELD_NUMBER: _ClassVar[int]
    revision: _revision_pb2.Revision
    effective_at: _timestamp_pb2.Timestamp
    def __init__(self, revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., effective_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class MovePartyRequest(_message.Message):
    __slots__ = ("request_id", "party_id", "group_id", "effective_at")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PARTY_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_AT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    party_id: str
    group_id: str
    effective_at: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., party_id: _Optional[str] = ..., group_id: _Optional[str] = ..., effective_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class MovePartyResponse(_message.Message):
    __slots__ = ("revision", "effective_at", "back_dated")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_AT_FIELD_NUMBER: _ClassVar[int]
    BACK_DATED_FIELD_NUMBER: _ClassVar[int]
    revision: _revision_pb2.Revision
    effective_at: _timestamp_pb2.Timestamp
    back_dated: bool
    def __init__(self, revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., effective_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., back_dated: _Optional[bool] = ...) -> None: ...

class GetPartyRequest(_message.Message):
    __slots__ = ("party_id", "as_of")
    PARTY_ID_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    party_id: str
    as_of: _timestamp_pb2.Timestamp
    def __init__(self, party_id: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetPartyResponse(_message.Message):
    __slots__ = ("party", "group_id", "memberships", "revision")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIPS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    party: _party_pb2.Party
    group_id: str
    memberships: _containers.RepeatedCompositeFieldContainer[_party_pb2.Membership]
    revision: _revision_pb2.Revision
    def __init__(self, party: _Optional[_Union[_party_pb2.Party, _Mapping]] = ..., group_id: _Optional[str] = ..., memberships: _Optional[_Iterable[_Union[_party_pb2.Membership, _Mapping]]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class ListPartiesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPartiesResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    class Entry(_message.Message):
        __slots__ = ("party", "group_id")
        PARTY_FIELD_NUMBER: _ClassVar[int]
        GROUP_ID_FIELD_NUMBER: _ClassVar[int]
        party: _party_pb2.Party
        group_id: str
        def __init__(self, party: _Optional[_Union[_party_pb2.Party, _Mapping]] = ..., group_id: _Optional[str] = ...) -> None: ...
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[ListPartiesResponse.Entry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[ListPartiesResponse.Entry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListMembershipsRequest(_message.Message):
    __slots__ = ("group_id", "page_size", "page_token")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    page_size: int
    page_token: str
    def __init__(self, group_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMembershipsResponse(_message.Message):
    __slots__ = ("memberships", "next_page_token")
    MEMBERSHIPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    memberships: _containers.RepeatedCompositeFieldContainer[_party_pb2.Membership]
    next_page_token: str
    def __init__(self, memberships: _Optional[_Iterable[_Union[_party_pb2.Membership, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
