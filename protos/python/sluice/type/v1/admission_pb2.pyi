from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CallerKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALLER_KIND_UNSPECIFIED: _ClassVar[CallerKind]
    CALLER_KIND_PIPELINE: _ClassVar[CallerKind]
    CALLER_KIND_LICENSEE: _ClassVar[CallerKind]
    CALLER_KIND_SUBJECT: _ClassVar[CallerKind]
    CALLER_KIND_OPERATOR: _ClassVar[CallerKind]
    CALLER_KIND_AUDITOR: _ClassVar[CallerKind]
    CALLER_KIND_SERVICE: _ClassVar[CallerKind]
    CALLER_KIND_AGENT: _ClassVar[CallerKind]

class OperatorRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATOR_ROLE_UNSPECIFIED: _ClassVar[OperatorRole]
    OPERATOR_ROLE_TRUST: _ClassVar[OperatorRole]
    OPERATOR_ROLE_LEGAL: _ClassVar[OperatorRole]
    OPERATOR_ROLE_FINANCE: _ClassVar[OperatorRole]
    OPERATOR_ROLE_ADMIN: _ClassVar[OperatorRole]
CALLER_KIND_UNSPECIFIED: CallerKind
CALLER_KIND_PIPELINE: CallerKind
CALLER_KIND_LICENSEE: CallerKind
CALLER_KIND_SUBJECT: CallerKind
CALLER_KIND_OPERATOR: CallerKind
CALLER_KIND_AUDITOR: CallerKind
CALLER_KIND_SERVICE: CallerKind
CALLER_KIND_AGENT: CallerKind
OPERATOR_ROLE_UNSPECIFIED: OperatorRole
OPERATOR_ROLE_TRUST: OperatorRole
OPERATOR_ROLE_LEGAL: OperatorRole
OPERATOR_ROLE_FINANCE: OperatorRole
OPERATOR_ROLE_ADMIN: OperatorRole
ADMISSION_FIELD_NUMBER: _ClassVar[int]
admission: _descriptor.FieldDescriptor

class Admission(_message.Message):
    __slots__ = ("kinds", "roles", "sandbox", "anyone", "services")
    KINDS_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    SANDBOX_FIELD_NUMBER: _ClassVar[int]
    ANYONE_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    kinds: _containers.RepeatedScalarFieldContainer[CallerKind]
    roles: _containers.RepeatedScalarFieldContainer[OperatorRole]
    sandbox: _containers.RepeatedScalarFieldContainer[CallerKind]
    anyone: bool
    services: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, kinds: _Optional[_Iterable[_Union[CallerKind, str]]] = ..., roles: _Optional[_Iterable[_Union[OperatorRole, str]]] = ..., sandbox: _Optional[_Iterable[_Union[CallerKind, str]]] = ..., anyone: _Optional[bool] = ..., services: _Optional[_Iterable[str]] = ...) -> None: ...
