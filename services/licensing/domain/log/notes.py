"""Heads of the log as text: checkpoints (https://c2sp.org/tlog-checkpoint) in signed notes (.../signed-note).

Nothing here knows a private key or whether a signature holds: signing is a function that is passed in, and a
note that was parsed has been read, not verified.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from services.chassis.refusals import Refusal, invalid
from services.licensing.domain.merkle import EMPTY_ROOT, HASH_BYTES

MOST_NOTE_BYTES = 1 << 20
"""Sixteen signatures must be accepted, of nearly 5 kB each; this has room for many more."""
KEY_ID_BYTES = 4
_ED25519 = b"\x01"
_SIGNATURE_MARK = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIZE = re.compile(r"0|[1-9][0-9]{0,19}")


@dataclass(frozen=True)
class Checkpoint:
    """What a log commits itself to: the root of its first `size` leaves."""

    origin: str
    """Which log; also the name of its key."""
    size: int
    """Leaves."""
    root: bytes
    """32 bytes."""
    extensions: tuple[str, ...] = ()
    """Further lines, which say nothing to us; our own checkpoints have none."""

    def text(self) -> str:
        """What is signed. Raises Refusal (invalid, CHECKPOINT_MALFORMED) where it could not be read again."""
        root = base64.b64encode(self.root).decode()
        text = "".join(f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions))
        if parse_checkpoint(text) != self:
            raise _malformed_checkpoint("it does not read as it was written")
        return text


@dataclass(frozen=True)
class NoteSigner:
    """An Ed25519 key under the name that it signs notes with."""

    name: str
    public_key: bytes
    """32 bytes, RFC 8032."""
    sign: Callable[[bytes], bytes]
    """The signature of a text, 64 bytes."""

    def note(self, text: str) -> bytes:
        """The text, signed by this key alone; raises as `signed_note`."""
        return signed_note(text, [self])


@dataclass(frozen=True)
class NoteSignature:
    """One signature line; whether it holds is not known."""

    name: str
    key_id: bytes
    """4 bytes."""
    signature: bytes


@dataclass(frozen=True)
class Note:
    """A note that was read and not verified."""

    text: str
    signatures: tuple[NoteSignature, ...]
    """At least one."""


def key_id(name: str, public_key: bytes) -> bytes:
    """The 4 bytes that stand for an Ed25519 key (32 bytes) of this name in a signature line."""
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:KEY_ID_BYTES]


def signed_note(text: str, signers: Sequence[NoteSigner]) -> bytes:
    """The note: the text, an empty line, a line for each signer. Raises Refusal (invalid, NOTE_MALFORMED)."""
    content = text.encode()
    lines = [
        _line(signer.name, key_id(signer.name, signer.public_key) + signer.sign(content))
        for signer in signers
    ]
    note = f"{text}\n{''.join(lines)}".encode()
    # What cannot be read back the same was no text or no name for a note.
    if parse_note(note).text != text:
        raise _malformed_note("its text does not end where its signatures begin")
    return note


def parse_note(note: bytes) -> Note:
    """The parts of a note, at most MOST_NOTE_BYTES long. Raises Refusal (invalid, NOTE_MALFORMED)."""
    if len(note) > MOST_NOTE_BYTES:
        raise _malformed_note("it is too long")
    try:
        content = note.decode()
    except UnicodeDecodeError as error:
        raise _malformed_note("it is not UTF-8") from error
    if _CONTROL.search(content):
        raise _malformed_note("it has control characters")
    # The last empty line is the one before the signatures; the text may have others.
    text, found, signatures = content.rpartition("\n\n")
    if not found or not text or not signatures.endswith("\n"):
        raise _malformed_note("it has no text or no signatures")
    lines = signatures.removesuffix("\n").split("\n")
    return Note(f"{text}\n", tuple(_signature(line) for line in lines))


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that the text of a note is. Raises Refusal (invalid, CHECKPOINT_MALFORMED)."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines) or _CONTROL.search(text):
        raise _malformed_checkpoint("it is not three lines or more, none empty")
    origin, size, root = lines[:3]
    root_bytes = _base64(root)
    if not _SIZE.fullmatch(size) or root_bytes is None or len(root_bytes) != HASH_BYTES:
        raise _malformed_checkpoint("its size or root is none")
    if size == "0" and root_bytes != EMPTY_ROOT:
        raise _malformed_checkpoint("its root is not that of an empty tree")
    return Checkpoint(origin, int(size), root_bytes, tuple(lines[3:]))


def _line(name: str, signature: bytes) -> str:
    return f"{_SIGNATURE_MARK}{name} {base64.b64encode(signature).decode()}\n"


def _signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_SIGNATURE_MARK).partition(" ")
    content = _base64(encoded)
    named = line.startswith(_SIGNATURE_MARK) and name and "+" not in name and not _has_space(name)
    if not named or content is None or len(content) <= KEY_ID_BYTES:
        raise _malformed_note("a line after the text is no signature")
    return NoteSignature(name, content[:KEY_ID_BYTES], content[KEY_ID_BYTES:])


def _has_space(name: str) -> bool:
    return any(character.isspace() for character in name)


def _base64(text: str) -> bytes | None:
    """Out of the one form of base64, RFC 4648, section 4; None for any other."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if base64.b64encode(content).decode() == text else None


def _malformed_note(what: str) -> Refusal:
    return invalid("NOTE_MALFORMED", f"not a signed note: {what}")


def _malformed_checkpoint(what: str) -> Refusal:
    return invalid("CHECKPOINT_MALFORMED", f"not a checkpoint: {what}")
