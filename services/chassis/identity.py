"""Who is calling, and whether this RPC admits them.

A token identifies and never decides: what a principal may do with their own things is looked up when it
is done. An RPC that no table names is refused.
"""

import contextlib
import enum
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.chassis.clock import Clock, SystemClock
from services.chassis.compact import Compact, read_compact
from services.chassis.jwks import Jwks, VerificationKey
from services.chassis.refusals import Refusal, forbidden, unauthenticated

SECOND_US = 1_000_000
REMEMBERED_TOKENS = 4_096
LONGEST_TOKEN = 4_096
NEVER_US = 2**63 - 1
LARGEST_NUMBER = 2**53
"""JSON numbers beyond it are not read alike by all readers (RFC 8259, 6)."""
TOKEN_TYPES = frozenset({"jwt", "at+jwt"})
"""What a token may call itself (RFC 8725, 3.11), if it does; a receipt is signed too, and is no token."""
NOT_UNDERSTOOD = frozenset({"crit", "b64", "zip", "enc", "cty"})
"""Header parameters that change what the rest means (RFC 7515, 7516, 7797); none of ours has them."""
LONGEST_PARTY = 128
"""Characters of a party; services keep it with what they store."""


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


def check_admission(table: AdmissionTable, method: str, principal: Principal) -> None:
    """Raises Refusal (forbidden, NOT_ADMITTED) unless the table's line for the RPC admits the principal."""
    admission = table.get(method)
    if admission is None or not admission.admits(principal):
        raise forbidden("NOT_ADMITTED", "this call is not open to this kind of caller or role")


_principal: ContextVar[Principal] = ContextVar("principal")


def current_principal() -> Principal:
    """The caller of the RPC being handled; raises Refusal (unauthenticated) outside of one."""
    principal = _principal.get(None)
    if principal is None:
        raise unauthenticated("TOKEN_MISSING", "nobody has been identified here")
    return principal


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


class TokenVerifier:
    """Turns a token (JWT, RFC 7519) into the principal it names, or refuses it.

    Only the keys of one JWKS file count: a token's own jku, x5u or jwk are never looked at. No leeway on exp.
    """

    def __init__(self, jwks_path: Path, issuer: str, audience: str, clock: Clock | None = None) -> None:
        """Raises Refusal (unavailable, KEYS_UNAVAILABLE) when the key file cannot be read."""
        self._jwks = Jwks(jwks_path)
        self._issuer = issuer
        self._audience = audience
        self._clock = clock or SystemClock()
        self._verified: dict[str, Principal] = {}

    def verify(self, token: str) -> Principal:
        """Raises Refusal (unauthenticated) with TOKEN_MISSING, TOKEN_EXPIRED or TOKEN_INVALID."""
        if not token:
            raise unauthenticated("TOKEN_MISSING", "the call carries no bearer token")
        if self._jwks.refresh():
            # What was checked with keys that are gone must be checked again.
            self._verified.clear()
        principal = self._verified.get(token) or self._verify_anew(token)
        if self._clock.now_us() >= principal.expires_us:
            self._verified.pop(token, None)
            raise unauthenticated("TOKEN_EXPIRED", "the token has expired")
        return principal

    def _verify_anew(self, token: str) -> Principal:
        try:
            verified = self._verified_principal(token)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise _invalid_token() from error
        if len(self._verified) >= REMEMBERED_TOKENS:
            self._verified.clear()
        self._verified[token] = verified
        return verified

    def _verified_principal(self, token: str) -> Principal:
        if len(token) > LONGEST_TOKEN:
            raise ValueError("longer than any token of ours")
        compact = read_compact(token)
        key = self._signer_of(compact)
        claims = compact.claims
        # One name, not a list: a token for several audiences could be replayed by each of them to the others.
        if claims["iss"] != self._issuer or claims["aud"] != self._audience:
            raise ValueError("of another issuer, or for somebody else")
        self._check_not_early(claims)
        expires_us = _whole_seconds(claims, "exp") * SECOND_US
        # A token does not outlive the key that vouches for it.
        return _principal_of(claims, expires_us if key.until_us is None else min(expires_us, key.until_us))

    def _signer_of(self, compact: Compact) -> VerificationKey:
        """The key of ours that signed it; raises ValueError where none did, or not as it must."""
        header = compact.header
        kid, kind = header.get("kid"), header.get("typ", "JWT")
        key = self._jwks.get(kid) if isinstance(kid, str) else None
        if key is None or header.get("alg") != key.algorithm:
            raise ValueError("unknown key, or another algorithm than the key's")
        if not NOT_UNDERSTOOD.isdisjoint(header):
            raise ValueError("an extension that is not understood (RFC 7515, 4.1.11)")
        if not isinstance(kind, str) or kind.lower() not in TOKEN_TYPES:
            raise ValueError("something that was signed for another use")
        if not key.verifies(compact.signed, compact.signature):
            raise ValueError("the signature is not that of the token")
        return key

    def _check_not_early(self, claims: Mapping[str, Any]) -> None:
        if "nbf" in claims and _whole_seconds(claims, "nbf") * SECOND_US > self._clock.now_us():
            raise ValueError("not valid yet")


def _principal_of(claims: Mapping[str, Any], expires_us: int) -> Principal:
    party, kind = claims["sub"], claims["kind"]
    roles, sandbox = claims.get("roles", []), claims.get("sandbox", False)
    # Unprintable are control characters and others that would hide in a log or a receipt.
    if not isinstance(party, str) or not 0 < len(party) <= LONGEST_PARTY or not party.isprintable():
        raise ValueError("sub names nobody, or in a way that nobody is named")
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise ValueError("roles is a list of strings")
    # What is not plainly outside of the sandbox must not be taken for it.
    if type(sandbox) is not bool:
        raise ValueError("sandbox is true or false")
    return Principal(PrincipalKind(kind), party, frozenset(roles), sandbox, expires_us)


def _whole_seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims[name]
    # bool is an int to Python.
    if type(value) is not int or abs(value) > LARGEST_NUMBER:
        raise ValueError(f"{name} is a whole number of seconds")
    return value


def _invalid_token() -> Refusal:
    # Why is for the log only: it would tell a forger what to change.
    return unauthenticated("TOKEN_INVALID", "the token is not valid here")
