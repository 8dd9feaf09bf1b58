"""Releases with proofs for their contributors: as licensing makes them, under receipts of the fake."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from services.licensing.domain.manifests import LeafProof, leaf_proof, manifest_of
from services.licensing.domain.posts import Batch, Mask
from sluice.licensing.v1.reason_pb2 import Verdict
from sluice.licensing.v1.release_service_pb2 import DecideRequest
from sluice_gate.columns import columns_of
from sluice_gate.posts import Post
from sluice_gate.verifying.manifest_proofs import ManifestProof
from sluice_gate.verifying.manifests import Leaf
from sluice_gate.verifying.requests import posts_of
from tests.support.clock import NOON_US
from tests.support.gate import FakeReleases
from tests.support.licensing import Post as LicensingPost
from tests.support.licensing import a_batch
from tests.support.release_jobs import a_request


def some_posts(count: int, first: int = 1) -> list[Post]:
    """Posts by ever other authors, most of them with something of others in them; ids above 2^53 too."""
    return [
        Post(
            id=first + number + (1_000 if number % 3 else 2**63),
            author_id=first + number // 2 * 2,
            kind=1,
            media_flags=0,
            language="en",
            posted_at_us=NOON_US - number,
            embeds=tuple((900 + each, first + 2 * each) for each in range(number % 4)),
        )
        for number in range(count)
    ]


@dataclass
class ARelease:
    """A decision, and the proofs for everyone in it."""

    request: DecideRequest
    receipt: str
    salt: bytes
    verdicts: bytes
    proofs: dict[int, ManifestProof]
    """By contributor."""


def a_release(posts: list[Post], releases: FakeReleases | None = None, denied: int = 0) -> ARelease:
    """A decision that releases all posts but those with a part of `denied`, if that is said."""
    releases = releases or FakeReleases(denies=lambda author: author == denied)
    request = a_request(1)
    request.columns.CopyFrom(columns_of(posts))
    request.request_id = f"01999999-1111-7000-8000-{len(releases.stored):012}"
    releases.stored[request.request_id] = stored = releases.conclude(request)
    decision = stored.decision
    manifest = manifest_of(*batch_of(request, decision.verdicts), decision.salt)
    proofs = {}
    for contributor in manifest.contributors.tolist():
        proof = leaf_proof(manifest, contributor)
        assert proof is not None
        proofs[contributor] = as_shown(proof, decision.decision_id, decision.receipt)
    return ARelease(request, decision.receipt, decision.salt, decision.verdicts, proofs)


def batch_of(request: DecideRequest, verdicts: bytes) -> tuple[Batch, Mask]:
    """A request as licensing has it, and which of its posts were released."""
    posts = [LicensingPost(**{name: getattr(post, name) for name in FIELDS}) for post in posts_of(request)]
    return a_batch(*posts), np.frombuffer(verdicts, np.uint8) == Verdict.VERDICT_RELEASED


FIELDS = ("id", "author_id", "kind", "media_flags", "language", "posted_at_us", "embeds")


def as_shown(proof: LeafProof, decision_id: str, receipt: str) -> ManifestProof:
    """A proof of licensing's as the gate takes it."""
    leaf = Leaf(proof.contributor, proof.salt, proof.post_ids)
    return ManifestProof(decision_id, receipt, leaf, proof.index, proof.leaves, proof.hashes)


def changed(proof: ManifestProof, others: list[ManifestProof]) -> Iterator[ManifestProof]:
    """The proof with one thing of it changed, or with a part of one of the others."""
    leaf = proof.leaf
    for number in range(-2, proof.leaves + 3):
        yield replace(proof, index=number)
        yield replace(proof, leaves=number)
    for bit in range(64):
        yield replace(proof, leaf=replace(leaf, contributor=leaf.contributor ^ 1 << bit))
        for at, post in enumerate(leaf.posts):
            posts = (*leaf.posts[:at], post ^ 1 << bit, *leaf.posts[at + 1 :])
            yield replace(proof, leaf=replace(leaf, posts=posts))
            yield replace(proof, leaf=replace(leaf, posts=tuple(sorted(posts))))
    for posts in (leaf.posts[1:], leaf.posts[::-1], (*leaf.posts, *leaf.posts), (1, *leaf.posts), ()):
        yield replace(proof, leaf=replace(leaf, posts=posts))
    for bit in range(128):
        salt = (int.from_bytes(leaf.salt) ^ 1 << bit).to_bytes(16)
        yield replace(proof, leaf=replace(leaf, salt=salt))
    for salt in (leaf.salt[:-1], leaf.salt + b"\0", b""):
        yield replace(proof, leaf=replace(leaf, salt=salt))
    hashes = list(proof.hashes)
    for at, each in enumerate(hashes):
        for bit in range(256):
            flipped = (int.from_bytes(each) ^ 1 << bit).to_bytes(32)
            yield replace(proof, hashes=[*hashes[:at], flipped, *hashes[at + 1 :]])
        yield replace(proof, hashes=[*hashes[:at], *hashes[at + 1 :]])
        yield replace(proof, hashes=[*hashes[: at + 1], *hashes[at:]])
    yield replace(proof, hashes=[*hashes, leaf.digest()])
    for other in others:
        yield replace(other, leaf=leaf)
        yield replace(proof, leaf=other.leaf)
        yield replace(proof, index=other.index)
        yield replace(proof, hashes=other.hashes)
        yield replace(proof, hashes=other.hashes, index=other.index)
        yield replace(proof, receipt=other.receipt)
        yield replace(proof, receipt=other.receipt, decision_id=other.decision_id)
