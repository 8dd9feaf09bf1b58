"""Checks tokens (JWT, RFC 7519): which issuer's one is, and whether that issuer's own keys signed it.

What a token says of its issuer, before anybody has checked it, chooses whose keys it is checked with and
nothing else: no issuer's keys vouch for a token of another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from services.chassis.claims import SECOND_US, principal_of, whole_seconds
from services.chassis.clock import Clock, SystemClock
from services.chassis.compact import Compact, read_compact
from services.chassis.identity import Principal
from services.chassis.jwks import Jwks, VerificationKey
from services.chassis.refusals import Refusal, unauthenticated

REMEMBERED_TOKENS = 4_096
LONGEST_TOKEN = 9_216
"""Characters: an agent's with 256 ids of twenty digits (8,200 of base64url), and the longest signature."""
TOKEN_TYPES = frozenset({"jwt", "at+jwt"})
"""What a token may call itself (RFC 8725, 3.11), if it does; a receipt is signed too, and is no token."""
NOT_UNDERSTOOD = frozenset({"crit", "b64", "zip", "enc", "cty"})
"""Header parameters that change what the rest means (RFC 7515, 7516, 7797); none of ours has them."""

ReadClaims = Callable[[Mapping[str, Any], int], Principal]
"""Whom claims name, and when the token ends; raises ValueError, TypeError or KeyError."""


class KeySet(Protocol):
    """The public keys of one issuer."""

    def refresh(self) -> bool:
        """Whether they are others than at the last call; raises Refusal (unavailable, KEYS_UNAVAILABLE)."""
        ...

    def get(self, kid: str) -> VerificationKey | None:
        """The key of that id, None where there is none; raises Refusal KEYS_UNAVAILABLE if nobody knows."""
        ...


@dataclass(frozen=True)
class TokenIssuer:
    """Someone whose tokens are believed."""

    name: str
    """Its `iss` claim."""
    audiences: Sequence[object]
    """Each form of the `aud` claim that says us alone."""
    keys: KeySet
    read: ReadClaims


class Errand(Protocol):
    """What has to run beside the calls, so that keys are at hand."""

    name: str

    async def run(self) -> None:
        """Runs until it is cancelled."""
        ...


class TokenVerifier:
    """Turns a token into the principal it names, or refuses it.

    Only the keys of its issuer count: a token's own jku, x5u or jwk are never looked at. No leeway on exp.
    """

    def __init__(
        self,
        jwks_path: Path,
        issuer: str,
        audience: str,
        clock: Clock | None = None,
        *,
        others: Sequence[TokenIssuer] = (),
        errands: Sequence[Errand] = (),
    ) -> None:
        """`others` are believed beside our own issuer, each for what its `read` makes of its tokens.

        Raises Refusal (unavailable, KEYS_UNAVAILABLE) when our own key file cannot be read.
        """
        # One name, not a list: a token for several audiences could be replayed by each of them to the others.
        own = TokenIssuer(issuer, (audience,), Jwks(jwks_path), principal_of)
        self._issuers = {each.name: each for each in (*others, own)}
        self.clock = clock or SystemClock()
        """By which tokens end."""
        self._verified: dict[str, tuple[TokenIssuer, Principal]] = {}
        self.errands = errands
        """To be run for as long as tokens are checked."""

    def verify(self, token: str) -> Principal:
        """Raises Refusal (unauthenticated) with TOKEN_MISSING, TOKEN_EXPIRED or TOKEN_INVALID.

        Also (unavailable) KEYS_UNAVAILABLE, where the keys of its issuer are not at hand.
        """
        if not token:
            raise unauthenticated("TOKEN_MISSING", "the call carries no bearer token")
        if token in self._verified and self._verified[token][0].keys.refresh():
            # What was checked with keys that are gone must be checked again.
            self._verified.clear()
        _, principal = self._verified.get(token) or self._verify_anew(token)
        if self.clock.now_us() >= principal.expires_us:
            self._verified.pop(token, None)
            raise unauthenticated("TOKEN_EXPIRED", "the token has expired")
        return principal

    def _verify_anew(self, token: str) -> tuple[TokenIssuer, Principal]:
        if len(token) > LONGEST_TOKEN:
            raise _invalid_token()
        try:
            compact = read_compact(token)
            issuer = self._issuers[compact.claims["iss"]]
            if issuer.keys.refresh():
                self._verified.clear()
            verified = issuer, self._principal(issuer, compact)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise _invalid_token() from error
        if len(self._verified) >= REMEMBERED_TOKENS:
            self._verified.clear()
        self._verified[token] = verified
        return verified

    def _principal(self, issuer: TokenIssuer, compact: Compact) -> Principal:
        key = signer_of(issuer.keys.get, compact)
        claims = compact.claims
        if claims["aud"] not in issuer.audiences:
            raise ValueError("for somebody else")
        self._check_not_early(claims)
        expires_us = whole_seconds(claims, "exp") * SECOND_US
        # A token does not outlive the key that vouches for it.
        return issuer.read(claims, expires_us if key.until_us is None else min(expires_us, key.until_us))

    def _check_not_early(self, claims: Mapping[str, Any]) -> None:
        if "nbf" in claims and whole_seconds(claims, "nbf") * SECOND_US > self.clock.now_us():
            raise ValueError("not valid yet")


def signer_of(find: Callable[[str], VerificationKey | None], compact: Compact) -> VerificationKey:
    """The key that signed it, of those that `find` gives by kid; raises ValueError where none did.

    Also where the token is not one that could be told from something else that was signed.
    """
    header = compact.header
    kid, kind = header.get("kid"), header.get("typ", "JWT")
    if not NOT_UNDERSTOOD.isdisjoint(header):
        raise ValueError("an extension that is not understood (RFC 7515, 4.1.11)")
    if not isinstance(kind, str) or kind.lower() not in TOKEN_TYPES:
        raise ValueError("something that was signed for another use")
    key = find(kid) if isinstance(kid, str) else None
    if key is None or header.get("alg") != key.algorithm:
        raise ValueError("unknown key, or another algorithm than the key's")
    if not key.verifies(compact.signed, compact.signature):
        raise ValueError("the signature is not that of the token")
    return key


def _invalid_token() -> Refusal:
    # Why is for the log only: it would tell a forger what to change.
    return unauthenticated("TOKEN_INVALID", "the token is not valid here")
