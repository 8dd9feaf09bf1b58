"""Exports of a subject's records as documents."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from services.chassis.refusals import precondition
from services.consent.domain.dossiers import Controller, Dossier
from services.consent.domain.exports.dpv import dpv
from services.consent.domain.exports.kantara import kantara
from services.consent.domain.exports.plain import plain
from sluice.consent.v1 import subject_service_pb2 as pb

PART_BYTES = 64 * 1024


@dataclass(frozen=True)
class Document:
    """A whole export."""

    content: bytes
    media_type: str
    epoch: int
    revision: int


def document(dossier: Dossier, form: pb.ExportFormat, controller: Controller | None) -> Document:
    """The records in one form; raises Refusal CONTROLLER_UNKNOWN, SUBJECT_ERASED, NOTHING_ALLOWED."""
    media_type = "application/json"
    match form:
        case pb.EXPORT_FORMAT_DPV:
            content, media_type = dpv(dossier, _known(controller)), "application/ld+json"
        case pb.EXPORT_FORMAT_KANTARA:
            content = kantara(dossier, _known(controller))
        case _:
            content = plain(dossier)
    text = json.dumps(content, ensure_ascii=False, indent=2)
    return Document(text.encode(), media_type, dossier.epoch, dossier.revision)


def parts(document: Document) -> Iterator[pb.ExportSubjectResponse]:
    """The document in order; what is said of it comes with the first part."""
    for at in range(0, len(document.content), PART_BYTES):
        part = pb.ExportSubjectResponse(part=document.content[at : at + PART_BYTES])
        if at == 0:
            part.media_type = document.media_type
            part.revision.epoch, part.revision.number = document.epoch, document.revision
        yield part


def _known(controller: Controller | None) -> Controller:
    if controller is None:
        message = "the settings of consent do not say whose platform this is (controller_*)"
        raise precondition("CONTROLLER_UNKNOWN", message)
    return controller
