import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.consent.v1 import choice_pb2 as _choice_pb2
from sluice.consent.v1 import explanation_pb2 as _explanation_pb2
from sluice.consent.v1 import halt_pb2 as _halt_pb2
from sluice.consent.v1 import policy_pb2 as _policy_pb2
from sluice.consent.v1 import rejection_pb2 as _rejection_pb2
from sluice.consent.v1 import standing_pb2 as _standing_pb2
from sluice.consent.v1 import subject_pb2 as _subject_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CheckConsentRequest(_message.Message):
    __slots__ = ("licensee_id", "purpose", "post_ids", "author_ids", "embed_offsets", "embed_ids", "embed_author_ids", "author_jurisdictions", "territory", "recheck")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_IDS_FIELD_NUMBER: _ClassVar[int]
    EMBED_OFFSETS_FIELD_NUMBER: _ClassVar[int]
    EMBED_IDS_FIELD_NUMBER: _ClassVar[int]
    EMBED_AUTHOR_IDS_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_JURISDICTIONS_FIELD_NUMBER: _ClassVar[int]
    TERRITORY_FIELD_NUMBER: _ClassVar[int]
    RECHECK_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    purpose: _purpose_pb2.Purpose
    post_ids: bytes
    author_ids: bytes
    embed_offsets: bytes
    embed_ids: bytes
    embed_author_ids: bytes
    author_jurisdictions: _containers.RepeatedScalarFieldContainer[str]
    territory: _containers.RepeatedScalarFieldContainer[str]
    recheck: Recheck
    def __init__(self, licensee_id: _Optional[str] = ..., purpose: _Optional[_Union[_purpose_pb2.Purpose, str]] = ..., post_ids: _Optional[bytes] = ..., author_ids: _Optional[bytes] = ..., embed_offsets: _Optional[bytes] = ..., embed_ids: _Optional[bytes] = ..., embed_author_ids: _Optional[bytes] = ..., author_jurisdictions: _Optional[_Iterable[str]] = ..., territory: _Optional[_Iterable[str]] = ..., recheck: _Optional[_Union[Recheck, _Mapping]] = ...) -> None: ...

class Recheck(_message.Message):
    __slots__ = ("policy", "halt")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    HALT_FIELD_NUMBER: _ClassVar[int]
    policy: bool
    halt: _halt_pb2.HaltScope
    def __init__(self, policy: _Optional[bool] = ..., halt: _Optional[_Union[_halt_pb2.HaltScope, _Mapping]] = ...) -> None: ...

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

class GetCallerRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetCallerResponse(_message.Message):
    __slots__ = ("kind", "party", "roles", "subject_ids", "expires_at")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_IDS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    party: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    subject_ids: _containers.RepeatedScalarFieldContainer[int]
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[str] = ..., party: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., subject_ids: _Optional[_Iterable[int]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

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

class RecordSignalsRequest(_message.Message):
    __slots__ = ("request_id", "subject_id", "source", "sec_gpc", "content_usage")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SEC_GPC_FIELD_NUMBER: _ClassVar[int]
    CONTENT_USAGE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    subject_id: int
    source: str
    sec_gpc: str
    content_usage: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_id: _Optional[str] = ..., subject_id: _Optional[int] = ..., source: _Optional[str] = ..., sec_gpc: _Optional[str] = ..., content_usage: _Optional[_Iterable[str]] = ...) -> None: ...

class RecordSignalsResponse(_message.Message):
    __slots__ = ("recorded", "revision", "in_force_after")
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_AFTER_FIELD_NUMBER: _ClassVar[int]
    recorded: _containers.RepeatedCompositeFieldContainer[_choice_pb2.RecordedChoice]
    revision: _revision_pb2.Revision
    in_force_after: _timestamp_pb2.Timestamp
    def __init__(self, recorded: _Optional[_Iterable[_Union[_choice_pb2.RecordedChoice, _Mapping]]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., in_force_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetChoicesRequest(_message.Message):
    __slots__ = ("subject_id",)
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    subject_id: int
    def __init__(self, subject_id: _Optional[int] = ...) -> None: ...

class GetChoicesResponse(_message.Message):
    __slots__ = ("subject", "choices", "revision", "erased")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ERASED_FIELD_NUMBER: _ClassVar[int]
    subject: _subject_pb2.Subject
    choices: _containers.RepeatedCompositeFieldContainer[_choice_pb2.RecordedChoice]
    revision: _revision_pb2.Revision
    erased: bool
    def __init__(self, subject: _Optional[_Union[_subject_pb2.Subject, _Mapping]] = ..., choices: _Optional[_Iterable[_Union[_choice_pb2.RecordedChoice, _Mapping]]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., erased: _Optional[bool] = ...) -> None: ...

class ListChoiceHistoryRequest(_message.Message):
    __slots__ = ("subject_id", "page_size", "page_token")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    subject_id: int
    page_size: int
    page_token: str
    def __init__(self, subject_id: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListChoiceHistoryResponse(_message.Message):
    __slots__ = ("choices", "next_page_token", "revision")
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    choices: _containers.RepeatedCompositeFieldContainer[_choice_pb2.RecordedChoice]
    next_page_token: str
    revision: _revision_pb2.Revision
    def __init__(self, choices: _Optional[_Iterable[_Union[_choice_pb2.RecordedChoice, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class RecordChoicesRequest(_message.Message):
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
    rows: _containers.RepeatedCompositeFieldContainer[RecordChoicesRequest.Row]
    def __init__(self, request_id: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[RecordChoicesRequest.Row, _Mapping]]] = ...) -> None: ...

class RecordChoicesResponse(_message.Message):
    __slots__ = ("accepted", "unchanged", "rejected", "revision", "in_force_after")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_AFTER_FIELD_NUMBER: _ClassVar[int]
    accepted: int
    unchanged: int
    rejected: _containers.RepeatedCompositeFieldContainer[_rejection_pb2.RejectedRow]
    revision: _revision_pb2.Revision
    in_force_after: _timestamp_pb2.Timestamp
    def __init__(self, accepted: _Optional[int] = ..., unchanged: _Optional[int] = ..., rejected: _Optional[_Iterable[_Union[_rejection_pb2.RejectedRow, _Mapping]]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., in_force_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

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
    rejected: _containers.RepeatedCompositeFieldContainer[_rejection_pb2.RejectedRow]
    revision: _revision_pb2.Revision
    in_force_after: _timestamp_pb2.Timestamp
    def __init__(self, accepted: _Optional[int] = ..., unchanged: _Optional[int] = ..., rejected: _Optional[_Iterable[_Union[_rejection_pb2.RejectedRow, _Mapping]]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., in_force_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

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

class RetractPolicyRequest(_message.Message):
    __slots__ = ("request_id", "version")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    version: int
    def __init__(self, request_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class RetractPolicyResponse(_message.Message):
    __slots__ = ("policy", "revision")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    policy: _policy_pb2.Policy
    revision: _revision_pb2.Revision
    def __init__(self, policy: _Optional[_Union[_policy_pb2.Policy, _Mapping]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

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
