import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.licensing.v1 import price_pb2 as _price_pb2
from sluice.type.v1 import content_pb2 as _content_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from sluice.type.v1 import window_pb2 as _window_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LicenseState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LICENSE_STATE_UNSPECIFIED: _ClassVar[LicenseState]
    LICENSE_STATE_DRAFT: _ClassVar[LicenseState]
    LICENSE_STATE_ACTIVE: _ClassVar[LicenseState]
    LICENSE_STATE_SUSPENDED: _ClassVar[LicenseState]
    LICENSE_STATE_EXPIRED: _ClassVar[LicenseState]
    LICENSE_STATE_TERMINATED: _ClassVar[LicenseState]

class LicenseTemplate(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LICENSE_TEMPLATE_UNSPECIFIED: _ClassVar[LicenseTemplate]
    LICENSE_TEMPLATE_COMMERCIAL: _ClassVar[LicenseTemplate]
    LICENSE_TEMPLATE_API_TIER: _ClassVar[LicenseTemplate]
    LICENSE_TEMPLATE_RESEARCH: _ClassVar[LicenseTemplate]
    LICENSE_TEMPLATE_INTERNAL: _ClassVar[LicenseTemplate]

class AllowanceSubject(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALLOWANCE_SUBJECT_UNSPECIFIED: _ClassVar[AllowanceSubject]
    ALLOWANCE_SUBJECT_LICENSE: _ClassVar[AllowanceSubject]
    ALLOWANCE_SUBJECT_LICENSEE: _ClassVar[AllowanceSubject]
    ALLOWANCE_SUBJECT_GROUP: _ClassVar[AllowanceSubject]

class LicenseStep(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LICENSE_STEP_UNSPECIFIED: _ClassVar[LicenseStep]
    LICENSE_STEP_DRAFTED: _ClassVar[LicenseStep]
    LICENSE_STEP_AMENDED: _ClassVar[LicenseStep]
    LICENSE_STEP_ACTIVATED: _ClassVar[LicenseStep]
    LICENSE_STEP_SCHEDULED: _ClassVar[LicenseStep]
    LICENSE_STEP_WITHDRAWN: _ClassVar[LicenseStep]
    LICENSE_STEP_SUSPENDED: _ClassVar[LicenseStep]
    LICENSE_STEP_RESUMED: _ClassVar[LicenseStep]
    LICENSE_STEP_TERMINATED: _ClassVar[LicenseStep]
LICENSE_STATE_UNSPECIFIED: LicenseState
LICENSE_STATE_DRAFT: LicenseState
LICENSE_STATE_ACTIVE: LicenseState
LICENSE_STATE_SUSPENDED: LicenseState
LICENSE_STATE_EXPIRED: LicenseState
LICENSE_STATE_TERMINATED: LicenseState
LICENSE_TEMPLATE_UNSPECIFIED: LicenseTemplate
LICENSE_TEMPLATE_COMMERCIAL: LicenseTemplate
LICENSE_TEMPLATE_API_TIER: LicenseTemplate
LICENSE_TEMPLATE_RESEARCH: LicenseTemplate
LICENSE_TEMPLATE_INTERNAL: LicenseTemplate
ALLOWANCE_SUBJECT_UNSPECIFIED: AllowanceSubject
ALLOWANCE_SUBJECT_LICENSE: AllowanceSubject
ALLOWANCE_SUBJECT_LICENSEE: AllowanceSubject
ALLOWANCE_SUBJECT_GROUP: AllowanceSubject
LICENSE_STEP_UNSPECIFIED: LicenseStep
LICENSE_STEP_DRAFTED: LicenseStep
LICENSE_STEP_AMENDED: LicenseStep
LICENSE_STEP_ACTIVATED: LicenseStep
LICENSE_STEP_SCHEDULED: LicenseStep
LICENSE_STEP_WITHDRAWN: LicenseStep
LICENSE_STEP_SUSPENDED: LicenseStep
LICENSE_STEP_RESUMED: LicenseStep
LICENSE_STEP_TERMINATED: LicenseStep

class Licensee(_message.Message):
    __slots__ = ("licensee_id", "display_name", "created_at")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    display_name: str
    created_at: _timestamp_pb2.Timestamp
    def __init__(self, licensee_id: _Optional[str] = ..., display_name: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class LicenseAllowance(_message.Message):
    __slots__ = ("per", "window", "limit")
    PER_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    per: AllowanceSubject
    window: _window_pb2.Window
    limit: int
    def __init__(self, per: _Optional[_Union[AllowanceSubject, str]] = ..., window: _Optional[_Union[_window_pb2.Window, str]] = ..., limit: _Optional[int] = ...) -> None: ...

class Obligations(_message.Message):
    __slots__ = ("recall_deadline_days", "no_reidentification", "recall_business_days", "recall_calendar", "recall_time_zone", "suspend_when_overdue")
    RECALL_DEADLINE_DAYS_FIELD_NUMBER: _ClassVar[int]
    NO_REIDENTIFICATION_FIELD_NUMBER: _ClassVar[int]
    RECALL_BUSINESS_DAYS_FIELD_NUMBER: _ClassVar[int]
    RECALL_CALENDAR_FIELD_NUMBER: _ClassVar[int]
    RECALL_TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    SUSPEND_WHEN_OVERDUE_FIELD_NUMBER: _ClassVar[int]
    recall_deadline_days: int
    no_reidentification: bool
    recall_business_days: bool
    recall_calendar: str
    recall_time_zone: str
    suspend_when_overdue: bool
    def __init__(self, recall_deadline_days: _Optional[int] = ..., no_reidentification: _Optional[bool] = ..., recall_business_days: _Optional[bool] = ..., recall_calendar: _Optional[str] = ..., recall_time_zone: _Optional[str] = ..., suspend_when_overdue: _Optional[bool] = ...) -> None: ...

class LicenseTerms(_message.Message):
    __slots__ = ("licensee_id", "template", "purposes", "kinds", "languages", "author_jurisdictions", "territory", "posted_from", "posted_before", "term_from", "term_until", "allowances", "obligations", "price", "contract_digest")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    PURPOSES_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_JURISDICTIONS_FIELD_NUMBER: _ClassVar[int]
    TERRITORY_FIELD_NUMBER: _ClassVar[int]
    POSTED_FROM_FIELD_NUMBER: _ClassVar[int]
    POSTED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    TERM_FROM_FIELD_NUMBER: _ClassVar[int]
    TERM_UNTIL_FIELD_NUMBER: _ClassVar[int]
    ALLOWANCES_FIELD_NUMBER: _ClassVar[int]
    OBLIGATIONS_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    template: LicenseTemplate
    purposes: _containers.RepeatedScalarFieldContainer[_purpose_pb2.Purpose]
    kinds: _containers.RepeatedScalarFieldContainer[_content_pb2.ContentKind]
    languages: _containers.RepeatedScalarFieldContainer[str]
    author_jurisdictions: _containers.RepeatedScalarFieldContainer[str]
    territory: _containers.RepeatedScalarFieldContainer[str]
    posted_from: _timestamp_pb2.Timestamp
    posted_before: _timestamp_pb2.Timestamp
    term_from: _timestamp_pb2.Timestamp
    term_until: _timestamp_pb2.Timestamp
    allowances: _containers.RepeatedCompositeFieldContainer[LicenseAllowance]
    obligations: Obligations
    price: _price_pb2.Price
    contract_digest: bytes
    def __init__(self, licensee_id: _Optional[str] = ..., template: _Optional[_Union[LicenseTemplate, str]] = ..., purposes: _Optional[_Iterable[_Union[_purpose_pb2.Purpose, str]]] = ..., kinds: _Optional[_Iterable[_Union[_content_pb2.ContentKind, str]]] = ..., languages: _Optional[_Iterable[str]] = ..., author_jurisdictions: _Optional[_Iterable[str]] = ..., territory: _Optional[_Iterable[str]] = ..., posted_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., posted_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., term_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., term_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., allowances: _Optional[_Iterable[_Union[LicenseAllowance, _Mapping]]] = ..., obligations: _Optional[_Union[Obligations, _Mapping]] = ..., price: _Optional[_Union[_price_pb2.Price, _Mapping]] = ..., contract_digest: _Optional[bytes] = ...) -> None: ...

class LicenseVersion(_message.Message):
    __slots__ = ("version", "terms", "terms_digest", "created_at", "created_by", "reason", "effective_from", "withdrawn_at")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    TERMS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_AT_FIELD_NUMBER: _ClassVar[int]
    version: int
    terms: LicenseTerms
    terms_digest: bytes
    created_at: _timestamp_pb2.Timestamp
    created_by: str
    reason: str
    effective_from: _timestamp_pb2.Timestamp
    withdrawn_at: _timestamp_pb2.Timestamp
    def __init__(self, version: _Optional[int] = ..., terms: _Optional[_Union[LicenseTerms, _Mapping]] = ..., terms_digest: _Optional[bytes] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created_by: _Optional[str] = ..., reason: _Optional[str] = ..., effective_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., withdrawn_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class License(_message.Message):
    __slots__ = ("license_id", "version", "state", "terms", "terms_digest", "created_at", "state_changed_at", "state_reason", "next")
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    TERMS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    license_id: str
    version: int
    state: LicenseState
    terms: LicenseTerms
    terms_digest: bytes
    created_at: _timestamp_pb2.Timestamp
    state_changed_at: _timestamp_pb2.Timestamp
    state_reason: str
    next: LicenseVersion
    def __init__(self, license_id: _Optional[str] = ..., version: _Optional[int] = ..., state: _Optional[_Union[LicenseState, str]] = ..., terms: _Optional[_Union[LicenseTerms, _Mapping]] = ..., terms_digest: _Optional[bytes] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state_changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state_reason: _Optional[str] = ..., next: _Optional[_Union[LicenseVersion, _Mapping]] = ...) -> None: ...

class LicenseChange(_message.Message):
    __slots__ = ("number", "step", "version", "effective_from", "state", "changed_by", "changed_at", "reason")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BY_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    number: int
    step: LicenseStep
    version: int
    effective_from: _timestamp_pb2.Timestamp
    state: LicenseState
    changed_by: str
    changed_at: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, number: _Optional[int] = ..., step: _Optional[_Union[LicenseStep, str]] = ..., version: _Optional[int] = ..., effective_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[LicenseState, str]] = ..., changed_by: _Optional[str] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...
