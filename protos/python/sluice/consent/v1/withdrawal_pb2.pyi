import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.consent.v1 import halt_pb2 as _halt_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WithdrawalCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WITHDRAWAL_CAUSE_UNSPECIFIED: _ClassVar[WithdrawalCause]
    WITHDRAWAL_CAUSE_CHOICE: _ClassVar[WithdrawalCause]
    WITHDRAWAL_CAUSE_SUBJECT_STATE: _ClassVar[WithdrawalCause]
    WITHDRAWAL_CAUSE_SUBJECT_WITHHELD: _ClassVar[WithdrawalCause]
    WITHDRAWAL_CAUSE_SUBJECT_ERASED: _ClassVar[WithdrawalCause]
    WITHDRAWAL_CAUSE_POST_DENIED: _ClassVar[WithdrawalCause]
    WITHDRAWAL_CAUSE_POST_DELETED: _ClassVar[WithdrawalCause]
    WITHDRAWAL_CAUSE_POST_WITHHELD: _ClassVar[WithdrawalCause]
    WITHDRAWAL_CAUSE_POLICY: _ClassVar[WithdrawalCause]
    WITHDRAWAL_CAUSE_HALT: _ClassVar[WithdrawalCause]
WITHDRAWAL_CAUSE_UNSPECIFIED: WithdrawalCause
WITHDRAWAL_CAUSE_CHOICE: WithdrawalCause
WITHDRAWAL_CAUSE_SUBJECT_STATE: WithdrawalCause
WITHDRAWAL_CAUSE_SUBJECT_WITHHELD: WithdrawalCause
WITHDRAWAL_CAUSE_SUBJECT_ERASED: WithdrawalCause
WITHDRAWAL_CAUSE_POST_DENIED: WithdrawalCause
WITHDRAWAL_CAUSE_POST_DELETED: WithdrawalCause
WITHDRAWAL_CAUSE_POST_WITHHELD: WithdrawalCause
WITHDRAWAL_CAUSE_POLICY: WithdrawalCause
WITHDRAWAL_CAUSE_HALT: WithdrawalCause

class Withdrawal(_message.Message):
    __slots__ = ("revision", "cause", "subject_id", "post_id", "licensee_id", "purposes", "countries", "policy_version", "halt", "recorded_at")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSES_FIELD_NUMBER: _ClassVar[int]
    COUNTRIES_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    HALT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    revision: _revision_pb2.Revision
    cause: WithdrawalCause
    subject_id: int
    post_id: int
    licensee_id: str
    purposes: _containers.RepeatedScalarFieldContainer[_purpose_pb2.Purpose]
    countries: _containers.RepeatedScalarFieldContainer[str]
    policy_version: int
    halt: _halt_pb2.HaltScope
    recorded_at: _timestamp_pb2.Timestamp
    def __init__(self, revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., cause: _Optional[_Union[WithdrawalCause, str]] = ..., subject_id: _Optional[int] = ..., post_id: _Optional[int] = ..., licensee_id: _Optional[str] = ..., purposes: _Optional[_Iterable[_Union[_purpose_pb2.Purpose, str]]] = ..., countries: _Optional[_Iterable[str]] = ..., policy_version: _Optional[int] = ..., halt: _Optional[_Union[_halt_pb2.HaltScope, _Mapping]] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
