"""What a partner cannot learn: why a post is not available, from any byte of any answer, header or trailer.

Who is a minor, has opted out, is deactivated or protected, and which posts are withheld, deleted or unknown,
is no licensee's business: changing one for another changes nothing but ids, times, digests and signatures.
"""

import base64
import json
import re
import statistics
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import httpx
import pytest

from services.console.connections import Connections
from sluice.consent.v1 import state_change_pb2 as states
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from tests.support.through import UNKNOWN_POST, Through, a_request
from tests.support.through_world import (
    DEACTIVATED,
    DELETED,
    MINOR,
    OPTED_OUT,
    PROTECTED,
    UNASKED,
    WITHHELD,
    change_states,
    opt_out,
    post_of,
)
from tests.support.waiting import until_told

WILLING_POST = post_of(11)
KEPT_BACK = {
    "opted out": post_of(OPTED_OUT),
    "a minor": post_of(MINOR),
    "deactivated": post_of(DEACTIVATED),
    "protected": post_of(PROTECTED),
    "deleted": post_of(DELETED),
    "withheld": post_of(WITHHELD),
    "never asked": post_of(UNASKED),
    "unknown": UNKNOWN_POST,
}
UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
DIGEST = re.compile(rb"\b([0-9a-f]{64}|[0-9a-f]{32})\b")
NUMBER = re.compile(rb'"(number|receiptNumber)":"?\d+"?')
LASTING = re.compile(rb'"validFor":"[0-9.]+s"')
KEY = re.compile(rb'"requestKey":"[A-Za-z0-9+/]{43}="')
"""Derived from what is random for each decision, whatever is in it."""
RECEIPT = re.compile(rb'"receipt":"([^"]*)"')
OWN_OF_A_CALL = {"date", "x-request-id", "content-length", "x-ratelimit-remaining", "x-ratelimit-reset"}
"""Of headers: what differs between any two calls. Lengths are those of bodies, which are compared."""


def masked(said: bytes) -> bytes:
    """JSON as it was sent, byte by byte, without what no two decisions share; receipts as what they say."""
    said = RECEIPT.sub(lambda found: b'"receipt":' + _claims(found[1]), said)
    for pattern, stands in (
        (UUID, b"ID"),
        (TIME, b"TIME"),
        (DIGEST, b"DIGEST"),
        (LASTING, b"LASTING"),
        (KEY, b"KEY"),
    ):
        said = pattern.sub(stands, said)
    return NUMBER.sub(rb'"\1":N', said)


def _claims(receipt: bytes) -> bytes:
    """Head and claims of a JWS, which sort by name and so stand where they stand in all; and no signature."""
    head, claims, signature = receipt.split(b".")
    assert len(signature) == 86
    return b".".join(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)) for part in (head, claims))


def lasting(answer: httpx.Response) -> tuple[int, dict[str, str]]:
    headers = {name: value for name, value in answer.headers.items() if name not in OWN_OF_A_CALL}
    return answer.status_code, headers


@pytest.mark.parametrize("beside", [(), (WILLING_POST,)], ids=["alone", "beside one that goes"])
async def test_the_answer_the_decision_and_the_receipt_are_the_same_for_whatever_reason(
    gateway: Through, beside: tuple[int, ...]
) -> None:
    answers, decisions = dict[str, Any](), dict[str, Any]()

    async with gateway.client() as client:
        for why, post in KEPT_BACK.items():
            answer = await gateway.release(*beside, post)
            path = f"/v1/decisions/{answer.json()['decision']['decisionId']}"
            looked_up = await client.get(path, headers=gateway.acme)
            answers[why] = (lasting(answer), masked(answer.content))
            decisions[why] = (lasting(looked_up), masked(looked_up.content))

    assert len(set(map(str, answers.values()))) == 1, answers
    assert len(set(map(str, decisions.values()))) == 1, decisions
    (status, _), body = answers["a minor"]
    assert (status, b'"reasons":""' in body, b'"consent_revision":null' in body) == (200, True, True)


async def test_metadata_and_trailers_of_grpc_are_the_same_for_whatever_reason(gateway: Through) -> None:
    told = dict[str, Any]()

    async with grpc.aio.insecure_channel(gateway.address) as channel:
        stub: Any = ReleaseServiceStub(channel)
        for why, post in KEPT_BACK.items():
            call = stub.RequestRelease(a_request(WILLING_POST, post), metadata=tuple(gateway.acme.items()))
            decision = (await call).decision
            parts = [await call.initial_metadata(), await call.trailing_metadata()]
            kept = [[(k, v) for k, v in part if k not in OWN_OF_A_CALL] for part in parts]
            told[why] = (kept, without_what_differs(decision))

    assert len(set(map(str, told.values()))) == 1, told


