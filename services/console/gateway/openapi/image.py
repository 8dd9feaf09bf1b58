"""Contracts with their comments, as `protos/generate.py --image` writes them and others may read them."""

import re
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

_MESSAGE, _ENUM, _SERVICE = 4, 5, 6
"""Numbers of fields of FileDescriptorProto, of which the paths of comments are made."""
_FIELD, _NESTED, _NESTED_ENUM = 2, 3, 4
_VALUE, _METHOD = 2, 2
_RULE = r"[A-Z]\d{1,2}"
_INSIDE = re.compile(rf"\s*\((?:{_RULE}(?:, {_RULE})*|docs/[^)]*)\)")
"""Names of the project's own rules, and its documents: whoever reads a contract from outside has neither."""


class Contracts:
    """Descriptors of one image, with the sentences that stand before them."""

    def __init__(self, image: FileDescriptorSet) -> None:
        """Each file of `image` comes after those that it imports, as protoc has them."""
        self.pool = DescriptorPool()
        self._comments: dict[str, str] = {}
        for file in image.file:
            self.pool.Add(file)
            self._comments.update(_comments(file))
        self._files = list(image.file)

    def services(self, prefix: str) -> Iterator[ServiceDescriptor]:
        """Those of packages that begin with `prefix`, by package and name."""
        names = sorted(
            f"{file.package}.{service.name}"
            for file in self._files
            if file.package.startswith(prefix)
            for service in file.service
        )
        for name in names:
            yield self.pool.FindServiceByName(name)

    def methods(self, prefix: str) -> Iterator[MethodDescriptor]:
        """The RPCs of these services, each service's in the order of its contract."""
        for service in self.services(prefix):
            yield from service.methods

    def comment(self, descriptor: Any) -> str:
        """What stands before it, as one line; empty where nothing does. Takes any kind of descriptor."""
        return self.comment_of(descriptor.full_name)

    def comment_of(self, name: str) -> str:
        """What stands before that which has this full name; an enum's value has the scope of its enum."""
        return self._comments.get(name, "")


def _comments(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    names = dict(_names(file))
    for location in file.source_code_info.location:
        name = names.get(tuple(location.path))
        if name and location.leading_comments:
            yield name, _INSIDE.sub("", " ".join(location.leading_comments.split()))


def _names(file: FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    """Full names by the paths that comments are filed under (SourceCodeInfo in descriptor.proto)."""
    scope = f"{file.package}." if file.package else ""
    for at, message in enumerate(file.message_type):
        yield from _names_in(message, (_MESSAGE, at), scope + message.name)
    for at, enum in enumerate(file.enum_type):
        yield from _names_of_enum(enum, (_ENUM, at), scope)
    for at, service in enumerate(file.service):
        yield (_SERVICE, at), scope + service.name
        for number, method in enumerate(service.method):
            yield (_SERVICE, at, _METHOD, number), f"{scope}{service.name}.{method.name}"


def _names_in(
    message: DescriptorProto, path: tuple[int, ...], name: str
) -> Iterator[tuple[tuple[int, ...], str]]:
    yield path, name
    for at, field in enumerate(message.field):
        yield (*path, _FIELD, at), f"{name}.{field.name}"
    for at, nested in enumerate(message.nested_type):
        yield from _names_in(nested, (*path, _NESTED, at), f"{name}.{nested.name}")
    for at, enum in enumerate(message.enum_type):
        yield from _names_of_enum(enum, (*path, _NESTED_ENUM, at), f"{name}.")


def _names_of_enum(enum: Any, path: tuple[int, ...], scope: str) -> Iterator[tuple[tuple[int, ...], str]]:
    yield path, scope + enum.name
    for at, value in enumerate(enum.value):
        # A value is named in the scope of its enum, where no other enum has one of this name.
        yield (*path, _VALUE, at), scope + value.name
