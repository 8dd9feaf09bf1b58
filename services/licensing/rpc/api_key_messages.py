"""API keys and their holders as messages."""

from services.licensing.domain.api_keys import ApiKey, Holder, HolderKind
from sluice.licensing.v1 import api_key_pb2 as pb

_KINDS = {
    pb.KEY_HOLDER_KIND_LICENSEE: HolderKind.LICENSEE,
    pb.KEY_HOLDER_KIND_PIPELINE: HolderKind.PIPELINE,
}
_NUMBERS = {kind: number for number, kind in _KINDS.items()}


def holder_of(message: pb.KeyHolder) -> Holder:
    """A holder whose message has passed the rules of the contract."""
    return Holder(_KINDS[message.kind], message.party, message.sandbox)


def holder_message(holder: Holder) -> pb.KeyHolder:
    """A holder as it is told."""
    return pb.KeyHolder(kind=_NUMBERS[holder.kind], party=holder.party, sandbox=holder.sandbox)


def api_key_message(key: ApiKey) -> pb.ApiKey:
    """What is told of a key to those who keep them: everything but its digest."""
    message = pb.ApiKey(
        key_id=key.key_id,
        holder=holder_message(key.holder),
        label=key.label,
        created_by=key.created_by,
        revoked_by=key.revoked_by,
    )
    message.created_at.FromMicroseconds(key.created_at_us)
    if key.expires_at_us is not None:
        message.expires_at.FromMicroseconds(key.expires_at_us)
    if key.revoked_at_us is not None:
        message.revoked_at.FromMicroseconds(key.revoked_at_us)
    return message
