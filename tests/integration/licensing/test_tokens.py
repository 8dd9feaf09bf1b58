"""From an API key to a token that is believed, over a real connection; and what strangers get besides."""

import json
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
from google.protobuf.json_format import MessageToJson
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.chassis.rotation import rotate
from sluice.licensing.v1 import key_service_pb2, license_pb2
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.contract_service_pb2 import CreateLicenseeRequest
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from tests.support.api_keys import LICENSEE, PIPELINE, KeyCaller
from tests.support.clock import NOON_US
from tests.support.cluster import SECOND_US, TRAINING, Cluster, a_post
from tests.support.keys import a_verifier, some_keys

TOKEN_US = 300 * SECOND_US


@pytest.fixture
def engine() -> str:
    """What the rows are kept in is the subject of tests/contract."""
    return "sqlite"


@pytest.fixture
def caller(cluster: Cluster) -> KeyCaller:
    return KeyCaller(cluster)


async def reason_of(call: Any) -> str:
    with pytest.raises(Refusal) as refused:
        await call
    return refused.value.reason


async def decide(peer: Any, cluster: Cluster) -> pb.Decision:
    request = pb.DecideRequest(
        request_id=cluster.new_id(),
        license_id="acme-training",
        purpose=TRAINING,
        posts={"posts": [a_post(1, 1)]},
    )
    answer: pb.DecideResponse = await peer.call(ReleaseServiceStub(peer.channel).Decide, request)
    return answer.decision


async def test_a_pipeline_goes_from_its_key_to_a_decision(cluster: Cluster, caller: KeyCaller) -> None:
    decision = await decide(await caller.peer(), cluster)

    assert decision.outcome == pb.OUTCOME_RELEASED
    assert not decision.sandbox
    assert (await cluster.decision(decision.decision_id)).receipt_number == 1


async def test_a_token_says_who_bears_it_and_how_long_it_lasts(cluster: Cluster, caller: KeyCaller) -> None:
    secret = (await caller.create()).secret
    cluster.clock.advance(250_000)

    answer = await caller.exchange(secret)

    assert (answer.holder.kind, answer.holder.party, answer.holder.sandbox) == (PIPELINE, "firehose", False)
    # Whole seconds (RFC 7519, 2): the fraction is not given.
    assert answer.expires_at.ToMicroseconds() == NOON_US + TOKEN_US
    assert answer.valid_for.ToMicroseconds() == TOKEN_US - 250_000
    claims = jwt.decode(answer.token, options={"verify_signature": False})
    assert (claims["sub"], claims["kind"], claims["roles"], "sandbox" in claims) == (
        "firehose",
        "pipeline",
        [],
        False,
    )


async def test_a_token_does_not_outlive_its_key(cluster: Cluster, caller: KeyCaller) -> None:
    ends = Timestamp()
    ends.FromMicroseconds(NOON_US + 60 * SECOND_US)
    secret = (await caller.create(expires_at=ends)).secret

    answer = await caller.exchange(secret)

    assert answer.expires_at == ends


async def test_whatever_is_wrong_with_a_key_strangers_hear_the_same(
    cluster: Cluster, caller: KeyCaller
) -> None:
    soon = Timestamp()
    soon.FromMicroseconds(NOON_US + SECOND_US)
    good, over = await caller.create(), await caller.create(expires_at=soon)
    gone = await caller.create(party="another")
    await caller.revoke(gone.api_key.key_id)
    cluster.clock.advance(SECOND_US)
    other = good.secret[:-1] + ("A" if good.secret[-1] != "A" else "E")

    heard = set()
    for shown in ("", "nonsense", "x" * 10_000, other, over.secret, gone.secret, good.api_key.key_id):
        with pytest.raises(Refusal) as refused:
            await caller.exchange(shown)
        heard.add((refused.value.kind, refused.value.reason, refused.value.message))

    assert [(kind, reason) for kind, reason, _ in heard] == [(Kind.UNAUTHENTICATED, "API_KEY_INVALID")]
    assert (await caller.exchange(good.secret)).token


async def test_the_answer_to_a_repeated_creation_has_no_key(cluster: Cluster, caller: KeyCaller) -> None:
    request_id = cluster.new_id()
    first = await caller.create(request_id=request_id)

    again = await caller.create(request_id=request_id)

    assert first.secret.startswith(f"sluice_live_{first.api_key.key_id}_")
    assert (again.api_key, again.secret) == (first.api_key, "")


async def test_a_licensee_sees_their_own_keys_and_not_who_made_them(
    cluster: Cluster, caller: KeyCaller
) -> None:
    other = license_pb2.Licensee(licensee_id="other", display_name="Other")
    await cluster.contracts(
        "CreateLicensee", CreateLicenseeRequest(request_id=cluster.new_id(), licensee=other)
    )
    for kind, party in ((LICENSEE, "acme"), (LICENSEE, "other"), (PIPELINE, "acme")):
        await caller.create(kind, party)
    acme = cluster.licensing.peer(PrincipalKind.LICENSEE, "acme")
    asking = key_service_pb2.ListApiKeysRequest()

    of_other = key_service_pb2.ListApiKeysRequest(licensee_id="other")

    own, all_keys = await caller.call("ListApiKeys", asking, acme), await caller.call("ListApiKeys", asking)
    others, nothing = (
        await caller.call("ListApiKeys", of_other),
        await caller.call("ListApiKeys", of_other, acme),
    )

    assert [(key.holder.kind, key.holder.party, key.created_by) for key in own.api_keys] == [
        (LICENSEE, "acme", "")
    ]
    assert {key.created_by for key in all_keys.api_keys} == {"operator:ada"}
    assert len(all_keys.api_keys) == 3
    assert [key.holder.party for key in others.api_keys] == ["other"]
    assert list(nothing.api_keys) == []


