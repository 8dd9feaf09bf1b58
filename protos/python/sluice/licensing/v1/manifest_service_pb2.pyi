from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from sluice.licensing.v1 import manifest_proof_pb2 as _manifest_proof_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetManifestProofRequest(_message.Message):
    __slots__ = ("decision_id", "subject_id")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    subject_id: int
    def __init__(self, decision_id: _Optional[str] = ..., subject_id: _Optional[int] = ...) -> None: ...

class GetManifestProofResponse(_message.Message):
    __slots__ = ("proof",)
    PROOF_FIELD_NUMBER: _ClassVar[int]
    proof: _manifest_proof_pb2.ManifestProof
    def __init__(self, proof: _Optional[_Union[_manifest_proof_pb2.ManifestProof, _Mapping]] = ...) -> None: ...
