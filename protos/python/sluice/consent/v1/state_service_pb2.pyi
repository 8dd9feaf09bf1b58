import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.consent.v1 import halt_pb2 as _halt_pb2
from sluice.consent.v1 import rejection_pb2 as _rejection_pb2
from sluice.consent.v1 import state_change_pb2 as _state_change_pb2
from sluice.consent.v1 import withdrawal_pb2 as _withdrawal_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from sluice.type.v1 import restore_pb2 as _restore_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordStatesRequest(_message.Message):
    __slots__ = ("request_id", "rows")
    class Row(_message.Message):
        __slots__ = ("line", "change")
        LINE_FIELD_NUMBER: _ClassVar[int]
        CHANGE_FIELD_NUMBER: _ClassVar[int]
        line: int
        change: _state_change_pb2.StateChange
        def __init__(self, line: _Optional[int] = ..., change: _Optional[_Union[_state_change_pb2.StateChange, _Mapping]] = ...) -> None: ...
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    rows: _containers.RepeatedCompositeFieldContainer[RecordStatesRequest.Row]
    def __init__(self, request_id: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[RecordStatesRequest.Row, _Mapping]]] = ...) -> None: ...

class RecordStatesResponse(_message.Message):
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

class OrderHaltRequest(_message.Message):
    __slots__ = ("request_id", "scope", "cause", "recall")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    scope: _halt_pb2.HaltScope
    cause: str
    recall: bool
    def __init__(self, request_id: _Optional[str] = ..., scope: _Optional[_Union[_halt_pb2.HaltScope, _Mapping]] = ..., cause: _Optional[str] = ..., recall: _Optional[bool] = ...) -> None: ...

class OrderHaltResponse(_message.Message):
    __slots__ = ("halt", "revision", "in_force_after")
    HALT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_AFTER_FIELD_NUMBER: _ClassVar[int]
    halt: _halt_pb2.Halt
    revision: _revision_pb2.Revision
    in_force_after: _timestamp_pb2.Timestamp
    def __init__(self, halt: _Optional[_Union[_halt_pb2.Halt, _Mapping]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., in_force_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class LiftHaltRequest(_message.Message):
    __slots__ = ("request_id", "halt_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    HALT_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    halt_id: int
    def __init__(self, request_id: _Optional[str] = ..., halt_id: _Optional[int] = ...) -> None: ...

class LiftHaltResponse(_message.Message):
    __slots__ = ("halt", "revision")
    HALT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    halt: _halt_pb2.Halt
    revision: _revision_pb2.Revision
    def __init__(self, halt: _Optional[_Union[_halt_pb2.Halt, _Mapping]] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class ListHaltsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "in_force_only")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_ONLY_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    in_force_only: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., in_force_only: _Optional[bool] = ...) -> None: ...

class ListHaltsResponse(_message.Message):
    __slots__ = ("halts", "next_page_token")
    HALTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    halts: _containers.RepeatedCompositeFieldContainer[_halt_pb2.Halt]
    next_page_token: str
    def __init__(self, halts: _Optional[_Iterable[_Union[_halt_pb2.Halt, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchWithdrawalsRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: _revision_pb2.Revision
    def __init__(self, after: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class WatchWithdrawalsResponse(_message.Message):
    __slots__ = ("withdrawal", "checkpoint")
    WITHDRAWAL_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    withdrawal: _withdrawal_pb2.Withdrawal
    checkpoint: _revision_pb2.Revision
    def __init__(self, withdrawal: _Optional[_Union[_withdrawal_pb2.Withdrawal, _Mapping]] = ..., checkpoint: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class ListRestoresRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRestoresResponse(_message.Message):
    __slots__ = ("restores", "next_page_token")
    RESTORES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    restores: _containers.RepeatedCompositeFieldContainer[_restore_pb2.Restore]
    next_page_token: str
    def __init__(self, restores: _Optional[_Iterable[_Union[_restore_pb2.Restore, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
