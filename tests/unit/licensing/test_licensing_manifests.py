"""Manifests: one salted leaf a contributor, against a slow reading of the published format (R1, R4)."""

import itertools
import struct
from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.licensing.domain.manifests import manifest_of
from services.licensing.domain.merkle import leaf_hash, root_of
from tests.support.licensing import Post, a_batch, a_post, batches_of_posts

SALT = bytes(range(32))


def contributions(posts: Sequence[Post], released: Sequence[bool]) -> dict[int, list[int]]:
    """Whose work is in which released posts, gathered post by post."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for post, is_released in zip(posts, released, strict=True):
        if is_released:
            for author_id in (post.author_id, *(author_id for _, author_id in post.embeds)):
                found[author_id].add(post.id)
    return {author_id: sorted(ids) for author_id, ids in sorted(found.items())}


def root_by_hand(found: dict[int, list[int]], salt: bytes) -> bytes:
    """docs/receipt-format.md, "Manifest", leaf by leaf."""
    hashes = []
    for author_id, ids in found.items():
        author = struct.pack(">Q", author_id)
        leaf_salt = sha256(salt + b"sluice/leaf/v1" + author).digest()[:16]
        posts = struct.pack(f">I{len(ids)}Q", len(ids), *ids)
        hashes.append(leaf_hash(leaf_salt + author + posts))
    return root_of(sorted(hashes))


@given(batches_of_posts, st.data())
def test_r1_the_manifest_has_a_leaf_for_each_contributor_to_a_released_post(
    posts: list[Post], data: st.DataObject
) -> None:
    released = data.draw(st.lists(st.booleans(), min_size=len(posts), max_size=len(posts)))
    expected = contributions(posts, released)

    manifest = manifest_of(a_batch(*posts), np.array(released), SALT)

    assert manifest.contributors.tolist() == list(expected)
    ends = manifest.post_offsets.tolist()
    assert [manifest.post_ids[start:end].tolist() for start, end in itertools.pairwise(ends)] == list(
        expected.values()
    )
    assert manifest.root == root_by_hand(expected, SALT)
    assert len(manifest) == len(expected)


def test_r1_where_nothing_was_released_the_root_is_the_hash_of_nothing() -> None:
    manifest = manifest_of(a_batch(a_post(1), a_post(2)), np.array([False, False]), SALT)

    assert len(manifest) == 0
    assert manifest.post_offsets.tolist() == [0]
    assert manifest.root == sha256(b"").digest()


def test_r4_the_authors_of_embedded_posts_are_contributors() -> None:
    batch = a_batch(
        a_post(1, author_id=10, embeds=((100, 20), (101, 10))),
        a_post(2, author_id=20),
        a_post(3, author_id=30),
    )

    manifest = manifest_of(batch, np.array([True, True, False]), SALT)

    assert manifest.contributors.tolist() == [10, 20]
    assert manifest.post_offsets.tolist() == [0, 1, 3]
    assert manifest.post_ids.tolist() == [1, 1, 2]


@pytest.mark.parametrize("salt", [bytes(32), SALT[::-1]])
def test_without_its_salt_a_manifest_cannot_be_guessed(salt: bytes) -> None:
    batch, released = a_batch(a_post(1)), np.array([True])

    assert manifest_of(batch, released, salt).root != manifest_of(batch, released, SALT).root


def test_shuffled_posts_have_the_same_manifest() -> None:
    posts = [a_post(id, author_id=id % 7, embeds=((id + 50, id % 3 + 1),)) for id in range(1, 50)]

    in_order = manifest_of(a_batch(*posts), np.ones(49, np.bool_), SALT)
    reversed_ = manifest_of(a_batch(*posts[::-1]), np.ones(49, np.bool_), SALT)

    assert in_order.root == reversed_.root
