"""Signs receipts, compact JWS (RFC 7515) with Ed25519 keys (RFC 8037), and with another key checkpoints.

Of checkpoints that come back from outside it believes those alone that one of the log's keys has signed.
"""

import base64
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt import PyJWTError

from services.chassis.jwks import VerificationKey, parse_jwks
from services.chassis.keys import KeyPair
from services.chassis.refusals import Refusal, precondition, unavailable
from services.chassis.rotation import REVOKED
from services.chassis.signing_keys import SigningKey
from services.licensing.domain.canonical import canonical_json
from services.licensing.domain.log.notes import (
    Checkpoint,
    Note,
    NoteSigner,
    key_id,
    parse_checkpoint,
    parse_note,
)

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


class NoteReader:
    """Reads the checkpoints of one log, and believes those that a published key of it has signed (R5, R6)."""

    def __init__(self, jwks: Path, origin: str) -> None:
        """`jwks` has every key that the log ever signed with; it is read each time, for keys are added."""
        self._jwks = jwks
        self._origin = origin

    def checkpoint(self, note: bytes) -> Checkpoint:
        """What a note says; of extension lines and of signatures by others nothing is believed.

        Raises Refusal (precondition): LOG_FOLDER_UNREADABLE (no checkpoint), LOG_FOLDER_FOREIGN (of another
        origin, or no key of ours has signed it), LOG_FOLDER_ALTERED (one is named as having signed it and has
        not); unavailable (KEYS_UNAVAILABLE).
        """
        parsed, checkpoint = _parsed(note)
        if checkpoint.origin != self._origin:
            message = f"the folder of the log is that of {checkpoint.origin}, and this log is {self._origin}"
            raise precondition("LOG_FOLDER_FOREIGN", message)
        self._check_signatures(parsed)
        return checkpoint

    def is_vouched_for(self, note: bytes) -> bool:
        """Whether a key has signed it that was not revoked: one that was, somebody else may sign with, too.

        That is how those see it who verify the log. Raises as `checkpoint`.
        """
        parsed, _ = _parsed(note)
        keys = self._keys()
        return any(
            not key.jwk.get(REVOKED) and key.verifies(parsed.text.encode(), line.signature)
            for line in parsed.signatures
            if line.name == self._origin
            for key in keys.get(line.key_id, [])
        )

    def _check_signatures(self, note: Note) -> None:
        """Like a verifier's: one that is wrong refuses the note, whatever else is right; none does too."""
        keys, signed = self._keys(), False
        for line in note.signatures:
            ours = keys.get(line.key_id, []) if line.name == self._origin else []
            if ours and not any(key.verifies(note.text.encode(), line.signature) for key in ours):
                message = "the checkpoint in the folder of the log is not what its signature was made for"
                raise precondition("LOG_FOLDER_ALTERED", message)
            signed |= bool(ours)
        if not signed:
            message = f"no published key of {self._origin} has signed the checkpoint in the folder of the log"
            raise precondition("LOG_FOLDER_FOREIGN", message)

    def _keys(self) -> dict[bytes, list[VerificationKey]]:
        """By the id that stands for them in a note; four bytes can be those of two.

        Retired ones count, and revoked ones: what the database has signed, it has signed.
        """
        found: dict[bytes, list[VerificationKey]] = {}
        try:
            for key in parse_jwks(self._jwks.read_bytes()).values():
                if key.algorithm == "EdDSA":
                    public = base64.urlsafe_b64decode(key.jwk["x"] + "=")
                    found.setdefault(key_id(self._origin, public), []).append(key)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, PyJWTError) as error:
            message = f"the keys of the log, {self._jwks.name}, cannot be read"
            raise unavailable("KEYS_UNAVAILABLE", message) from error
        return found


def _parsed(note: bytes) -> tuple[Note, Checkpoint]:
    try:
        parsed = parse_note(note)
        return parsed, parse_checkpoint(parsed.text)
    except Refusal as refusal:
        message = f"the checkpoint in the folder of the log cannot be read: {refusal.message}"
        raise precondition("LOG_FOLDER_UNREADABLE", message) from refusal


def compact_jws(header: bytes, payload: bytes, key: Ed25519PrivateKey) -> str:
    """RFC 7515, 7.1, over a protected header that is already JSON."""
    signed = b".".join((_base64url(header), _base64url(payload)))
    return b".".join((signed, _base64url(key.sign(signed)))).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
