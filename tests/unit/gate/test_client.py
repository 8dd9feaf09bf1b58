"""The connection to licensing: what it says of failures, and the trace that goes with each call."""

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from sluice_gate.client import LicensingClient
from sluice_gate.errors import CallRefused
from tests.support.gate import Failure, FakeReleases, licensing
from tests.support.release_jobs import a_request


async def test_each_decision_is_a_trace_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "get_tracer", TracerProvider().get_tracer)
    fake = FakeReleases()

    async with licensing(fake) as client:
        with TracerProvider().get_tracer("the whole job").start_as_current_span("job") as job:
            await client.decide(a_request(1))
            await client.decide(a_request(1))

    traces = {headers["traceparent"].split("-")[1] for headers in fake.headers}
    assert len(traces) == 2
    assert f"{job.get_span_context().trace_id:032x}" not in traces


@pytest.mark.parametrize(
    ("code", "passing"),
    [
        (grpc.StatusCode.UNAVAILABLE, True),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, True),
        (grpc.StatusCode.ABORTED, True),
        (grpc.StatusCode.INVALID_ARGUMENT, False),
        (grpc.StatusCode.PERMISSION_DENIED, False),
    ],
)
async def test_a_refusal_says_its_reason_and_whether_it_may_pass(
    code: grpc.StatusCode, passing: bool
) -> None:
    fake = FakeReleases(failures=[Failure(code, "SOME_REASON")])

    async with licensing(fake) as client:
        with pytest.raises(CallRefused) as refused:
            await client.decide(a_request(1))

    assert (refused.value.reason, refused.value.passing) == ("SOME_REASON", passing)


@pytest.mark.parametrize("token", ["", "two\nlines", "two words", "t\u00f6ken", "a\x00b"])
async def test_what_can_be_no_token_is_refused_before_it_is_sent(token: str) -> None:
    fake = FakeReleases()

    async with licensing(fake, lambda: token) as client:
        with pytest.raises(CallRefused) as refused:
            await client.decide(a_request(1))

    assert (refused.value.reason, refused.value.passing, fake.headers) == ("TOKEN_INVALID", False, [])


async def test_a_client_that_reaches_nobody_says_so() -> None:
    client = LicensingClient("127.0.0.1:9", lambda: "a-token", deadline_seconds=5)

    with pytest.raises(CallRefused) as refused:
        await client.confirm("x", b"")
    await client.close()

    assert (refused.value.passing, refused.value.reason) == (True, "UNAVAILABLE")