def without_what_differs(decision: pb.Decision) -> bytes:
    """All fields but ids, times, the receipt and what is random, also those that nobody here knows."""
    assert len(decision.request_key) == 32
    for field in (
        "request_key",
        "decision_id",
        "request_id",
        "receipt_number",
        "reservation_id",
        "trace_id",
        "receipt",
    ):
        decision.ClearField(field)
    for field in ("decided_at", "not_after", "counted_at", "valid_for"):
        decision.ClearField(field)
    return decision.SerializeToString(deterministic=True)


async def test_an_error_about_a_post_that_is_kept_back_says_the_same_for_whatever_reason(
    gateway: Through,
) -> None:
    told = dict[str, Any]()

    for why, post in KEPT_BACK.items():
        async with gateway.client() as client:
            form = {"requestId": "no id", "purpose": 2, "postIds": [str(post)]}
            answer = await client.post("/v1/licenses/acme-training/releases", json=form, headers=gateway.acme)
        told[why] = (lasting(answer), answer.content)

    assert len(set(map(str, told.values()))) == 1, told


Change = Callable[[Connections], Any]
WITHDRAWN: dict[str, tuple[int, Change]] = {
    "opted out": (21, lambda operator: opt_out(operator, 21)),
    **{
        why: (
            who,
            lambda operator, who=who, kind=kind: change_states(  # type: ignore[misc]
                operator, states.StateChange(subject_id=who, kind=kind)
            ),
        )
        for why, who, kind in (
            ("a minor", 22, states.STATE_CHANGE_KIND_MINOR),
            ("deactivated", 23, states.STATE_CHANGE_KIND_DEACTIVATE),
            ("deleted", 24, states.STATE_CHANGE_KIND_DELETE),
        )
    },
    "the post denied": (
        25,
        lambda operator: change_states(
            operator, states.StateChange(post_id=post_of(25), kind=states.STATE_CHANGE_KIND_DENY)
        ),
    ),
}


async def test_a_recall_says_the_same_whatever_it_is_that_withdraws_the_post(gateway: Through) -> None:
    posts = {why: post_of(who) for why, (who, _) in WITHDRAWN.items()}
    released = {why: await gateway.decided(post) for why, post in posts.items()}
    assert {each["outcome"] for each in released.values()} == {"OUTCOME_RELEASED"}

    async with gateway.operator() as operator:
        for _, change in WITHDRAWN.values():
            await change(operator)
    async with gateway.client() as client:

        async def all_told() -> dict[str, bytes]:
            told = {}
            async for entry in entries(client, gateway.acme):
                for why, post in posts.items():
                    packed = base64.b64encode(post.to_bytes(8, "little"))
                    if packed in entry:
                        told[why] = masked(entry.replace(packed, b"POST"))
            return told if len(told) == len(posts) else {}

        told = await until_told(all_told, "all of them are recalled")

    assert len(set(told.values())) == 1, told


async def entries(client: httpx.AsyncClient, shown: dict[str, str]) -> AsyncIterator[bytes]:
    """Those of all recalls of a licensee, one by one, as they are written."""
    recalls = (await client.get("/v1/recalls", headers=shown)).json()["recalls"]
    for recall in recalls:
        page = await client.get(f"/v1/recalls/{recall['recallId']}/entries", headers=shown)
        for entry in page.json()["entries"]:
            yield json.dumps(entry, sort_keys=True).encode().replace(b": ", b":")


async def test_how_long_answers_take_is_measured_for_each_reason(
    gateway: Through, record_property: Callable[[str, object], None]
) -> None:
    """Reported and not judged: a machine that does much else decides it as well."""
    seconds: dict[str, list[float]] = {why: [] for why in KEPT_BACK}

    async with gateway.client() as client:
        for _ in range(40):
            for why, post in KEPT_BACK.items():
                form = {"requestId": a_request().request_id, "purpose": 2, "postIds": [str(post)]}
                began = time.perf_counter()
                await client.post("/v1/licenses/acme-training/releases", json=form, headers=gateway.acme)
                seconds[why].append(time.perf_counter() - began)

    medians = {why: f"{statistics.median(each) * 1000:.2f}" for why, each in seconds.items()}
    record_property("figures", f"ms until a denial is answered, medians of 40 by reason: {medians}")
