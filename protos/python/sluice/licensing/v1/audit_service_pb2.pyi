from buf.validate import validate_pb2 as _validate_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LedgerAuditStep(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEDGER_AUDIT_STEP_UNSPECIFIED: _ClassVar[LedgerAuditStep]
    LEDGER_AUDIT_STEP_STARTED: _ClassVar[LedgerAuditStep]
    LEDGER_AUDIT_STEP_GOING_ON: _ClassVar[LedgerAuditStep]
    LEDGER_AUDIT_STEP_DONE: _ClassVar[LedgerAuditStep]
LEDGER_AUDIT_STEP_UNSPECIFIED: LedgerAuditStep
LEDGER_AUDIT_STEP_STARTED: LedgerAuditStep
LEDGER_AUDIT_STEP_GOING_ON: LedgerAuditStep
LEDGER_AUDIT_STEP_DONE: LedgerAuditStep

class AuditLedgerRequest(_message.Message):
    __slots__ = ("after_number",)
    AFTER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    after_number: int
    def __init__(self, after_number: _Optional[int] = ...) -> None: ...

class AuditLedgerResponse(_message.Message):
    __slots__ = ("check", "step", "compared", "differences", "difference_count")
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
    STEP_FIELD_NUMBER: _ClassVar[int]
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    check: str
    step: LedgerAuditStep
    compared: int
    differences: _containers.RepeatedCompositeFieldContainer[AuditLedgerResponse.Difference]
    difference_count: int
    def __init__(self, check: _Optional[str] = ..., step: _Optional[_Union[LedgerAuditStep, str]] = ..., compared: _Optional[int] = ..., differences: _Optional[_Iterable[_Union[AuditLedgerResponse.Difference, _Mapping]]] = ..., difference_count: _Optional[int] = ...) -> None: ...
