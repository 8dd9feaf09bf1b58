"""The published keys of a platform, as a JWKS (RFC 7517) of Ed25519 keys (RFC 8037)."""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sluice_gate.errors import VerificationError
from sluice_gate.verifying.encodings import from_base64url

Keys = Mapping[str, Ed25519PublicKey]
"""Public keys by kid."""


def load_keys(jwks: Path) -> Keys:
    """Reads the Ed25519 keys of a JWKS file; others are not ours. Raises VerificationError and OSError."""
    return parse_keys(jwks.read_bytes())


def parse_keys(jwks: bytes) -> Keys:
    """The Ed25519 keys of a JWKS document. Raises VerificationError."""
    try:
        listed = json.loads(jwks)["keys"]
        ours = [key for key in listed if key.get("kty") == "OKP" and key.get("crv") == "Ed25519"]
        keys = dict(_key(key["x"], key.get("kid")) for key in ours)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise VerificationError("KEYS_UNREADABLE", "the keys are not a JWKS") from error
    if not keys:
        raise VerificationError("KEYS_UNREADABLE", "the JWKS holds no Ed25519 key")
    return keys


def _key(x: str, kid: str | None) -> tuple[str, Ed25519PublicKey]:
    thumbprint = thumbprint_of(x)
    if kid not in {None, thumbprint}:
        raise VerificationError("KID_UNTRUE", "a kid of the JWKS is not the thumbprint of its key")
    return thumbprint, Ed25519PublicKey.from_public_bytes(from_base64url(x, "a public key"))


def thumbprint_of(x: str) -> str:
    """The RFC 7638 thumbprint of an Ed25519 key, given its `x` in base64url."""
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).rstrip(b"=").decode()
