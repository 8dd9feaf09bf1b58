import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ActionOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_OUTCOME_UNSPECIFIED: _ClassVar[ActionOutcome]
    ACTION_OUTCOME_DONE: _ClassVar[ActionOutcome]
    ACTION_OUTCOME_REFUSED: _ClassVar[ActionOutcome]
    ACTION_OUTCOME_UNKNOWN: _ClassVar[ActionOutcome]
ACTION_OUTCOME_UNSPECIFIED: ActionOutcome
ACTION_OUTCOME_DONE: ActionOutcome
ACTION_OUTCOME_REFUSED: ActionOutcome
ACTION_OUTCOME_UNKNOWN: ActionOutcome

class ActionEntry(_message.Message):
    __slots__ = ("number", "at", "action", "operator", "roles", "method", "trace_id", "previous_digest", "begun", "ended")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    number: int
    at: _timestamp_pb2.Timestamp
    action: int
    operator: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    method: str
    trace_id: str
    previous_digest: bytes
    begun: ActionBegun
    ended: ActionEnded
    def __init__(self, number: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., action: _Optional[int] = ..., operator: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., method: _Optional[str] = ..., trace_id: _Optional[str] = ..., previous_digest: _Optional[bytes] = ..., begun: _Optional[_Union[ActionBegun, _Mapping]] = ..., ended: _Optional[_Union[ActionEnded, _Mapping]] = ...) -> None: ...

class ActionBegun(_message.Message):
    __slots__ = ("request_id", "request", "request_digest", "request_bytes", "reason", "nonce")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_BYTES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    request: str
    request_digest: bytes
    request_bytes: int
    reason: str
    nonce: bytes
    def __init__(self, request_id: _Optional[str] = ..., request: _Optional[str] = ..., request_digest: _Optional[bytes] = ..., request_bytes: _Optional[int] = ..., reason: _Optional[str] = ..., nonce: _Optional[bytes] = ...) -> None: ...

class ActionEnded(_message.Message):
    __slots__ = ("outcome", "refusal", "requests", "answers")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    outcome: ActionOutcome
    refusal: str
    requests: int
    answers: int
    def __init__(self, outcome: _Optional[_Union[ActionOutcome, str]] = ..., refusal: _Optional[str] = ..., requests: _Optional[int] = ..., answers: _Optional[int] = ...) -> None: ...

class ActionHead(_message.Message):
    __slots__ = ("number", "digest")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    number: int
    digest: bytes
    def __init__(self, number: _Optional[int] = ..., digest: _Optional[bytes] = ...) -> None: ...
