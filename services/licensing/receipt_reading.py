"""Reads receipts back: what a key of ours has signed (R6)."""

from collections.abc import Mapping
from typing import Any

from services.chassis.compact import read_compact
from services.chassis.jwks import SECOND_US, Jwks, VerificationKey
from services.licensing.domain.canonical import rfc3339_us
from services.licensing.signing import RECEIPT_TYPE


class ReceiptReader:
    """Knows the published keys of receipts, those that sign no more too."""

    def __init__(self, jwks: Jwks) -> None:
        self._jwks = jwks

    def __call__(self, receipt: str) -> Mapping[str, Any] | None:
        """The claims of a receipt; None where it is none, or signed by no key that was valid when it was."""
        try:
            compact = read_compact(receipt)
            decided_at_us = rfc3339_us(str(compact.claims.get("decided_at")))
        except (ValueError, RecursionError):
            return None
        header = compact.header
        key = self._key(str(header.get("kid")))
        if key is None or (header.get("typ"), header.get("alg")) != (RECEIPT_TYPE, key.algorithm):
            return None
        is_ours = _was_valid(key, decided_at_us) and key.verifies(compact.signed, compact.signature)
        return compact.claims if is_ours else None

    def _key(self, kid: str) -> VerificationKey | None:
        key = self._jwks.get(kid)
        # A key that came since the file was read last is in it now.
        return self._jwks.get(kid) if key is None and self._jwks.refresh() else key


def _was_valid(key: VerificationKey, at_us: int) -> bool:
    """Whether the key was in use, and nobody else's, at that time."""
    since_us = int(key.jwk.get("nbf", 0)) * SECOND_US
    return since_us <= at_us and (key.until_us is None or at_us < key.until_us)
