"""The published keys of a platform: a JWKS (RFC 7517) of Ed25519 keys (RFC 8037), with their validity (R6).

A key stays in the JWKS for ever, for what it signed does. `nbf` and `exp`, in seconds since the epoch, say
from when and until when it signed; `revoked` says that somebody else may have it too.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sluice_gate.errors import VerificationError
from sluice_gate.verifying.encodings import from_base64url

SECOND_US = 1_000_000


@dataclass(frozen=True)
class Key:
    """A public key, and when it signed; times in microseconds since the epoch."""

    public: Ed25519PublicKey
    since_us: int | None = None
    """The first instant of its validity; None where no beginning is known."""
    until_us: int | None = None
    """The first instant after it; None while it signs."""
    is_revoked: bool = False
    """Others may have signed with it too, also with times inside its validity."""


Keys = Mapping[str, Key]
"""Public keys by kid."""


def load_keys(jwks: Path) -> Keys:
    """Reads the Ed25519 keys of a JWKS file; others are not ours. Raises VerificationError and OSError."""
    return parse_keys(jwks.read_bytes())


def parse_keys(jwks: bytes) -> Keys:
    """The Ed25519 keys of a JWKS document. Raises VerificationError."""
    try:
        listed = json.loads(jwks)["keys"]
        ours = [key for key in listed if key.get("kty") == "OKP" and key.get("crv") == "Ed25519"]
        read = [(_kid(key["x"], key.get("kid")), _key(key)) for key in ours]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable("the keys are not a JWKS") from error
    keys = dict(read)
    if not keys:
        raise _unreadable("the JWKS holds no Ed25519 key")
    if len(keys) < len(read):
        # One could be without the end that the other has.
        raise _unreadable("the JWKS holds one key twice")
    return keys


def _kid(x: str, kid: str | None) -> str:
    thumbprint = thumbprint_of(x)
    if kid not in {None, thumbprint}:
        raise VerificationError("KID_UNTRUE", "a kid of the JWKS is not the thumbprint of its key")
    return thumbprint


def _key(jwk: Mapping[str, Any]) -> Key:
    public = Ed25519PublicKey.from_public_bytes(from_base64url(jwk["x"], "a public key"))
    revoked = jwk.get("revoked", False)
    # What cannot be read as an end must not become a key without one.
    if type(revoked) is not bool or (revoked and "exp" not in jwk):
        raise _unreadable("a key of the JWKS is revoked since no time that can be read")
    return Key(public, _time_us(jwk, "nbf"), _time_us(jwk, "exp"), revoked)


def _time_us(jwk: Mapping[str, Any], member: str) -> int | None:
    if member not in jwk:
        return None
    if type(jwk[member]) is not int:
        raise _unreadable(f"the {member} of a key is no whole number of seconds")
    return int(jwk[member]) * SECOND_US


def _unreadable(message: str) -> VerificationError:
    return VerificationError("KEYS_UNREADABLE", message)


def thumbprint_of(x: str) -> str:
    """The RFC 7638 thumbprint of an Ed25519 key, given its `x` in base64url."""
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).rstrip(b"=").decode()
