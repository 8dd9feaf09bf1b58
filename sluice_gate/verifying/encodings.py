"""Encodings in which every value has one form only, so that no flipped bit goes unnoticed."""

import base64
import binascii
import json
import re

from sluice_gate.errors import VerificationError

_HEX = re.compile(r"(?:[0-9a-f]{2})*")


def json_object(data: bytes, what: str) -> dict[str, object]:
    """A JSON object in canonical form: keys sorted, no spaces, no idle escapes. Raises VerificationError."""
    try:
        value = json.loads(data)
        canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise VerificationError("NOT_CANONICAL", f"{what} is not JSON") from error
    if not isinstance(value, dict) or canonical != data:
        raise VerificationError("NOT_CANONICAL", f"{what} is not in canonical form")
    return value


def from_base64url(text: str, what: str) -> bytes:
    """Bytes out of base64url without padding (RFC 7515, 2), in its one form. Raises VerificationError."""
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise VerificationError("NOT_CANONICAL", f"{what} is not base64url") from error
    if base64.urlsafe_b64encode(data).rstrip(b"=") != text.encode():
        raise VerificationError("NOT_CANONICAL", f"{what} is not in the one form of base64url")
    return data


def from_base64(text: object, what: str) -> bytes:
    """Bytes out of base64 with padding, in its one form. Raises VerificationError."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError) as error:
        raise VerificationError("NOT_CANONICAL", f"{what} is not base64") from error
    if data is None or base64.b64encode(data).decode() != text:
        raise VerificationError("NOT_CANONICAL", f"{what} is not in the one form of base64")
    return data


def from_hex(text: object, what: str) -> bytes:
    """Bytes out of lower-case hex. Raises VerificationError."""
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise VerificationError("NOT_CANONICAL", f"{what} is not lower-case hex")
    return bytes.fromhex(text)
