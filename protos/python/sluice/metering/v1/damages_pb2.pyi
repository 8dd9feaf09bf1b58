import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import money_pb2 as _money_pb2
from sluice.metering.v1 import access_pb2 as _access_pb2
from sluice.metering.v1 import usage_pb2 as _usage_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DamagesRounding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DAMAGES_ROUNDING_UNSPECIFIED: _ClassVar[DamagesRounding]
    DAMAGES_ROUNDING_WHOLE_UNITS: _ClassVar[DamagesRounding]
    DAMAGES_ROUNDING_STARTED_UNITS: _ClassVar[DamagesRounding]
    DAMAGES_ROUNDING_PRO_RATA: _ClassVar[DamagesRounding]
    DAMAGES_ROUNDING_EXCESS_ONLY: _ClassVar[DamagesRounding]

class DamagesOverlap(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DAMAGES_OVERLAP_UNSPECIFIED: _ClassVar[DamagesOverlap]
    DAMAGES_OVERLAP_DISJOINT: _ClassVar[DamagesOverlap]
    DAMAGES_OVERLAP_SHORTER_ALLOWED: _ClassVar[DamagesOverlap]
    DAMAGES_OVERLAP_CALENDAR_DAYS: _ClassVar[DamagesOverlap]
    DAMAGES_OVERLAP_ONE_PER_BREACH: _ClassVar[DamagesOverlap]

class AssessmentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ASSESSMENT_STATE_UNSPECIFIED: _ClassVar[AssessmentState]
    ASSESSMENT_STATE_PREVIEW: _ClassVar[AssessmentState]
    ASSESSMENT_STATE_RECORDED: _ClassVar[AssessmentState]
    ASSESSMENT_STATE_DISPUTED: _ClassVar[AssessmentState]
    ASSESSMENT_STATE_UPHELD: _ClassVar[AssessmentState]
    ASSESSMENT_STATE_REDUCED: _ClassVar[AssessmentState]
    ASSESSMENT_STATE_WITHDRAWN: _ClassVar[AssessmentState]
DAMAGES_ROUNDING_UNSPECIFIED: DamagesRounding
DAMAGES_ROUNDING_WHOLE_UNITS: DamagesRounding
DAMAGES_ROUNDING_STARTED_UNITS: DamagesRounding
DAMAGES_ROUNDING_PRO_RATA: DamagesRounding
DAMAGES_ROUNDING_EXCESS_ONLY: DamagesRounding
DAMAGES_OVERLAP_UNSPECIFIED: DamagesOverlap
DAMAGES_OVERLAP_DISJOINT: DamagesOverlap
DAMAGES_OVERLAP_SHORTER_ALLOWED: DamagesOverlap
DAMAGES_OVERLAP_CALENDAR_DAYS: DamagesOverlap
DAMAGES_OVERLAP_ONE_PER_BREACH: DamagesOverlap
ASSESSMENT_STATE_UNSPECIFIED: AssessmentState
ASSESSMENT_STATE_PREVIEW: AssessmentState
ASSESSMENT_STATE_RECORDED: AssessmentState
ASSESSMENT_STATE_DISPUTED: AssessmentState
ASSESSMENT_STATE_UPHELD: AssessmentState
ASSESSMENT_STATE_REDUCED: AssessmentState
ASSESSMENT_STATE_WITHDRAWN: AssessmentState

class DamagesPolicy(_message.Message):
    __slots__ = ("version", "title", "terms_digest", "threshold", "window", "unit", "rate", "decimals", "rounding", "overlap", "accesses", "licensed_volume_counts", "not_enforceable", "recorded_at", "recorded_by")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TERMS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    DECIMALS_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    ACCESSES_FIELD_NUMBER: _ClassVar[int]
    LICENSED_VOLUME_COUNTS_FIELD_NUMBER: _ClassVar[int]
    NOT_ENFORCEABLE_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_BY_FIELD_NUMBER: _ClassVar[int]
    version: int
    title: str
    terms_digest: bytes
    threshold: int
    window: _duration_pb2.Duration
    unit: int
    rate: _money_pb2.Money
    decimals: int
    rounding: DamagesRounding
    overlap: DamagesOverlap
    accesses: _containers.RepeatedScalarFieldContainer[_access_pb2.AccessKind]
    licensed_volume_counts: bool
    not_enforceable: _containers.RepeatedCompositeFieldContainer[Unenforceable]
    recorded_at: _timestamp_pb2.Timestamp
    recorded_by: str
    def __init__(self, version: _Optional[int] = ..., title: _Optional[str] = ..., terms_digest: _Optional[bytes] = ..., threshold: _Optional[int] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., unit: _Optional[int] = ..., rate: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., decimals: _Optional[int] = ..., rounding: _Optional[_Union[DamagesRounding, str]] = ..., overlap: _Optional[_Union[DamagesOverlap, str]] = ..., accesses: _Optional[_Iterable[_Union[_access_pb2.AccessKind, str]]] = ..., licensed_volume_counts: _Optional[bool] = ..., not_enforceable: _Optional[_Iterable[_Union[Unenforceable, _Mapping]]] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_by: _Optional[str] = ...) -> None: ...

class Unenforceable(_message.Message):
    __slots__ = ("jurisdiction", "reason")
    JURISDICTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    jurisdiction: str
    reason: str
    def __init__(self, jurisdiction: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Assistant(_message.Message):
    __slots__ = ("party_id", "how")
    PARTY_ID_FIELD_NUMBER: _ClassVar[int]
    HOW_FIELD_NUMBER: _ClassVar[int]
    party_id: str
    how: str
    def __init__(self, party_id: _Optional[str] = ..., how: _Optional[str] = ...) -> None: ...

class AssessmentScope(_message.Message):
    __slots__ = ("of", "since", "until", "policy_version", "jurisdiction", "assisted")
    OF_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    JURISDICTION_FIELD_NUMBER: _ClassVar[int]
    ASSISTED_FIELD_NUMBER: _ClassVar[int]
    of: _usage_pb2.UsageOf
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    policy_version: int
    jurisdiction: str
    assisted: _containers.RepeatedCompositeFieldContainer[Assistant]
    def __init__(self, of: _Optional[_Union[_usage_pb2.UsageOf, _Mapping]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., policy_version: _Optional[int] = ..., jurisdiction: _Optional[str] = ..., assisted: _Optional[_Iterable[_Union[Assistant, _Mapping]]] = ...) -> None: ...

class PartyStretch(_message.Message):
    __slots__ = ("party_id", "since", "until")
    PARTY_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    party_id: str
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    def __init__(self, party_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DamagesShare(_message.Message):
    __slots__ = ("party_id", "posts", "share", "liable_for")
    PARTY_ID_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    LIABLE_FOR_FIELD_NUMBER: _ClassVar[int]
    party_id: str
    posts: int
    share: _money_pb2.Money
    liable_for: _money_pb2.Money
    def __init__(self, party_id: _Optional[str] = ..., posts: _Optional[int] = ..., share: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., liable_for: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class DamagesPeriod(_message.Message):
    __slots__ = ("since", "until", "posts", "amount", "members")
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    posts: int
    amount: _money_pb2.Money
    members: _containers.RepeatedCompositeFieldContainer[DamagesShare]
    def __init__(self, since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., posts: _Optional[int] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., members: _Optional[_Iterable[_Union[DamagesShare, _Mapping]]] = ...) -> None: ...

class DamagesReading(_message.Message):
    __slots__ = ("accesses", "licensed_volume_counts", "overlap", "rounding", "periods", "posts", "amount")
    ACCESSES_FIELD_NUMBER: _ClassVar[int]
    LICENSED_VOLUME_COUNTS_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    accesses: _containers.RepeatedScalarFieldContainer[_access_pb2.AccessKind]
    licensed_volume_counts: bool
    overlap: DamagesOverlap
    rounding: DamagesRounding
    periods: int
    posts: int
    amount: _money_pb2.Money
    def __init__(self, accesses: _Optional[_Iterable[_Union[_access_pb2.AccessKind, str]]] = ..., licensed_volume_counts: _Optional[bool] = ..., overlap: _Optional[_Union[DamagesOverlap, str]] = ..., rounding: _Optional[_Union[DamagesRounding, str]] = ..., periods: _Optional[int] = ..., posts: _Optional[int] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class RunningImport(_message.Message):
    __slots__ = ("source", "last_page_at")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    LAST_PAGE_AT_FIELD_NUMBER: _ClassVar[int]
    source: str
    last_page_at: _timestamp_pb2.Timestamp
    def __init__(self, source: _Optional[str] = ..., last_page_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("rows", "chunk_rows", "root")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    CHUNK_ROWS_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    rows: int
    chunk_rows: int
    root: bytes
    def __init__(self, rows: _Optional[int] = ..., chunk_rows: _Optional[int] = ..., root: _Optional[bytes] = ...) -> None: ...

class Assessment(_message.Message):
    __slots__ = ("assessment_id", "state", "scope", "policy", "periods", "posts", "amount", "amount_in_force", "liable", "members", "exempt", "enforceable", "readings", "imports_running", "evidence", "digest", "as_of", "recorded_at", "recorded_by")
    ASSESSMENT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    LIABLE_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    EXEMPT_FIELD_NUMBER: _ClassVar[int]
    ENFORCEABLE_FIELD_NUMBER: _ClassVar[int]
    READINGS_FIELD_NUMBER: _ClassVar[int]
    IMPORTS_RUNNING_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_BY_FIELD_NUMBER: _ClassVar[int]
    assessment_id: str
    state: AssessmentState
    scope: AssessmentScope
    policy: DamagesPolicy
    periods: _containers.RepeatedCompositeFieldContainer[DamagesPeriod]
    posts: int
    amount: _money_pb2.Money
    amount_in_force: _money_pb2.Money
    liable: _containers.RepeatedCompositeFieldContainer[DamagesShare]
    members: _containers.RepeatedCompositeFieldContainer[PartyStretch]
    exempt: _containers.RepeatedCompositeFieldContainer[PartyStretch]
    enforceable: bool
    readings: _containers.RepeatedCompositeFieldContainer[DamagesReading]
    imports_running: _containers.RepeatedCompositeFieldContainer[RunningImport]
    evidence: Evidence
    digest: bytes
    as_of: _revision_pb2.Revision
    recorded_at: _timestamp_pb2.Timestamp
    recorded_by: str
    def __init__(self, assessment_id: _Optional[str] = ..., state: _Optional[_Union[AssessmentState, str]] = ..., scope: _Optional[_Union[AssessmentScope, _Mapping]] = ..., policy: _Optional[_Union[DamagesPolicy, _Mapping]] = ..., periods: _Optional[_Iterable[_Union[DamagesPeriod, _Mapping]]] = ..., posts: _Optional[int] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., amount_in_force: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., liable: _Optional[_Iterable[_Union[DamagesShare, _Mapping]]] = ..., members: _Optional[_Iterable[_Union[PartyStretch, _Mapping]]] = ..., exempt: _Optional[_Iterable[_Union[PartyStretch, _Mapping]]] = ..., enforceable: _Optional[bool] = ..., readings: _Optional[_Iterable[_Union[DamagesReading, _Mapping]]] = ..., imports_running: _Optional[_Iterable[_Union[RunningImport, _Mapping]]] = ..., evidence: _Optional[_Union[Evidence, _Mapping]] = ..., digest: _Optional[bytes] = ..., as_of: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_by: _Optional[str] = ...) -> None: ...
