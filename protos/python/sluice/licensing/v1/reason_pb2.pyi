from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_RELEASED: _ClassVar[Verdict]
    VERDICT_NOT_COVERED: _ClassVar[Verdict]
    VERDICT_NOT_AVAILABLE: _ClassVar[Verdict]
    VERDICT_NO_ROOM: _ClassVar[Verdict]
    VERDICT_DUPLICATE: _ClassVar[Verdict]

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    REASON_RELEASED: _ClassVar[Reason]
    REASON_LICENSE_NOT_ACTIVE: _ClassVar[Reason]
    REASON_PURPOSE_NOT_LICENSED: _ClassVar[Reason]
    REASON_KIND_NOT_LICENSED: _ClassVar[Reason]
    REASON_LANGUAGE_NOT_LICENSED: _ClassVar[Reason]
    REASON_TIME_NOT_LICENSED: _ClassVar[Reason]
    REASON_FAULT_ID: _ClassVar[Reason]
    REASON_FAULT_KIND: _ClassVar[Reason]
    REASON_FAULT_TIME: _ClassVar[Reason]
    REASON_DUPLICATE: _ClassVar[Reason]
    REASON_SUBJECT_UNKNOWN: _ClassVar[Reason]
    REASON_SUBJECT_MINOR: _ClassVar[Reason]
    REASON_SUBJECT_DEACTIVATED: _ClassVar[Reason]
    REASON_SUBJECT_SUSPENDED: _ClassVar[Reason]
    REASON_SUBJECT_DELETED: _ClassVar[Reason]
    REASON_SUBJECT_PROTECTED: _ClassVar[Reason]
    REASON_CHOICE_DENIES: _ClassVar[Reason]
    REASON_NOT_OPTED_IN: _ClassVar[Reason]
    REASON_NOTICE_NOT_SERVED: _ClassVar[Reason]
    REASON_PROHIBITED: _ClassVar[Reason]
    REASON_NO_POLICY: _ClassVar[Reason]
    REASON_JURISDICTION_NOT_LICENSED: _ClassVar[Reason]
    REASON_CONTRIBUTOR_UNNAMED: _ClassVar[Reason]
    REASON_HALTED: _ClassVar[Reason]
    REASON_POST_DENIED: _ClassVar[Reason]
    REASON_POST_DELETED: _ClassVar[Reason]
    REASON_WITHHELD: _ClassVar[Reason]
    REASON_POST_UNKNOWN: _ClassVar[Reason]
    REASON_NO_ROOM: _ClassVar[Reason]
VERDICT_UNSPECIFIED: Verdict
VERDICT_RELEASED: Verdict
VERDICT_NOT_COVERED: Verdict
VERDICT_NOT_AVAILABLE: Verdict
VERDICT_NO_ROOM: Verdict
VERDICT_DUPLICATE: Verdict
REASON_UNSPECIFIED: Reason
REASON_RELEASED: Reason
REASON_LICENSE_NOT_ACTIVE: Reason
REASON_PURPOSE_NOT_LICENSED: Reason
REASON_KIND_NOT_LICENSED: Reason
REASON_LANGUAGE_NOT_LICENSED: Reason
REASON_TIME_NOT_LICENSED: Reason
REASON_FAULT_ID: Reason
REASON_FAULT_KIND: Reason
REASON_FAULT_TIME: Reason
REASON_DUPLICATE: Reason
REASON_SUBJECT_UNKNOWN: Reason
REASON_SUBJECT_MINOR: Reason
REASON_SUBJECT_DEACTIVATED: Reason
REASON_SUBJECT_SUSPENDED: Reason
REASON_SUBJECT_DELETED: Reason
REASON_SUBJECT_PROTECTED: Reason
REASON_CHOICE_DENIES: Reason
REASON_NOT_OPTED_IN: Reason
REASON_NOTICE_NOT_SERVED: Reason
REASON_PROHIBITED: Reason
REASON_NO_POLICY: Reason
REASON_JURISDICTION_NOT_LICENSED: Reason
REASON_CONTRIBUTOR_UNNAMED: Reason
REASON_HALTED: Reason
REASON_POST_DENIED: Reason
REASON_POST_DELETED: Reason
REASON_WITHHELD: Reason
REASON_POST_UNKNOWN: Reason
REASON_NO_ROOM: Reason
