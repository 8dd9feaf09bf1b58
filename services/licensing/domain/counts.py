"""Posts counted by kind of content and media, as metering wants them (M5)."""

import numpy as np
import numpy.typing as npt

ContentCounts = tuple[tuple[int, int, int], ...]
"""(kind, media flags, posts) with posts at least 1, each (kind, media flags) once, ascending."""


def count_content(
    kinds: npt.NDArray[np.uint8], media_flags: npt.NDArray[np.uint8], chosen: npt.NDArray[np.bool_]
) -> ContentCounts:
    """Counts the posts where `chosen` is true. All three arrays have one value a post."""
    pairs, posts = np.unique(kinds[chosen].astype(np.uint16) << 8 | media_flags[chosen], return_counts=True)
    return tuple(
        (pair >> 8, pair & 0xFF, count) for pair, count in zip(pairs.tolist(), posts.tolist(), strict=True)
    )


def of_one_kind(posts: int) -> ContentCounts:
    """So many posts, as metering counts them where it is not told what they are."""
    return ((1, 0, posts),) if posts else ()
