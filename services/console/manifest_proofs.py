"""`sluice subjects proof` and `verify-proof`: what a release held of one subject, shown and checked (R4)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from services.console import log, options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.long_work import told
from services.console.output import counted, give_json, note, say
from sluice.licensing.v1 import manifest_service_pb2 as pb
from sluice.licensing.v1.manifest_service_pb2_grpc import ManifestServiceStub
from sluice_gate.verifying.checkpoints import Log
from sluice_gate.verifying.keys import Keys
from sluice_gate.verifying.logged import LoggedReceipt, verify_in_copy, verify_logged
from sluice_gate.verifying.manifest_proofs import (
    VerifiedLeaf,
    manifest_proof_file,
    manifest_proof_of,
    read_manifest_proof,
    verify_manifest_proof,
)
from sluice_gate.verifying.proof_files import read_proof
from sluice_gate.verifying.tiles import verify_log_folder


def proof(
    subject: options.SubjectId,
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="Id of the decision that released.")],
    *,
    out: log.Out = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Give the proof of what a release held of one subject: their posts, or posts that embed theirs.

    It can be handed to them as it is, and shows nothing of anyone else's. Whoever has it and the keys of
    receipts needs no server: `sluice subjects verify-proof` checks it.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    found = connections.run(lambda connections: manifest_proof(connections, decision, subject))
    content = manifest_proof_file(manifest_proof_of(found.proof))
    if out is not None:
        out.write_bytes(content)
    if as_json:
        give_json(
            {"decision_id": decision, "posts": len(found.proof.leaf.post_ids), "proof": content.decode()}
        )
        return
    if out is None:
        say(content.decode().removesuffix("\n"))
    held = counted(len(found.proof.leaf.post_ids), "post")
    note(f"{held} of subject {subject}. What it proves was not checked here.")


def verify_proof(
    file: Annotated[Path, typer.Argument(help="The proof.", exists=True, dir_okay=False)],
    *,
    subject: Annotated[
        int | None,
        typer.Option(
            help="Whom it must be about. Else whom it says.",
            parser=options.subject_number,
            show_default=False,
        ),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(help="JWKS with the platform's receipt keys. Else that of the local installation."),
    ] = None,
    in_log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="FOLDER|PROOF",
            help="A copy of the folder of the log, or a proof of the receipt's place: it must be there.",
            exists=True,
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
    """Verify what a release held of one subject, with no server running, and say what that proves.

    Ends with 1 at the first thing that is not as it should be, and says what.
    """
    given = read_manifest_proof(file.read_bytes())
    signers = log.receipt_keys_of(state, keys)
    shown = verify_manifest_proof(given, given.leaf.contributor if subject is None else subject, signers)
    logged = None
    if in_log is not None:
        the_log = log.the_log(state, origin, log_keys)
        logged = place_of(given.receipt, in_log, the_log, signers, as_json=as_json)
    if as_json:
        give_json(plain(shown, logged))
        return
    for line in what_was_proved(shown, logged):
        say(line)
    for line in what_was_not(shown, logged):
        note(line)


def place_of(receipt: str, where: Path, the_log: Log, keys: Keys, *, as_json: bool) -> LoggedReceipt:
    """The receipt in a copy of the log, or by a proof; raises VerificationError and OSError."""
    if where.is_file():
        return verify_logged(receipt, *read_proof(where.read_bytes()), the_log, keys)
    with told(as_json=as_json) as tell:
        return verify_in_copy(receipt, where, verify_log_folder(where, the_log, tell), keys)


def what_was_proved(shown: VerifiedLeaf, logged: LoggedReceipt | None) -> Iterator[str]:
    """In words."""
    claims = shown.claims
    posts = counted(len(shown.posts), "post")
    yield f"Decision {claims.decision_id} of {claims.decided_at} released to {claims.licensee_id},"
    yield f"for {claims.purpose}, {posts} with something of subject {shown.subject} in them:"
    yield f"  {', '.join(map(str, shown.posts))}"
    yield "The platform has signed this: the subject's line leads to the root that is in its receipt."
    if logged is not None:
        size = counted(logged.checkpoint.size, "receipt")
        yield f"The log of {size} has this receipt, in its place as number {logged.number:,}."


def what_was_not(shown: VerifiedLeaf, logged: LoggedReceipt | None) -> Iterator[str]:
    """Likewise."""
    if shown.key_is_revoked:
        yield (
            "The key of the receipt was revoked later: that it is as old as it says is shown only by a "
            "checkpoint that somebody kept from before."
        )
    if logged is None:
        yield "It does not show that the platform's log has the receipt; --log does."
    yield "It does not show that the posts were delivered, nor that no other release held posts of theirs."


def plain(shown: VerifiedLeaf, logged: LoggedReceipt | None) -> dict[str, Any]:
    """What was verified, as JSON values; ids as strings, as they can be above 2^53."""
    return {
        "verified": True,
        "decision_id": shown.claims.decision_id,
        "receipt_number": shown.claims.number,
        "decided_at": shown.claims.decided_at,
        "licensee_id": shown.claims.licensee_id,
        "purpose": shown.claims.purpose,
        "subject_id": str(shown.subject),
        "posts": [str(id) for id in shown.posts],
        "key_is_revoked": shown.key_is_revoked,
        "log_size": logged.checkpoint.size if logged else None,
    }


async def manifest_proof(
    connections: Connections, decision_id: str, subject_id: int
) -> pb.GetManifestProofResponse:
    """Raises Refusal (DECISION_UNKNOWN, CONTRIBUTOR_UNKNOWN and others)."""
    peer = connections.peer("licensing")
    request = pb.GetManifestProofRequest(decision_id=decision_id, subject_id=subject_id)
    return await peer.call(ManifestServiceStub(peer.channel).GetManifestProof, request)
