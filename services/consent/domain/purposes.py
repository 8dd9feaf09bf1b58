"""The closed table of purposes: what each also needs, whether people can choose on it, which signals deny it.

Numbers are those of `sluice.type.v1.Purpose`; what is not in the table is never allowed.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Purpose(enum.IntEnum):
    """What a licensee wants posts for."""

    THIRD_PARTY_SHARING = 1
    AI_TRAINING_GENERATIVE = 2
    AI_TRAINING_OTHER = 3
    AI_INPUT = 4
    AI_INDEX = 5
    SEARCH_INDEX = 6
    DATA_MINING = 7
    VETTED_RESEARCH = 8


class Signal(enum.Enum):
    """A machine-readable objection that a browser or a site sends along."""

    GPC = "Sec-GPC: 1"
    AIPREF_TRAIN_AI = "train-ai=n"
    AIPREF_SEARCH = "search=n"


@dataclass(frozen=True)
class Traits:
    """What the rules say about one purpose."""

    needs: Purpose | None = None
    """A second purpose that must be allowed as well (C7)."""
    choosable: bool = True
    """False: no regime, no choice and no second purpose applies, only C4 to C6 and C12 deny it."""
    signals: frozenset[Signal] = frozenset()
    """Each of them denies it for everyone (C1)."""


def _shared(*signals: Signal) -> Traits:
    return Traits(needs=Purpose.THIRD_PARTY_SHARING, signals=frozenset(signals))


PURPOSES: Mapping[int, Traits] = {
    Purpose.THIRD_PARTY_SHARING: Traits(signals=frozenset({Signal.GPC})),
    Purpose.AI_TRAINING_GENERATIVE: _shared(Signal.AIPREF_TRAIN_AI),
    Purpose.AI_TRAINING_OTHER: _shared(Signal.AIPREF_TRAIN_AI),
    Purpose.AI_INPUT: _shared(Signal.AIPREF_TRAIN_AI),
    Purpose.AI_INDEX: _shared(Signal.AIPREF_TRAIN_AI),
    Purpose.SEARCH_INDEX: _shared(Signal.AIPREF_SEARCH),
    Purpose.DATA_MINING: _shared(),
    Purpose.VETTED_RESEARCH: Traits(choosable=False),
}
"""By number. Look numbers from outside up with `get`: one that is missing denies."""
