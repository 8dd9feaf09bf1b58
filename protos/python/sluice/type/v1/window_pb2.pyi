from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class Window(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WINDOW_UNSPECIFIED: _ClassVar[Window]
    WINDOW_SECOND: _ClassVar[Window]
    WINDOW_MINUTE: _ClassVar[Window]
    WINDOW_ROLLING_DAY: _ClassVar[Window]
    WINDOW_TERM: _ClassVar[Window]
WINDOW_UNSPECIFIED: Window
WINDOW_SECOND: Window
WINDOW_MINUTE: Window
WINDOW_ROLLING_DAY: Window
WINDOW_TERM: Window
