"""Verifies what a release held of one contributor (R4), and reads and writes such proofs as files.

docs/receipt-format.md, "Proof for one contributor". It shows that the receipt names these posts for the
contributor; not that no other receipt does, nor that the log has the receipt: `logged` verifies that.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sluice.licensing.v1 import manifest_proof_pb2
from sluice_gate.errors import VerificationError
from sluice_gate.verifying.claims import Claims, signed_claims
from sluice_gate.verifying.encodings import from_hex, json_object
from sluice_gate.verifying.keys import Keys
from sluice_gate.verifying.manifests import LEAF_SALT_BYTES, Leaf
from sluice_gate.verifying.receipts import check_times
from sluice_gate.verifying.trees import check_inclusion

FORMAT = "sluice/manifest-proof/v1"
_MEMBERS = {"decision_id", "format", "hashes", "index", "leaf", "leaves", "receipt"}
_LEAF_MEMBERS = {"posts", "salt", "subject"}
_ID = re.compile(r"(?:0|[1-9][0-9]{0,19})", re.ASCII)
_LARGEST_ID = 2**64 - 1


@dataclass(frozen=True)
class ManifestProof:
    """A contributor's leaf and what leads from it to the root in the receipt; nothing of it is believed."""

    decision_id: str
    receipt: str
    """The compact JWS."""
    leaf: Leaf
    index: int
    """Of the leaf among all of the manifest, from 0."""
    leaves: int
    hashes: Sequence[bytes]
    """32 bytes each, from the leaf upwards."""


@dataclass(frozen=True)
class VerifiedLeaf:
    """What a receipt says that a release held of one contributor."""

    claims: Claims
    subject: int
    posts: tuple[int, ...]
    """Ids of the released posts that they wrote or that embed theirs, ascending."""
    key_is_revoked: bool
    """As in `VerifiedReceipt`."""


def verify_manifest_proof(proof: ManifestProof, subject: int, keys: Keys) -> VerifiedLeaf:
    """Computes the leaf of `subject` from the proof, the root from the leaf, and compares with the receipt.

    `keys` are those that sign receipts. Raises VerificationError.
    """
    claims, key = signed_claims(proof.receipt, keys)
    _require(claims.decision_id == proof.decision_id, "DECISION_DIFFERS", "it is about another decision")
    _require(proof.leaf.contributor == subject, "SUBJECT_DIFFERS", "it is about another subject")
    _check_leaf(proof.leaf)
    _require(claims.manifest_leaves == proof.leaves, "MANIFEST_DIFFERS", "another number of contributors")
    root = bytes.fromhex(claims.manifest_root)
    check_inclusion(proof.leaf.digest(), proof.index, claims.manifest_leaves, root, proof.hashes)
    released = claims.counts.get("RELEASED", 0)
    fits = claims.outcome != "DENIED" and len(proof.leaf.posts) <= released
    _require(fits, "CLAIMS_CONTRADICT", "the receipt releases fewer posts than the leaf names")
    check_times(claims, releases=True)
    return VerifiedLeaf(claims, subject, proof.leaf.posts, key.is_revoked)


def manifest_proof_of(message: manifest_proof_pb2.ManifestProof) -> ManifestProof:
    """The proof as licensing hands it out."""
    leaf = Leaf(message.leaf.subject_id, message.leaf.salt, tuple(message.leaf.post_ids))
    return ManifestProof(
        decision_id=message.decision_id,
        receipt=message.receipt,
        leaf=leaf,
        index=message.leaf_index,
        leaves=message.leaves,
        hashes=tuple(message.hashes),
    )


def manifest_proof_file(proof: ManifestProof) -> bytes:
    """The proof as a file: one line of canonical JSON, ids as strings, bytes in hex."""
    leaf = proof.leaf
    members = {
        "decision_id": proof.decision_id,
        "format": FORMAT,
        "hashes": [each.hex() for each in proof.hashes],
        "index": proof.index,
        "leaf": {
            "posts": [str(id) for id in leaf.posts],
            "salt": leaf.salt.hex(),
            "subject": str(leaf.contributor),
        },
        "leaves": proof.leaves,
        "receipt": proof.receipt,
    }
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def read_manifest_proof(content: bytes) -> ManifestProof:
    """The proof in a file, not verified: `verify_manifest_proof` does that. Raises VerificationError."""
    _require(content.endswith(b"\n"), "PROOF_MALFORMED", "the proof has no end")
    members = json_object(content[:-1], "the proof")
    leaf = members.get("leaf")
    _require(
        members.keys() == _MEMBERS and isinstance(leaf, dict) and leaf.keys() == _LEAF_MEMBERS,
        "PROOF_MALFORMED",
        "members of the proof are missing or unknown",
    )
    _require(members["format"] == FORMAT, "PROOF_MALFORMED", "the proof is in another format")
    assert isinstance(leaf, dict)  # as required above
    return ManifestProof(
        decision_id=_text(members["decision_id"]),
        receipt=_text(members["receipt"]),
        leaf=Leaf(_id(leaf["subject"]), from_hex(leaf["salt"], "the salt"), tuple(_ids(leaf["posts"]))),
        index=_whole(members["index"]),
        leaves=_whole(members["leaves"]),
        hashes=tuple(from_hex(each, "a hash of the proof") for each in _list(members["hashes"])),
    )


def _check_leaf(leaf: Leaf) -> None:
    _require(len(leaf.salt) == LEAF_SALT_BYTES, "LEAF_MALFORMED", "the salt is not 16 bytes long")
    ids = (leaf.contributor, *leaf.posts)
    _require(all(0 < id <= _LARGEST_ID for id in ids), "LEAF_MALFORMED", "an id is none")
    ascending = list(leaf.posts) == sorted(set(leaf.posts))
    _require(
        bool(leaf.posts) and ascending, "LEAF_MALFORMED", "the posts are none, or not each once in order"
    )


def _ids(value: object) -> list[int]:
    return [_id(each) for each in _list(value)]


def _id(value: object) -> int:
    text = _text(value)
    _require(bool(_ID.fullmatch(text)), "PROOF_MALFORMED", "an id of the proof is none")
    return int(text)


def _text(value: object) -> str:
    _require(isinstance(value, str), "PROOF_MALFORMED", "a member of the proof is no text")
    return str(value)


def _whole(value: object) -> int:
    if type(value) is not int:
        raise VerificationError("PROOF_MALFORMED", "a member of the proof is no whole number")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise VerificationError("PROOF_MALFORMED", "a member of the proof is no list")
    return value


def _require(holds: bool, reason: str, message: str) -> None:
    if not holds:
        raise VerificationError(reason, message)
