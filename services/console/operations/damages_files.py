"""Files of an assessment: its document, and the bundle with which anybody computes everything again (D2).

A file that breaks off is shorter than its answer said, and a bundle without its end opens nowhere.
"""

import asyncio
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.chassis.deadlines import within
from services.chassis.dialing import Peer
from services.chassis.refusals import precondition
from services.console import damages_calls
from services.console.damages_export import check_document
from services.console.damages_rows import Rows, rows_of
from services.console.operations.assessments import in_short
from services.console.operations.one_by_one import OneByOne
from services.console.web.downloads import Given
from services.console.web.page import SignedIn, page_of
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1.damages_service_pb2_grpc import DamagesServiceStub
from sluice_gate.errors import VerificationError

T = TypeVar("T")

router = APIRouter()
PIECE = 1 << 20
"""Bytes."""
AT_MOST_US = 600_000_000
"""For evidence of millions of accesses; a page has far less."""
_BUNDLING = OneByOne("bundles", most_waiting=4)


@router.get("/damages/{id}/document")
async def document(request: Request, session: SignedIn, id: str) -> Response:
    """The document as metering keeps it, byte for byte: the digest on record is that of the file."""
    page = page_of(request)
    content = await _document(page.services.for_files("metering"), id)
    headers = {
        "Content-Disposition": f'attachment; filename="assessment-{id}.json"',
        "Content-Length": str(len(content)),
    }
    return Given(page.downloads, session, [content], "application/json", headers)


@router.get("/damages/{id}/bundle.zip")
async def bundle(request: Request, session: SignedIn, id: str) -> Response:
    """What `sluice damages export` writes, as one file. It is made as a whole before anything is sent."""
    page = page_of(request)
    metering = page.services.for_files("metering")
    content, evidence = await _document(metering, id), pb.ReadEvidenceRequest(assessment_id=id)
    loop = asyncio.get_running_loop()
    read = DamagesServiceStub(metering.channel).ReadEvidence
    with within(AT_MOST_US):
        async with metering.open(read, evidence) as pieces:
            rows = map(rows_of, drawn(loop, aiter(pieces)))
            file, length = await _BUNDLING.do(partial(packed, f"assessment-{id}", content, rows))
    headers = {
        "Content-Disposition": f'attachment; filename="assessment-{id}.zip"',
        "Content-Length": str(length),
    }
    return Given(page.downloads, session, _pieces(file), "application/zip", headers)


def drawn(loop: asyncio.AbstractEventLoop, source: AsyncIterator[T]) -> Iterator[T]:
    """What comes on the loop, for a thread beside it; raises what `source` raises."""

    async def following() -> T | None:
        return await anext(source, None)

    while (found := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
        yield found


def packed(name: str, document: bytes, rows: Iterator[Rows]) -> tuple[BinaryIO, int]:
    """A bundle as an archive with one folder, and its length in bytes; on the disk nobody else can find it.

    Raises Refusal (EVIDENCE_DIFFERS, PARQUET_MISSING, PLOT_MISSING, and what the rows raise) and OSError.
    """
    # Inside, for it loads much that no other page needs.
    from services.console.damages_bundles import write_bundle  # noqa: PLC0415

    archive = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - whoever sends it closes it
    try:
        with tempfile.TemporaryDirectory(prefix="sluice-bundle-") as place:
            folder = Path(place) / name
            write_bundle(document, rows, folder, lambda _what, _done, _of: None)
            _pack(folder, archive)
        length = archive.tell()
    except VerificationError as error:
        archive.close()
        raise precondition(error.reason, error.message) from error
    except BaseException:
        archive.close()
        raise
    archive.seek(0)
    return archive, length


def _pack(folder: Path, archive: BinaryIO) -> None:
    # Rows are compressed already.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            file.write(path, path.relative_to(folder.parent))


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


async def _document(metering: Peer, id: str) -> bytes:
    """Raises Refusal (ASSESSMENT_UNKNOWN, DOCUMENT_DIFFERS, and others)."""
    assessment = await in_short(metering, id)
    content = await damages_calls.document_of(metering, id)
    check_document(content, assessment)
    return content
