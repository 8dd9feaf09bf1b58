"""Replicas of licensing as processes over one database, with one consent and one metering that they ask."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import reason_pb2
from tests.support.consent_fleet import CONSENT
from tests.support.replicas import Lines, Replica, running
from tests.support.willing_subjects import TRAINING, an_import, an_opt_out_policy

REAL, TRUSTING = "services.licensing", "tests.support.trusting_licensing"
CONTRACTS = "sluice.licensing.v1.ContractService"
RELEASES = "sluice.licensing.v1.ReleaseService"
AUTHORS = range(1_000, 1_020)
"""All of them are willing."""
SOON_US = 1_000_000
"""Until the policy takes effect; it may not be announced for the past."""
CALL_SECONDS = 5.0
# Longer than a run: what becomes of permits and holds is shown elsewhere, and takes time from decisions.
_LONG_PERMITS = {"PERMIT_SECONDS": "3600"}
_NO_SWEEPS = {"SWEEP_AGE_SECONDS": "7200"}


@contextlib.asynccontextmanager
async def licensing_replicas(
    program: str,
    urls: Mapping[str, str],
    folder: Path,
    count: int,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[list[Replica]]:
    """Replicas that serve, whose peers let the posts of all authors go; killed on leaving.

    `urls` of the databases, by service; `settings` of licensing come on top.
    """

    def replica(of: str, service: str, settings: Mapping[str, str]) -> Replica:
        # All have the same keys: what one of them signs the others believe.
        common = {"DATABASE_URL": urls[service], "STATE_DIR": str(folder)}
        return Replica(of, service, folder, {**common, **settings})

    heads = {"HEAD_DIR": str(folder / "heads")}
    consent = replica("services.consent", "consent", {**_LONG_PERMITS, **heads})
    metering = replica("services.metering", "metering", heads)
    log = {"LOG_DIR": str(folder / "log"), **heads}
    targets = {"CONSENT_TARGET": consent.address, "METERING_TARGET": metering.address}
    ours = {**log, **_LONG_PERMITS, **_NO_SWEEPS, **targets, **(settings or {})}
    replicas = [replica(program, "licensing", ours) for _ in range(count)]
    async with running([consent, metering, *replicas]):
        lines = Lines([consent.address], CONSENT, folder, seconds=CALL_SECONDS)
        await make_all_willing(lines)
        await lines.close()
        yield replicas


async def make_all_willing(lines: Lines) -> None:
    """Returns when consent lets a post of theirs go."""
    clock, operator = SystemClock(), PrincipalKind.OPERATOR
    imported = an_import(uuid7(clock.now_us()), AUTHORS)
    assert await lines.call(0, "ImportSubjects", operator, imported, pb.ImportSubjectsResponse) is not None
    policy = an_opt_out_policy(uuid7(clock.now_us()), clock.now_us() + SOON_US)
    assert await lines.call(0, "PublishPolicy", operator, policy, pb.PublishPolicyResponse) is not None
    question = pb.CheckConsentRequest(
        licensee_id="acme",
        purpose=TRAINING,
        post_ids=AUTHORS[0].to_bytes(8, "little"),
        author_ids=AUTHORS[0].to_bytes(8, "little"),
        embed_offsets=bytes(8),
        author_jurisdictions=["*"],
    )
    reasons = b""
    while reasons != bytes([reason_pb2.CONSENT_REASON_ALLOWED]):
        await asyncio.sleep(0.02)
        answer = await lines.call(0, "CheckConsent", PrincipalKind.SERVICE, question, pb.CheckConsentResponse)
        reasons = b"" if answer is None else bytes(answer.reasons)
