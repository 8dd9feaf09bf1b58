"""Signs receipts, compact JWS (RFC 7515) with Ed25519 keys (RFC 8037), and with another key checkpoints."""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.chassis.keys import KeyPair
from services.chassis.refusals import unavailable
from services.chassis.signing_keys import SigningKey
from services.licensing.domain.canonical import canonical_json
from services.licensing.domain.log.notes import NoteSigner

RECEIPT_TYPE = "sluice-receipt+json"
SANDBOX_RECEIPT_TYPE = "sluice-sandbox-receipt+json"
"""Of what proves no release; a reader of receipts that never heard of it knows it for none."""


class ReceiptSigner:
    """Signs receipts with the key of a pair, whichever it is at the moment."""

    def __init__(self, pair: KeyPair, type: str = RECEIPT_TYPE) -> None:
        """Raises Refusal (precondition): KEY_UNREADABLE, KEYS_UNREADABLE, KEY_RETIRED."""
        self._signing = SigningKey(pair)
        self._type = type

    def sign(self, payload: bytes, decided_at_us: int) -> str:
        """The receipt over claims in canonical JSON: three base64url parts, joined by dots.

        Raises Refusal (unavailable, KEYS_UNAVAILABLE), also where the decision is older than the key, because
        the process stood still meanwhile: such a receipt would be refused for ever. The next attempt is not.
        """
        kid, key, since_us = self._signing.current()
        if decided_at_us < since_us:
            raise unavailable("KEYS_UNAVAILABLE", "the key to sign with is younger than the decision")
        return compact_jws(canonical_json({"alg": "EdDSA", "kid": kid, "typ": self._type}), payload, key)


class CheckpointSigner:
    """Signs checkpoints as one log, with the key of a pair, whichever it is at the moment."""

    def __init__(self, pair: KeyPair, origin: str) -> None:
        """Raises Refusal (precondition): KEY_UNREADABLE, KEYS_UNREADABLE, KEY_RETIRED."""
        self._signing = SigningKey(pair)
        self.name = origin

    def note(self, text: str) -> bytes:
        """The text, signed. Raises Refusal (unavailable, KEYS_UNAVAILABLE)."""
        return self.current().note(text)

    def current(self) -> NoteSigner:
        """Signs with the key of this moment only; raises likewise."""
        key = self._signing.current().key
        return NoteSigner(self.name, key.public_key().public_bytes_raw(), key.sign)


def compact_jws(header: bytes, payload: bytes, key: Ed25519PrivateKey) -> str:
    """RFC 7515, 7.1, over a protected header that is already JSON."""
    signed = b".".join((_base64url(header), _base64url(payload)))
    return b".".join((signed, _base64url(key.sign(signed)))).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
