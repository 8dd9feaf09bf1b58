"""Metering as a process of its own keeps the limits of its file, follows it, and starts on no wrong one."""

import asyncio
from pathlib import Path

import pytest

from gateway import rate_limit_pb2 as pb
from gateway.rate_limit_pb2_grpc import RateLimitServiceStub
from tests.support.metering_process import MeteringProcess, metering_in
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

LINE = "domain: gateway\ndescriptors:\n  - {key: kind, rate_limit: {unit: day, requests_per_unit: %s}}\n"


def write(file: Path, text: str) -> None:
    draft = file.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(file)


async def ask(process: MeteringProcess) -> pb.RateLimitResponse:
    entry = pb.RateLimitDescriptor.Entry(key="kind", value="licensee")
    request = pb.RateLimitRequest(domain="gateway", descriptors=[pb.RateLimitDescriptor(entries=[entry])])
    stub = RateLimitServiceStub(process.gateway.channel)
    answer: pb.RateLimitResponse = await process.gateway.call(stub.ShouldRateLimit, request)
    return answer


async def test_what_was_counted_before_a_kill_counts_after_it_and_a_changed_file_holds_soon(
    tmp_path: Path,
) -> None:
    file = tmp_path / "limits.yaml"
    write(file, LINE % 2)
    async with metering_in(tmp_path, LIMITS_FILE=str(file), LIMITS_SECONDS="0.02") as first:
        before = [await ask(first), await ask(first)]
        await first.kill()

    async with metering_in(tmp_path, LIMITS_FILE=str(file), LIMITS_SECONDS="0.02") as second:
        full = await ask(second)
        write(file, LINE % 3)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (raised := await ask(second)).overall_code != pb.RateLimitResponse.OK:
                pass

    assert {each.overall_code for each in before} == {pb.RateLimitResponse.OK}
    assert full.overall_code == pb.RateLimitResponse.OVER_LIMIT
    assert raised.statuses[0].limit_remaining == 0


async def test_a_process_does_not_start_on_a_wrong_file_and_names_the_part_at_fault(tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    write(file, LINE % 20_000)

    with pytest.raises(AssertionError, match=r"LIMITS_FILE_INVALID: .*requests_per_unit is over 10,000"):
        await MeteringProcess.start(tmp_path, LIMITS_FILE=str(file))
