"""`sluice damages export`: the bundle with which the other side computes everything again (D2)."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.refusals import precondition
from services.console import damages_options as asked
from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.damages_folders import free_folder
from services.console.damages_records import get_assessment, read_document
from services.console.damages_rows import Rows, in_chunks, root, rows_of
from services.console.long_work import told
from services.console.output import counted, give_json, say
from services.console.pulling import Pulling, pulling
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1.damages_pb2 import Assessment, Evidence
from sluice.metering.v1.damages_service_pb2_grpc import DamagesServiceStub


def export(
    assessment_id: asked.AssessmentId,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that is not there yet.")],
    *,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Write the bundle of an assessment: the document, all its evidence, and a summary for people.

    The folder is there as a whole or not at all. Whoever gets it can verify it without a server; send the
    digest by another way, so that they know it is the one on record.
    Takes pyarrow and matplotlib: `pip install 'sluice[parquet,plot]'`.

    Example: `sluice damages export 019a0000-0000-7000-8000-000000000000 acme-march`
    """
    # Inside, for it loads much that no other command needs.
    from services.console.damages_bundles import write_bundle  # noqa: PLC0415

    # Before metering is asked: what follows can take long.
    free_folder(folder)
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    with told(as_json=as_json) as tell, pulling(connections) as pull:
        assessment = pull.ask(lambda connections: get_assessment(connections, assessment_id))
        document = pull.ask(lambda connections: read_document(connections, assessment_id))
        check_document(document, assessment)
        write_bundle(document, evidence(pull, assessment), folder, tell)
    digest, rows = assessment.digest.hex(), assessment.evidence.rows
    if as_json:
        give_json({"folder": str(folder), "assessment_id": assessment_id, "digest": digest, "rows": rows})
        return
    say(f"Done: {folder} holds the assessment and {counted(rows, 'row')} of evidence.")
    say(f"To verify it: sluice damages verify {folder} --digest {digest}")


def evidence(pull: Pulling, assessment: Assessment) -> Iterator[Rows]:
    """Every chunk of rows. Before it ends it compares them with what the assessment names.

    Raises Refusal (EVIDENCE_DIFFERS, and others).
    """
    request = pb.ReadEvidenceRequest(assessment_id=assessment.assessment_id)
    pieces = pull.stream("metering", lambda channel: DamagesServiceStub(channel).ReadEvidence, request)
    digests, count = [], 0
    # A chunk of none would never be full.
    for rows in in_chunks(map(rows_of, pieces), max(assessment.evidence.chunk_rows, 1)):
        digests.append(rows.digest())
        count += len(rows)
        yield rows
    check_rows(assessment.evidence, count, root(digests))


def check_document(document: bytes, assessment: Assessment) -> None:
    """Raises Refusal (precondition, DOCUMENT_DIFFERS) unless the digest is the document's."""
    if hashlib.sha256(document).digest() != assessment.digest:
        raise precondition("DOCUMENT_DIFFERS", "the document that came is not the one that was digested")


def check_rows(named: Evidence, count: int, found: bytes) -> None:
    """Raises Refusal (precondition, EVIDENCE_DIFFERS) unless the rows are those that an assessment names."""
    if (count, found) != (named.rows, named.root):
        raise precondition(
            "EVIDENCE_DIFFERS",
            f"{count:,} rows with root {found.hex()} came, and the assessment names {named.rows:,} with root"
            f" {named.root.hex()}: nothing was written",
        )
