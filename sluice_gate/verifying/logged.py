"""Verifies that a receipt is in a log, in its place (R2, R3).

It shows that the log has the receipt, not what the receipt is about (`receipts.verify_receipt` recomputes
that), and not that the log misses nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sluice_gate.errors import VerificationError
from sluice_gate.verifying.checkpoints import Checkpoint, Log, verify_checkpoint
from sluice_gate.verifying.claims import signed_claims
from sluice_gate.verifying.encodings import json_object
from sluice_gate.verifying.keys import Keys
from sluice_gate.verifying.tiles import leaf_at
from sluice_gate.verifying.trees import check_inclusion, leaf_hash


@dataclass(frozen=True)
class InclusionProof:
    """What leads from a leaf to a root, as a log hands it out; nothing of it is believed."""

    index: int
    """Of the leaf, from 0."""
    size: int
    """Leaves of the tree."""
    hashes: Sequence[bytes]
    """32 bytes each, from the leaf upwards."""


@dataclass(frozen=True)
class LoggedReceipt:
    """A receipt that is in the log; its other claims are not compared with anything yet."""

    decision_id: str
    number: int
    """In commit order, from 1."""
    checkpoint: Checkpoint
    """Under which it was found."""


def verify_logged(receipt: str, proof: InclusionProof, note: bytes, log: Log, keys: Keys) -> LoggedReceipt:
    """Computes the leaf from the receipt itself and the root from the leaf, and compares with the checkpoint.

    `note` is the checkpoint, `keys` are those that sign receipts. Raises VerificationError.
    """
    claims = signed_claims(receipt, keys).claims
    checkpoint = verify_checkpoint(note, log)
    # A true proof of another receipt's place would not show that this one has its own (one number, one leaf).
    if proof.index != claims.number - 1:
        raise VerificationError("INDEX_DIFFERS", "the proof is for another place than the receipt's number")
    if proof.size != checkpoint.size:
        raise VerificationError("SIZE_DIFFERS", "the proof is for a tree of another size than the checkpoint")
    check_inclusion(
        leaf_hash(receipt.encode("ascii")), proof.index, checkpoint.size, checkpoint.root, proof.hashes
    )
    return LoggedReceipt(claims.decision_id, claims.number, checkpoint)


def verify_in_copy(receipt: str, folder: Path, checkpoint: Checkpoint, keys: Keys) -> LoggedReceipt:
    """That a receipt is in its place in a copy of the log that `verify_log_folder` has computed again.

    `checkpoint` is what that gave. Raises VerificationError, and OSError where a file is not there.
    """
    claims = signed_claims(receipt, keys).claims
    if not 1 <= claims.number <= checkpoint.size:
        message = f"the checkpoint is over {checkpoint.size} receipts, and this is number {claims.number}"
        raise VerificationError("RECEIPT_NOT_COVERED", message)
    leaf = leaf_at(folder, checkpoint.size, claims.number - 1)
    if leaf != leaf_hash(receipt.encode("ascii")):
        raise VerificationError("LEAF_DIFFERS", f"the log has another receipt as number {claims.number}")
    return LoggedReceipt(claims.decision_id, claims.number, checkpoint)


def receipts_in(path: Path) -> Iterator[str]:
    """The receipts of a file, one a line: as they are, or in JSON with a field `receipt`, as jobs write them.

    Raises VerificationError (RECEIPTS_UNREADABLE), and OSError.
    """
    with path.open("rb") as file:
        for line in file:
            text = line.strip()
            found = json_object(text, "a line of receipts").get("receipt") if text[:1] == b"{" else text
            if isinstance(found, bytes):
                found = found.decode("ascii", "replace")
            if not isinstance(found, str) or not found.isascii() or not found:
                raise VerificationError("RECEIPTS_UNREADABLE", "a line of the file of receipts holds none")
            yield found