async def test_keys_are_listed_page_by_page(cluster: Cluster, caller: KeyCaller) -> None:
    made = sorted([(await caller.create(party=f"p{number}")).api_key.key_id for number in range(5)])

    found, token = [], ""
    while True:
        page = await caller.call(
            "ListApiKeys", key_service_pb2.ListApiKeysRequest(page_size=2, page_token=token)
        )
        found += [key.key_id for key in page.api_keys]
        token = page.next_page_token
        if not token:
            break

    assert found == made


@pytest.mark.parametrize(
    ("kind", "roles"),
    [
        (PrincipalKind.OPERATOR, ["finance"]),
        (PrincipalKind.PIPELINE, []),
        (PrincipalKind.LICENSEE, []),
        (PrincipalKind.AUDITOR, []),
    ],
)
async def test_nobody_else_creates_or_revokes_keys(
    cluster: Cluster, caller: KeyCaller, kind: PrincipalKind, roles: list[str]
) -> None:
    peer = cluster.licensing.peer(kind, "acme", roles)
    for method in ("CreateApiKey", "RevokeApiKey"):
        request = getattr(key_service_pb2, f"{method}Request")()

        assert await reason_of(caller.call(method, request, peer)) == "NOT_ADMITTED"


@pytest.mark.parametrize(
    "wrong",
    [
        {"holder": None},
        {"label": ""},
        {"expires_at": Timestamp(seconds=253_402_300_799)},
        {"expires_at": Timestamp(seconds=NOON_US // SECOND_US + 60, nanos=2_000_000_000)},
        {"expires_at": Timestamp(seconds=NOON_US // SECOND_US + 60, nanos=-5)},
        {"expires_at": Timestamp(seconds=-(2**63))},
        {"holder": {"kind": 0, "party": "firehose"}},
        {"holder": {"kind": 9, "party": "firehose"}},
        {"holder": {"kind": 2, "party": "Fire hose"}},
    ],
    ids=str,
)
async def test_a_key_that_nobody_could_hold_is_refused(caller: KeyCaller, wrong: dict[str, Any]) -> None:
    assert await reason_of(caller.create(**wrong)) == "INVALID_REQUEST"


async def test_the_public_keys_are_a_jwk_set_that_checks_the_tokens(
    cluster: Cluster, caller: KeyCaller, tmp_path: Path
) -> None:
    secret = (await caller.create()).secret
    before = await caller.exchange(secret)
    pair = some_keys(tmp_path).tokens
    rotate(pair, cluster.clock, 60 * SECOND_US)

    answer = await caller.jwks()
    after = await caller.exchange(secret)

    document = json.loads(MessageToJson(answer))
    keys = jwt.PyJWKSet.from_dict(document)
    for token in (before.token, after.token):
        kid = jwt.get_unverified_header(token)["kid"]
        options: Any = {"verify_exp": False, "verify_iat": False}
        claims = jwt.decode(token, keys[kid].key, ["EdDSA"], audience="sluice", options=options)
        assert claims["sub"] == "firehose"
    assert [key.get("exp") for key in document["keys"]] == [NOON_US // SECOND_US + 60, None]
    # No longer than the first of them counts.
    assert answer.keep_until.ToMicroseconds() == NOON_US + 60 * SECOND_US
    assert "successor" not in str(document)


async def test_a_rotation_is_noticed_by_the_service_that_runs(
    cluster: Cluster, caller: KeyCaller, tmp_path: Path
) -> None:
    peer = await caller.peer()
    pair = some_keys(tmp_path).tokens

    rotate(pair, cluster.clock, 60 * SECOND_US)
    # Its own calls to consent and metering are signed with the new key, ours still with the old one.
    during = await decide(peer, cluster)
    cluster.clock.advance(60 * SECOND_US)
    late = await reason_of(decide(peer, cluster))

    assert during.outcome == pb.OUTCOME_RELEASED
    assert late == "TOKEN_EXPIRED"
    assert (await decide(await caller.peer(), cluster)).outcome == pb.OUTCOME_RELEASED


async def test_a_token_that_is_sent_along_is_not_looked_at(cluster: Cluster, caller: KeyCaller) -> None:
    secret = (await caller.create()).secret
    for shown in ("nonsense", cluster.licensing.token(PrincipalKind.SUBJECT)):
        caller.stranger = cluster.licensing.peer_showing(lambda shown=shown: shown)  # type: ignore[misc]

        assert party_in((await caller.exchange(secret)).token) == "firehose"


def party_in(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["sub"])


async def test_strangers_have_no_more_than_that(cluster: Cluster) -> None:
    async with grpc.aio.insecure_channel(cluster.licensing.address) as channel:
        stub: Any = ReleaseServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Decide(pb.DecideRequest())

    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_token_from_a_key_is_believed_by_every_service_of_the_installation(
    cluster: Cluster, caller: KeyCaller, tmp_path: Path
) -> None:
    token = (await caller.exchange((await caller.create(LICENSEE, "acme", sandbox=True)).secret)).token

    principal = a_verifier(some_keys(tmp_path), cluster.clock).verify(token)

    assert (principal.kind, principal.party, principal.sandbox) == (PrincipalKind.LICENSEE, "acme", True)
