"""What a receipt says, for people. Reading it verifies nothing (R3): `sluice log verify` does that."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from services.console.names import number_of
from sluice.type.v1.purpose_pb2 import Purpose
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


@dataclass(frozen=True)
class Asked:
    """Who asked for what."""

    by: str
    """Kind and party."""
    licensee_id: str
    purpose: int
    """It may be a number outside of the closed table."""


def asked_in(claims: Iterable[tuple[str, str]]) -> Asked | None:
    """Who asked for what as the claims say it; None where they do not."""
    said = dict(claims)
    try:
        purpose = said["purpose"]
        number = int(purpose) if purpose.isdecimal() else number_of(Purpose.DESCRIPTOR, purpose)
        return Asked(f"{said['principal_kind']}:{said['principal']}", said["licensee_id"], number)
    except (KeyError, ValueError):
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
