"""The manifest of a release: for each contributor the released posts that hold something of theirs.

One salted leaf a contributor, in the order of the leaf hashes, under one Merkle root (docs/receipt-format.md,
"Manifest"): a leaf can be shown to its contributor and says nothing about anyone else.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.merkle import audit_path, leaf_hash, root_of
from services.licensing.domain.posts import Batch, Ids, Mask, Offsets

SALT_BYTES = 32
LEAF_SALT_BYTES = 16
AUTHOR_BYTES = 8
_LEAF_SALT_LABEL = b"sluice/leaf/v1"


@dataclass(frozen=True, eq=False)
class Manifest:
    """What one decision released: C contributors with P posts in all."""

    salt: bytes
    """32 secret bytes, made for the decision."""
    contributors: Ids
    """C author ids, ascending."""
    post_offsets: Offsets
    """C + 1: the posts of contributor i stand at [offsets[i], offsets[i + 1]) of the column below."""
    post_ids: Ids
    """P, for each contributor ascending and distinct."""
    root: bytes
    """32 bytes; the hash of nothing where nothing was released."""

    def __len__(self) -> int:
        """C, the number of leaves."""
        return len(self.contributors)

    def posts_of(self, contributor: int) -> Ids:
        """The released posts that hold something of theirs, ascending; none for who is not in it."""
        # A number of Python's would be compared as a float, in which neighbouring ids are equal.
        at = int(np.searchsorted(self.contributors, np.uint64(contributor)))
        if at == len(self) or int(self.contributors[at]) != contributor:
            return self.post_ids[:0]
        return self.post_ids[self.post_offsets[at] : self.post_offsets[at + 1]]


@dataclass(frozen=True)
class LeafProof:
    """The leaf of one contributor, and what leads from it to the root (R4)."""

    salt: bytes
    """16 bytes, of this leaf alone."""
    contributor: int
    post_ids: tuple[int, ...]
    """Ascending and distinct; at least one."""
    index: int
    """Of the leaf in the order of the leaf hashes, from 0."""
    leaves: int
    hashes: tuple[bytes, ...]
    """The audit path, 32 bytes each, from the leaf upwards."""


def manifest_of(batch: Batch, released: Mask, salt: bytes) -> Manifest:
    """The manifest of the posts where `released` (N booleans) is true, under `salt` (32 bytes)."""
    authors, posts = _contributions(batch, released)
    first_of_author = np.flatnonzero(_differs_from_previous(authors))
    contributors = authors[first_of_author]
    offsets = np.append(first_of_author, len(authors)).astype(np.uint32)
    hashes = _leaf_hashes(salt, contributors, offsets, posts)
    return Manifest(salt, contributors, offsets, posts, root_of(sorted(hashes)))


def leaf_proof(manifest: Manifest, contributor: int) -> LeafProof | None:
    """What the contributor can be shown of a manifest; None for who is not in it.

    Raises Refusal (internal, MANIFEST_DAMAGED) where the leaves have another root than the manifest: a proof
    that leads elsewhere would only look like the platform's lie.
    """
    posts = manifest.posts_of(contributor)
    if not len(posts):
        return None
    hashes = _leaf_hashes(manifest.salt, manifest.contributors, manifest.post_offsets, manifest.post_ids)
    own = hashes[int(np.searchsorted(manifest.contributors, np.uint64(contributor)))]
    hashes.sort()
    if root_of(hashes) != manifest.root:
        raise Refusal(
            Kind.INTERNAL, "MANIFEST_DAMAGED", "the stored manifest has another root than was signed"
        )
    index = hashes.index(own)
    return LeafProof(
        salt=_leaf_salt(manifest.salt + _LEAF_SALT_LABEL, contributor.to_bytes(AUTHOR_BYTES)),
        contributor=contributor,
        post_ids=tuple(posts.tolist()),
        index=index,
        leaves=len(hashes),
        hashes=tuple(audit_path(hashes, index)),
    )


def stored_root(manifest: Manifest) -> bytes:
    """The root that a manifest should have by its salt and columns, 32 bytes."""
    hashes = _leaf_hashes(manifest.salt, manifest.contributors, manifest.post_offsets, manifest.post_ids)
    return root_of(sorted(hashes))


def _contributions(batch: Batch, released: Mask) -> tuple[Ids, Ids]:
    """Every (contributor, released post) once, ascending, as two columns."""
    embeds = np.repeat(released, batch.embed_counts)
    posts = batch.ids[released]
    all_authors = np.concatenate((batch.author_ids[released], batch.embed_author_ids[embeds]))
    all_posts = np.concatenate((posts, np.repeat(posts, batch.embed_counts[released])))
    order = np.lexsort((all_posts, all_authors))
    authors, posts = all_authors[order], all_posts[order]
    distinct = _differs_from_previous(authors) | _differs_from_previous(posts)
    return authors[distinct], posts[distinct]


def _differs_from_previous(column: Ids) -> NDArray[np.bool_]:
    differs = np.ones(len(column), dtype=np.bool_)
    np.not_equal(column[1:], column[:-1], out=differs[1:])
    return differs


def _leaf_hashes(salt: bytes, contributors: Ids, offsets: Offsets, posts: Ids) -> list[bytes]:
    """C leaf hashes, 32 bytes each."""
    # The numbers become bytes as columns: one by one that would cost more than the hashing.
    heads = np.empty(len(contributors), dtype=[("author", ">u8"), ("posts", ">u4")])
    heads["author"], heads["posts"] = contributors, np.diff(offsets)
    head_bytes, post_bytes = heads.tobytes(), posts.astype(">u8").tobytes()
    labelled_salt = salt + _LEAF_SALT_LABEL
    hashes, start = [], 0
    for at, end in zip(range(0, len(head_bytes), heads.itemsize), (offsets[1:] * 8).tolist(), strict=True):
        head = head_bytes[at : at + heads.itemsize]
        leaf_salt = _leaf_salt(labelled_salt, head[:AUTHOR_BYTES])
        hashes.append(leaf_hash(leaf_salt + head + post_bytes[start:end]))
        start = end
    return hashes


def _leaf_salt(labelled_salt: bytes, author: bytes) -> bytes:
    """16 bytes, for an author as 8 bytes; `labelled_salt` is the decision's with the label behind it."""
    return sha256(labelled_salt + author).digest()[:LEAF_SALT_BYTES]
