"""Makes the tokens of an installation with its own Ed25519 key, which may be replaced while it runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jwt

from services.chassis.claims import SECOND_US
from services.chassis.clock import Clock
from services.chassis.file_versions import version_of
from services.chassis.identity import Principal, PrincipalKind
from services.chassis.ids import MINUTE_US
from services.chassis.keys import load_private_key, public_jwk
from services.chassis.refusals import Refusal, unavailable
from services.chassis.verifying import REMEMBERED_TOKENS

TOKEN_LIFETIME_US = 15 * MINUTE_US
LONGEST_LIFETIME_US = 60 * MINUTE_US
"""No service gives or mints a token for longer: an overlap of two keys that is as long outlasts them all."""


@dataclass(frozen=True)
class IssuedToken:
    """A token, and when it ends."""

    text: str
    expires_us: int
    """A whole second, in microseconds since the epoch."""


class TokenMinter:
    """Mints with the key that lies in one file; when another one lies there, with that one from then on."""

    def __init__(
        self,
        private_key_path: Path,
        issuer: str,
        audience: str,
        clock: Clock,
        lifetime_us: int = TOKEN_LIFETIME_US,
    ) -> None:
        """`lifetime_us` in microseconds; raises Refusal (precondition) when the key cannot be read."""
        self._path = private_key_path
        self._key = load_private_key(private_key_path)
        self._kid = public_jwk(self._key.public_key())["kid"]
        # Unknown: what lay there a moment ago may be replaced already.
        self._version: tuple[int, int, int] | None = None
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._lifetime_us = lifetime_us
        self._minted: dict[Principal, tuple[str, int]] = {}

    def mint(
        self,
        kind: PrincipalKind,
        party: str,
        roles: Sequence[str] = (),
        *,
        sandbox: bool = False,
        subjects: Iterable[int] = (),
    ) -> str:
        """A signed token that says who its bearer is, valid for at least half of the minter's lifetime.

        `subjects`: for whom an agent acts; nobody believes an agent without, or anyone else with one.
        The same token is given again for as long: its receivers remember that they have checked it. Raises
        Refusal (unavailable, KEYS_UNAVAILABLE) when a key that was replaced cannot be read.
        """
        self._refresh()
        now_us = self._clock.now_us()
        principal = Principal(kind, party, frozenset(roles), sandbox, subjects=frozenset(subjects))
        token, minted_us = self._minted.get(principal, ("", 0))
        if not token or not minted_us <= now_us < minted_us + self._lifetime_us // 2:
            token = self._sign(principal, now_us, now_us + self._lifetime_us).text
            if len(self._minted) >= REMEMBERED_TOKENS:
                self._minted.clear()
            self._minted[principal] = token, now_us
        return token

    def issue(self, principal: Principal, until_us: int | None = None) -> IssuedToken:
        """A token of its own, for the whole lifetime; for no longer than `until_us`, where that is given.

        Raises Refusal (unavailable, KEYS_UNAVAILABLE), as `mint` does.
        """
        self._refresh()
        now_us = self._clock.now_us()
        expires_us = now_us + self._lifetime_us
        return self._sign(principal, now_us, expires_us if until_us is None else min(expires_us, until_us))

    def _refresh(self) -> None:
        try:
            version = version_of(self._path)
            if version == self._version:
                return
            self._key = load_private_key(self._path)
        except (OSError, Refusal) as error:
            raise unavailable("KEYS_UNAVAILABLE", "the key to sign tokens with cannot be read") from error
        self._kid = public_jwk(self._key.public_key())["kid"]
        self._version = version
        # A key that was replaced may no longer vouch for as long as these tokens say.
        self._minted.clear()

    def _sign(self, principal: Principal, now_us: int, expires_us: int) -> IssuedToken:
        expires = expires_us // SECOND_US
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": principal.party,
            "kind": principal.kind.value,
            "roles": sorted(principal.roles),
            "iat": now_us // SECOND_US,
            "exp": expires,
        }
        if principal.sandbox:
            claims["sandbox"] = True
        if principal.subjects:
            claims["subjects"] = [str(subject_id) for subject_id in sorted(principal.subjects)]
        text = jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._kid})
        return IssuedToken(text, expires * SECOND_US)
