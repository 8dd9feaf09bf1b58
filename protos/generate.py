"""Makes protos/python from the contracts, and the image that `buf` lints and compares.

The only way generated code comes into being. The rules of protovalidate are not shipped as a .proto file, so
their descriptor is taken from the installed package: what is generated always fits what validates.
"""

from __future__ import annotations

import argparse
import shutil
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

import grpc_tools
from grpc_tools import protoc
from protobuf.wkt.google.protobuf.descriptor_pb import FileDescriptorSet
from protovalidate._gen.buf.validate import validate_pb

PROTOS = Path(__file__).resolve().parent
OUT = PROTOS / "python"
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"
INSTALLED = Path(sysconfig.get_path("purelib"))
VALIDATE = "buf/validate/validate.proto"


def contracts() -> list[str]:
    """Paths of the project's own .proto files, relative to protos/, sorted."""
    return sorted(
        path.relative_to(PROTOS).as_posix()
        for folder in ("gateway", "sluice")
        for path in (PROTOS / folder).rglob("*.proto")
    )


def compile_protos(arguments: Sequence[str], files: Sequence[str]) -> None:
    """Runs protoc over `files` with `arguments`; raises SystemExit with protoc's own words on stderr."""
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "validate.binpb"
        rules.write_bytes(FileDescriptorSet(file=[validate_pb.desc().proto]).to_binary())
        includes = [f"-I{path}" for path in (PROTOS, INSTALLED, WELL_KNOWN)]
        if protoc.main(["protoc", *includes, f"--descriptor_set_in={rules}", *arguments, *files]) != 0:
            raise SystemExit("protoc failed")


def generate(out: Path) -> None:
    """Writes messages, their stubs and the gRPC classes of every contract into the empty folder `out`."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    messages = [f"--python_out={out}", f"--pyi_out={out}"]
    compile_protos(messages, [VALIDATE])
    services = [f"--grpc_python_out={out}", f"--mypy_grpc_out={out}"]
    compile_protos([*messages, *services], contracts())
    for stale in out.rglob("*_pb2_grpc.py*"):
        # A file without a service gets empty gRPC classes: noise for a reader.
        if "Stub" not in stale.read_text():
            stale.unlink()


def image(path: Path) -> None:
    """Writes all contracts with their comments and imports as one descriptor set."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arguments = [f"--descriptor_set_out={path}", "--include_imports", "--include_source_info"]
    compile_protos(arguments, contracts())


def main() -> None:
    """Generates code; with `--image FILE` writes the image instead, with `--out DIR` generates elsewhere."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--image", type=Path, help="write the descriptor set here instead of generating code")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the generated code")
    options = parser.parse_args()
    if options.image:
        image(options.image)
    else:
        generate(options.out)


if __name__ == "__main__":
    main()
