"""The manifest of a release: one salted leaf for each contributor (R1), and the Merkle root over them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sluice_gate.posts import Post
from sluice_gate.verifying.trees import leaf_hash, tree_hash

LEAF_SALT_BYTES = 16


@dataclass(slots=True)
class Leaf:
    """What one contributor can be shown without opening anyone else's leaf (R4)."""

    contributor: int
    salt: bytes
    """16 bytes, made from the salt of the decision."""
    posts: tuple[int, ...]
    """Ids of the released posts that the contributor wrote or that embed theirs; ascending and distinct."""

    def digest(self) -> bytes:
        """The hash of the leaf, by RFC 6962, 2.1."""
        ids = b"".join([id.to_bytes(8) for id in self.posts])
        content = self.salt + self.contributor.to_bytes(8) + len(self.posts).to_bytes(4) + ids
        return leaf_hash(content)

    def line(self, decision_id: str) -> bytes:
        """The leaf as a line of a manifest file: JSON with sorted keys, ids as strings, the salt in hex."""
        posts = '","'.join(map(str, self.posts))
        # Ids and hex need no escapes; a general encoder would cost more than all else about a delivery.
        return (
            f'{{"contributor":"{self.contributor}","decision_id":{json.dumps(decision_id)},'
            f'"leaf_salt":"{self.salt.hex()}","posts":["{posts}"]}}\n'
        ).encode()


def leaves_of(posts: Sequence[Post], released: Sequence[bool], salt: bytes) -> list[Leaf]:
    """The leaves of a release in their order, ascending by hash. `salt`: the 32 bytes of the decision."""
    contributed: dict[int, set[int]] = {}
    for post, may_go in zip(posts, released, strict=True):
        if may_go:
            contributed.setdefault(post.author_id, set()).add(post.id)
            for _, author in post.embeds:
                contributed.setdefault(author, set()).add(post.id)
    leaves = [
        Leaf(author, _leaf_salt(salt, author), tuple(sorted(ids))) for author, ids in contributed.items()
    ]
    return sorted(leaves, key=Leaf.digest)


def manifest_root(leaves: Sequence[Leaf]) -> bytes:
    """The root over leaves in their order; the hash of nothing where there are none."""
    return tree_hash([leaf.digest() for leaf in leaves])


def _leaf_salt(salt: bytes, contributor: int) -> bytes:
    return hashlib.sha256(salt + b"sluice/leaf/v1" + contributor.to_bytes(8)).digest()[:LEAF_SALT_BYTES]
