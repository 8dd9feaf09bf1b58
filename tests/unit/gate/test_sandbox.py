"""The gate and the sandbox: nothing is delivered or confirmed on it, and its receipts prove no release."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from sluice.licensing.v1.api_key_pb2 import KeyHolder
from sluice.licensing.v1.token_service_pb2 import GetTokenResponse
from sluice_gate.delivering import Step
from sluice_gate.errors import VerificationError
from sluice_gate.report import Ended
from sluice_gate.tokens import ApiKeyTokens
from sluice_gate.verifying.keys import parse_keys
from sluice_gate.verifying.receipts import Evidence, verify_receipt
from tests.support.gate import KEY, FakeReleases, Stored, base64url, canonical, jwks, licensing, sign
from tests.support.release_jobs import Crash, a_file, a_job, a_plan, a_request, crash_at, the_run

KEYS = parse_keys(jwks())


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def mark(stored: Stored) -> None:
    """As a decision of the sandbox, but for all that would keep a gate from delivering by itself."""
    stored.decision.sandbox = True


async def test_a_job_with_a_sandbox_key_delivers_and_confirms_nothing_and_says_why(tmp_path: Path) -> None:
    fake, plan = FakeReleases(on_decided=mark), a_plan(a_file(tmp_path, 9))

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert files_in(tmp_path) == ["posts.jsonl"]
    assert all(stored.delivered is None for stored in fake.stored.values())
    assert (report.ended, report.reason, report.released) == (Ended.REFUSED, "SANDBOX_KEY", 0)
    assert "sandbox key" in report.message


async def test_a_run_that_is_resumed_with_a_sandbox_key_keeps_all_that_it_has(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path, 9), in_flight=1)
    async with licensing(fake) as client:
        with pytest.raises(Crash):
            await a_job(plan, client, fake.clock, crash_at(Step.CONFIRMED, 2)).start()
        before = plan.out.read_bytes()

        fake.on_decided = mark
        report = await a_job(plan, client, fake.clock).resume(the_run(plan))
        fake.on_decided = lambda stored: None
        fake.stored = {id: stored for id, stored in fake.stored.items() if not stored.decision.sandbox}
        done = await a_job(plan, client, fake.clock).resume(the_run(plan))

    assert before
    assert (report.ended, report.reason) == (Ended.REFUSED, "SANDBOX_KEY")
    assert (done.ended, done.asked) == (Ended.FINISHED, 9)
    assert plan.out.read_bytes().startswith(before)


async def test_tokens_say_whether_their_key_is_of_the_sandbox() -> None:
    def exchange(sandbox: bool) -> GetTokenResponse:
        response = GetTokenResponse(token="a-token", holder=KeyHolder(sandbox=sandbox))
        response.valid_for.FromSeconds(300)
        return response

    assert [ApiKeyTokens(lambda sandbox=each: exchange(sandbox)).sandbox for each in (True, False)] == [  # type: ignore[misc]
        True,
        False,
    ]


def some_evidence() -> Evidence:
    request = a_request(3)
    decision = FakeReleases().conclude(request).decision
    return Evidence(decision.receipt, request, decision.verdicts, decision.salt)


def reason_of(evidence: Evidence) -> str:
    with pytest.raises(VerificationError) as refused:
        verify_receipt(evidence, KEYS)
    return refused.value.reason


def signed(header_type: str, **claims: object) -> Evidence:
    """Evidence whose receipt is of that type and makes these claims too, honestly signed."""
    evidence = some_evidence()
    head, payload, _ = evidence.receipt.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "==")) | {"typ": header_type}
    said = json.loads(base64.urlsafe_b64decode(payload + "==")) | claims
    content = f"{base64url(canonical(header))}.{base64url(canonical(said))}"
    return replace(evidence, receipt=f"{content}.{base64url(KEY.sign(content.encode()))}")


def test_what_is_of_the_sandbox_by_header_or_by_claim_proves_no_release() -> None:
    real, trial = "sluice-receipt+json", "sluice-sandbox-receipt+json"

    assert verify_receipt(signed(real), KEYS).claims.outcome == "PARTIAL"
    for evidence in (
        signed(trial),
        signed(trial, sandbox=True, number=None),
        signed(real, sandbox=True),
        signed(real, sandbox=False),
    ):
        assert reason_of(evidence) == "SANDBOX_RECEIPT"


def test_a_receipt_without_a_number_is_none_of_the_ledger() -> None:
    evidence = some_evidence()
    payload = evidence.receipt.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "==")) | {"number": None}

    assert reason_of(replace(evidence, receipt=sign(claims))) == "CLAIM_MALFORMED"
