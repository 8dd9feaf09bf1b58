from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ManifestProof(_message.Message):
    __slots__ = ("decision_id", "receipt", "leaf", "leaf_index", "leaves", "hashes")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    LEAF_FIELD_NUMBER: _ClassVar[int]
    LEAF_INDEX_FIELD_NUMBER: _ClassVar[int]
    LEAVES_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    receipt: str
    leaf: ManifestLeaf
    leaf_index: int
    leaves: int
    hashes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, decision_id: _Optional[str] = ..., receipt: _Optional[str] = ..., leaf: _Optional[_Union[ManifestLeaf, _Mapping]] = ..., leaf_index: _Optional[int] = ..., leaves: _Optional[int] = ..., hashes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ManifestLeaf(_message.Message):
    __slots__ = ("salt", "subject_id", "post_ids")
    SALT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    salt: bytes
    subject_id: int
    post_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, salt: _Optional[bytes] = ..., subject_id: _Optional[int] = ..., post_ids: _Optional[_Iterable[int]] = ...) -> None: ...
