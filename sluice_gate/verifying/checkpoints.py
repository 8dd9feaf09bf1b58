"""Checkpoints of a log: what it has committed itself to, and that it has only grown since (R2).

Notes are read as https://c2sp.org/signed-note says, checkpoints as https://c2sp.org/tlog-checkpoint says.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sluice_gate.errors import VerificationError
from sluice_gate.verifying.encodings import from_base64
from sluice_gate.verifying.keys import Keys
from sluice_gate.verifying.trees import HASH_BYTES, check_consistency, tree_hash

LONGEST_NOTE = 1 << 20
"""Bytes: room for far more than the sixteen signatures that must be accepted."""

# The text may have empty lines; signature lines have none, so that the last one parts them.
_NOTE = re.compile(r"(.*\n)\n((?:— [^\s+]+ [A-Za-z0-9+/]+={0,2}\n)+)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f]")
_SIZE = re.compile(r"(?:0|[1-9][0-9]{0,19})")
_ED25519 = b"\x01"
_ID_BYTES = 4


@dataclass(frozen=True)
class Log:
    """A log as those who verify know it, from somebody they trust."""

    origin: str
    """The name of the log, under which it also signs."""
    keys: Keys
    """All that it has signed with; keys change, and what they signed stays (R6).

    A checkpoint has no time, so that no beginning or end of a key is looked at. One that was revoked counts
    for nothing: who has stolen it can sign what looks old.
    """


@dataclass(frozen=True)
class Checkpoint:
    """What a log has signed: the root of its first `size` leaves."""

    origin: str
    size: int
    """Leaves."""
    root: bytes
    """32 bytes."""
    extensions: tuple[str, ...]
    """Lines that the log signed too, and that have no meaning here."""
    signed_by: tuple[str, ...]
    """The kids of the keys that did, in the order of their lines; at least one."""


def verify_checkpoint(note: bytes, log: Log) -> Checkpoint:
    """The checkpoint that a key of the log signed.

    Signatures by others, of witnesses for example, are neither needed nor looked at. A wrong one under a key
    of the log is enough to refuse the note, whatever else is right. Raises VerificationError.
    """
    text, signatures = _parts(note)
    signed_by = tuple(_signers(text, signatures, log))
    if not signed_by and any(_are_revoked(_candidates(*signature, log)) for signature in signatures):
        raise VerificationError("KEY_REVOKED", "only a key that was revoked has signed the checkpoint")
    if not signed_by:
        raise VerificationError("KEY_UNKNOWN", "no key of the log has signed the checkpoint")
    origin, size, root, extensions = _claims(text)
    if origin != log.origin:
        raise VerificationError("ORIGIN_DIFFERS", "the checkpoint is one of another log")
    return Checkpoint(origin, size, root, extensions, signed_by)


def verify_growth(
    older: bytes, newer: bytes, proof: Sequence[bytes], log: Log
) -> tuple[Checkpoint, Checkpoint]:
    """Two checkpoints of the log, the newer of which has every leaf of the older, each in its place.

    `older` and `newer` are the notes, `proof` the hashes between their sizes. Raises VerificationError.
    """
    before, after = verify_checkpoint(older, log), verify_checkpoint(newer, log)
    check_consistency(before.size, after.size, before.root, after.root, proof)
    return before, after


def _parts(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """The text, and for each signature the name of its key and the bytes."""
    if len(note) > LONGEST_NOTE:
        raise _malformed_note("is too long")
    try:
        match = _NOTE.fullmatch(note.decode())
    except UnicodeDecodeError as error:
        raise _malformed_note("is not UTF-8") from error
    if match is None or _CONTROL.search(match[0].replace("\n", "")):
        raise _malformed_note("is not a text, an empty line and signatures")
    signatures = []
    for line in match[2].removesuffix("\n").split("\n"):
        _, name, encoded = line.split(" ")
        content = from_base64(encoded, "a signature of the note")
        if len(content) <= _ID_BYTES:
            raise _malformed_note("has a signature that is too short")
        signatures.append((name, content))
    return match[1], signatures


def _signers(text: str, signatures: list[tuple[str, bytes]], log: Log) -> Iterator[str]:
    """The kid of the key behind each signature that is the log's."""
    for name, content in signatures:
        candidates = _candidates(name, content, log)
        if candidates and not _are_revoked(candidates):
            yield _signer(text, content[_ID_BYTES:], candidates)


def _candidates(name: str, content: bytes, log: Log) -> Keys:
    """The keys of the log that a signature line can be of."""
    if name != log.origin:
        return {}
    return {kid: key for kid, key in log.keys.items() if _key_id(name, key.public) == content[:_ID_BYTES]}


def _are_revoked(candidates: Keys) -> bool:
    return bool(candidates) and all(key.is_revoked for key in candidates.values())


def _signer(text: str, signature: bytes, candidates: Keys) -> str:
    # Four bytes can be the same for two keys; one of them must have signed.
    for kid, key in candidates.items():
        if key.is_revoked:
            continue
        try:
            key.public.verify(signature, text.encode())
        except InvalidSignature:
            continue
        return kid
    raise VerificationError("SIGNATURE_WRONG", "the signature is not that of the checkpoint")


def _key_id(name: str, key: Ed25519PublicKey) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + key.public_bytes_raw()).digest()[:_ID_BYTES]


def _claims(text: str) -> tuple[str, int, bytes, tuple[str, ...]]:
    """Origin, size, root and extension lines."""
    *lines, after_the_last = text.split("\n")
    if len(lines) < 3 or "" in lines or after_the_last:
        raise _malformed("has not three lines or more")
    origin, size, root, *extensions = lines
    if not _SIZE.fullmatch(size):
        raise _malformed("has no size")
    root_bytes = from_base64(root, "the root of the checkpoint")
    if len(root_bytes) != HASH_BYTES:
        raise _malformed("has no root of 32 bytes")
    if size == "0" and root_bytes != tree_hash([]):
        raise _malformed("has a root for no leaves")
    return origin, int(size), root_bytes, tuple(extensions)


def _malformed_note(what: str) -> VerificationError:
    return VerificationError("NOTE_MALFORMED", f"the signed note {what}")


def _malformed(what: str) -> VerificationError:
    return VerificationError("CHECKPOINT_MALFORMED", f"the checkpoint {what}")
