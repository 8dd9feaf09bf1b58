"""Answers of StateService as messages of the contract."""

from collections.abc import Sequence

from services.chassis.restores import Restore
from services.consent.acknowledging import Acknowledged
from services.consent.domain.changes import Revision
from services.consent.domain.halts import Halt, HaltKind, HaltScope
from services.consent.domain.outcomes import Halted, Imported, Rejected
from services.consent.domain.withdrawals import Recorded
from services.consent.rpc.answers import rejected_rows, revision_message, timestamp
from services.consent.rpc.requests import page_token_of
from sluice.consent.v1 import halt_pb2, withdrawal_pb2
from sluice.consent.v1 import state_service_pb2 as pb
from sluice.type.v1 import purpose_pb2, restore_pb2


def states_recorded(
    acknowledged: Acknowledged[Imported], bad: tuple[Rejected, ...]
) -> pb.RecordStatesResponse:
    """What became of the rows; `bad` were turned away at the edge."""
    outcome = acknowledged.outcome.with_rejected(bad)
    return pb.RecordStatesResponse(
        accepted=outcome.accepted,
        unchanged=outcome.unchanged,
        rejected=rejected_rows(outcome.rejected),
        revision=revision_message(outcome.revision),
        in_force_after=timestamp(acknowledged.in_force_after_us),
    )


def halt_ordered(acknowledged: Acknowledged[Halted], halt: Halt) -> pb.OrderHaltResponse:
    """A halt in force."""
    return pb.OrderHaltResponse(
        halt=_halt(halt),
        revision=revision_message(acknowledged.outcome.revision),
        in_force_after=timestamp(acknowledged.in_force_after_us),
    )


def halt_lifted(halted: Halted, halt: Halt) -> pb.LiftHaltResponse:
    """A halt that has ended."""
    return pb.LiftHaltResponse(halt=_halt(halt), revision=revision_message(halted.revision))


def halts(page: Sequence[Halt], size: int) -> pb.ListHaltsResponse:
    """The first `size` of them; a token where there are more."""
    shown = page[:size]
    token = page_token_of(shown[-1].halt_id) if len(page) > size else ""
    return pb.ListHaltsResponse(halts=[_halt(halt) for halt in shown], next_page_token=token)


def restores(page: Sequence[Restore], size: int) -> pb.ListRestoresResponse:
    """The first `size` of them; a token where there are more."""
    shown = page[:size]
    token = page_token_of(shown[-1].epoch) if len(page) > size else ""
    return pb.ListRestoresResponse(restores=[_restore(each) for each in shown], next_page_token=token)


def step(revision: Revision, recorded: Recorded | None) -> pb.WatchWithdrawalsResponse:
    """A withdrawal, or a checkpoint."""
    if recorded is None:
        return pb.WatchWithdrawalsResponse(checkpoint=revision_message(revision))
    given = recorded.withdrawal
    return pb.WatchWithdrawalsResponse(
        withdrawal=withdrawal_pb2.Withdrawal(
            revision=revision_message(revision),
            cause=withdrawal_pb2.WithdrawalCause.Name(given.cause),
            subject_id=given.subject_id,
            post_id=given.post_id,
            licensee_id=given.licensee,
            purposes=[purpose_pb2.Purpose.Name(purpose) for purpose in given.purposes],
            countries=given.countries,
            policy_version=given.policy_version,
            halt=None if given.halt is None else _scope(given.halt),
            recorded_at=timestamp(recorded.recorded_us),
        )
    )


def _restore(restore: Restore) -> restore_pb2.Restore:
    return restore_pb2.Restore(
        epoch=restore.epoch,
        found=revision_message(Revision(*restore.found)),
        lost=None if restore.lost is None else revision_message(Revision(*restore.lost)),
        shared_number=restore.shared,
        accepted_at=timestamp(restore.accepted_us),
        accepted_by=restore.accepted_by,
        reason=restore.reason,
    )


def _halt(halt: Halt) -> halt_pb2.Halt:
    return halt_pb2.Halt(
        halt_id=halt.halt_id,
        scope=_scope(halt.order.scope),
        cause=halt.order.cause,
        recall=halt.order.recall,
        ordered_at=timestamp(halt.ordered_us),
        ordered_by=halt.ordered_by,
        lifted_at=None if halt.lifted_us is None else timestamp(halt.lifted_us),
        lifted_by=halt.lifted_by,
    )


def _scope(scope: HaltScope) -> halt_pb2.HaltScope:
    match scope.kind:
        case HaltKind.PURPOSE:
            return halt_pb2.HaltScope(purpose=purpose_pb2.Purpose.Name(int(scope.value)))
        case HaltKind.JURISDICTION:
            return halt_pb2.HaltScope(jurisdiction=scope.value)
        case HaltKind.LICENSEE:
            return halt_pb2.HaltScope(licensee_id=scope.value)
        case _:
            return halt_pb2.HaltScope(everything=True)
