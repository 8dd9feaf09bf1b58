import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from sluice.licensing.v1 import post_pb2 as _post_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttemptState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTEMPT_STATE_UNSPECIFIED: _ClassVar[AttemptState]
    ATTEMPT_STATE_UNKNOWN: _ClassVar[AttemptState]
    ATTEMPT_STATE_CONCLUDED: _ClassVar[AttemptState]
    ATTEMPT_STATE_TOMBSTONED: _ClassVar[AttemptState]
    ATTEMPT_STATE_LOST: _ClassVar[AttemptState]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_RELEASED: _ClassVar[Outcome]
    OUTCOME_PARTIAL: _ClassVar[Outcome]
    OUTCOME_DENIED: _ClassVar[Outcome]

class DeliveryState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_STATE_UNSPECIFIED: _ClassVar[DeliveryState]
    DELIVERY_STATE_NONE: _ClassVar[DeliveryState]
    DELIVERY_STATE_OPEN: _ClassVar[DeliveryState]
    DELIVERY_STATE_CONFIRMED: _ClassVar[DeliveryState]
    DELIVERY_STATE_EXPIRED: _ClassVar[DeliveryState]
    DELIVERY_STATE_CONFIRMED_LATE: _ClassVar[DeliveryState]
ATTEMPT_STATE_UNSPECIFIED: AttemptState
ATTEMPT_STATE_UNKNOWN: AttemptState
ATTEMPT_STATE_CONCLUDED: AttemptState
ATTEMPT_STATE_TOMBSTONED: AttemptState
ATTEMPT_STATE_LOST: AttemptState
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_RELEASED: Outcome
OUTCOME_PARTIAL: Outcome
OUTCOME_DENIED: Outcome
DELIVERY_STATE_UNSPECIFIED: DeliveryState
DELIVERY_STATE_NONE: DeliveryState
DELIVERY_STATE_OPEN: DeliveryState
DELIVERY_STATE_CONFIRMED: DeliveryState
DELIVERY_STATE_EXPIRED: DeliveryState
DELIVERY_STATE_CONFIRMED_LATE: DeliveryState

class CheckAttemptsRequest(_message.Message):
    __slots__ = ("reservation_ids",)
    RESERVATION_IDS_FIELD_NUMBER: _ClassVar[int]
    reservation_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, reservation_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class CheckAttemptsResponse(_message.Message):
    __slots__ = ("states",)
    STATES_FIELD_NUMBER: _ClassVar[int]
    states: _containers.RepeatedScalarFieldContainer[AttemptState]
    def __init__(self, states: _Optional[_Iterable[_Union[AttemptState, str]]] = ...) -> None: ...

class DecideRequest(_message.Message):
    __slots__ = ("request_id", "license_id", "purpose", "columns", "posts")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    license_id: str
    purpose: _purpose_pb2.Purpose
    columns: _post_pb2.PostColumns
    posts: _post_pb2.PostList
    def __init__(self, request_id: _Optional[str] = ..., license_id: _Optional[str] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., columns: _Optional[_Union[_post_pb2.PostColumns, _Mapping]] = ..., posts: _Optional[_Union[_post_pb2.PostList, _Mapping]] = ...) -> None: ...

class DecideResponse(_message.Message):
    __slots__ = ("decision",)
    DECISION_FIELD_NUMBER: _ClassVar[int]
    decision: Decision
    def __init__(self, decision: _Optional[_Union[Decision, _Mapping]] = ...) -> None: ...

class RequestReleaseRequest(_message.Message):
    __slots__ = ("request_id", "license_id", "purpose", "post_ids")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    license_id: str
    purpose: _purpose_pb2.Purpose
    post_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, request_id: _Optional[str] = ..., license_id: _Optional[str] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., post_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class RequestReleaseResponse(_message.Message):
    __slots__ = ("decision",)
    DECISION_FIELD_NUMBER: _ClassVar[int]
    decision: Decision
    def __init__(self, decision: _Optional[_Union[Decision, _Mapping]] = ...) -> None: ...

class DecideStreamRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: DecideRequest
    def __init__(self, request: _Optional[_Union[DecideRequest, _Mapping]] = ...) -> None: ...

class DecideStreamResponse(_message.Message):
    __slots__ = ("request_id", "number", "decision", "refusal")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    number: int
    decision: Decision
    refusal: _status_pb2.Status
    def __init__(self, request_id: _Optional[str] = ..., number: _Optional[int] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ..., refusal: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("decision_id", "request_id", "license_id", "license_version", "outcome", "verdicts", "reasons", "decided_at", "not_after", "valid_for", "replayed", "is_void", "receipt", "receipt_number", "salt", "consent_revision", "policy_version", "reservation_id", "counted_at", "room_denial", "trace_id", "delivery", "request_key", "sandbox")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_VERSION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    VALID_FOR_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    IS_VOID_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    CONSENT_REVISION_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTED_AT_FIELD_NUMBER: _ClassVar[int]
    ROOM_DENIAL_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    SANDBOX_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    request_id: str
    license_id: str
    license_version: int
    outcome: Outcome
    verdicts: bytes
    reasons: bytes
    decided_at: _timestamp_pb2.Timestamp
    not_after: _timestamp_pb2.Timestamp
    valid_for: _duration_pb2.Duration
    replayed: bool
    is_void: bool
    receipt: str
    receipt_number: int
    salt: bytes
    consent_revision: _revision_pb2.Revision
    policy_version: int
    reservation_id: str
    counted_at: _timestamp_pb2.Timestamp
    room_denial: RoomDenial
    trace_id: str
    delivery: Delivery
    request_key: bytes
    sandbox: bool
    def __init__(self, decision_id: _Optional[str] = ..., request_id: _Optional[str] = ..., license_id: _Optional[str] = ..., license_version: _Optional[int] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., verdicts: _Optional[bytes] = ..., reasons: _Optional[bytes] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., not_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_for: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., replayed: _Optional[bool] = ..., is_void: _Optional[bool] = ..., receipt: _Optional[str] = ..., receipt_number: _Optional[int] = ..., salt: _Optional[bytes] = ..., consent_revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., policy_version: _Optional[int] = ..., reservation_id: _Optional[str] = ..., counted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., room_denial: _Optional[_Union[RoomDenial, _Mapping]] = ..., trace_id: _Optional[str] = ..., delivery: _Optional[_Union[Delivery, _Mapping]] = ..., request_key: _Optional[bytes] = ..., sandbox: _Optional[bool] = ...) -> None: ...

class RoomDenial(_message.Message):
    __slots__ = ("allowance", "limit", "retry_at", "retry_at_is_exact", "never_fits")
    ALLOWANCE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    RETRY_AT_FIELD_NUMBER: _ClassVar[int]
    RETRY_AT_IS_EXACT_FIELD_NUMBER: _ClassVar[int]
    NEVER_FITS_FIELD_NUMBER: _ClassVar[int]
    allowance: str
    limit: int
    retry_at: _timestamp_pb2.Timestamp
    retry_at_is_exact: bool
    never_fits: bool
    def __init__(self, allowance: _Optional[str] = ..., limit: _Optional[int] = ..., retry_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., retry_at_is_exact: _Optional[bool] = ..., never_fits: _Optional[bool] = ...) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("state", "posts_released", "posts_metered", "posts_billed", "confirmed_at", "confirmed_by")
    STATE_FIELD_NUMBER: _ClassVar[int]
    POSTS_RELEASED_FIELD_NUMBER: _ClassVar[int]
    POSTS_METERED_FIELD_NUMBER: _ClassVar[int]
    POSTS_BILLED_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_AT_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_BY_FIELD_NUMBER: _ClassVar[int]
    state: DeliveryState
    posts_released: int
    posts_metered: int
    posts_billed: int
    confirmed_at: _timestamp_pb2.Timestamp
    confirmed_by: str
    def __init__(self, state: _Optional[_Union[DeliveryState, str]] = ..., posts_released: _Optional[int] = ..., posts_metered: _Optional[int] = ..., posts_billed: _Optional[int] = ..., confirmed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., confirmed_by: _Optional[str] = ...) -> None: ...

class ConfirmDeliveryRequest(_message.Message):
    __slots__ = ("decision_id", "delivered")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    delivered: bytes
    def __init__(self, decision_id: _Optional[str] = ..., delivered: _Optional[bytes] = ...) -> None: ...

class ConfirmDeliveryResponse(_message.Message):
    __slots__ = ("delivery",)
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    delivery: Delivery
    def __init__(self, delivery: _Optional[_Union[Delivery, _Mapping]] = ...) -> None: ...

class GetDecisionRequest(_message.Message):
    __slots__ = ("decision_id",)
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    def __init__(self, decision_id: _Optional[str] = ...) -> None: ...

class GetDecisionResponse(_message.Message):
    __slots__ = ("decision",)
    DECISION_FIELD_NUMBER: _ClassVar[int]
    decision: Decision
    def __init__(self, decision: _Optional[_Union[Decision, _Mapping]] = ...) -> None: ...

class ListDecisionsRequest(_message.Message):
    __slots__ = ("licensee_id", "license_id", "outcome", "since", "until", "request_id", "receipt_number", "page_size", "page_token")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    license_id: str
    outcome: Outcome
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    request_id: str
    receipt_number: int
    page_size: int
    page_token: str
    def __init__(self, licensee_id: _Optional[str] = ..., license_id: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., receipt_number: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDecisionsResponse(_message.Message):
    __slots__ = ("decisions", "next_page_token")
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[DecisionSummary]
    next_page_token: str
    def __init__(self, decisions: _Optional[_Iterable[_Union[DecisionSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DecisionSummary(_message.Message):
    __slots__ = ("decision_id", "receipt_number", "request_id", "asked_by", "licensee_id", "license_id", "license_version", "purpose", "outcome", "posts_asked", "posts_released", "decided_at", "trace_id")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ASKED_BY_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_VERSION_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    POSTS_ASKED_FIELD_NUMBER: _ClassVar[int]
    POSTS_RELEASED_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    receipt_number: int
    request_id: str
    asked_by: str
    licensee_id: str
    license_id: str
    license_version: int
    purpose: _purpose_pb2.Purpose
    outcome: Outcome
    posts_asked: int
    posts_released: int
    decided_at: _timestamp_pb2.Timestamp
    trace_id: str
    def __init__(self, decision_id: _Optional[str] = ..., receipt_number: _Optional[int] = ..., request_id: _Optional[str] = ..., asked_by: _Optional[str] = ..., licensee_id: _Optional[str] = ..., license_id: _Optional[str] = ..., license_version: _Optional[int] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., posts_asked: _Optional[int] = ..., posts_released: _Optional[int] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., trace_id: _Optional[str] = ...) -> None: ...

class GetReleasedPostsRequest(_message.Message):
    __slots__ = ("decision_id",)
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    def __init__(self, decision_id: _Optional[str] = ...) -> None: ...

class GetReleasedPostsResponse(_message.Message):
    __slots__ = ("license_id", "licensee_id", "purpose", "posts_asked", "positions", "post_ids", "not_after", "valid_for", "is_void", "delivery")
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    POSTS_ASKED_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    VALID_FOR_FIELD_NUMBER: _ClassVar[int]
    IS_VOID_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    license_id: str
    licensee_id: str
    purpose: _purpose_pb2.Purpose
    posts_asked: int
    positions: _containers.RepeatedScalarFieldContainer[int]
    post_ids: _containers.RepeatedScalarFieldContainer[int]
    not_after: _timestamp_pb2.Timestamp
    valid_for: _duration_pb2.Duration
    is_void: bool
    delivery: Delivery
    def __init__(self, license_id: _Optional[str] = ..., licensee_id: _Optional[str] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., posts_asked: _Optional[int] = ..., positions: _Optional[_Iterable[int]] = ..., post_ids: _Optional[_Iterable[int]] = ..., not_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_for: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., is_void: _Optional[bool] = ..., delivery: _Optional[_Union[Delivery, _Mapping]] = ...) -> None: ...
