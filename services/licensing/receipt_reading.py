"""Reads receipts back: what a key of ours has signed (R6)."""

from collections.abc import Mapping
from typing import Any

from services.chassis.compact import read_compact
from services.chassis.jwks import Jwks, VerificationKey
from services.licensing.signing import RECEIPT_TYPE


class ReceiptReader:
    """Knows the published keys of receipts, those that sign no more too."""

    def __init__(self, jwks: Jwks) -> None:
        self._jwks = jwks

    def __call__(self, receipt: str) -> Mapping[str, Any] | None:
        """The claims of a receipt; None where it is none, or no published key has signed it."""
        try:
            compact = read_compact(receipt)
        except (ValueError, RecursionError):
            return None
        header = compact.header
        key = self._key(str(header.get("kid")))
        is_ours = header.get("typ") == RECEIPT_TYPE and key is not None and header.get("alg") == key.algorithm
        return compact.claims if is_ours and key and key.verifies(compact.signed, compact.signature) else None

    def _key(self, kid: str) -> VerificationKey | None:
        key = self._jwks.get(kid)
        # A key that came since the file was read last is in it now.
        return self._jwks.get(kid) if key is None and self._jwks.refresh() else key
