import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Regime(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REGIME_UNSPECIFIED: _ClassVar[Regime]
    REGIME_OPT_IN: _ClassVar[Regime]
    REGIME_OPT_OUT: _ClassVar[Regime]
    REGIME_PROHIBITED: _ClassVar[Regime]
REGIME_UNSPECIFIED: Regime
REGIME_OPT_IN: Regime
REGIME_OPT_OUT: Regime
REGIME_PROHIBITED: Regime

class PolicyRule(_message.Message):
    __slots__ = ("jurisdiction", "purpose", "regime")
    JURISDICTION_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    REGIME_FIELD_NUMBER: _ClassVar[int]
    jurisdiction: str
    purpose: _purpose_pb2.Purpose
    regime: Regime
    def __init__(self, jurisdiction: _Optional[str] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., regime: _Optional[_Union[Regime, str]] = ...) -> None: ...

class Policy(_message.Message):
    __slots__ = ("version", "effective_at", "text_digest", "rules", "notice_digests", "activated_at", "activation_revision", "retracted_at", "retraction_revision")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_AT_FIELD_NUMBER: _ClassVar[int]
    TEXT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    NOTICE_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    ACTIVATED_AT_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_REVISION_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_AT_FIELD_NUMBER: _ClassVar[int]
    RETRACTION_REVISION_FIELD_NUMBER: _ClassVar[int]
    version: int
    effective_at: _timestamp_pb2.Timestamp
    text_digest: bytes
    rules: _containers.RepeatedCompositeFieldContainer[PolicyRule]
    notice_digests: _containers.RepeatedScalarFieldContainer[bytes]
    activated_at: _timestamp_pb2.Timestamp
    activation_revision: int
    retracted_at: _timestamp_pb2.Timestamp
    retraction_revision: int
    def __init__(self, version: _Optional[int] = ..., effective_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., text_digest: _Optional[bytes] = ..., rules: _Optional[_Iterable[_Union[PolicyRule, _Mapping]]] = ..., notice_digests: _Optional[_Iterable[bytes]] = ..., activated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., activation_revision: _Optional[int] = ..., retracted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., retraction_revision: _Optional[int] = ...) -> None: ...
