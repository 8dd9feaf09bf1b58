"""Why a post may go or not: the exact reasons, the coarse verdicts, and the tables between them.

A number that a table does not know never allows: every table is filled with a denial first.
"""

import enum
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Reasons = NDArray[np.uint8]
"""One byte a post, each the number of a Reason; in a column of objections 0 means "none raised"."""

Verdicts = NDArray[np.uint8]
"""One byte a post, each the number of a Verdict."""


ReasonSets = NDArray[np.uint64]
"""64 bits a post: bit r is set for each Reason r that applies."""


class Reason(enum.IntEnum):
    """The exact reason, for pipelines and operators; the numbers of `sluice.licensing.v1.Reason`."""

    UNSPECIFIED = 0
    RELEASED = 1
    LICENSE_NOT_ACTIVE = 10
    PURPOSE_NOT_LICENSED = 11
    KIND_NOT_LICENSED = 12
    LANGUAGE_NOT_LICENSED = 13
    TIME_NOT_LICENSED = 14
    FAULT_ID = 20
    FAULT_KIND = 21
    FAULT_TIME = 22
    DUPLICATE = 23
    SUBJECT_UNKNOWN = 40
    SUBJECT_MINOR = 41
    SUBJECT_DEACTIVATED = 42
    SUBJECT_SUSPENDED = 43
    SUBJECT_DELETED = 44
    SUBJECT_PROTECTED = 45
    CHOICE_DENIES = 46
    NOT_OPTED_IN = 47
    NOTICE_NOT_SERVED = 48
    PROHIBITED = 49
    NO_POLICY = 50
    JURISDICTION_NOT_LICENSED = 51
    CONTRIBUTOR_UNNAMED = 52
    HALTED = 53
    POST_DENIED = 54
    POST_DELETED = 55
    WITHHELD = 56
    POST_UNKNOWN = 57
    NO_ROOM = 60


Objection = tuple[Reason, NDArray[np.bool_]]
"""A reason, and one boolean a post: whether it applies."""


class Verdict(enum.IntEnum):
    """The coarse verdict, for licensees and receipts; the numbers of `sluice.licensing.v1.Verdict`."""

    UNSPECIFIED = 0
    RELEASED = 1
    NOT_COVERED = 2
    NOT_AVAILABLE = 3
    NO_ROOM = 4
    DUPLICATE = 5


_VERDICT_OF_REASON = {
    Reason.RELEASED: Verdict.RELEASED,
    Reason.LICENSE_NOT_ACTIVE: Verdict.NOT_COVERED,
    Reason.PURPOSE_NOT_LICENSED: Verdict.NOT_COVERED,
    Reason.KIND_NOT_LICENSED: Verdict.NOT_COVERED,
    Reason.LANGUAGE_NOT_LICENSED: Verdict.NOT_COVERED,
    Reason.TIME_NOT_LICENSED: Verdict.NOT_COVERED,
    Reason.FAULT_ID: Verdict.NOT_COVERED,
    Reason.FAULT_KIND: Verdict.NOT_COVERED,
    Reason.FAULT_TIME: Verdict.NOT_COVERED,
    Reason.DUPLICATE: Verdict.DUPLICATE,
    Reason.NO_ROOM: Verdict.NO_ROOM,
}

# By the numbers of `sluice.consent.v1.ConsentReason`.
_REASON_OF_CONSENT = {
    1: Reason.RELEASED,
    2: Reason.SUBJECT_UNKNOWN,
    3: Reason.SUBJECT_MINOR,
    4: Reason.SUBJECT_DEACTIVATED,
    5: Reason.SUBJECT_SUSPENDED,
    6: Reason.SUBJECT_DELETED,
    7: Reason.SUBJECT_PROTECTED,
    8: Reason.CHOICE_DENIES,
    9: Reason.NOT_OPTED_IN,
    10: Reason.NOTICE_NOT_SERVED,
    11: Reason.PROHIBITED,
    12: Reason.NO_POLICY,
    13: Reason.JURISDICTION_NOT_LICENSED,
    14: Reason.CONTRIBUTOR_UNNAMED,
    15: Reason.HALTED,
    16: Reason.POST_DENIED,
    17: Reason.POST_DELETED,
    18: Reason.WITHHELD,
}


def first_of(objections: Sequence[Objection], posts: int) -> Reasons:
    """N reasons: of those that apply to a post the first in the order of `objections`, 0 where none does."""
    reasons = np.zeros(posts, dtype=np.uint8)
    for reason, applies in reversed(objections):
        reasons[applies] = reason
    return reasons


def all_of(objections: Sequence[Objection], posts: int) -> ReasonSets:
    """N sets: all reasons that apply to a post."""
    sets = np.zeros(posts, dtype=np.uint64)
    for reason, applies in objections:
        sets[applies] |= np.uint64(1 << reason)
    return sets


def set_of_each(reasons: Reasons) -> ReasonSets:
    """N sets of the one reason of each post; empty where it is 0."""
    sets = np.left_shift(np.uint64(1), reasons.astype(np.uint64))
    return np.where(reasons == 0, np.uint64(0), sets)


def _table(known: dict[int, int] | dict[Reason, Verdict] | dict[int, Reason], otherwise: int) -> Reasons:
    table = np.full(256, otherwise, dtype=np.uint8)
    for number, meaning in known.items():
        table[number] = meaning
    table.flags.writeable = False
    return table


COARSE: Verdicts = _table(_VERDICT_OF_REASON, Verdict.NOT_AVAILABLE)
"""The Verdict of each Reason: `COARSE[reasons]`. What is not known is NOT_AVAILABLE."""

REASON_OF_CONSENT: Reasons = _table(_REASON_OF_CONSENT, Reason.SUBJECT_UNKNOWN)
"""The Reason for each byte of consent's answer. Only its ALLOWED gives RELEASED; what is not known denies."""

REASONS_OF_CONSENT = frozenset(_REASON_OF_CONSENT)
"""The bytes that are known."""
