from buf.validate import validate_pb2 as _validate_pb2
from sluice.metering.v1 import damages_pb2 as _damages_pb2
from sluice.metering.v1 import usage_pb2 as _usage_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AssessmentStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ASSESSMENT_STAGE_UNSPECIFIED: _ClassVar[AssessmentStage]
    ASSESSMENT_STAGE_READINGS: _ClassVar[AssessmentStage]
    ASSESSMENT_STAGE_EVIDENCE: _ClassVar[AssessmentStage]
ASSESSMENT_STAGE_UNSPECIFIED: AssessmentStage
ASSESSMENT_STAGE_READINGS: AssessmentStage
ASSESSMENT_STAGE_EVIDENCE: AssessmentStage

class PutDamagesPolicyRequest(_message.Message):
    __slots__ = ("request_id", "policy")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    policy: _damages_pb2.DamagesPolicy
    def __init__(self, request_id: _Optional[str] = ..., policy: _Optional[_Union[_damages_pb2.DamagesPolicy, _Mapping]] = ...) -> None: ...

class PutDamagesPolicyResponse(_message.Message):
    __slots__ = ("policy", "revision")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    policy: _damages_pb2.DamagesPolicy
    revision: _revision_pb2.Revision
    def __init__(self, policy: _Optional[_Union[_damages_pb2.DamagesPolicy, _Mapping]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class ListDamagesPoliciesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDamagesPoliciesResponse(_message.Message):
    __slots__ = ("policies", "next_page_token")
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    policies: _containers.RepeatedCompositeFieldContainer[_damages_pb2.DamagesPolicy]
    next_page_token: str
    def __init__(self, policies: _Optional[_Iterable[_Union[_damages_pb2.DamagesPolicy, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AssessmentProgress(_message.Message):
    __slots__ = ("stage", "done", "of")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    stage: AssessmentStage
    done: int
    of: int
    def __init__(self, stage: _Optional[_Union[AssessmentStage, str]] = ..., done: _Optional[int] = ..., of: _Optional[int] = ...) -> None: ...

class PreviewAssessmentRequest(_message.Message):
    __slots__ = ("scope",)
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    scope: _damages_pb2.AssessmentScope
    def __init__(self, scope: _Optional[_Union[_damages_pb2.AssessmentScope, _Mapping]] = ...) -> None: ...

class PreviewAssessmentResponse(_message.Message):
    __slots__ = ("progress", "assessment")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    progress: AssessmentProgress
    assessment: _damages_pb2.Assessment
    def __init__(self, progress: _Optional[_Union[AssessmentProgress, _Mapping]] = ..., assessment: _Optional[_Union[_damages_pb2.Assessment, _Mapping]] = ...) -> None: ...

class RecordAssessmentRequest(_message.Message):
    __slots__ = ("request_id", "scope")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    scope: _damages_pb2.AssessmentScope
    def __init__(self, request_id: _Optional[str] = ..., scope: _Optional[_Union[_damages_pb2.AssessmentScope, _Mapping]] = ...) -> None: ...

class RecordAssessmentResponse(_message.Message):
    __slots__ = ("progress", "assessment")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    progress: AssessmentProgress
    assessment: _damages_pb2.Assessment
    def __init__(self, progress: _Optional[_Union[AssessmentProgress, _Mapping]] = ..., assessment: _Optional[_Union[_damages_pb2.Assessment, _Mapping]] = ...) -> None: ...

class GetAssessmentRequest(_message.Message):
    __slots__ = ("assessment_id",)
    ASSESSMENT_ID_FIELD_NUMBER: _ClassVar[int]
    assessment_id: str
    def __init__(self, assessment_id: _Optional[str] = ...) -> None: ...

class GetAssessmentResponse(_message.Message):
    __slots__ = ("assessment",)
    ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    assessment: _damages_pb2.Assessment
    def __init__(self, assessment: _Optional[_Union[_damages_pb2.Assessment, _Mapping]] = ...) -> None: ...

class ReadDocumentRequest(_message.Message):
    __slots__ = ("assessment_id",)
    ASSESSMENT_ID_FIELD_NUMBER: _ClassVar[int]
    assessment_id: str
    def __init__(self, assessment_id: _Optional[str] = ...) -> None: ...

class ReadDocumentResponse(_message.Message):
    __slots__ = ("piece",)
    PIECE_FIELD_NUMBER: _ClassVar[int]
    piece: bytes
    def __init__(self, piece: _Optional[bytes] = ...) -> None: ...

class ListAssessmentsRequest(_message.Message):
    __slots__ = ("of", "page_size", "page_token")
    OF_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    of: _usage_pb2.UsageOf
    page_size: int
    page_token: str
    def __init__(self, of: _Optional[_Union[_usage_pb2.UsageOf, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAssessmentsResponse(_message.Message):
    __slots__ = ("assessments", "next_page_token")
    ASSESSMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    assessments: _containers.RepeatedCompositeFieldContainer[_damages_pb2.Assessment]
    next_page_token: str
    def __init__(self, assessments: _Optional[_Iterable[_Union[_damages_pb2.Assessment, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ReadEvidenceRequest(_message.Message):
    __slots__ = ("assessment_id",)
    ASSESSMENT_ID_FIELD_NUMBER: _ClassVar[int]
    assessment_id: str
    def __init__(self, assessment_id: _Optional[str] = ...) -> None: ...

class ReadEvidenceResponse(_message.Message):
    __slots__ = ("at_us", "numbers", "parties", "party_indexes", "origins", "accesses", "kinds", "media_flags", "posts", "sources", "source_indexes", "ids")
    AT_US_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    PARTY_INDEXES_FIELD_NUMBER: _ClassVar[int]
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    ACCESSES_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    MEDIA_FLAGS_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_INDEXES_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    at_us: bytes
    numbers: bytes
    parties: _containers.RepeatedScalarFieldContainer[str]
    party_indexes: bytes
    origins: bytes
    accesses: bytes
    kinds: bytes
    media_flags: bytes
    posts: bytes
    sources: _containers.RepeatedScalarFieldContainer[str]
    source_indexes: bytes
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, at_us: _Optional[bytes] = ..., numbers: _Optional[bytes] = ..., parties: _Optional[_Iterable[str]] = ..., party_indexes: _Optional[bytes] = ..., origins: _Optional[bytes] = ..., accesses: _Optional[bytes] = ..., kinds: _Optional[bytes] = ..., media_flags: _Optional[bytes] = ..., posts: _Optional[bytes] = ..., sources: _Optional[_Iterable[str]] = ..., source_indexes: _Optional[bytes] = ..., ids: _Optional[_Iterable[str]] = ...) -> None: ...
