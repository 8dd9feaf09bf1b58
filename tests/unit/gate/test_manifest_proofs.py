"""What a release held of one contributor, offline (R3, R4): made by licensing, checked by the gate."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice_gate.errors import VerificationError
from sluice_gate.posts import Post
from sluice_gate.verifying.keys import Keys, parse_keys
from sluice_gate.verifying.manifest_proofs import (
    ManifestProof,
    manifest_proof_file,
    read_manifest_proof,
    verify_manifest_proof,
)
from sluice_gate.verifying.manifests import leaves_of
from sluice_gate.verifying.trees import leaf_hash
from tests.support.gate import FakeReleases, jwks, sign
from tests.support.logs import Definition
from tests.support.manifest_proofs import ARelease, a_release, changed, some_posts
from tests.unit.gate.test_checkpoints import mutated
from tests.unit.gate.test_verifying import claims_of, some_evidence

KEYS = parse_keys(jwks())
RELEASE = a_release(some_posts(14))
OTHER = a_release(some_posts(14, first=100))
SUBJECT = 5
PROOF = RELEASE.proofs[SUBJECT]


def reason_of(proof: ManifestProof, subject: int = SUBJECT, keys: Keys = KEYS) -> str | None:
    """Why it is refused; None where it is not."""
    try:
        verify_manifest_proof(proof, subject, keys)
    except VerificationError as error:
        return error.reason
    return None


def reason_of_file(content: bytes, subject: int = SUBJECT) -> str | None:
    try:
        return reason_of(read_manifest_proof(content), subject)
    except VerificationError as error:
        return error.reason


def test_r4_each_contributor_is_shown_their_posts_and_those_that_embed_theirs() -> None:
    expected: dict[int, set[int]] = {}
    for post in some_posts(14):
        for contributor in (post.author_id, *(author for _, author in post.embeds)):
            expected.setdefault(contributor, set()).add(post.id)

    proofs = RELEASE.proofs.items()
    shown = {subject: verify_manifest_proof(proof, subject, KEYS).posts for subject, proof in proofs}

    assert shown == {subject: tuple(sorted(posts)) for subject, posts in expected.items()}
    assert len(shown) == 7


ids = st.one_of(st.integers(1, 6), st.integers(2**64 - 4, 2**64 - 1))
posts = st.builds(
    Post,
    id=ids,
    author_id=ids,
    kind=st.just(1),
    media_flags=st.just(0),
    language=st.just("en"),
    posted_at_us=st.just(0),
    embeds=st.lists(st.tuples(ids, ids), max_size=3).map(tuple),
)


@settings(max_examples=60)
@given(st.lists(posts, min_size=1, max_size=12, unique_by=lambda post: post.id), st.integers(0, 6))
def test_r4_both_implementations_agree_on_any_manifest_and_both_with_the_definition(
    batch: list[Post], denied: int
) -> None:
    release = a_release(batch, denied=denied)
    by_gate = leaves_of(batch, [verdict == 1 for verdict in release.verdicts], release.salt)
    bytes_of = [leaf_bytes(leaf.contributor, leaf.salt, leaf.posts) for leaf in by_gate]
    slow = Definition(sorted(bytes_of, key=leaf_hash))

    assert [release.proofs[leaf.contributor].leaf for leaf in by_gate] == by_gate
    assert len(release.proofs) == len(by_gate)
    for index, leaf in enumerate(by_gate):
        proof = release.proofs[leaf.contributor]
        assert (proof.index, proof.leaves) == (index, len(by_gate))
        assert list(proof.hashes) == slow.path(index, 0, len(by_gate))
        assert verify_manifest_proof(proof, leaf.contributor, KEYS).posts == leaf.posts


def leaf_bytes(contributor: int, salt: bytes, posts: tuple[int, ...]) -> bytes:
    """docs/receipt-format.md, "Manifest"."""
    ids = b"".join(id.to_bytes(8, "big") for id in posts)
    return salt + contributor.to_bytes(8, "big") + len(posts).to_bytes(4, "big") + ids


def test_r4_a_proof_holds_nothing_of_anyone_else() -> None:
    for subject, proof in RELEASE.proofs.items():
        content = manifest_proof_file(proof)
        others = set(RELEASE.proofs) - {subject}
        theirs = {id for other in others for id in RELEASE.proofs[other].leaf.posts} - set(proof.leaf.posts)

        document = json.loads(content)
        named = {document["leaf"]["subject"], *document["leaf"]["posts"]}
        assert not named & {str(id) for id in others | theirs}
        assert RELEASE.salt.hex().encode() not in content


def test_r4_the_place_of_a_leaf_says_nothing_about_who_it_is() -> None:
    # Which of two comes first is as the salt has it: over many releases, neither is first more often.
    releases = FakeReleases(denies=lambda author: False)
    first = 0
    for _ in range(200):
        proofs = a_release(some_posts(4), releases).proofs
        first += proofs[1].index < proofs[3].index

    assert 70 < first < 130


def test_a_proof_is_written_and_read_as_it_is() -> None:
    for subject, proof in RELEASE.proofs.items():
        content = manifest_proof_file(proof)

        assert read_manifest_proof(content) == proof
        assert manifest_proof_file(read_manifest_proof(content)) == content
        assert reason_of_file(content, subject) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": "sluice/manifest-proof/v2"}, "PROOF_MALFORMED"),
        ({"more": 1}, "PROOF_MALFORMED"),
        ({"leaf": []}, "PROOF_MALFORMED"),
        ({"index": True}, "PROOF_MALFORMED"),
        ({"index": 1.0}, "PROOF_MALFORMED"),
        ({"leaves": "7"}, "PROOF_MALFORMED"),
        ({"receipt": None}, "PROOF_MALFORMED"),
        ({"hashes": {}}, "PROOF_MALFORMED"),
        ({"hashes": ["AB" * 32]}, "NOT_CANONICAL"),
        ({"leaf": {"posts": ["07"], "salt": "00" * 16, "subject": "5"}}, "PROOF_MALFORMED"),
        ({"leaf": {"posts": ["7"], "salt": "00" * 16, "subject": 5}}, "PROOF_MALFORMED"),
        ({"leaf": {"posts": [], "salt": "00" * 16, "subject": "5"}}, "LEAF_MALFORMED"),
        ({"leaf": {"posts": [str(2**64)], "salt": "00" * 16, "subject": "5"}}, "LEAF_MALFORMED"),
        ({"leaf": {"posts": ["7"], "salt": "00" * 15, "subject": "5"}}, "LEAF_MALFORMED"),
    ],
    ids=str,
)
def test_a_file_in_any_other_form_is_no_proof(changes: dict[str, Any], reason: str) -> None:
    document = json.loads(manifest_proof_file(PROOF)) | changes
    content = json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"

    assert reason_of_file(content) == reason
    assert reason_of_file(content[:-1]) == "PROOF_MALFORMED"


def test_a_proof_about_somebody_else_is_not_about_the_one_who_asks() -> None:
    assert reason_of(RELEASE.proofs[3]) == "SUBJECT_DIFFERS"
    assert reason_of(replace(RELEASE.proofs[3], leaf=replace(RELEASE.proofs[3].leaf, contributor=5))) == (
        "INCLUSION_WRONG"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"outcome": "DENIED"}, "CLAIMS_CONTRADICT"),
        ({"counts": {"RELEASED": 1}}, "CLAIMS_CONTRADICT"),
        ({"not_after": None}, "CLAIMS_CONTRADICT"),
        ({"manifest_leaves": 8}, "MANIFEST_DIFFERS"),
        ({"manifest_root": "00" * 32}, "INCLUSION_WRONG"),
        ({"decision_id": "another"}, "DECISION_DIFFERS"),
    ],
)
def test_a_good_signature_over_claims_that_do_not_fit_the_leaf_is_rejected_R3(  # noqa: N802
    changes: dict[str, Any], reason: str
) -> None:
    evidence = replace(some_evidence(), receipt=RELEASE.receipt)
    many = max(RELEASE.proofs.values(), key=lambda proof: len(proof.leaf.posts))

    proof = replace(many, receipt=sign(claims_of(evidence) | changes))

    assert reason_of(proof, many.leaf.contributor) == reason


def test_no_changed_proof_is_believed_R3() -> None:  # noqa: N802
    releases = (RELEASE, OTHER, a_release(some_posts(1)), a_release(some_posts(33)))
    true = [proof for release in releases for proof in release.proofs.values()]
    accepted = tried = 0
    for release in releases:
        for subject, proof in list(release.proofs.items())[:4]:
            for false in changed(proof, true):
                if replace(false, hashes=tuple(false.hashes)) not in true:
                    tried += 1
                    accepted += reason_of(false, subject) is None

    assert (accepted, tried > 15_000) == (0, True)


@pytest.mark.parametrize("release", [RELEASE, a_release(some_posts(1))], ids=["many", "one"])
def test_no_changed_file_is_believed_R3(release: ARelease) -> None:  # noqa: N802
    subject, proof = next(iter(release.proofs.items()))
    content = manifest_proof_file(proof)
    accepted = tried = 0
    for other in mutated(content):
        if other != content:
            tried += 1
            accepted += reason_of_file(other, subject) is None

    assert (accepted, tried > 20_000) == (0, True)


anything = st.recursive(st.none() | st.integers() | st.text(max_size=9), st.lists, max_leaves=9)


@given(st.binary(max_size=200) | anything.map(json.dumps).map(str.encode))
def test_whatever_comes_is_refused_with_a_reason(content: bytes) -> None:
    assert reason_of_file(content + b"\n") in {"NOT_CANONICAL", "PROOF_MALFORMED"}
