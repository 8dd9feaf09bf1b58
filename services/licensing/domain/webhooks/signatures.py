"""Signatures by the Standard Webhooks scheme, v1: HMAC-SHA256 over id, time and body.

Source: the specification of Standard Webhooks, "Signature scheme" (standardwebhooks.com). The time is signed,
so that a receiver can refuse what is replayed; the id stays the same in every try.
"""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

WEBHOOK_SECRET_BYTES = 32
PREFIX = "whsec_"
SECOND_US = 1_000_000


@dataclass(frozen=True)
class Announcement:
    """What is sent, and under which id."""

    message_id: str
    body: bytes


def secret_text(secret: bytes) -> str:
    """A secret as it is shown, once."""
    return PREFIX + base64.b64encode(secret).decode()


def signed_headers(
    announcement: Announcement, secrets: Sequence[bytes], now_us: int
) -> tuple[tuple[str, str], ...]:
    """The three headers, with a signature for each secret, the newest first."""
    timestamp = now_us // SECOND_US
    signed = f"{announcement.message_id}.{timestamp}.".encode() + announcement.body
    return (
        ("webhook-id", announcement.message_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets)),
    )


def _signature(secret: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(secret, signed, sha256).digest()).decode()
