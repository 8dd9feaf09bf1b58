"""Who is calling, and whether this RPC admits them.

A token identifies and never decides: what a principal may do with their own things is looked up when it
is done. An RPC that no table names is refused.
"""

import contextlib
import enum
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from services.chassis.refusals import Refusal, forbidden, unauthenticated

NEVER_US = 2**63 - 1
LONGEST_PARTY = 128
"""Characters of a party; services keep it with what they store."""
GATEWAY_HEADER = "x-sluice-gateway"
"""Set by the gateway on each call that it passes on, whatever its value. It can only restrict: a caller from
inside who sends it is taken for one from outside."""


class PrincipalKind(enum.StrEnum):
    """The kinds of callers; the `kind` claim of a token."""

    PIPELINE = "pipeline"
    LICENSEE = "licensee"
    SUBJECT = "subject"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    SERVICE = "service"
    AGENT = "agent"
    """Acts for the subjects that its token lists, and for nobody else."""


OUTSIDE = frozenset(
    {
        PrincipalKind.LICENSEE,
        PrincipalKind.SUBJECT,
        PrincipalKind.AGENT,
        PrincipalKind.OPERATOR,
        PrincipalKind.AUDITOR,
    }
)
"""The kinds that may come through the gateway: pipelines and services are inside, or they are refused."""
FOR_SUBJECTS = frozenset({PrincipalKind.SUBJECT, PrincipalKind.AGENT})
"""The kinds that reach what is a subject's only where they act for that subject."""


@dataclass(frozen=True)
class Principal:
    """Someone who proved who they are."""

    kind: PrincipalKind
    party: str
    """The `sub` claim: which pipeline, licensee, subject, operator, auditor or service."""
    roles: frozenset[str]
    """The `roles` claim; only an operator's roles matter."""
    sandbox: bool = False
    """The `sandbox` claim: may try things out, and do nothing that counts."""
    expires_us: int = field(default=NEVER_US, compare=False)
    """When what they proved it with is refused, in microseconds since the epoch; no part of who they are."""
    subjects: frozenset[int] = frozenset()
    """The `subjects` claim of an agent: for whom it acts. Empty for every other kind."""

    def acts_for(self, subject_id: int) -> bool:
        """Whether this is the subject, or an agent of theirs."""
        if self.kind is PrincipalKind.AGENT:
            return subject_id in self.subjects
        return self.kind is PrincipalKind.SUBJECT and self.party == str(subject_id)

    def reaches(self, subject_id: int) -> bool:
        """Whether what is the subject's may be the caller's business at all.

        A subject reaches themselves, an agent those it acts for; for the other kinds the line of the RPC has
        said so already.
        """
        return self.kind not in FOR_SUBJECTS or self.acts_for(subject_id)


@dataclass(frozen=True)
class Admission:
    """Whom one RPC lets in."""

    kinds: frozenset[PrincipalKind]
    roles: frozenset[str] = frozenset()
    """An operator needs one of these; empty lets any operator in if `kinds` does."""
    sandbox: frozenset[PrincipalKind] = frozenset()
    """Kinds whose principals of the sandbox are let in too. What names none has never thought of them."""
    anyone: bool = False
    """Whoever calls, without being asked who they are; for RPCs with one question and one answer only."""
    services: frozenset[str] = frozenset()
    """Which services, by name; none of them where none is named."""

    def admits(self, principal: Principal) -> bool:
        """Whether the principal is of an admitted kind and, as an operator, holds an admitted role; a service
        is to be one of those named.
        """
        if principal.kind not in (self.kinds & self.sandbox if principal.sandbox else self.kinds):
            return False
        if principal.kind is PrincipalKind.OPERATOR and self.roles:
            return not self.roles.isdisjoint(principal.roles)
        if principal.kind is PrincipalKind.SERVICE:
            return principal.party in self.services
        return True


AdmissionTable = Mapping[str, Admission]
"""By full method name, such as "/grpc.health.v1.Health/Check"."""


def check_admission(
    table: AdmissionTable, method: str, principal: Principal, *, from_outside: bool = False
) -> None:
    """Raises Refusal (forbidden, NOT_ADMITTED) unless the table's line for the RPC admits the principal.

    `from_outside`: the call came through the gateway, by which no kind but those of OUTSIDE comes.
    """
    admission = table.get(method)
    if (
        admission is None
        or not admission.admits(principal)
        or (from_outside and principal.kind not in OUTSIDE)
    ):
        raise not_admitted()


def not_admitted() -> Refusal:
    """The refusal of whom an RPC does not let in."""
    return forbidden("NOT_ADMITTED", "this call is not open to this kind of caller or role")


_principal: ContextVar[Principal] = ContextVar("principal")


def current_principal() -> Principal:
    """The caller of the RPC being handled; raises Refusal (unauthenticated) outside of one."""
    principal = _principal.get(None)
    if principal is None:
        raise unauthenticated("TOKEN_MISSING", "nobody has been identified here")
    return principal


def known_until_us() -> int:
    """When that is refused by which the caller of the RPC being handled is known, in microseconds since the
    epoch; NEVER_US where nobody was asked who they are.
    """
    principal = _principal.get(None)
    return NEVER_US if principal is None else principal.expires_us


def bearer_of(authorization: str) -> str:
    """The token in an Authorization header (RFC 6750, 2.1); "" where it shows none."""
    scheme, _, token = authorization.partition(" ")
    return token if scheme.lower() == "bearer" else ""


@contextlib.contextmanager
def acting_as(principal: Principal) -> Iterator[None]:
    """Makes `principal` the current one for as long as the context is open."""
    token = _principal.set(principal)
    try:
        yield
    finally:
        _principal.reset(token)
