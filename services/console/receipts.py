"""`sluice receipt`: checks receipts with no server running."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.console import log, options
from services.console.installation import StateFolder
from services.console.long_work import told
from services.console.output import counted, give_json, note, say
from sluice_gate.plan import JobFiles
from sluice_gate.verifying.jobs import VerifiedJob, verify_job
from sluice_gate.verifying.keys import load_keys
from sluice_gate.verifying.tiles import verify_log_folder

app = typer.Typer(help="Receipts: what was signed about decisions.", no_args_is_help=True)


@app.callback()
def receipts() -> None:
    """Receipts: what was signed about decisions."""


@app.command("verify")
def verify(
    out: Annotated[
        Path, typer.Argument(help="What a release wrote; its receipts stand beside it.", exists=True)
    ],
    *,
    keys: Annotated[
        Path | None,
        typer.Option(help="JWKS with the platform's receipt keys. Else that of the local installation."),
    ] = None,
    posts: Annotated[
        Path | None,
        typer.Option(
            help="The file that was released from: only with it are texts compared with the input.",
            exists=True,
        ),
    ] = None,
    log_folder: Annotated[
        Path | None,
        typer.Option(
            "--log",
            help="A copy of the folder of the log: each receipt must be in it, in its place.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    origin: log.Origin = log.LOCAL_ORIGIN,
    log_keys: Annotated[
        Path | None,
        typer.Option(help="JWKS with the keys of the log. Else that of the local installation."),
    ] = None,
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """Verify every receipt of a release, and that the output holds exactly the posts that the receipts say.

    Needs no server: signatures, digests, manifests and output are recomputed from the files. Ends with 1 at
    the first thing that is not as it should be, and says what. Nobody signs the text of a post: without
    --posts it is compared only with the digest that the job itself wrote down.
    """
    jwks = keys if keys is not None else StateFolder(state).existing_keys().receipt_jwks
    verified = verify_job(out, load_keys(jwks), posts=posts)
    size = None
    if log_folder is not None:
        with told(as_json=as_json) as tell:
            shown = verify_log_folder(log_folder, log.the_log(state, origin, log_keys), tell)
        log.places_in_copy(JobFiles.beside(out).receipts, log_folder, shown, load_keys(jwks))
        size = shown.size
    if as_json:
        give_json(_plain(verified, compared=posts is not None) | {"log_size": size})
        return
    for line in what_was_checked(verified, compared=posts is not None):
        say(f"  {line}")
    if size is not None:
        say(f"  the log of {counted(size, 'receipt')}, computed again: each of these is in it, in its place")
    say(f"All of it holds, by the keys in {jwks}.")
    if verified.under_revoked_keys:
        old = counted(verified.under_revoked_keys, "receipt")
        note(
            f"{old} of a key that was revoked later: only a checkpoint that somebody kept from before shows"
            " that they are as old as they say."
        )
    if posts is None:
        note("Texts were compared only with the job's own record, not with the input; --posts does that.")
    note("It shows that what is here is in order, not that nothing else ever left.")


def what_was_checked(verified: VerifiedJob, *, compared: bool) -> list[str]:
    """A line for each thing that a verification recomputed."""
    receipts = counted(verified.receipts, "receipt")
    batches = counted(verified.batches, "batch", "batches")
    asked, delivered = counted(verified.asked, "post"), counted(verified.delivered, "post")
    lines = [
        f"{receipts} in {batches}: each signed, each of a request of this run, none used twice",
        f"{asked} asked for: the digests signed are those of the posts and their verdicts",
        f"{delivered} in the output: exactly those released, in order, as the job wrote them down",
        "the manifest: every contributor's line belongs to the root that was signed",
    ]
    if compared:
        lines.append("the input: every batch is of its posts, and the output is byte for byte as in it")
    if not verified.finished:
        lines.append("the run has not reached the end of its input; this is what it has done so far")
    return lines


def _plain(verified: VerifiedJob, *, compared: bool) -> dict[str, Any]:
    return {
        "verified": True,
        "run": verified.run,
        "finished": verified.finished,
        "batches": verified.batches,
        "receipts": verified.receipts,
        "asked": verified.asked,
        "delivered": verified.delivered,
        "compared_with_input": compared,
        "under_revoked_keys": verified.under_revoked_keys,
        "decisions": sorted(verified.decision_ids),
    }
