"""API keys: what one looks like, what is kept of it, and when it is good for a token.

Only the SHA-256 of a key's text is kept. A key has 256 random bits, so that nobody finds it by trying, with
whatever speed; and one text, for the digest is over the text.
"""

import base64
import enum
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from services.chassis.refusals import Refusal, invalid, precondition, unauthenticated

KEY_ID_BYTES = 8
SECRET_BYTES = 32
MOST_ACTIVE = 2
"""Of one holder: enough to change from one key to the next, and no key that everyone has forgotten."""

_KEY = re.compile(r"sluice_(?:live|test)_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")
_DIGEST_OF_NO_KEY = bytes(32)
"""What no text is known to have: compared with where there is nothing to compare with."""


class HolderKind(enum.StrEnum):
    """The kinds of principals that come in with a key; the words of their tokens."""

    LICENSEE = "licensee"
    PIPELINE = "pipeline"


@dataclass(frozen=True)
class Holder:
    """Whose a key is. Of the sandbox and not are two holders, who do not take each other's places."""

    kind: HolderKind
    party: str
    sandbox: bool


@dataclass(frozen=True)
class ApiKey:
    """What is kept of a key."""

    key_id: str
    """Public: 16 lower-case hex digits."""
    digest: bytes
    """SHA-256 of the key's text."""
    holder: Holder
    label: str
    created_by: str
    """Kind and party of the principal."""
    created_at_us: int
    expires_at_us: int | None
    """The first instant at which it gets no more tokens; None where it has no end."""
    revoked_at_us: int | None = None
    revoked_by: str = ""

    def is_active(self, now_us: int) -> bool:
        """Whether it gets tokens."""
        return self.revoked_at_us is None and (self.expires_at_us is None or now_us < self.expires_at_us)

    def revoked(self, now_us: int, by: str) -> "ApiKey":
        """As it is once it is revoked; the first time and the first who did it stand."""
        if self.revoked_at_us is not None:
            return self
        return replace(self, revoked_at_us=now_us, revoked_by=by)


@dataclass(frozen=True)
class NewKey:
    """A key as it is made: the only moment in which its text is known here."""

    key_id: str
    text: str

    @property
    def digest(self) -> bytes:
        """What is kept of the text."""
        return digest_of(self.text)


def new_key(sandbox: bool, id_bits: bytes, secret_bits: bytes) -> NewKey:
    """A key of `id_bits` (8 bytes) and `secret_bits` (32 bytes), all random.

    The prefix is for those who look for secrets where none should be: one expression finds every key.
    """
    assert (len(id_bits), len(secret_bits)) == (KEY_ID_BYTES, SECRET_BYTES)
    secret = base64.urlsafe_b64encode(secret_bits).rstrip(b"=").decode()
    return NewKey(id_bits.hex(), f"sluice_{'test' if sandbox else 'live'}_{id_bits.hex()}_{secret}")


def key_id_of(text: str) -> str:
    """The public id in a key, "" where the text is no key."""
    match = _KEY.fullmatch(text)
    return match[1] if match else ""


def digest_of(text: str) -> bytes:
    """SHA-256 of a key's text."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def holder_of(text: str, kept: ApiKey | None, now_us: int) -> Holder:
    """Who shows `text`, where `kept` is what is kept under its id, if anything is.

    Raises Refusal (unauthenticated, API_KEY_INVALID), the same and after the same work whatever is wrong with
    the key: nobody learns from it which ids there are.
    """
    digest = digest_of(text)
    same = hmac.compare_digest(digest, kept.digest if kept else _DIGEST_OF_NO_KEY)
    if kept is None or not (same & kept.is_active(now_us)):
        raise unauthenticated("API_KEY_INVALID", "this is no API key that is good for a token")
    return kept.holder


def check_new(holder: Holder, present: Sequence[ApiKey], expires_at_us: int | None, now_us: int) -> None:
    """Whether a holder with `present` keys may have one more that ends at `expires_at_us`.

    Raises Refusal: EXPIRY_IN_PAST, TOO_MANY_KEYS.
    """
    if expires_at_us is not None and expires_at_us <= now_us:
        raise invalid("EXPIRY_IN_PAST", "the key would be expired already", field="expires_at")
    if sum(key.is_active(now_us) for key in present) >= MOST_ACTIVE:
        raise too_many_keys(holder)


def too_many_keys(holder: Holder) -> Refusal:
    """The refusal of a third key."""
    place = "sandbox " if holder.sandbox else ""
    message = f"{holder.kind} {holder.party} has {MOST_ACTIVE} active {place}keys already; revoke one first"
    return precondition("TOO_MANY_KEYS", message)
