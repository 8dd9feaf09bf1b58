"""One trace for a decision, from licensing to the three databases, its id in the receipt, sent over OTLP."""

import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from services.chassis.clock import SystemClock
from services.chassis.ids import uuid7
from services.console.credentials import PIPELINE, token_source
from services.console.installation import StateFolder
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice.type.v1.purpose_pb2 import Purpose
from sluice_gate import LicensingClient
from sluice_gate.columns import columns_of
from sluice_gate.posts import Post
from tests.support.collector import CollectedSpan, a_collector
from tests.support.fleet import a_fleet
from tests.support.platforms import a_platform

DECIDE = "sluice.licensing.v1.ReleaseService/Decide"
ON_STREAM = "sluice.licensing.v1.ReleaseService/DecideStreamRequest"
CHECK = "sluice.consent.v1.ConsentService/CheckConsent"
RESERVE = "sluice.metering.v1.MeteringService/Reserve"


def lineage(spans: list[CollectedSpan]) -> set[tuple[str, str, str]]:
    """(service, name of the span, name of its parent) for each span; "" where it has none."""
    names = {span.span.span_id: span.span.name for span in spans}
    return {(each.service, each.span.name, names.get(each.span.parent_span_id, "")) for each in spans}


def work_of(spans: list[CollectedSpan]) -> list[tuple[str, str]]:
    """(system, function that asked) for each span of a database, by start."""
    attributes = [
        {each.key: each.value.string_value for each in span.span.attributes}
        for span in sorted(spans, key=lambda span: span.span.start_time_unix_nano)
    ]
    return [
        (each["db.system.name"], each["code.function.name"])
        for each in attributes
        if "db.system.name" in each
    ]


def claims_of(receipt: str) -> dict[str, object]:
    """What a receipt says; its signature is another test's."""
    payload = receipt.split(".")[1]
    claims: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


async def decided(state: StateFolder, licensing: str, request: pb.DecideRequest) -> pb.Decision:
    """The answer to a call of its own."""
    client = LicensingClient(licensing, token_source(state, None, PIPELINE))
    decision: pb.Decision = await client.decide(request)
    await client.close()
    return decision


async def streamed(state: StateFolder, licensing: str, request: pb.DecideRequest) -> pb.Decision:
    """The answer on a stream on which another request has been answered before."""
    metadata = (("authorization", f"Bearer {token_source(state, None, PIPELINE)()}"),)
    first = pb.DecideRequest()
    first.CopyFrom(request)
    first.request_id = uuid7(SystemClock().now_us())
    async with grpc.aio.insecure_channel(licensing) as channel:
        decide: Any = ReleaseServiceStub(channel).DecideStream
        stream = decide(metadata=metadata)
        for each in (first, request):
            await stream.write(pb.DecideStreamRequest(request=each))
            answer: pb.DecideStreamResponse = await stream.read()
        await stream.done_writing()
        assert await stream.read() is grpc.aio.EOF
    assert answer.number == 2
    return answer.decision


@pytest.mark.parametrize(("ask", "root"), [(decided, DECIDE), (streamed, ON_STREAM)])
async def test_a_decision_is_one_trace_over_the_three_services(
    ask: Callable[[StateFolder, str, pb.DecideRequest], Awaitable[pb.Decision]], root: str, tmp_path: Path
) -> None:
    async with a_collector() as collector:
        everywhere = {"otlp_endpoint": f"http://{collector.address}"}
        settings = dict.fromkeys(("consent", "metering", "licensing"), everywhere)
        state = StateFolder(tmp_path / "state")
        async with a_fleet(state.root, settings) as fleet:
            platform = await a_platform(fleet, tmp_path / "posts", posts=10, accounts=20, seed=1)
            await fleet.license("traced")
            author = next(
                account
                for account in platform.accounts[1:]
                if account.noticed and not account.state and account.jurisdiction == "US"
            )
            post = Post(
                id=1, author_id=author.id, kind=1, media_flags=0, language="en", posted_at_us=1, embeds=()
            )
            request = pb.DecideRequest(
                request_id=fleet.new_id(),
                license_id="traced",
                purpose=Purpose.PURPOSE_AI_TRAINING_GENERATIVE,
                columns=columns_of([post]),
            )

            decision = await ask(state, fleet.address("licensing"), request)
            spans = await collector.trace(decision.trace_id, 10)

    assert decision.outcome == pb.OUTCOME_RELEASED
    assert claims_of(decision.receipt)["trace_id"] == decision.trace_id
    assert lineage(spans) == {
        ("licensing", root, ""),
        ("licensing", CHECK, root),
        ("consent", CHECK, CHECK),
        ("licensing", RESERVE, root),
        ("metering", RESERVE, RESERVE),
        # And down to the databases.
        ("licensing", "read licensing", root),
        ("consent", "read consent", CHECK),
        ("metering", "write metering", RESERVE),
        ("licensing", "write licensing", root),
    }
    assert work_of(spans) == [
        ("sqlite", "services.licensing.storage.ledger.LedgerStore.read"),
        ("sqlite", "services.licensing.storage.contracts.ContractStore.read"),
        ("sqlite", "services.consent.storage.register.SqlRegister.follow"),
        ("sqlite", "services.metering.storage.books.SqlBooks._post_all"),
        ("sqlite", "services.licensing.storage.ledger.LedgerStore.write"),
    ]
    assert str(author.id) not in "".join(str(span.span) for span in spans)
    assert not list((state.root / "traces").glob("*.jsonl"))
