"""Restores as messages of the contract."""

from collections.abc import Sequence

from services.chassis.restores import Restore
from services.metering.domain.reservations import Revision
from services.metering.rpc.answers import revision_message, timestamp
from services.metering.rpc.requests import epoch_token
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.type.v1 import restore_pb2


def restores(page: Sequence[Restore], size: int) -> pb.ListRestoresResponse:
    """The first `size` of them; a token where there are more."""
    shown = page[:size]
    token = epoch_token(shown[-1].epoch) if len(page) > size else ""
    return pb.ListRestoresResponse(restores=[_restore(each) for each in shown], next_page_token=token)


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
