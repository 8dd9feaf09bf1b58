"""Every RPC of every contract, Envoy's two with them, as its own descriptor tells of it.

Nothing is listed here: what a contract adds is in the matrix from then on.
"""

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.chassis.identity import OUTSIDE
from sluice.type.v1 import admission_pb2

PACKAGES = ("sluice", "gateway")


@dataclass(frozen=True)
class Rpc:
    """One RPC."""

    method: MethodDescriptor

    @property
    def path(self) -> str:
        """As gRPC calls it."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    @property
    def name(self) -> str:
        """Without the name of the package's owner: "licensing.v1.LogService/GetCheckpoint"."""
        return self.path.removeprefix("/").removeprefix("sluice.")

    @cached_property
    def admission(self) -> admission_pb2.Admission:
        """Whom the contract says that it admits; of what says nothing, nobody."""
        option: Any = admission_pb2.admission
        said: admission_pb2.Admission = self.method.GetOptions().Extensions[option]
        return said

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds that it admits, as tokens name them."""
        return frozenset(map(_kind, self.admission.kinds))

    @cached_property
    def sandbox(self) -> frozenset[str]:
        """Those that it admits with a token of the sandbox too."""
        return frozenset(map(_kind, self.admission.sandbox))

    @cached_property
    def roles(self) -> frozenset[str]:
        """Of which an operator holds one; any operator where there is none."""
        names = map(admission_pb2.OperatorRole.Name, self.admission.roles)
        return frozenset(name.removeprefix("OPERATOR_ROLE_").lower() for name in names)

    @property
    def is_open_to_outside(self) -> bool:
        """Whether the gateway leads to it."""
        return bool(self.admission.anyone) or not OUTSIDE.isdisjoint(self.kinds)

    @cached_property
    def rules(self) -> Sequence[HttpRule]:
        """Its paths in JSON; none where there is none."""
        options = self.method.GetOptions()
        if not options.HasExtension(annotations_pb2.http):
            return ()
        rule = options.Extensions[annotations_pb2.http]
        return rule, *rule.additional_bindings

    @property
    def request(self) -> type[Message]:
        """The class of its requests."""
        return GetMessageClass(self.method.input_type)

    @property
    def response(self) -> type[Message]:
        """The class of its answers."""
        return GetMessageClass(self.method.output_type)

    @property
    def changes_something(self) -> bool:
        """Whether it is more than a read."""
        return self.method.GetOptions().idempotency_level != MethodOptions.NO_SIDE_EFFECTS

    @property
    def answers_go_on(self) -> bool:
        """Whether it is a stream of answers."""
        return bool(self.method.server_streaming)


def every_rpc() -> list[Rpc]:
    """All of them, by path."""
    files = [importlib.import_module(name).DESCRIPTOR for name in _modules()]
    services = [service for file in files for service in file.services_by_name.values()]
    return sorted((Rpc(m) for service in services for m in service.methods), key=lambda rpc: rpc.path)


def _modules() -> list[str]:
    # A package may be found in two places, which hold the same.
    names = set()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        for root in map(Path, spec.submodule_search_locations or ()):
            for path in root.rglob("*_pb2.py"):
                names.add(".".join((package, *path.relative_to(root).with_suffix("").parts)))
    return sorted(names)


def _kind(number: int) -> str:
    return admission_pb2.CallerKind.Name(number).removeprefix("CALLER_KIND_").lower()
