import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from sluice.type.v1 import revision_pb2 as _revision_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExportFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPORT_FORMAT_UNSPECIFIED: _ClassVar[ExportFormat]
    EXPORT_FORMAT_JSON: _ClassVar[ExportFormat]
    EXPORT_FORMAT_DPV: _ClassVar[ExportFormat]
    EXPORT_FORMAT_KANTARA: _ClassVar[ExportFormat]
EXPORT_FORMAT_UNSPECIFIED: ExportFormat
EXPORT_FORMAT_JSON: ExportFormat
EXPORT_FORMAT_DPV: ExportFormat
EXPORT_FORMAT_KANTARA: ExportFormat

class ExportSubjectRequest(_message.Message):
    __slots__ = ("subject_id", "format")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    subject_id: int
    format: ExportFormat
    def __init__(self, subject_id: _Optional[int] = ..., format: _Optional[_Union[ExportFormat, str]] = ...) -> None: ...

class ExportSubjectResponse(_message.Message):
    __slots__ = ("part", "media_type", "revision")
    PART_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    part: bytes
    media_type: str
    revision: _revision_pb2.Revision
    def __init__(self, part: _Optional[bytes] = ..., media_type: _Optional[str] = ..., revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ...) -> None: ...

class EraseSubjectRequest(_message.Message):
    __slots__ = ("request_id", "subject_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    subject_id: int
    def __init__(self, request_id: _Optional[str] = ..., subject_id: _Optional[int] = ...) -> None: ...

class EraseSubjectResponse(_message.Message):
    __slots__ = ("revision", "erased_at", "in_force_after")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ERASED_AT_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_AFTER_FIELD_NUMBER: _ClassVar[int]
    revision: _revision_pb2.Revision
    erased_at: _timestamp_pb2.Timestamp
    in_force_after: _timestamp_pb2.Timestamp
    def __init__(self, revision: _Optional[_Union[_revision_pb2.Revision, _Mapping]] = ..., erased_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., in_force_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
