import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.metering.v1 import access_pb2 as _access_pb2
from sluice.metering.v1 import allowance_pb2 as _allowance_pb2
from sluice.metering.v1 import usage_pb2 as _usage_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from sluice.type.v1 import restore_pb2 as _restore_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from sluice.type.v1 import window_pb2 as _window_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReportOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORT_OUTCOME_UNSPECIFIED: _ClassVar[ReportOutcome]
    REPORT_OUTCOME_ACCEPTED: _ClassVar[ReportOutcome]
    REPORT_OUTCOME_DUPLICATE: _ClassVar[ReportOutcome]
    REPORT_OUTCOME_CONFLICT: _ClassVar[ReportOutcome]
    REPORT_OUTCOME_REJECTED: _ClassVar[ReportOutcome]

class UsageLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USAGE_LEVEL_UNSPECIFIED: _ClassVar[UsageLevel]
    USAGE_LEVEL_BELOW: _ClassVar[UsageLevel]
    USAGE_LEVEL_HIGH: _ClassVar[UsageLevel]
    USAGE_LEVEL_FULL: _ClassVar[UsageLevel]

class AuditStep(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIT_STEP_UNSPECIFIED: _ClassVar[AuditStep]
    AUDIT_STEP_STARTED: _ClassVar[AuditStep]
    AUDIT_STEP_DONE: _ClassVar[AuditStep]
REPORT_OUTCOME_UNSPECIFIED: ReportOutcome
REPORT_OUTCOME_ACCEPTED: ReportOutcome
REPORT_OUTCOME_DUPLICATE: ReportOutcome
REPORT_OUTCOME_CONFLICT: ReportOutcome
REPORT_OUTCOME_REJECTED: ReportOutcome
USAGE_LEVEL_UNSPECIFIED: UsageLevel
USAGE_LEVEL_BELOW: UsageLevel
USAGE_LEVEL_HIGH: UsageLevel
USAGE_LEVEL_FULL: UsageLevel
AUDIT_STEP_UNSPECIFIED: AuditStep
AUDIT_STEP_STARTED: AuditStep
AUDIT_STEP_DONE: AuditStep

class ReportAccessesRequest(_message.Message):
    __slots__ = ("request_id", "rows")
    class Row(_message.Message):
        __slots__ = ("line", "access")
        LINE_FIELD_NUMBER: _ClassVar[int]
        ACCESS_FIELD_NUMBER: _ClassVar[int]
        line: int
        access: _access_pb2.SeenAccess
        def __init__(self, line: _Optional[int] = ..., access: _Optional[_Union[_access_pb2.SeenAccess, _Mapping]] = ...) -> None: ...
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    rows: _containers.RepeatedCompositeFieldContainer[ReportAccessesRequest.Row]
    def __init__(self, request_id: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[ReportAccessesRequest.Row, _Mapping]]] = ...) -> None: ...

class ReportRemark(_message.Message):
    __slots__ = ("line", "outcome", "reason", "message", "displaced")
    LINE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DISPLACED_FIELD_NUMBER: _ClassVar[int]
    line: int
    outcome: ReportOutcome
    reason: str
    message: str
    displaced: DisplacedAccess
    def __init__(self, line: _Optional[int] = ..., outcome: _Optional[_Union[ReportOutcome, str]] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., displaced: _Optional[_Union[DisplacedAccess, _Mapping]] = ...) -> None: ...

class DisplacedAccess(_message.Message):
    __slots__ = ("source", "id", "line_digest", "posts")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LINE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    source: str
    id: str
    line_digest: bytes
    posts: int
    def __init__(self, source: _Optional[str] = ..., id: _Optional[str] = ..., line_digest: _Optional[bytes] = ..., posts: _Optional[int] = ...) -> None: ...

class ReportAccessesResponse(_message.Message):
    __slots__ = ("outcomes", "remarks", "absorbed", "revision", "displaced_count")
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    REMARKS_FIELD_NUMBER: _ClassVar[int]
    ABSORBED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DISPLACED_COUNT_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedScalarFieldContainer[ReportOutcome]
    remarks: _containers.RepeatedCompositeFieldContainer[ReportRemark]
    absorbed: int
    revision: _revision_pb2.Revision
    displaced_count: int
    def __init__(self, outcomes: _Optional[_Iterable[_Union[ReportOutcome, str]]] = ..., remarks: _Optional[_Iterable[_Union[ReportRemark, _Mapping]]] = ..., absorbed: _Optional[int] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., displaced_count: _Optional[int] = ...) -> None: ...

