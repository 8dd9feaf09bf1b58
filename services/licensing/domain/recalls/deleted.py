"""What a licensee attested to have deleted of a stretch of releases: consent is not asked about it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from services.licensing.domain.posts import Ids


@dataclass(frozen=True, eq=False)
class Deleted:
    """P posts, each with the release that it was deleted of; perhaps more than once."""

    until: int
    """The receipt number up to which all are here."""
    numbers: Ids
    """P receipt numbers, ascending."""
    post_ids: Ids
    """P."""

    @classmethod
    def of(cls, numbers: Sequence[Ids], post_ids: Sequence[Ids], until: int, most: int) -> Self:
        """From columns in any order, with receipt numbers up to `until`.

        Where they are more than `most`, the highest releases are left out, and `until` is lower; but of the
        lowest release all are kept.
        """
        empty = np.empty(0, np.uint64)
        all_numbers, all_ids = np.concatenate([empty, *numbers]), np.concatenate([empty, *post_ids])
        order = np.argsort(all_numbers, kind="stable")
        all_numbers, all_ids = all_numbers[order], all_ids[order]
        if len(all_numbers) > most:
            last = max(all_numbers[0], all_numbers[most] - np.uint64(1))
            kept = int(np.searchsorted(all_numbers, last, side="right"))
            return cls(int(last), all_numbers[:kept], all_ids[:kept])
        return cls(until, all_numbers, all_ids)

    def of_release(self, number: int) -> Ids:
        """The posts of one release, which is not past `until`."""
        start, end = np.searchsorted(self.numbers, np.array([number, number + 1], np.uint64)).tolist()
        return self.post_ids[start:end]
