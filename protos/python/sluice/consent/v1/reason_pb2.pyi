from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ConsentReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSENT_REASON_UNSPECIFIED: _ClassVar[ConsentReason]
    CONSENT_REASON_ALLOWED: _ClassVar[ConsentReason]
    CONSENT_REASON_SUBJECT_UNKNOWN: _ClassVar[ConsentReason]
    CONSENT_REASON_SUBJECT_MINOR: _ClassVar[ConsentReason]
    CONSENT_REASON_SUBJECT_DEACTIVATED: _ClassVar[ConsentReason]
    CONSENT_REASON_SUBJECT_SUSPENDED: _ClassVar[ConsentReason]
    CONSENT_REASON_SUBJECT_DELETED: _ClassVar[ConsentReason]
    CONSENT_REASON_SUBJECT_PROTECTED: _ClassVar[ConsentReason]
    CONSENT_REASON_CHOICE_DENIES: _ClassVar[ConsentReason]
    CONSENT_REASON_NOT_OPTED_IN: _ClassVar[ConsentReason]
    CONSENT_REASON_NOTICE_NOT_SERVED: _ClassVar[ConsentReason]
    CONSENT_REASON_PROHIBITED: _ClassVar[ConsentReason]
    CONSENT_REASON_NO_POLICY: _ClassVar[ConsentReason]
    CONSENT_REASON_JURISDICTION_NOT_LICENSED: _ClassVar[ConsentReason]
    CONSENT_REASON_CONTRIBUTOR_UNNAMED: _ClassVar[ConsentReason]
    CONSENT_REASON_HALTED: _ClassVar[ConsentReason]
    CONSENT_REASON_POST_DENIED: _ClassVar[ConsentReason]
    CONSENT_REASON_POST_DELETED: _ClassVar[ConsentReason]
    CONSENT_REASON_WITHHELD: _ClassVar[ConsentReason]
CONSENT_REASON_UNSPECIFIED: ConsentReason
CONSENT_REASON_ALLOWED: ConsentReason
CONSENT_REASON_SUBJECT_UNKNOWN: ConsentReason
CONSENT_REASON_SUBJECT_MINOR: ConsentReason
CONSENT_REASON_SUBJECT_DEACTIVATED: ConsentReason
CONSENT_REASON_SUBJECT_SUSPENDED: ConsentReason
CONSENT_REASON_SUBJECT_DELETED: ConsentReason
CONSENT_REASON_SUBJECT_PROTECTED: ConsentReason
CONSENT_REASON_CHOICE_DENIES: ConsentReason
CONSENT_REASON_NOT_OPTED_IN: ConsentReason
CONSENT_REASON_NOTICE_NOT_SERVED: ConsentReason
CONSENT_REASON_PROHIBITED: ConsentReason
CONSENT_REASON_NO_POLICY: ConsentReason
CONSENT_REASON_JURISDICTION_NOT_LICENSED: ConsentReason
CONSENT_REASON_CONTRIBUTOR_UNNAMED: ConsentReason
CONSENT_REASON_HALTED: ConsentReason
CONSENT_REASON_POST_DENIED: ConsentReason
CONSENT_REASON_POST_DELETED: ConsentReason
CONSENT_REASON_WITHHELD: ConsentReason
