"""Changes of state as they are handed in, each row checked on its own."""

from collections.abc import Iterable

from services.chassis.refusals import Refusal, invalid
from services.consent.domain.outcomes import Rejected, rejected
from services.consent.domain.state_changes import (
    ChangeKind,
    StateChange,
    StateRow,
    check_post_change,
    check_subject_change,
)
from services.consent.rpc.requests import bounded_us
from sluice.consent.v1 import state_change_pb2
from sluice.consent.v1 import state_service_pb2 as pb


def changes(given: Iterable[pb.RecordStatesRequest.Row]) -> tuple[list[StateRow], tuple[Rejected, ...]]:
    """The good rows, in their order, and the bad ones."""
    good, bad = [], []
    for row in given:
        try:
            good.append(_row(row.line, row.change))
        except Refusal as refusal:
            bad.append(rejected(row.line, refusal))
    return good, tuple(bad)


def _row(line: int, given: state_change_pb2.StateChange) -> StateRow:
    if not given.subject_id and not given.post_id:
        raise invalid("TARGET_MISSING", "a change is of a subject or a post, with an id above 0")
    if int(given.kind) not in set(ChangeKind):
        raise invalid("CHANGE_UNKNOWN", "the change is not one of the contract")
    change = StateChange(
        ChangeKind(given.kind),
        bounded_us(given.occurred_at) if given.HasField("occurred_at") else None,
        frozenset(given.countries),
        given.notice_digest,
    )
    if given.subject_id:
        check_subject_change(change)
    else:
        check_post_change(change)
    return StateRow(line, given.subject_id, given.post_id, change)
