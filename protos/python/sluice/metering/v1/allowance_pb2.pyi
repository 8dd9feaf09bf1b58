from buf.validate import validate_pb2 as _validate_pb2
from sluice.type.v1 import window_pb2 as _window_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AllowanceScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALLOWANCE_SCOPE_UNSPECIFIED: _ClassVar[AllowanceScope]
    ALLOWANCE_SCOPE_LICENSE: _ClassVar[AllowanceScope]
    ALLOWANCE_SCOPE_LICENSEE: _ClassVar[AllowanceScope]
    ALLOWANCE_SCOPE_GROUP: _ClassVar[AllowanceScope]
ALLOWANCE_SCOPE_UNSPECIFIED: AllowanceScope
ALLOWANCE_SCOPE_LICENSE: AllowanceScope
ALLOWANCE_SCOPE_LICENSEE: AllowanceScope
ALLOWANCE_SCOPE_GROUP: AllowanceScope

class Allowance(_message.Message):
    __slots__ = ("scope", "id", "window", "limit")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    scope: AllowanceScope
    id: str
    window: _window_pb2.Window
    limit: int
    def __init__(self, scope: _Optional[_Union[AllowanceScope, str]] = ..., id: _Optional[str] = ..., window: _Optional[_Union[_window_pb2.Window, str]] = ..., limit: _Optional[int] = ...) -> None: ...

class AllowanceRoom(_message.Message):
    __slots__ = ("allowance", "used", "held")
    ALLOWANCE_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    allowance: Allowance
    used: int
    held: int
    def __init__(self, allowance: _Optional[_Union[Allowance, _Mapping]] = ..., used: _Optional[int] = ..., held: _Optional[int] = ...) -> None: ...
