"""Images of contracts with their comments: the project's own, and small ones that a test writes."""

import functools
import tempfile
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from protos.generate import compile_protos, image

HEAD = """
syntax = "proto3";
package sluice.trial.v1;
import "buf/validate/validate.proto";
import "google/api/annotations.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "sluice/type/v1/admission.proto";
import "sluice/type/v1/purpose.proto";
"""


@functools.cache
def the_contracts() -> FileDescriptorSet:
    """All contracts of the project."""
    with tempfile.TemporaryDirectory() as folder:
        image(path := Path(folder) / "contracts.binpb")
        return FileDescriptorSet.FromString(path.read_bytes())


def a_contract(text: str) -> FileDescriptorSet:
    """One contract of the package sluice.trial.v1, with all that contracts import."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "trial.proto").write_text(HEAD + text, encoding="utf-8")
        out = Path(folder) / "trial.binpb"
        arguments = [
            f"-I{folder}",
            f"--descriptor_set_out={out}",
            "--include_imports",
            "--include_source_info",
        ]
        compile_protos(arguments, ["trial.proto"])
        return FileDescriptorSet.FromString(out.read_bytes())
