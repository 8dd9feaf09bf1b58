from buf.validate import validate_pb2 as _validate_pb2
from google.type import money_pb2 as _money_pb2
from sluice.metering.v1 import damages_pb2 as _damages_pb2
from sluice.metering.v1 import dispute_pb2 as _dispute_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProposeStepRequest(_message.Message):
    __slots__ = ("request_id", "assessment_id", "kind", "reason", "amount")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    assessment_id: str
    kind: _dispute_pb2.DisputeStepKind
    reason: str
    amount: _money_pb2.Money
    def __init__(self, request_id: _Optional[str] = ..., assessment_id: _Optional[str] = ..., kind: _Optional[_Union[_dispute_pb2.DisputeStepKind, str]] = ..., reason: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class ProposeStepResponse(_message.Message):
    __slots__ = ("step",)
    STEP_FIELD_NUMBER: _ClassVar[int]
    step: _dispute_pb2.DisputeStep
    def __init__(self, step: _Optional[_Union[_dispute_pb2.DisputeStep, _Mapping]] = ...) -> None: ...

class DecideStepRequest(_message.Message):
    __slots__ = ("request_id", "proposal_id", "approve", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    APPROVE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    proposal_id: str
    approve: bool
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., proposal_id: _Optional[str] = ..., approve: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class DecideStepResponse(_message.Message):
    __slots__ = ("step", "state", "amount_in_force")
    STEP_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    step: _dispute_pb2.DisputeStep
    state: _damages_pb2.AssessmentState
    amount_in_force: _money_pb2.Money
    def __init__(self, step: _Optional[_Union[_dispute_pb2.DisputeStep, _Mapping]] = ..., state: _Optional[_Union[_damages_pb2.AssessmentState, str]] = ..., amount_in_force: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class ListStepsRequest(_message.Message):
    __slots__ = ("assessment_id", "page_size", "page_token")
    ASSESSMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    assessment_id: str
    page_size: int
    page_token: str
    def __init__(self, assessment_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_dispute_pb2.DisputeStep]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_dispute_pb2.DisputeStep, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RecordNoticeRequest(_message.Message):
    __slots__ = ("request_id", "assessment_id", "notice")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_ID_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    assessment_id: str
    notice: _dispute_pb2.DamagesNotice
    def __init__(self, request_id: _Optional[str] = ..., assessment_id: _Optional[str] = ..., notice: _Optional[_Union[_dispute_pb2.DamagesNotice, _Mapping]] = ...) -> None: ...

class RecordNoticeResponse(_message.Message):
    __slots__ = ("notice",)
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    notice: _dispute_pb2.DamagesNotice
    def __init__(self, notice: _Optional[_Union[_dispute_pb2.DamagesNotice, _Mapping]] = ...) -> None: ...

class ListNoticesRequest(_message.Message):
    __slots__ = ("assessment_id", "page_size", "page_token")
    ASSESSMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    assessment_id: str
    page_size: int
    page_token: str
    def __init__(self, assessment_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListNoticesResponse(_message.Message):
    __slots__ = ("notices", "next_page_token")
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    notices: _containers.RepeatedCompositeFieldContainer[_dispute_pb2.DamagesNotice]
    next_page_token: str
    def __init__(self, notices: _Optional[_Iterable[_Union[_dispute_pb2.DamagesNotice, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
