"""The contracts as Envoy's transcoder reads them: a FileDescriptorSet made of installed generated code."""

from collections.abc import Iterable

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.rpc import error_details_pb2, status_pb2

from services.console.gateway.routes import is_public


def descriptor_set(files: Iterable[FileDescriptor]) -> bytes:
    """The files and all that they import, imports first; without the RPCs that are not led anywhere.

    The transcoder would give those a path all the same. Details of errors are packed as Any, which nothing
    imports: without their own files they would vanish from answers in JSON. The same files give the same
    bytes.
    """
    public = list(files)
    seen: dict[str, FileDescriptorProto] = {}
    for file in (*public, status_pb2.DESCRIPTOR, error_details_pb2.DESCRIPTOR):
        _collect(file, seen)
    for file in public:
        _keep_public(file, seen[file.name])
    return FileDescriptorSet(file=seen.values()).SerializeToString(deterministic=True)


def _collect(file: FileDescriptor, seen: dict[str, FileDescriptorProto]) -> None:
    if file.name in seen:
        return
    for imported in file.dependencies:
        _collect(imported, seen)
    seen[file.name] = FileDescriptorProto()
    file.CopyToProto(seen[file.name])


def _keep_public(file: FileDescriptor, proto: FileDescriptorProto) -> None:
    for service in proto.service:
        known = file.services_by_name[service.name].methods_by_name
        kept = [method for method in service.method if is_public(known[method.name])]
        del service.method[:]
        service.method.extend(kept)
