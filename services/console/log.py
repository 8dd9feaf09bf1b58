"""`sluice log`: the log of receipts, what it has signed, proofs of it, and copies computed again."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from services.console import moments, options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.installation import StateFolder
from services.console.long_work import told
from services.console.names import complete
from services.console.output import counted, give_json, note, say
from sluice.licensing.v1 import log_service_pb2 as pb
from sluice.licensing.v1.log_service_pb2_grpc import LogServiceStub
from sluice_gate.errors import VerificationError
from sluice_gate.verifying.checkpoints import Checkpoint, Log
from sluice_gate.verifying.keys import Keys, load_keys
from sluice_gate.verifying.logged import InclusionProof, receipts_in, verify_in_copy, verify_logged
from sluice_gate.verifying.proof_files import proof_file, read_proof
from sluice_gate.verifying.tiles import verify_kept, verify_log_folder

LOCAL_ORIGIN = "localhost/receipts"

app = typer.Typer(help="The log of receipts: checkpoints, proofs, and copies of it.", no_args_is_help=True)

Origin = Annotated[str, typer.Option(help="The name of the log, as the platform says it.")]
LogKeys = Annotated[
    Path | None,
    typer.Option(
        "--keys", help="JWKS with the keys of the log. Else that of the local installation.", exists=True
    ),
]
Out = Annotated[Path | None, typer.Option(help="Write it to this file.", dir_okay=False)]


@app.command("checkpoint")
def checkpoint(
    *,
    out: Out = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Give the newest checkpoint, a signed note. Keep it: later ones are compared with it."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    newest = connections.run(newest_checkpoint)
    if out is not None:
        out.write_bytes(newest.note)
    if as_json:
        give_json(complete(newest) | {"note": newest.note.decode()})
        return
    if out is None:
        say(newest.note.decode().removesuffix("\n"))
    signed = moments.clock_face(newest.published_at)
    note(f"Over {counted(newest.size, 'receipt')}, signed at {signed}. Its signature was not checked here.")


@app.command("proof")
def proof(
    which: Annotated[
        str, typer.Argument(metavar="DECISION|NUMBER", help="Id of the decision, or number of the receipt.")
    ],
    *,
    out: Out = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Give the proof that a receipt is in the log, under the newest checkpoint (https://c2sp.org/tlog-proof).

    Whoever has it and the receipt needs no server: `sluice log verify` checks them.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    request = request_for(which)
    found = connections.run(lambda connections: inclusion_proof(connections, request))
    content = proof_file(found.receipt_number - 1, found.hashes, found.checkpoint.note)
    if out is not None:
        out.write_bytes(content)
    if as_json:
        give_json(complete(found) | {"proof": content.decode()})
        return
    if out is None:
        say(content.decode().removesuffix("\n"))
    decision = f"decision {found.decision_id}" if found.decision_id else "whose decision a restore has lost"
    note(f"Receipt {found.receipt_number:,} of {found.tree_size:,}, {decision}.")


@app.command("verify")
def verify(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|PROOF", help="A copy of the folder of the log, or a proof.", exists=True
        ),
    ],
    *,
    receipts: Annotated[
        Path | None,
        typer.Option(
            help="File of receipts, one a line, or as a release writes them: each must be in its place.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    kept: Annotated[
        Path | None,
        typer.Option(
            help="An earlier checkpoint that was kept: nothing up to it may have changed in the folder.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    origin: Origin = LOCAL_ORIGIN,
    keys: LogKeys = None,
    receipt_keys: Annotated[
        Path | None,
        typer.Option(
            help="JWKS with the keys of receipts. Else that of the local installation.", exists=True
        ),
    ] = None,
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """Compute a copy of the log again from its leaves, or check a proof, with no server running.

    Ends with 1 at the first thing that is not as it should be, and says what.
    """
    if kept and what.is_file():
        raise typer.BadParameter("a proof has no leaves to compare with it", param_hint="--kept")
    # Before any key is looked for: a file that is no proof is told so, whatever else is missing.
    given = read_proof(what.read_bytes()) if what.is_file() else None
    log = the_log(state, origin, keys)
    signers = receipt_keys_of(state, receipt_keys) if receipts or given else {}
    if given:
        found = verified_proof(given, receipts, log, signers)
    else:
        with told(as_json=as_json) as tell:
            shown = verify_log_folder(what, log, tell)
        earlier = verify_kept(what, shown, kept.read_bytes(), log) if kept else None
        found = Verified(shown, places_in_copy(receipts, what, shown, signers) if receipts else [], earlier)
    if as_json:
        give_json(plain(found))
        return
    for line in what_was_checked(found, whole=what.is_dir(), compared=receipts is not None):
        say(line)
    note("It shows what is in this log, not that nothing is missing, nor that others are shown the same one.")


@dataclass(frozen=True)
class Verified:
    """What was verified."""

    shown: Checkpoint
    numbers: list[int]
    """Of the receipts that were found in the log."""
    kept: Checkpoint | None = None
    """The earlier checkpoint that was compared."""


def what_was_checked(found: Verified, *, whole: bool, compared: bool) -> Iterator[str]:
    """A line for each thing that a verification recomputed."""
    if whole:
        size = counted(found.shown.size, "leaf", "leaves")
        yield f"The tree of {size}, computed again, has the root signed."
    if found.kept:
        size = counted(found.kept.size, "leaf", "leaves")
        yield f"Its first {size} are those of the checkpoint that was kept."
    if compared:
        yield f"{counted(len(found.numbers), 'receipt')}: each is in the log, in its place."


def the_log(state: Path, origin: str, keys: Path | None) -> Log:
    """The log as whoever verifies knows it; raises Refusal STATE_MISSING, VerificationError, OSError."""
    return Log(origin, load_keys(keys if keys else StateFolder(state).existing_keys().checkpoint_jwks))


def receipt_keys_of(state: Path, keys: Path | None) -> Keys:
    """Those that sign receipts; raises likewise."""
    return load_keys(keys if keys else StateFolder(state).existing_keys().receipt_jwks)


def verified_proof(
    given: tuple[InclusionProof, bytes], receipts: Path | None, log: Log, keys: Keys
) -> Verified:
    """A proof, and the receipt that it is about, found in the file of receipts."""
    if receipts is None:
        raise typer.BadParameter(
            "a proof is about a receipt: name a file that has it", param_hint="--receipts"
        )
    found, signed = given
    for receipt in receipts_in(receipts):
        try:
            logged = verify_logged(receipt, found, signed, log, keys)
        except VerificationError as error:
            if error.reason != "INDEX_DIFFERS":
                raise
        else:
            return Verified(logged.checkpoint, [logged.number])
    raise VerificationError("RECEIPT_MISSING", "the file of receipts lacks the one that the proof is about")


def places_in_copy(receipts: Path, folder: Path, shown: Checkpoint, keys: Keys) -> list[int]:
    """The number of each receipt of a file, each found in a copy that was verified."""
    return [verify_in_copy(receipt, folder, shown, keys).number for receipt in receipts_in(receipts)]


def plain(found: Verified) -> dict[str, Any]:
    """What was verified, as JSON values."""
    return {
        "verified": True,
        "origin": found.shown.origin,
        "size": found.shown.size,
        "root": found.shown.root.hex(),
        "signed_by": list(found.shown.signed_by),
        "receipt_numbers": found.numbers,
        "kept_size": found.kept.size if found.kept else None,
    }


def request_for(which: str) -> pb.GetInclusionProofRequest:
    """By number where it is one, else by decision."""
    if which.isascii() and which.isdecimal() and 0 < int(which) < 2**63:
        return pb.GetInclusionProofRequest(receipt_number=int(which))
    return pb.GetInclusionProofRequest(decision_id=which)


async def newest_checkpoint(connections: Connections) -> pb.Checkpoint:
    """Raises Refusal (CHECKPOINT_UNKNOWN and others)."""
    peer = connections.peer("licensing")
    return (await peer.call(LogServiceStub(peer.channel).GetCheckpoint, pb.GetCheckpointRequest())).checkpoint


async def inclusion_proof(
    connections: Connections, request: pb.GetInclusionProofRequest
) -> pb.GetInclusionProofResponse:
    """Raises Refusal (DECISION_UNKNOWN, RECEIPT_NOT_LOGGED and others)."""
    peer = connections.peer("licensing")
    return await peer.call(LogServiceStub(peer.channel).GetInclusionProof, request)
