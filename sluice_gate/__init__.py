"""The library that a pipeline imports: it passes on only those posts that may go, and can prove it later.

A job asks licensing for a decision on each batch of posts, writes what may leave, byte for byte and in order,
confirms it, and keeps every receipt:

    from sluice_gate import LicensingClient, Plan, PostForm, ReleaseJob, detect

    async def release(posts: Path, out: Path) -> None:
        client = LicensingClient("licensing:7603", token=read_token)
        try:
            form = PostForm(detect(posts))
            plan = Plan(posts, out, "acme-2026", Purpose.PURPOSE_AI_TRAINING_GENERATIVE, form)
            job = ReleaseJob(plan, client)
            report = await job.start()  # or job.resume(run), after any interruption
        finally:
            await client.close()

A pipeline that has an API key shows tokens that are got with it, for as long as the job takes:

    encrypted = grpc.ssl_channel_credentials()
    tokens = ApiKeyTokens(exchanging("licensing:7603", read_api_key, encrypted))
    client = LicensingClient("licensing:7603", token=tokens, credentials=encrypted)

What it left behind is verified with nothing but the published keys:

    from sluice_gate import load_keys, verify_job

    verify_job(out, load_keys(Path("receipts.jwks")), posts=posts)

What it raises is listed in `sluice_gate.errors`; how a job survives a crash is told in `sluice_gate.job`.
"""

from sluice_gate.client import LicensingClient
from sluice_gate.errors import (
    AnswerInvalid,
    CallRefused,
    FormError,
    GateError,
    JobRefused,
    VerificationError,
)
from sluice_gate.job import ReleaseJob
from sluice_gate.plan import JobFiles, Plan
from sluice_gate.reading.forms import Format, PostForm, detect
from sluice_gate.reading.plain_form import Names
from sluice_gate.report import Ended, Report
from sluice_gate.tokens import ApiKeyTokens, exchanging
from sluice_gate.verifying.jobs import VerifiedJob, verify_job
from sluice_gate.verifying.keys import load_keys
from sluice_gate.verifying.receipts import Evidence, VerifiedReceipt, verify_receipt

__all__ = [
    "AnswerInvalid",
    "ApiKeyTokens",
    "CallRefused",
    "Ended",
    "Evidence",
    "FormError",
    "Format",
    "GateError",
    "JobFiles",
    "JobRefused",
    "LicensingClient",
    "Names",
    "Plan",
    "PostForm",
    "ReleaseJob",
    "Report",
    "VerificationError",
    "VerifiedJob",
    "VerifiedReceipt",
    "detect",
    "exchanging",
    "load_keys",
    "verify_job",
    "verify_receipt",
]
