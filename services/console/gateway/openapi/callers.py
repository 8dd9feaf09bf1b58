"""Whom an RPC admits from outside, for programs and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import MethodDescriptor

from sluice.type.v1 import admission_pb2 as said

OUTSIDE = {
    said.CALLER_KIND_LICENSEE: "licensee",
    said.CALLER_KIND_SUBJECT: "subject",
    said.CALLER_KIND_AGENT: "agent",
    said.CALLER_KIND_OPERATOR: "operator",
    said.CALLER_KIND_AUDITOR: "auditor",
}
"""Kinds that come in from outside, in the order in which they are named. Pipelines and services do not."""

_ADMISSION: Any = said.admission


@dataclass(frozen=True)
class Callers:
    """Whom an RPC admits from outside."""

    kinds: Sequence[str]
    """As in tokens; none for what anyone may call."""
    roles: Sequence[str]
    """An operator holds one of these; none where any operator is admitted, or no operator."""
    sandbox: Sequence[str]
    """Kinds that are admitted with a token of a sandbox key too."""
    anyone: bool
    """Whoever calls, without a token."""

    def __bool__(self) -> bool:
        """Whether anybody outside is admitted at all."""
        return self.anyone or bool(self.kinds)

    def in_words(self) -> str:
        """One or two sentences."""
        if self.anyone:
            return "For anyone, without a token."
        named = [
            f"{kind}s{self._roles_in_words()}" if kind == "operator" else f"{kind}s" for kind in self.kinds
        ]
        sandbox = (
            f" A sandbox token of {_listed([f'{kind}s' for kind in self.sandbox])} will do."
            if self.sandbox
            else ""
        )
        return f"For {_listed(named)}.{sandbox}"

    def _roles_in_words(self) -> str:
        return f" (with the role {_listed(self.roles, 'or')})" if self.roles else ""


def callers_of(method: MethodDescriptor) -> Callers:
    """Whom the contract admits; nobody where it says nothing."""
    admitted: said.Admission = method.GetOptions().Extensions[_ADMISSION]
    return Callers(
        kinds=[name for kind, name in OUTSIDE.items() if kind in admitted.kinds],
        roles=[
            said.OperatorRole.Name(role).removeprefix("OPERATOR_ROLE_").lower() for role in admitted.roles
        ],
        sandbox=[name for kind, name in OUTSIDE.items() if kind in admitted.sandbox],
        anyone=admitted.anyone,
    )


def _listed(names: Sequence[str], last: str = "and") -> str:
    *others, end = names
    return f"{', '.join(others)} {last} {end}" if others else end
