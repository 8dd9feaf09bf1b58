"""What licensing signs, the gate's own verifier believes; with any byte changed, it does not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sluice.licensing.v1 import post_pb2
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice_gate import Evidence, VerificationError, load_keys, verify_receipt
from sluice_gate.verifying.keys import Keys
from tests.support.cluster import TRAINING, Cluster, a_post
from tests.support.keys import some_keys

POSTS = [
    a_post(2**60 + 1, 1, (700, 3), (701, 4)),
    a_post(2**60 + 2, 2, language="de-AT"),
    a_post(2**60 + 3, 1, kind=4, media_flags=5),
    a_post(0, 1),
    a_post(2**60 + 1, 1),
]


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return load_keys(some_keys(tmp_path).receipt_jwks)


async def decided(cluster: Cluster, posts: list[post_pb2.Post]) -> tuple[pb.Decision, Evidence]:
    """A decision and what its caller kept."""
    decision = await cluster.decide(posts)
    request = pb.DecideRequest(
        request_id=decision.request_id,
        license_id="acme-training",
        purpose=TRAINING,
        posts=post_pb2.PostList(posts=posts),
    )
    return decision, Evidence(decision.receipt, request, decision.verdicts, decision.salt)


def flipped(data: bytes) -> Iterator[bytes]:
    """The data with each byte changed in turn."""
    for place in range(len(data)):
        yield data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def accepted(changed: Iterator[Evidence], keys: Keys) -> int:
    """How many of the changed pieces of evidence are believed."""
    believed = 0
    for evidence in changed:
        try:
            verify_receipt(evidence, keys)
        except VerificationError:
            continue
        believed += 1
    return believed


async def test_a_receipt_says_what_was_decided_about_whom(cluster: Cluster, keys: Keys) -> None:
    """R1, R3."""
    await cluster.opt_out(2)
    decision, evidence = await decided(cluster, POSTS)

    verified = verify_receipt(evidence, keys)

    assert verified.released == (True, False, True, False, False)
    assert verified.claims.counts == {"RELEASED": 2, "NOT_AVAILABLE": 1, "NOT_COVERED": 1, "DUPLICATE": 1}
    assert {leaf.contributor: leaf.posts for leaf in verified.leaves} == {
        1: (2**60 + 1, 2**60 + 3),
        3: (2**60 + 1,),
        4: (2**60 + 1,),
    }
    assert verified.claims.reservation_id == decision.reservation_id
    assert verified.claims.number == decision.receipt_number == 1


async def test_denials_have_receipts_too(cluster: Cluster, keys: Keys) -> None:
    await cluster.suspend()
    _, evidence = await decided(cluster, POSTS[:2])

    verified = verify_receipt(evidence, keys)

    assert verified.claims.outcome == "DENIED"
    assert verified.leaves == ()


async def test_receipts_are_numbered_in_the_order_of_their_commits(cluster: Cluster) -> None:
    decisions = [await cluster.decide([a_post(number, 1)]) for number in range(1, 6)]

    assert [decision.receipt_number for decision in decisions] == [1, 2, 3, 4, 5]
    assert sorted(decision.decided_at.ToMicroseconds() for decision in decisions) == [
        decision.decided_at.ToMicroseconds() for decision in decisions
    ]


async def test_a_receipt_with_any_byte_changed_is_rejected(cluster: Cluster, keys: Keys) -> None:
    """R3."""
    _, evidence = await decided(cluster, POSTS)
    receipts = (
        data.decode("latin-1")
        for data in flipped(evidence.receipt.encode())
        if data != evidence.receipt.encode()
    )

    believed = accepted((replace(evidence, receipt=receipt) for receipt in receipts), keys)

    assert believed == 0


async def test_evidence_with_any_byte_changed_is_rejected(cluster: Cluster, keys: Keys) -> None:
    _, evidence = await decided(cluster, POSTS)

    salts = accepted((replace(evidence, salt=salt) for salt in flipped(evidence.salt)), keys)
    verdicts = accepted((replace(evidence, verdicts=each) for each in flipped(evidence.verdicts)), keys)
    leaves = verify_receipt(evidence, keys).leaves
    shortened = accepted(
        (replace(evidence, manifest=leaves[:place] + leaves[place + 1 :]) for place in range(len(leaves))),
        keys,
    )

    assert (salts, verdicts, shortened) == (0, 0, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"id": 2**60 + 9},
        {"author_id": 9},
        {"kind": 2},
        {"media_flags": 1},
        {"language": "en-US"},
        {"posted_at": {"seconds": 1_600_000_001}},
        {"embeds": []},
        {"embeds": [{"id": 700, "author_id": 4}, {"id": 701, "author_id": 4}]},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_receipt_does_not_fit_another_request(
    cluster: Cluster, keys: Keys, change: dict[str, object]
) -> None:
    _, evidence = await decided(cluster, POSTS)
    other = pb.DecideRequest()
    other.CopyFrom(evidence.request)
    first = other.posts.posts[0]
    for name in change:
        first.ClearField(name)
    first.MergeFrom(post_pb2.Post(**change))  # type: ignore[arg-type]

    with pytest.raises(VerificationError):
        verify_receipt(replace(evidence, request=other), keys)
