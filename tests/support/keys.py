"""Keys and tokens for tests, made by the code that makes the real ones."""

from pathlib import Path

from services.chassis.clock import Clock, SystemClock
from services.chassis.keys import Keys, ensure_keys
from services.chassis.minting import TokenMinter
from services.chassis.verifying import TokenVerifier

ISSUER = "sluice"
AUDIENCE = "sluice"


def some_keys(folder: Path) -> Keys:
    """The keys in `folder`; made there the first time."""
    return ensure_keys(folder / "keys")


def a_minter(keys: Keys, clock: Clock | None = None) -> TokenMinter:
    """Mints tokens that `a_verifier` of the same keys and clock believes."""
    return TokenMinter(keys.token_private, ISSUER, AUDIENCE, clock or SystemClock())


def a_verifier(keys: Keys, clock: Clock | None = None) -> TokenVerifier:
    """Believes the tokens of `a_minter` of the same keys and clock."""
    return TokenVerifier(keys.token_jwks, ISSUER, AUDIENCE, clock)
