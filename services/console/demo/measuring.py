"""How many verdicts a second the services give by themselves, with no file read or written in between."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

from services.chassis.clock import SystemClock
from services.chassis.ids import uuid7
from services.console.demo.background import in_background
from services.console.demo.papers import LICENSE, PURPOSE
from services.console.demo.stage import Stage
from services.console.demo.telling import Telling
from services.console.names import value_name
from sluice.licensing.v1.release_service_pb2 import DecideRequest, Decision
from sluice.type.v1.purpose_pb2 import Purpose
from sluice_gate.batching import batches
from sluice_gate.client import LicensingClient
from sluice_gate.columns import columns_of
from sluice_gate.reading.reader import PostReader

BATCH = 1_000
MOST_BATCHES = 100
IN_FLIGHT = 8


async def the_services_alone(telling: Telling) -> None:
    """Asks for the posts again, in requests made beforehand. Nothing is delivered, and that is confirmed."""
    say, stage = telling.say, telling.stage
    requests = await in_background(lambda: list(_requests(stage)))
    client = LicensingClient(stage.licensing, stage.pipeline)
    try:
        began = time.perf_counter()
        decisions = await _decide_all(client, requests)
        seconds = time.perf_counter() - began
        for decision in decisions:
            await client.confirm(decision.decision_id, bytes((len(decision.verdicts) + 7) // 8))
    finally:
        await client.close()
    verdicts = sum(len(decision.verdicts) for decision in decisions)
    asked = sum(len(request.columns.kinds) for request in requests)
    say.tell(
        f"To see what the services do alone, {asked:,} posts are asked for again, {IN_FLIGHT} batches at a"
        f" time: {len(decisions):,} durable decisions in {seconds:.1f} s. Nothing is delivered on them."
    )
    say.check(verdicts == asked, "every post asked for gets a verdict")
    telling.figures["verdicts a second at batch 1,000, durable: the services alone"] = verdicts / seconds


def _requests(stage: Stage) -> Iterator[DecideRequest]:
    assert stage.form is not None
    clock = SystemClock()
    with closing(PostReader(stage.posts, stage.form)) as reader:
        for batch in islice(batches(reader, BATCH, reader.body), MOST_BATCHES):
            if batch.posts:
                yield DecideRequest(
                    request_id=uuid7(clock.now_us()),
                    license_id=LICENSE,
                    purpose=value_name(Purpose.DESCRIPTOR, PURPOSE),
                    columns=columns_of(batch.posts),
                )


async def _decide_all(client: LicensingClient, requests: list[DecideRequest]) -> list[Decision]:
    places = asyncio.Semaphore(IN_FLIGHT)

    async def decide(request: DecideRequest) -> Decision:
        async with places:
            return await client.decide(request)

    return await asyncio.gather(*(decide(request) for request in requests))
