"""Inclusion proofs as files that need nothing beside them but the receipt, https://c2sp.org/tlog-proof."""

import base64
import re
from collections.abc import Sequence

from sluice_gate.errors import VerificationError
from sluice_gate.verifying.encodings import from_base64
from sluice_gate.verifying.logged import InclusionProof

MOST_HASHES = 63
"""A tree of 2^63 leaves is not higher."""
_HEAD = "c2sp.org/tlog-proof@v1\n"
# The first empty line ends the proof; what follows is the note, empty lines and all.
_PROOF = re.compile(
    r"c2sp\.org/tlog-proof@v1\n(?:extra [A-Za-z0-9+/]*={0,2}\n)?index (0|[1-9][0-9]{0,18})\n"
    r"((?:[A-Za-z0-9+/]+=\n)*)\n(.+)",
    re.DOTALL,
)
_SIZE = re.compile(r"[^\n]+\n(0|[1-9][0-9]{0,19})\n")


def proof_file(index: int, hashes: Sequence[bytes], note: bytes) -> bytes:
    """The file: the index of the leaf, from 0, the hashes, 32 bytes each, and the checkpoint as a note."""
    lines = "".join(f"{base64.b64encode(each).decode()}\n" for each in hashes)
    return f"{_HEAD}index {index}\n{lines}\n".encode() + note


def read_proof(content: bytes) -> tuple[InclusionProof, bytes]:
    """The proof, and the note that it is under; neither is verified: `verify_logged` does that.

    Raises VerificationError (PROOF_MALFORMED).
    """
    try:
        match = _PROOF.fullmatch(content.decode())
    except UnicodeDecodeError as error:
        raise _malformed("is not UTF-8") from error
    size = match and _SIZE.match(match[3])
    if match is None or size is None:
        raise _malformed("is not an index, hashes and a checkpoint")
    hashes = [from_base64(line, "a hash of the proof") for line in match[2].splitlines()]
    if len(hashes) > MOST_HASHES:
        raise _malformed("has more hashes than a tree has levels")
    return InclusionProof(int(match[1]), int(size[1]), hashes), match[3].encode()


def _malformed(what: str) -> VerificationError:
    return VerificationError("PROOF_MALFORMED", f"this is no proof that a receipt is in the log: it {what}")
