"""Signing keys of a local installation, made once on first start, and their public halves as JWKS (RFC 7517).

Private files are 0600 from their first byte on, appear whole or not at all, and are never replaced: when two
processes start at once, both end up using the pair of whichever was first.
"""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.chassis.refusals import precondition

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o644


@dataclass(frozen=True)
class Keys:
    """Where the keys of an installation lie."""

    token_private: Path
    """Ed25519, PKCS #8 PEM: signs the tokens of the local run."""
    token_jwks: Path
    receipt_private: Path
    """Ed25519, PKCS #8 PEM: signs receipts."""
    receipt_jwks: Path


def ensure_keys(folder: Path) -> Keys:
    """The installation's keys; what is missing is made. `folder` is created with mode 0700."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = Keys(
        token_private=folder / "token-signing.pem",
        token_jwks=folder / "token-jwks.json",
        receipt_private=folder / "receipt-signing.pem",
        receipt_jwks=folder / "receipt-jwks.json",
    )
    _ensure_pair(keys.token_private, keys.token_jwks)
    _ensure_pair(keys.receipt_private, keys.receipt_jwks)
    return keys


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """Reads a PKCS #8 PEM file; raises Refusal (precondition) when it is missing or no Ed25519 key."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise precondition("KEY_UNREADABLE", f"the private key {path.name} cannot be read") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise precondition("KEY_UNREADABLE", f"the private key {path.name} is no Ed25519 key")
    return key


def public_jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """The key as a JWK (RFC 8037) whose kid is its RFC 7638 thumbprint."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    required = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}
    return {**required, "kid": thumbprint(required), "alg": "EdDSA", "use": "sig"}


def thumbprint(required: Mapping[str, str]) -> str:
    """RFC 7638: SHA-256 over the required members of a JWK, in lexical order without spaces, base64url."""
    canonical = json.dumps(dict(required), sort_keys=True, separators=(",", ":")).encode()
    return _base64url(hashlib.sha256(canonical).digest())


def _ensure_pair(private: Path, jwks: Path) -> None:
    if not private.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _create_once(private, pem, PRIVATE_MODE)
    if not jwks.exists():
        # Derived from the file, not from what was just made: another process may have been first.
        public = public_jwk(load_private_key(private).public_key())
        _create_once(jwks, json.dumps({"keys": [public]}, indent=2).encode() + b"\n", PUBLIC_MODE)


def _create_once(path: Path, content: bytes, mode: int) -> None:
    """Writes a file whole or not at all; keeps the present one if another process was faster."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A hard link fails where a rename would replace the key that others may already use.
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
