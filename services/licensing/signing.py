"""Signs receipts, compact JWS (RFC 7515) with Ed25519 keys (RFC 8037), and with another key checkpoints."""

import base64
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.chassis.keys import load_private_key, public_jwk
from services.licensing.domain.canonical import canonical_json
from services.licensing.domain.log.notes import NoteSigner

RECEIPT_TYPE = "sluice-receipt+json"
SANDBOX_RECEIPT_TYPE = "sluice-sandbox-receipt+json"
"""Of what proves no release; a reader of receipts that never heard of it knows it for none."""


class ReceiptSigner:
    """Holds the key that receipts are signed with."""

    def __init__(self, private_key_path: Path, type: str = RECEIPT_TYPE) -> None:
        """Raises Refusal (precondition, KEY_UNREADABLE) when there is no Ed25519 key in the file."""
        self._key = load_private_key(private_key_path)
        self.kid: str = public_jwk(self._key.public_key())["kid"]
        """RFC 7638 thumbprint of the key."""
        self._header = canonical_json({"alg": "EdDSA", "kid": self.kid, "typ": type})

    def sign(self, payload: bytes) -> str:
        """The receipt over claims in canonical JSON: three base64url parts, joined by dots."""
        return compact_jws(self._header, payload, self._key)


def note_signer(private_key_path: Path, origin: str) -> NoteSigner:
    """Signs checkpoints as the log `origin`; raises Refusal (precondition, KEY_UNREADABLE)."""
    key = load_private_key(private_key_path)
    return NoteSigner(origin, key.public_key().public_bytes_raw(), key.sign)


def compact_jws(header: bytes, payload: bytes, key: Ed25519PrivateKey) -> str:
    """RFC 7515, 7.1, over a protected header that is already JSON."""
    signed = b".".join((_base64url(header), _base64url(payload)))
    return b".".join((signed, _base64url(key.sign(signed)))).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
