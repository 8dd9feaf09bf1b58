"""The offline verifier: it believes what was signed about exactly this decision, and nothing else (R3)."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from sluice.licensing.v1.post_pb2 import Embed, PostList
from sluice.licensing.v1.post_pb2 import Post as PostMessage
from sluice.licensing.v1.release_service_pb2 import DecideRequest
from sluice_gate.columns import columns_of
from sluice_gate.errors import VerificationError
from sluice_gate.posts import Post
from sluice_gate.verifying.keys import parse_keys, thumbprint_of
from sluice_gate.verifying.manifests import Leaf, leaves_of, manifest_root
from sluice_gate.verifying.receipts import Evidence, verify_receipt
from sluice_gate.verifying.requests import canonical_request, parse_request, posts_of
from sluice_gate.verifying.trees import tree_hash
from tests.support.gate import FakeReleases, base64url, canonical, jwks, sign
from tests.support.release_jobs import a_request, flips
from tests.support.vectors import vectors

KEYS = parse_keys(jwks())


def some_evidence(posts: int = 3) -> Evidence:
    request = a_request(posts)
    decision = FakeReleases().conclude(request).decision
    released = [verdict == 1 for verdict in decision.verdicts]
    leaves = leaves_of(posts_of(request), released, decision.salt)
    return Evidence(decision.receipt, request, decision.verdicts, decision.salt, leaves)


def claims_of(evidence: Evidence) -> dict[str, Any]:
    payload = evidence.receipt.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return claims


def signed_with(**changes: Any) -> Evidence:
    """Evidence whose receipt makes other claims, honestly signed."""
    evidence = some_evidence()
    return replace(evidence, receipt=sign(claims_of(evidence) | changes))


def test_a_receipt_and_what_it_speaks_of_verify_together_R3() -> None:  # noqa: N802
    verified = verify_receipt(some_evidence(), KEYS)

    assert verified.released == (True, False, True)
    assert (verified.claims.outcome, verified.claims.counts) == (
        "PARTIAL",
        {"RELEASED": 2, "NOT_AVAILABLE": 1},
    )
    assert {leaf.contributor for leaf in verified.leaves} == {1, 3}


def test_a_receipt_of_a_denial_verifies_too() -> None:
    request = a_request(2)
    decision = FakeReleases(denies=lambda author: True).conclude(request).decision

    verified = verify_receipt(Evidence(decision.receipt, request, decision.verdicts, decision.salt, []), KEYS)

    assert (verified.claims.outcome, verified.claims.not_after, verified.leaves) == ("DENIED", None, ())


def test_messages_verify_as_columns_do() -> None:
    evidence = some_evidence()
    messages = DecideRequest(
        request_id=evidence.request.request_id,
        license_id=evidence.request.license_id,
        purpose=evidence.request.purpose,
        posts=PostList(posts=[_message(post) for post in posts_of(evidence.request)]),
    )

    assert verify_receipt(replace(evidence, request=messages), KEYS).claims.outcome == "PARTIAL"


def _message(post: Post) -> PostMessage:
    message = PostMessage(
        id=post.id,
        author_id=post.author_id,
        kind=post.kind,  # type: ignore[arg-type]  # an open enum
        media_flags=post.media_flags,
        language=post.language,
        embeds=[Embed(id=id, author_id=author) for id, author in post.embeds],
    )
    message.posted_at.FromMicroseconds(post.posted_at_us)
    return message


@pytest.mark.parametrize(
    "tampered",
    [
        lambda evidence: [
            replace(evidence, receipt=flip.decode("latin-1")) for flip in flips(evidence.receipt.encode())
        ],
        lambda evidence: [replace(evidence, salt=flip) for flip in flips(evidence.salt)],
        lambda evidence: [replace(evidence, verdicts=flip) for flip in flips(evidence.verdicts)],
    ],
)
def test_any_flipped_byte_of_receipt_salt_or_verdicts_is_rejected_R3(  # noqa: N802
    tampered: Callable[[Evidence], list[Evidence]],
) -> None:
    for evidence in tampered(some_evidence()):
        with pytest.raises(VerificationError):
            verify_receipt(evidence, KEYS)


def test_any_flipped_byte_of_the_request_is_rejected_R3() -> None:  # noqa: N802
    evidence = some_evidence()

    for flip in flips(evidence.request.SerializeToString(deterministic=True)):
        with pytest.raises(VerificationError):
            verify_receipt(replace(evidence, request=parse_request(flip)), KEYS)


def test_any_flipped_byte_of_a_leaf_is_rejected_R4() -> None:  # noqa: N802
    evidence = some_evidence()
    first, *rest = evidence.manifest or []

    others = [replace(first, salt=salt) for salt in flips(first.salt)]
    others += [replace(first, contributor=first.contributor ^ 1 << bit) for bit in range(64)]
    others += [replace(first, posts=(first.posts[0] ^ 1 << bit,)) for bit in range(64)]

    for leaf in others:
        with pytest.raises(VerificationError):
            verify_receipt(replace(evidence, manifest=[leaf, *rest]), KEYS)
    for manifest in ([*rest, first], rest, [first, *rest, first]):
        with pytest.raises(VerificationError):
            verify_receipt(replace(evidence, manifest=manifest), KEYS)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"v": 2}, "CLAIM_MALFORMED"),
        ({"number": 0}, "CLAIM_MALFORMED"),
        ({"number": True}, "CLAIM_MALFORMED"),
        ({"decided_at": "2026-01-31T12:00:00Z"}, "CLAIM_MALFORMED"),
        ({"decided_at": "2026-02-30T12:00:00.000000Z"}, "CLAIM_MALFORMED"),
        ({"terms_digest": "AB" * 32}, "CLAIM_MALFORMED"),
        ({"trace_id": "1"}, "CLAIM_MALFORMED"),
        ({"counts": {"RELEASED": 2.0, "NOT_AVAILABLE": 1}}, "CLAIM_MALFORMED"),
        ({"extra": 1}, "CLAIMS_INCOMPLETE"),
        ({"request_id": "another"}, "REQUEST_DIFFERS"),
        ({"license_id": "another"}, "REQUEST_DIFFERS"),
        ({"purpose": "search_index"}, "REQUEST_DIFFERS"),
        ({"request_digest": "00" * 32}, "REQUEST_DIFFERS"),
        ({"resolved_digest": "00" * 32}, "VERDICTS_DIFFER"),
        ({"counts": {"RELEASED": 3}}, "COUNTS_DIFFER"),
        ({"outcome": "RELEASED"}, "OUTCOME_DIFFERS"),
        ({"manifest_leaves": 1}, "MANIFEST_DIFFERS"),
        ({"manifest_root": "00" * 32}, "MANIFEST_DIFFERS"),
        ({"not_after": None}, "CLAIMS_CONTRADICT"),
        ({"not_after": "2001-01-01T00:00:00.000000Z"}, "CLAIMS_CONTRADICT"),
        ({"counted_at": None}, "CLAIMS_CONTRADICT"),
        ({"policy_version": None, "consent_epoch": None, "consent_revision": None}, "CLAIMS_CONTRADICT"),
        ({"principal_kind": "licensee"}, "CLAIMS_CONTRADICT"),
    ],
)
def test_a_good_signature_over_untrue_claims_is_rejected_R3(  # noqa: N802
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(VerificationError) as rejected:
        verify_receipt(signed_with(**changes), KEYS)

    assert rejected.value.reason == reason


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"typ": "JWT"},
        {"kid": "another"},
        {"kid": None},
        {"crit": ["b64"]},
        {"jwk": {}},
    ],
)
def test_any_other_header_is_rejected(header: dict[str, Any]) -> None:
    evidence = some_evidence()
    first, payload, signature = evidence.receipt.split(".")
    honest = {"alg": "EdDSA", "kid": next(iter(KEYS)), "typ": "sluice-receipt+json"}
    assert base64url(canonical(honest)) == first

    forged = f"{base64url(canonical(honest | header))}.{payload}.{signature}"

    with pytest.raises(VerificationError):
        verify_receipt(replace(evidence, receipt=forged), KEYS)


@pytest.mark.parametrize("receipt", ["", "a.b", "a.b.c.d", "..", "é.b.c", "a.\ud800.c"])
def test_what_is_no_receipt_at_all_is_rejected(receipt: str) -> None:
    with pytest.raises(VerificationError):
        verify_receipt(replace(some_evidence(), receipt=receipt), KEYS)


@pytest.mark.parametrize(
    "document", [b"", b"[]", b'{"keys": []}', b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}]}']
)
def test_keys_that_are_none_are_rejected(document: bytes) -> None:
    with pytest.raises(VerificationError):
        parse_keys(document)


def test_a_kid_that_is_not_the_thumbprint_of_its_key_is_rejected() -> None:
    document = json.loads(jwks())
    document["keys"][0]["kid"] = "mine"

    with pytest.raises(VerificationError, match="KID_UNTRUE"):
        parse_keys(json.dumps(document).encode())


def test_thumbprints_are_those_of_RFC_8037_A_3() -> None:  # noqa: N802
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

    assert thumbprint_of(x) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert manifest_root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_roots_are_those_of_the_published_vectors() -> None:
    published = vectors("merkle/rfc6962_roots.json")
    hashes = [hashlib.sha256(b"\x00" + bytes.fromhex(leaf)).digest() for leaf in published["inputs_hex"]]

    roots = [tree_hash(hashes[:size]).hex() for size in range(len(hashes) + 1)]

    assert roots == published["root_hex_by_size"]


def test_a_contributor_has_one_leaf_with_every_post_they_had_a_part_in_R4() -> None:  # noqa: N802
    posts = [
        Post(12, 1, 1, 0, "", 0, ()),
        Post(11, 2, 3, 0, "", 0, ((5, 1), (6, 1))),
        Post(13, 1, 1, 0, "", 0, ()),
    ]

    leaves = leaves_of(posts, [True, True, False], bytes(32))

    assert {leaf.contributor: leaf.posts for leaf in leaves} == {1: (11, 12), 2: (11,)}
    assert [leaf.digest() for leaf in leaves] == sorted(leaf.digest() for leaf in leaves)
    assert {len(leaf.salt) for leaf in leaves} == {16}
    assert isinstance(leaves[0], Leaf)


uint64 = st.integers(0, 2**64 - 1)
a_post = st.builds(
    Post,
    id=uint64,
    author_id=uint64,
    kind=st.integers(0, 255),
    media_flags=st.integers(0, 255),
    language=st.sampled_from(["", "en", "de", "und"]),
    posted_at_us=st.integers(-(2**63), 2**63 - 1),
    embeds=st.lists(st.tuples(uint64, uint64), max_size=3).map(tuple),
)


def as_message(**more: Any) -> DecideRequest:
    """A request for one post, as a message that says anything the wire can carry."""
    return DecideRequest(license_id="l", posts=PostList(posts=[PostMessage(**more)]))


@pytest.mark.parametrize("number", [-(2**31), -1, 256, 2**31 - 1])
def test_a_kind_that_is_no_byte_is_written_as_255(number: int) -> None:
    request, plain = as_message(kind=number), as_message(kind=255)

    assert canonical_request("l", 2, posts_of(request)) == canonical_request("l", 2, posts_of(plain))


@pytest.mark.parametrize(("purpose", "written"), [(-5, "fbffffff"), (-(2**31), "00000080"), (7, "07000000")])
def test_a_purpose_is_written_as_its_32_bits(purpose: int, written: str) -> None:
    assert canonical_request("", purpose, [])[16:20].hex() == written


@pytest.mark.parametrize(("seconds", "nearest_us"), [(2**62, 2**63 - 1), (-(2**62), -(2**63))])
def test_a_time_that_does_not_fit_is_the_nearest_that_does(seconds: int, nearest_us: int) -> None:
    [post] = posts_of(as_message(posted_at=Timestamp(seconds=seconds)))

    assert post.posted_at_us == nearest_us
    assert canonical_request("l", 2, [post])


def test_posts_in_more_languages_than_an_index_can_name_are_rejected() -> None:
    posts = [Post(1, 1, 1, 0, f"x{number}", 0, ()) for number in range(257)]

    with pytest.raises(VerificationError, match="REQUEST_MALFORMED"):
        canonical_request("l", 2, posts)


@given(st.lists(a_post, min_size=1, max_size=8))
def test_columns_say_what_the_posts_say_and_digest_alike(posts: list[Post]) -> None:
    columns = columns_of(posts)
    request = DecideRequest(license_id="l", purpose=2, columns=columns)  # type: ignore[arg-type]

    assert posts_of(request) == posts
    assert canonical_request("l", 2, posts).endswith(columns.embed_author_ids)