class QueryUsageRequest(_message.Message):
    __slots__ = ("of", "since", "until")
    OF_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    of: _usage_pb2.UsageOf
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    def __init__(self, of: _Optional[_Union[_usage_pb2.UsageOf, _Mapping]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class QueryUsageResponse(_message.Message):
    __slots__ = ("rows", "until", "revision", "unknown", "last_before")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    LAST_BEFORE_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[_usage_pb2.UsageRow]
    until: _timestamp_pb2.Timestamp
    revision: _revision_pb2.Revision
    unknown: bool
    last_before: _timestamp_pb2.Timestamp
    def __init__(self, rows: _Optional[_Iterable[_Union[_usage_pb2.UsageRow, _Mapping]]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., unknown: _Optional[bool] = ..., last_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class MaxWindowRequest(_message.Message):
    __slots__ = ("of", "window", "since", "until", "parts", "accesses")
    OF_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    ACCESSES_FIELD_NUMBER: _ClassVar[int]
    of: _usage_pb2.UsageOf
    window: _duration_pb2.Duration
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    parts: int
    accesses: _containers.RepeatedScalarFieldContainer[_access_pb2.AccessKind]
    def __init__(self, of: _Optional[_Union[_usage_pb2.UsageOf, _Mapping]] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., parts: _Optional[int] = ..., accesses: _Optional[_Iterable[_Union[_access_pb2.AccessKind, str]]] = ...) -> None: ...

class MaxWindowResponse(_message.Message):
    __slots__ = ("peaks", "revision")
    PEAKS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    peaks: _containers.RepeatedCompositeFieldContainer[_usage_pb2.Peak]
    revision: _revision_pb2.Revision
    def __init__(self, peaks: _Optional[_Iterable[_Union[_usage_pb2.Peak, _Mapping]]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class GetRoomsRequest(_message.Message):
    __slots__ = ("of",)
    OF_FIELD_NUMBER: _ClassVar[int]
    of: _containers.RepeatedCompositeFieldContainer[Allowed]
    def __init__(self, of: _Optional[_Iterable[_Union[Allowed, _Mapping]]] = ...) -> None: ...

class Allowed(_message.Message):
    __slots__ = ("party_id", "license_id", "allowances")
    PARTY_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    ALLOWANCES_FIELD_NUMBER: _ClassVar[int]
    party_id: str
    license_id: str
    allowances: _containers.RepeatedCompositeFieldContainer[_allowance_pb2.Allowance]
    def __init__(self, party_id: _Optional[str] = ..., license_id: _Optional[str] = ..., allowances: _Optional[_Iterable[_Union[_allowance_pb2.Allowance, _Mapping]]] = ...) -> None: ...

class GetRoomsResponse(_message.Message):
    __slots__ = ("rooms", "revision")
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    rooms: _containers.RepeatedCompositeFieldContainer[Rooms]
    revision: _revision_pb2.Revision
    def __init__(self, rooms: _Optional[_Iterable[_Union[Rooms, _Mapping]]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class Rooms(_message.Message):
    __slots__ = ("rooms", "checked_at")
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    CHECKED_AT_FIELD_NUMBER: _ClassVar[int]
    rooms: _containers.RepeatedCompositeFieldContainer[_allowance_pb2.AllowanceRoom]
    checked_at: _timestamp_pb2.Timestamp
    def __init__(self, rooms: _Optional[_Iterable[_Union[_allowance_pb2.AllowanceRoom, _Mapping]]] = ..., checked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WatchUsageRequest(_message.Message):
    __slots__ = ("of", "window", "limit")
    OF_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    of: _usage_pb2.UsageOf
    window: _window_pb2.Window
    limit: int
    def __init__(self, of: _Optional[_Union[_usage_pb2.UsageOf, _Mapping]] = ..., window: _Optional[_Union[_window_pb2.Window, str]] = ..., limit: _Optional[int] = ...) -> None: ...

class WatchUsageResponse(_message.Message):
    __slots__ = ("used", "held", "level", "notice", "at", "revision")
    USED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    used: int
    held: int
    level: UsageLevel
    notice: bool
    at: _timestamp_pb2.Timestamp
    revision: _revision_pb2.Revision
    def __init__(self, used: _Optional[int] = ..., held: _Optional[int] = ..., level: _Optional[_Union[UsageLevel, str]] = ..., notice: _Optional[bool] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class AuditUsageRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AuditUsageResponse(_message.Message):
    __slots__ = ("check", "compared", "differences", "difference_count", "revision", "step")
    class Difference(_message.Message):
        __slots__ = ("subject", "expected", "found")
        SUBJECT_FIELD_NUMBER: _ClassVar[int]
        EXPECTED_FIELD_NUMBER: _ClassVar[int]
        FOUND_FIELD_NUMBER: _ClassVar[int]
        subject: str
        expected: str
        found: str
        def __init__(self, subject: _Optional[str] = ..., expected: _Optional[str] = ..., found: _Optional[str] = ...) -> None: ...
    CHECK_FIELD_NUMBER: _ClassVar[int]
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    check: str
    compared: int
    differences: _containers.RepeatedCompositeFieldContainer[AuditUsageResponse.Difference]
    difference_count: int
    revision: _revision_pb2.Revision
    step: AuditStep
    def __init__(self, check: _Optional[str] = ..., compared: _Optional[int] = ..., differences: _Optional[_Iterable[_Union[AuditUsageResponse.Difference, _Mapping]]] = ..., difference_count: _Optional[int] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., step: _Optional[_Union[AuditStep, str]] = ...) -> None: ...

class RebuildProjectionsRequest(_message.Message):
    __slots__ = ("request_id",)
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    def __init__(self, request_id: _Optional[str] = ...) -> None: ...

class RebuildProjectionsResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: _revision_pb2.Revision
    def __init__(self, revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class ListRestoresRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRestoresResponse(_message.Message):
    __slots__ = ("restores", "next_page_token")
    RESTORES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    restores: _containers.RepeatedCompositeFieldContainer[_restore_pb2.Restore]
    next_page_token: str
    def __init__(self, restores: _Optional[_Iterable[_Union[_restore_pb2.Restore, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
