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

Inside of the platform's network licensing demands a certificate, and shows one that calls it "licensing":

    encrypted = grpc.ssl_channel_credentials(ca_pem, key_pem, certificate_pem)
    tokens = ApiKeyTokens(exchanging(target, read_api_key, encrypted, server_name="licensing"))
    client = LicensingClient(target, token=tokens, credentials=encrypted, server_name="licensing")

What it left behind is verified with nothing but the published keys:

    from sluice_gate import load_keys, verify_job

    verify_job(out, load_keys(Path("receipts.jwks")), posts=posts)

and so are single decisions, what one contributor was shown, and the log: docs/verifying.md says what needs
what.

The service that hands out content to licensees who asked by post id serves what their decision released:

    serving = PostServing(client)
    posts = await serving.open(decision_id, licensee_id="acme")
    sent = [id for id in posts.ids if posts.may_serve() and await send(id)]
    await serving.confirm(posts, sent)

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
from sluice_gate.posts import Post
from sluice_gate.reading.forms import Format, PostForm, detect
from sluice_gate.reading.plain_form import Names
from sluice_gate.report import Ended, Report
from sluice_gate.serving import PostServing, Servable
from sluice_gate.tokens import ApiKeyTokens, exchanging
from sluice_gate.verifying.checkpoints import Checkpoint, Log, verify_checkpoint, verify_growth
from sluice_gate.verifying.decisions import verify_decision
from sluice_gate.verifying.jobs import VerifiedJob, verify_job
from sluice_gate.verifying.keys import Key, load_keys
from sluice_gate.verifying.logged import InclusionProof, LoggedReceipt, verify_in_copy, verify_logged
from sluice_gate.verifying.manifest_proofs import (
    ManifestProof,
    VerifiedLeaf,
    manifest_proof_file,
    manifest_proof_of,
    read_manifest_proof,
    verify_manifest_proof,
)
from sluice_gate.verifying.proof_files import proof_file, read_proof
from sluice_gate.verifying.receipts import Evidence, VerifiedReceipt, verify_receipt
from sluice_gate.verifying.requested import VerifiedRequest, verify_requested
from sluice_gate.verifying.tiles import verify_kept, verify_log_folder

__all__ = [
    "AnswerInvalid",
    "ApiKeyTokens",
    "CallRefused",
    "Checkpoint",
    "Ended",
    "Evidence",
    "FormError",
    "Format",
    "GateError",
    "InclusionProof",
    "JobFiles",
    "JobRefused",
    "Key",
    "LicensingClient",
    "Log",
    "LoggedReceipt",
    "ManifestProof",
    "Names",
    "Plan",
    "Post",
    "PostForm",
    "PostServing",
    "ReleaseJob",
    "Report",
    "Servable",
    "VerificationError",
    "VerifiedJob",
    "VerifiedLeaf",
    "VerifiedReceipt",
    "VerifiedRequest",
    "detect",
    "exchanging",
    "load_keys",
    "manifest_proof_file",
    "manifest_proof_of",
    "proof_file",
    "read_manifest_proof",
    "read_proof",
    "verify_checkpoint",
    "verify_decision",
    "verify_growth",
    "verify_in_copy",
    "verify_job",
    "verify_kept",
    "verify_log_folder",
    "verify_logged",
    "verify_manifest_proof",
    "verify_receipt",
    "verify_requested",
]
