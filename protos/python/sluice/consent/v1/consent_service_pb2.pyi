import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.consent.v1 import choice_pb2 as _choice_pb2
from sluice.consent.v1 import policy_pb2 as _policy_pb2
from sluice.consent.v1 import subject_pb2 as _subject_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

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

class CheckConsentRequest(_message.Message):
    __slots__ = ("licensee_id", "purpose", "post_ids", "author_ids", "embed_offsets", "embed_ids", "embed_author_ids", "author_jurisdictions")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_IDS_FIELD_NUMBER: _ClassVar[int]
    EMBED_OFFSETS_FIELD_NUMBER: _ClassVar[int]
    EMBED_IDS_FIELD_NUMBER: _ClassVar[int]
    EMBED_AUTHOR_IDS_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_JURISDICTIONS_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    purpose: _purpose_pb2.Purpose
    post_ids: bytes
    author_ids: bytes
    embed_offsets: bytes
    embed_ids: bytes
    embed_author_ids: bytes
    author_jurisdictions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, licensee_id: _Optional[str] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., post_ids: _Optional[bytes] = ..., author_ids: _Optional[bytes] = ..., embed_offsets: _Optional[bytes] = ..., embed_ids: _Optional[bytes] = ..., embed_author_ids: _Optional[bytes] = ..., author_jurisdictions: _Optional[_Iterable[str]] = ...) -> None: ...

class CheckConsentResponse(_message.Message):
    __slots__ = ("reasons", "revision", "policy_version", "good_until", "checked_at")
    REASONS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    GOOD_UNTIL_FIELD_NUMBER: _ClassVar[int]
    CHECKED_AT_FIELD_NUMBER: _ClassVar[int]
    reasons: bytes
    revision: _revision_pb2.Revision
    policy_version: int
    good_until: _timestamp_pb2.Timestamp
    checked_at: _timestamp_pb2.Timestamp
    def __init__(self, reasons: _Optional[bytes] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., policy_version: _Optional[int] = ..., good_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., checked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RecordChoiceRequest(_message.Message):
    __slots__ = ("request_id", "choice")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    choice: _choice_pb2.Choice
    def __init__(self, request_id: _Optional[str] = ..., choice: _Optional[_Union[_choice_pb2.Choice, _Mapping]] = ...) -> None: ...

class RecordChoiceResponse(_message.Message):
    __slots__ = ("revision", "stated_at", "in_force_after")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STATED_AT_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_AFTER_FIELD_NUMBER: _ClassVar[int]
    revision: _revision_pb2.Revision
    stated_at: _timestamp_pb2.Timestamp
    in_force_after: _timestamp_pb2.Timestamp
    def __init__(self, revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., stated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., in_force_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ImportChoicesRequest(_message.Message):
    __slots__ = ("request_id", "rows")
    class Row(_message.Message):
        __slots__ = ("line", "choice")
        LINE_FIELD_NUMBER: _ClassVar[int]
        CHOICE_FIELD_NUMBER: _ClassVar[int]
        line: int
        choice: _choice_pb2.Choice
        def __init__(self, line: _Optional[int] = ..., choice: _Optional[_Union[_choice_pb2.Choice, _Mapping]] = ...) -> None: ...
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    rows: _containers.RepeatedCompositeFieldContainer[ImportChoicesRequest.Row]
    def __init__(self, request_id: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[ImportChoicesRequest.Row, _Mapping]]] = ...) -> None: ...

class RejectedRow(_message.Message):
    __slots__ = ("line", "reason", "message")
    LINE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    line: int
    reason: str
    message: str
    def __init__(self, line: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class ImportChoicesResponse(_message.Message):
    __slots__ = ("accepted", "unchanged", "rejected", "revision", "in_force_after")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_AFTER_FIELD_NUMBER: _ClassVar[int]
    accepted: int
    unchanged: int
    rejected: _containers.RepeatedCompositeFieldContainer[RejectedRow]
    revision: _revision_pb2.Revision
    in_force_after: _timestamp_pb2.Timestamp
    def __init__(self, accepted: _Optional[int] = ..., unchanged: _Optional[int] = ..., rejected: _Optional[_Iterable[_Union[RejectedRow, _Mapping]]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., in_force_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ImportSubjectsRequest(_message.Message):
    __slots__ = ("request_id", "rows")
    class Row(_message.Message):
        __slots__ = ("line", "subject")
        LINE_FIELD_NUMBER: _ClassVar[int]
        SUBJECT_FIELD_NUMBER: _ClassVar[int]
        line: int
        subject: _subject_pb2.Subject
        def __init__(self, line: _Optional[int] = ..., subject: _Optional[_Union[_subject_pb2.Subject, _Mapping]] = ...) -> None: ...
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    rows: _containers.RepeatedCompositeFieldContainer[ImportSubjectsRequest.Row]
    def __init__(self, request_id: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[ImportSubjectsRequest.Row, _Mapping]]] = ...) -> None: ...

class ImportSubjectsResponse(_message.Message):
    __slots__ = ("accepted", "unchanged", "rejected", "revision", "in_force_after")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_AFTER_FIELD_NUMBER: _ClassVar[int]
    accepted: int
    unchanged: int
    rejected: _containers.RepeatedCompositeFieldContainer[RejectedRow]
    revision: _revision_pb2.Revision
    in_force_after: _timestamp_pb2.Timestamp
    def __init__(self, accepted: _Optional[int] = ..., unchanged: _Optional[int] = ..., rejected: _Optional[_Iterable[_Union[RejectedRow, _Mapping]]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., in_force_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PublishPolicyRequest(_message.Message):
    __slots__ = ("request_id", "policy")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    policy: _policy_pb2.Policy
    def __init__(self, request_id: _Optional[str] = ..., policy: _Optional[_Union[_policy_pb2.Policy, _Mapping]] = ...) -> None: ...

class PublishPolicyResponse(_message.Message):
    __slots__ = ("policy", "revision", "in_force_after")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_AFTER_FIELD_NUMBER: _ClassVar[int]
    policy: _policy_pb2.Policy
    revision: _revision_pb2.Revision
    in_force_after: _timestamp_pb2.Timestamp
    def __init__(self, policy: _Optional[_Union[_policy_pb2.Policy, _Mapping]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., in_force_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListPoliciesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPoliciesResponse(_message.Message):
    __slots__ = ("policies", "next_page_token")
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    policies: _containers.RepeatedCompositeFieldContainer[_policy_pb2.Policy]
    next_page_token: str
    def __init__(self, policies: _Optional[_Iterable[_Union[_policy_pb2.Policy, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
