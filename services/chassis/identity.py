"""Who is calling, and whether this RPC admits them.

A token identifies and never decides: what a principal may do with their own things is looked up when it
is done. An RPC that no table names is refused.
"""

import contextlib
import enum
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from services.chassis.clock import Clock, SystemClock
from services.chassis.ids import MINUTE_US
from services.chassis.jwks import Jwks
from services.chassis.keys import load_private_key, public_jwk
from services.chassis.refusals import Refusal, forbidden, unauthenticated

SECOND_US = 1_000_000
TOKEN_LIFETIME_US = 15 * MINUTE_US
REMEMBERED_TOKENS = 4_096
LONGEST_TOKEN = 4_096
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


@dataclass(frozen=True)
class Principal:
    """Someone who proved who they are."""

    kind: PrincipalKind
    party: str
    """The `sub` claim: which pipeline, licensee, subject, operator, auditor or service."""
    roles: frozenset[str]
    """The `roles` claim; only an operator's roles matter."""


@dataclass(frozen=True)
class Admission:
    """Whom one RPC lets in."""

    kinds: frozenset[PrincipalKind]
    roles: frozenset[str] = frozenset()
    """An operator needs one of these; empty lets any operator in if `kinds` does."""

    def admits(self, principal: Principal) -> bool:
        """Whether the principal is of an admitted kind and, as an operator, holds an admitted role."""
        if principal.kind not in self.kinds:
            return False
        if principal.kind is PrincipalKind.OPERATOR and self.roles:
            return not self.roles.isdisjoint(principal.roles)
        return True


AdmissionTable = Mapping[str, Admission]
"""By full method name, such as "/grpc.health.v1.Health/Check"."""


def admit(*kinds: PrincipalKind, roles: Sequence[str] = ()) -> Admission:
    """One line of an admission table."""
    return Admission(frozenset(kinds), frozenset(roles))


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
        self._verified: dict[str, tuple[Principal, int]] = {}

    def verify(self, token: str) -> Principal:
        """Raises Refusal (unauthenticated) with TOKEN_MISSING, TOKEN_EXPIRED or TOKEN_INVALID."""
        if not token:
            raise unauthenticated("TOKEN_MISSING", "the call carries no bearer token")
        if self._jwks.refresh():
            # What was checked with keys that are gone must be checked again.
            self._verified.clear()
        principal, expires_us = self._verified.get(token) or self._verify_anew(token)
        if self._clock.now_us() >= expires_us:
            self._verified.pop(token, None)
            raise unauthenticated("TOKEN_EXPIRED", "the token has expired")
        return principal

    def _verify_anew(self, token: str) -> tuple[Principal, int]:
        try:
            claims = self._checked_claims(token)
            verified = _principal_of(claims), _whole_seconds(claims, "exp") * SECOND_US
            self._check_not_early(claims)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise _invalid_token() from error
        if len(self._verified) >= REMEMBERED_TOKENS:
            self._verified.clear()
        self._verified[token] = verified
        return verified

    def _checked_claims(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise ValueError("longer than any token of ours")
        header = jwt.get_unverified_header(token)
        key = self._jwks.get(str(header.get("kid")))
        # An extension marked critical (RFC 7515, 4.1.11) must be understood; none is.
        if key is None or header.get("alg") != key.algorithm or "crit" in header:
            raise ValueError("unknown key, another algorithm than the key's, or a critical extension")
        return jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm],
            audience=self._audience,
            issuer=self._issuer,
            # Times are checked here against the clock that was passed in.
            options={
                "require": ["iss", "aud", "exp", "sub"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )

    def _check_not_early(self, claims: Mapping[str, Any]) -> None:
        if "nbf" in claims and _whole_seconds(claims, "nbf") * SECOND_US > self._clock.now_us():
            raise ValueError("not valid yet")


class TokenMinter:
    """Makes the tokens of a local installation, signed with its own Ed25519 key."""

    def __init__(
        self,
        private_key_path: Path,
        issuer: str,
        audience: str,
        clock: Clock,
        lifetime_us: int = TOKEN_LIFETIME_US,
    ) -> None:
        """`lifetime_us` in microseconds; raises Refusal (precondition) when the key cannot be read."""
        self._key = load_private_key(private_key_path)
        self._kid = public_jwk(self._key.public_key())["kid"]
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._lifetime_us = lifetime_us
        self._minted: dict[tuple[PrincipalKind, str, tuple[str, ...]], tuple[str, int]] = {}

    def mint(self, kind: PrincipalKind, party: str, roles: Sequence[str] = ()) -> str:
        """A signed token that says who its bearer is, valid for at least half of the minter's lifetime.

        The same token is given again for as long: its receivers remember that they have checked it.
        """
        now_us = self._clock.now_us()
        key = kind, party, tuple(sorted(roles))
        token, minted_us = self._minted.get(key, ("", 0))
        if not token or not minted_us <= now_us < minted_us + self._lifetime_us // 2:
            token = self._sign(kind, party, key[2], now_us)
            if len(self._minted) >= REMEMBERED_TOKENS:
                self._minted.clear()
            self._minted[key] = token, now_us
        return token

    def _sign(self, kind: PrincipalKind, party: str, roles: tuple[str, ...], now_us: int) -> str:
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": party,
            "kind": kind.value,
            "roles": list(roles),
            "iat": now_us // SECOND_US,
            "exp": (now_us + self._lifetime_us) // SECOND_US,
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._kid})


def _principal_of(claims: Mapping[str, Any]) -> Principal:
    party, roles = claims["sub"], claims.get("roles", [])
    # Unprintable are control characters and others that would hide in a log or a receipt.
    if not isinstance(party, str) or not 0 < len(party) <= LONGEST_PARTY or not party.isprintable():
        raise ValueError("sub names nobody, or in a way that nobody is named")
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise ValueError("roles is a list of strings")
    return Principal(PrincipalKind(str(claims.get("kind"))), party, frozenset(roles))


def _whole_seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims[name]
    # JSON as Python reads it knows NaN, with which every comparison is false; bool is an int.
    if type(value) is not int:
        raise ValueError(f"{name} is a whole number of seconds")
    return value


def _invalid_token() -> Refusal:
    # Why is for the log only: it would tell a forger what to change.
    return unauthenticated("TOKEN_INVALID", "the token is not valid here")
