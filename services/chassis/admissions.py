"""Reads out of contracts whom each RPC admits.

An RPC that says nothing gets no line, and so is open to nobody; nor is a kind or a role open that has no name
here.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from google.protobuf.descriptor import FileDescriptor, MethodDescriptor

from services.chassis.identity import Admission, AdmissionTable, PrincipalKind


class Said(Protocol):
    """What a contract says of one RPC: the fields of `sluice.type.v1.Admission`."""

    kinds: Sequence[int]
    roles: Sequence[int]
    sandbox: Sequence[int]
    anyone: bool
    services: Sequence[str]


class Words(Protocol):
    """The names of an enum of the contracts, by number."""

    def Name(self, number: Any, /) -> str: ...  # noqa: N802


class AdmissionReader:
    """Reads one option of RPCs."""

    def __init__(self, option: Any, kinds: Words, roles: Words) -> None:
        """`option` is the extension of MethodOptions; `kinds` and `roles` are the enums that it uses."""
        self._option = option
        self._kinds = kinds
        self._roles = roles

    def table(self, *files: FileDescriptor) -> AdmissionTable:
        """The lines of all RPCs in the files that say whom they admit.

        Raises ValueError where a kind or a role is said that has no name here.
        """
        return {
            f"/{method.containing_service.full_name}/{method.name}": self._admission(said)
            for file in files
            for method in _methods(file)
            if method.GetOptions().HasExtension(self._option)
            for said in [method.GetOptions().Extensions[self._option]]
        }

    def _admission(self, said: Said) -> Admission:
        return Admission(
            kinds=frozenset(map(self._kind, said.kinds)),
            roles=frozenset(map(self._role, said.roles)),
            sandbox=frozenset(map(self._kind, said.sandbox)),
            anyone=said.anyone,
            services=frozenset(said.services),
        )

    def _kind(self, number: int) -> PrincipalKind:
        return PrincipalKind(self._kinds.Name(number).removeprefix("CALLER_KIND_").lower())

    def _role(self, number: int) -> str:
        # Or whoever calls their role "unspecified" would hold it.
        if number == 0:
            raise ValueError("a contract names no role where it names one")
        return self._roles.Name(number).removeprefix("OPERATOR_ROLE_").lower()


def contracts_in(package: str) -> Sequence[FileDescriptor]:
    """Every contract of a package such as "sluice.metering.v1" that is installed, by name."""
    modules = pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}.")
    names = sorted(module.name for module in modules if module.name.endswith("_pb2"))
    return [importlib.import_module(name).DESCRIPTOR for name in names]


def _methods(file: FileDescriptor) -> Iterator[MethodDescriptor]:
    for service in file.services_by_name.values():
        yield from service.methods
