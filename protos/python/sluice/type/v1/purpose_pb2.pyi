from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class Purpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PURPOSE_UNSPECIFIED: _ClassVar[Purpose]
    PURPOSE_THIRD_PARTY_SHARING: _ClassVar[Purpose]
    PURPOSE_AI_TRAINING_GENERATIVE: _ClassVar[Purpose]
    PURPOSE_AI_TRAINING_OTHER: _ClassVar[Purpose]
    PURPOSE_AI_INPUT: _ClassVar[Purpose]
    PURPOSE_AI_INDEX: _ClassVar[Purpose]
    PURPOSE_SEARCH_INDEX: _ClassVar[Purpose]
    PURPOSE_DATA_MINING: _ClassVar[Purpose]
    PURPOSE_VETTED_RESEARCH: _ClassVar[Purpose]
PURPOSE_UNSPECIFIED: Purpose
PURPOSE_THIRD_PARTY_SHARING: Purpose
PURPOSE_AI_TRAINING_GENERATIVE: Purpose
PURPOSE_AI_TRAINING_OTHER: Purpose
PURPOSE_AI_INPUT: Purpose
PURPOSE_AI_INDEX: Purpose
PURPOSE_SEARCH_INDEX: Purpose
PURPOSE_DATA_MINING: Purpose
PURPOSE_VETTED_RESEARCH: Purpose
