"""What an assessment says against what was computed, field by field; nothing is passed over."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_LONGEST = 200
MISSING = "nothing"
"""How a field that is not there is told."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be."""

    field: str
    """Where: a path like periods[0].amount in the document, or a file of the bundle."""
    said: str
    computed: str
    """Both as JSON where they are values: whatever a stranger wrote is ASCII, and cannot move a cursor."""


def shown(value: object) -> str:
    """A value for people: JSON in ASCII, and not without end."""
    try:
        text = json.dumps(value, sort_keys=True)
    except (ValueError, RecursionError):
        # Python refuses to write out whole numbers of thousands of digits.
        text = "a number too long to write"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text):,} characters)"


def key_path(path: str, key: str) -> str:
    """The path of a field; what is no plain word is quoted, as JSON would."""
    word = key if key.isascii() and key.replace("_", "").isalnum() else json.dumps(key)[:_LONGEST]
    return f"{path}.{word}" if path else word


def compare(path: str, said: Any, computed: Any) -> Iterator[Difference]:
    """Every place in which two JSON values differ; 1, true and 1.0 are three different things."""
    if isinstance(said, dict) and isinstance(computed, dict):
        for key in sorted(said.keys() | computed.keys()):
            place = key_path(path, key)
            if key not in said:
                yield Difference(place, MISSING, shown(computed[key]))
            elif key not in computed:
                yield Difference(place, shown(said[key]), MISSING)
            else:
                yield from compare(place, said[key], computed[key])
    elif isinstance(said, list) and isinstance(computed, list):
        if len(said) != len(computed):
            yield Difference(path, f"{len(said)} entries", f"{len(computed)} entries")
        for index, pair in enumerate(zip(said, computed, strict=False)):
            yield from compare(f"{path}[{index}]", *pair)
    elif type(said) is not type(computed) or said != computed:
        yield Difference(path, shown(said), shown(computed))
