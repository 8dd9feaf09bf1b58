"""Assessments in parts, none of them too large to be sent: merged in their order they are the whole."""

from sluice.metering.v1.damages_pb2 import Assessment

MOST_BYTES = 1024 * 1024
"""Of a part, but for its last element and for what the first has to have."""
LONG = ("periods", "liable", "members", "exempt", "readings", "imports_running")
"""Fields that may hold more than a message does."""
_FRAME_BYTES = 6
"""What says which field an element is of, and how long it is."""


def in_parts(whole: Assessment) -> list[Assessment]:
    """Everything that is not in a long field is in the first."""
    first = without(whole, LONG)
    parts, size = [first], first.ByteSize()
    for name in LONG:
        for element in getattr(whole, name):
            if size >= MOST_BYTES:
                parts.append(Assessment())
                size = 0
            getattr(parts[-1], name).append(element)
            size += element.ByteSize() + _FRAME_BYTES
    return parts


def without(whole: Assessment, names: tuple[str, ...]) -> Assessment:
    """All but these fields."""
    found = Assessment()
    found.CopyFrom(whole)
    for name in names:
        found.ClearField(name)
    return found
