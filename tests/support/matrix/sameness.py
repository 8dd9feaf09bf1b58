"""What is left of an answer when everything is taken out that is different each time it is asked for."""

import re
from collections.abc import Sequence

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.support.matrix.ways import Answer

OF_THE_MOMENT = {
    "sluice.consent.v1.GetStandingResponse": ("as_of",),
    "sluice.consent.v1.RecordChoiceResponse": ("in_force_after",),
    "sluice.consent.v1.RecordSignalsResponse": ("in_force_after",),
    "sluice.licensing.v1.ListAffiliatesResponse": ("as_of",),
    "sluice.licensing.v1.Decision": ("replayed", "valid_for"),
    "sluice.licensing.v1.ExplainReleaseResponse": ("explained_at",),
    "sluice.licensing.v1.GetJwksResponse": ("keep_until",),
    "sluice.licensing.v1.GetWallResponse": ("at",),
    "sluice.metering.v1.QueryUsageResponse": ("until",),
    "sluice.metering.v1.Peak": ("until",),
    "sluice.metering.v1.WatchUsageResponse": ("at",),
}
"""Fields that tell a time of the answer's own, or that it was given before."""
_TAKEN_AT = re.compile(rb'"taken_at": "[^"]*"')
"""The same, in the text of an export."""


def steady(answer: Answer) -> bytes:
    """The body without them; b"" where there is none."""
    if answer.body is None:
        return b""
    kept = type(answer.body)()
    kept.CopyFrom(answer.body)
    _clear(kept)
    return kept.SerializeToString(deterministic=True)


def are_the_same(answers: Sequence[Answer]) -> bool:
    """Whether all say the same."""
    return len({(told(answer), steady(answer)) for answer in answers}) == 1


def told(answer: Answer) -> tuple[int, str, str, tuple[bytes, ...]]:
    """How it ended."""
    return answer.code, answer.reason, answer.message, answer.details


def _clear(message: Message) -> None:
    for name in OF_THE_MOMENT.get(message.DESCRIPTOR.full_name, ()):
        message.ClearField(name)
    for field, value in message.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for each in value if field.is_repeated else [value]:
                _clear(each)
        elif field.type == FieldDescriptor.TYPE_BYTES and not field.is_repeated:
            setattr(message, field.name, _TAKEN_AT.sub(b"", value))
