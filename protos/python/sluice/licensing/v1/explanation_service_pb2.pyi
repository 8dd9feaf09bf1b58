import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.licensing.v1 import license_pb2 as _license_pb2
from sluice.licensing.v1 import post_pb2 as _post_pb2
from sluice.licensing.v1 import release_service_pb2 as _release_service_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExplainReleaseRequest(_message.Message):
    __slots__ = ("license_id", "purpose", "columns", "posts", "license_version")
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    LICENSE_VERSION_FIELD_NUMBER: _ClassVar[int]
    license_id: str
    purpose: _purpose_pb2.Purpose
    columns: _post_pb2.PostColumns
    posts: _post_pb2.PostList
    license_version: int
    def __init__(self, license_id: _Optional[str] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., columns: _Optional[_Union[_post_pb2.PostColumns, _Mapping]] = ..., posts: _Optional[_Union[_post_pb2.PostList, _Mapping]] = ..., license_version: _Optional[int] = ...) -> None: ...

class ExplainReleaseResponse(_message.Message):
    __slots__ = ("reasons", "all_reasons", "license_version", "license_state", "consent_revision", "policy_version", "room_denial", "allowances", "explained_at")
    REASONS_FIELD_NUMBER: _ClassVar[int]
    ALL_REASONS_FIELD_NUMBER: _ClassVar[int]
    LICENSE_VERSION_FIELD_NUMBER: _ClassVar[int]
    LICENSE_STATE_FIELD_NUMBER: _ClassVar[int]
    CONSENT_REVISION_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    ROOM_DENIAL_FIELD_NUMBER: _ClassVar[int]
    ALLOWANCES_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_AT_FIELD_NUMBER: _ClassVar[int]
    reasons: bytes
    all_reasons: bytes
    license_version: int
    license_state: _license_pb2.LicenseState
    consent_revision: _revision_pb2.Revision
    policy_version: int
    room_denial: _release_service_pb2.RoomDenial
    allowances: _containers.RepeatedCompositeFieldContainer[AllowanceStanding]
    explained_at: _timestamp_pb2.Timestamp
    def __init__(self, reasons: _Optional[bytes] = ..., all_reasons: _Optional[bytes] = ..., license_version: _Optional[int] = ..., license_state: _Optional[_Union[_license_pb2.LicenseState, str]] = ..., consent_revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., policy_version: _Optional[int] = ..., room_denial: _Optional[_Union[_release_service_pb2.RoomDenial, _Mapping]] = ..., allowances: _Optional[_Iterable[_Union[AllowanceStanding, _Mapping]]] = ..., explained_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AllowanceStanding(_message.Message):
    __slots__ = ("allowance", "limit", "used")
    ALLOWANCE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    allowance: str
    limit: int
    used: int
    def __init__(self, allowance: _Optional[str] = ..., limit: _Optional[int] = ..., used: _Optional[int] = ...) -> None: ...
