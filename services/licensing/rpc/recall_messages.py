"""Recalls as messages, and what licensees say to them as it comes in."""

from google.protobuf.timestamp_pb2 import Timestamp

from services.licensing.domain.answers import Revision
from services.licensing.domain.recalls.reading import Entry, EntryKey, GapKey, Progress, ReleaseGap
from services.licensing.domain.recalls.recalls import Attestation, Recall, RecallState, Resolution
from services.licensing.domain.recalls.resolving import Ending
from sluice.licensing.v1 import recall_pb2 as pb
from sluice.licensing.v1 import recall_service_pb2
from sluice.type.v1 import revision_pb2

LARGEST_NUMBER = 2**63 - 1
"""As many as a database's integer holds."""


def ending_of(message: pb.RecallResolution) -> Ending:
    """How a recall ended; the message has passed the rules of the contract."""
    attestation = message.attestation
    return Ending(
        RecallState(message.outcome),
        Attestation(attestation.name, attestation.role, attestation.statement, attestation.document_digest),
    )


def recall_message(recall: Recall) -> pb.Recall:
    """An issued recall as it is told."""
    return pb.Recall(
        recall_id=recall.recall_id,
        number=recall.number,
        licensee_id=recall.licensee_id,
        state=f"RECALL_STATE_{recall.state.name}",
        withdrawals=recall.withdrawals,
        posts=recall.posts,
        issued_at=_time(recall.issued_at_us),
        due_at=_time(recall.due_at_us),
        acknowledged_at=_time(recall.acknowledged_at_us),
        overdue_at=_time(recall.overdue_at_us),
        resolution=None if recall.resolution is None else _resolution_message(recall.resolution),
    )


def entry_message(entry: Entry) -> pb.RecallEntry:
    """What one withdrawal takes back: nothing of whose it is, or why (W2)."""
    releases = [
        pb.RecalledRelease(
            decision_id=each.decision_id,
            license_id=each.license_id,
            post_ids=each.post_ids.astype("<u8").tobytes(),
        )
        for each in entry.releases
    ]
    return pb.RecallEntry(withdrawal_id=entry.key.withdrawal_id, releases=releases)


def gap_message(gap: ReleaseGap) -> pb.ReleaseGap:
    """A gap on record."""
    return pb.ReleaseGap(
        recall_id=gap.recall_id,
        withdrawal_id=gap.withdrawal_id,
        licensee_id=gap.licensee_id,
        decision_id=gap.decision_id,
        kind=f"KIND_{gap.kind.name}",
        posts=gap.posts,
        withdrawn_at=_time(gap.withdrawn_at_us),
        decided_at=_time(gap.decided_at_us),
        not_after=_time(gap.not_after_us),
    )


def progress_message(progress: Progress) -> recall_service_pb2.GetRecallProgressResponse:
    """How far withdrawals have been followed."""
    on_record = progress.on_record
    return recall_service_pb2.GetRecallProgressResponse(
        fence=_revision(on_record.fence),
        scanned=_revision(on_record.scanned),
        followed=_revision(progress.followed),
        oldest_unscanned_at=_time(progress.oldest_unscanned_us),
        rechecks_open=on_record.rechecks_open,
        recalls_collecting=on_record.recalls_collecting,
    )


def gap_token(key: GapKey) -> str:
    """A place among gaps as text; `gap_key` reads it."""
    return "/".join(map(str, key))


def gap_key(text: str) -> GapKey:
    """The place; raises ValueError for any other text."""
    epoch, revision, licensee_id, part, index = text.split("/")
    return GapKey(number_of(epoch), number_of(revision), licensee_id, number_of(part), number_of(index))


def entry_token(key: EntryKey) -> str:
    """A place among entries as text; `entry_key` reads it."""
    return "/".join(map(str, key))


def entry_key(text: str) -> EntryKey:
    """The place; raises ValueError for any other text."""
    withdrawal_id, part = text.split("/")
    return EntryKey(withdrawal_id, number_of(part))


def number_of(text: str) -> int:
    """A number as `str` writes it; raises ValueError for any other text and for what no database holds."""
    # A number can be written in many ways, of which answers use one.
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and str(int(text)) == text):
        raise ValueError("not a number as it is written")
    if int(text) > LARGEST_NUMBER:
        raise ValueError("larger than any")
    return int(text)


def _resolution_message(resolution: Resolution) -> pb.RecallResolution:
    attested = resolution.attestation
    return pb.RecallResolution(
        outcome=f"RECALL_STATE_{resolution.outcome.name}",
        attestation=pb.Attestation(
            name=attested.name,
            role=attested.role,
            statement=attested.statement,
            document_digest=attested.document_digest,
        ),
        resolved_at=_time(resolution.resolved_at_us),
        resolved_by=resolution.resolved_by,
    )


def _revision(revision: Revision) -> revision_pb2.Revision:
    return revision_pb2.Revision(epoch=revision.epoch, number=revision.number)


def _time(time_us: int | None) -> Timestamp | None:
    if time_us is None:
        return None
    message = Timestamp()
    message.FromMicroseconds(time_us)
    return message
