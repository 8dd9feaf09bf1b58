"""What can be wrong with rows of evidence: values, order, rows told twice, and sums below nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sluice_gate.damages.differences import Difference
from sluice_gate.damages.rows import ACCESSES, ELSEWHERE, GATE, KINDS, MEDIA
from sluice_gate.damages.tariffs import Ints

MOST_POSTS = 2**60
"""Of all rows together, taken back ones too: sums of them are exact in 64 bits."""
_ORDER = ("at_us", "number", "party", "origin", "kind", "media")
_ID_FORM = "^(id:.|sha256:[0-9a-f]{64}$)"
_ALIKE = (*_ORDER, "access", "source", "id")

Mask = np.ndarray
Columns = Mapping[str, Ints]


def row_faults(
    name: str, table: Any, column: Columns, known_and_held: tuple[Mask, Mask], last_number: int
) -> Iterator[Difference]:
    """Of single rows. `known_and_held`: whether the party is a member, and the time in a stretch of it."""
    known, held = known_and_held
    has_source, has_id = (_lengths(table, each) > 0 for each in ("source", "id"))
    gate = column["origin"] == GATE
    checks = (
        ("a party that is no member", "one of members", ~known),
        ("a time outside of its party's stretches", "within a stretch of members", known & ~held),
        ("an unknown origin", "1 or 2", ~gate & (column["origin"] != ELSEWHERE)),
        ("an unknown kind of access", "1 to 3", ~np.isin(column["access"], list(ACCESSES.values()))),
        ("an unknown kind of content", "1 to 4", ~np.isin(column["kind"], KINDS)),
        ("unknown media", "0 to 7", column["media"] >= MEDIA.stop),
        ("the number of no change", f"1 to {last_number}", _outside(column["number"], 1, last_number)),
        ("a key, of what passed the gate", "an empty source and id", gate & (has_source | has_id)),
        ("half a key", "a source and an id, or neither", has_source != has_id),
        ("an id of no form", "id: or sha256: and an id", has_id & ~_starts(table, _ID_FORM)),
    )
    for said, computed, wrong in checks:
        yield from _first(name, wrong, said, computed)


def order_faults(name: str, table: Any, party: Ints, before: int) -> Iterator[Difference]:
    """Of rows after others; the first `before` rows of the table are the end of the part before."""
    if len(table) < 2:
        return
    falls, alike = _steps(table, party)
    falls[: max(0, before - 1)] = False
    yield from _first(
        name, np.append(False, falls), "a row before the one before it", "rows in order", before
    )
    if not alike.any():
        return
    ties = np.flatnonzero(np.append(alike, False) | np.append(False, alike))
    counts = table.take(ties).group_by(list(_ALIKE)).aggregate([([], "count_all")]).column("count_all")
    twice = counts.to_numpy()
    if (twice > 1).any():
        yield Difference(name, f"{int((twice - 1).sum())} rows that are there already", "each row once")


def tail_of(table: Any) -> Any:
    """The rows at the end that a row of the next part may repeat: those with the last time and number."""
    at_us, number = (table.column(each).to_numpy() for each in ("at_us", "number"))
    differs = np.flatnonzero((at_us != at_us[-1:]) | (number != number[-1:]))
    return table.slice(int(differs[-1]) + 1 if len(differs) else 0)


def sum_faults(at_us: Ints, party: Ints, kind: Ints, posts: Ints) -> Iterator[Difference]:
    """What makes sums meaningless: too many posts to add up, or less than nothing of a kind at a time."""
    total = sum(int(part.sum()) << shift for part, shift in _halves(posts))
    if total > MOST_POSTS:
        yield Difference("evidence", f"{total} posts in all", f"at most {MOST_POSTS}")
        return
    # Only where something is taken back can less than nothing be left.
    times = np.unique(at_us[posts < 0])
    if not len(times):
        return
    near = np.flatnonzero(np.isin(at_us, times))
    at_us, party, kind, posts = at_us[near], party[near], kind[near], posts[near]
    order = np.lexsort((kind, party, at_us))
    keys = np.stack([at_us[order], party[order].astype(np.int64), kind[order]])
    firsts = np.append(0, np.flatnonzero((keys[:, 1:] != keys[:, :-1]).any(axis=0)) + 1)
    sums = np.add.reduceat(posts[order], firsts)
    if (sums < 0).any():
        worst = int(np.flatnonzero(sums < 0)[0])
        where = f"at_us {keys[0, firsts[worst]]}"
        yield Difference(
            "evidence", f"{sums[worst]} posts of a party, origin and access {where}", "0 or more"
        )


def _steps(table: Any, party: Ints) -> tuple[Mask, Mask]:
    """For each row but the first whether it is out of order, and whether it is alike in what orders rows."""
    falls = np.zeros(len(table) - 1, np.bool_)
    alike = ~falls
    for name in _ORDER:
        values = party if name == "party" else table.column(name).to_numpy()
        falls |= alike & (values[1:] < values[:-1])
        alike &= values[1:] == values[:-1]
    return falls, alike


def _halves(posts: Ints) -> Iterator[tuple[NDArray[np.uint64], int]]:
    """Absolute values in two parts, neither of whose sums overflows."""
    # As unsigned, for there is a least number whose opposite is none.
    sizes = np.where(posts < 0, -posts.astype(np.uint64), posts.astype(np.uint64))
    yield sizes & np.uint64(2**32 - 1), 0
    yield sizes >> np.uint64(32), 32


def _outside(values: Ints, least: int, most: int) -> Mask:
    return (values < least) | (values > most)


def _lengths(table: Any, name: str) -> Ints:
    from pyarrow import compute  # noqa: PLC0415

    lengths: Ints = compute.binary_length(table.column(name)).to_numpy()
    return lengths


def _starts(table: Any, form: str) -> Mask:
    from pyarrow import compute  # noqa: PLC0415

    starts: Mask = compute.match_substring_regex(table.column("id"), form).to_numpy()
    return starts


def _first(name: str, wrong: Mask, said: str, computed: str, before: int = 0) -> Iterator[Difference]:
    rows = np.flatnonzero(wrong)
    if len(rows):
        more = f" (and {len(rows) - 1:,} more)" if len(rows) > 1 else ""
        yield Difference(f"{name}: row {int(rows[0]) - before}", said + more, computed)
