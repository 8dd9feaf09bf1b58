"""What a receipt says, for people. Reading it verifies nothing (R3): `sluice log verify` does that."""

import json
from typing import Any

from sluice_gate.errors import VerificationError
from sluice_gate.verifying.encodings import from_base64url, json_object


def claims_of(receipt: str) -> list[tuple[str, str]]:
    """The claims of a compact JWS, as they stand in it: name and value; none where it is no such thing."""
    parts = receipt.split(".")
    if len(parts) != 3:
        return []
    try:
        claims = json_object(from_base64url(parts[1], "the receipt"), "the receipt")
    except VerificationError:
        return []
    return [(name, _text(value)) for name, value in claims.items() if value is not None]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
