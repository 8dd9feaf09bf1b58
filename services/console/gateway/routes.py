"""Which RPCs the gateway leads to which service, read out of the contracts.

What admits no kind of caller from outside is not led anywhere; nothing is listed by hand.
"""

import importlib
import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.api import annotations_pb2
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor

from sluice.type.v1 import admission_pb2

OUTSIDE = frozenset(
    {
        admission_pb2.CALLER_KIND_LICENSEE,
        admission_pb2.CALLER_KIND_SUBJECT,
        admission_pb2.CALLER_KIND_AGENT,
        admission_pb2.CALLER_KIND_OPERATOR,
        admission_pb2.CALLER_KIND_AUDITOR,
    }
)
"""Kinds of callers that come in from outside of the network."""


@dataclass(frozen=True)
class Route:
    """One RPC that the gateway leads to a service."""

    service: str
    """Full name, such as "sluice.consent.v1.ConsentService"."""
    method: str
    streaming: bool
    """In either direction: its messages are passed on as they come."""
    anyone: bool
    """It asks nobody who they are."""
    json: bool
    """It can be called in JSON, at a path that the contract names."""

    @property
    def upstream(self) -> str:
        """The service of this system that answers it: the second word of the package."""
        return self.service.split(".")[1]

    @property
    def path(self) -> str:
        """As gRPC and gRPC-Web call it; case matters."""
        return f"/{self.service}/{self.method}"


def contracts() -> list[FileDescriptor]:
    """Every contract that is installed, by name."""
    # A namespace without files of its own, which pkgutil does not walk.
    spec = importlib.util.find_spec("sluice")
    assert spec is not None
    names = {
        ".".join(("sluice", *path.relative_to(root).with_suffix("").parts))
        for root in map(Path, spec.submodule_search_locations or ())
        for path in root.rglob("*_pb2.py")
    }
    return [importlib.import_module(name).DESCRIPTOR for name in sorted(names)]


def routes(files: Iterable[FileDescriptor]) -> list[Route]:
    """The RPCs of the files that admit somebody from outside, by path."""
    led = [_route(method) for method in methods(files) if is_public(method)]
    return sorted(led, key=lambda route: route.path)


def methods(files: Iterable[FileDescriptor]) -> Iterator[MethodDescriptor]:
    """Every RPC of the files."""
    for file in files:
        for service in file.services_by_name.values():
            yield from service.methods


def is_public(method: MethodDescriptor) -> bool:
    """Whether the RPC says that it admits anyone, or a kind of caller from outside."""
    said = _admission(method)
    return bool(said.anyone) or not OUTSIDE.isdisjoint(said.kinds)


def services(led: Sequence[Route]) -> list[str]:
    """Full names of the services that can be called in JSON."""
    return sorted({route.service for route in led if route.json})


def _admission(method: MethodDescriptor) -> admission_pb2.Admission:
    # Extensions are known by a descriptor when it runs, which annotations of generated code do not say.
    option: Any = admission_pb2.admission
    said: admission_pb2.Admission = method.GetOptions().Extensions[option]
    return said


def _route(method: MethodDescriptor) -> Route:
    options = method.GetOptions()
    return Route(
        service=method.containing_service.full_name,
        method=method.name,
        streaming=bool(method.client_streaming or method.server_streaming),
        anyone=bool(_admission(method).anyone),
        json=options.HasExtension(annotations_pb2.http),
    )
