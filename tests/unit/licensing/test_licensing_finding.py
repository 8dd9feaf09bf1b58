"""The release index as pure functions: each against a slow and obvious definition."""

import itertools
from collections.abc import Sequence
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.licensing.domain.finding import pairs as module
from services.licensing.domain.finding.pairs import (
    Pairs,
    Run,
    blocks_of,
    merged,
    numbers_by_key,
    only_with,
    pairs_of,
    together,
)
from services.licensing.domain.finding.segments import (
    FAN_OUT,
    LONGEST_SPAN,
    Merge,
    Segment,
    SegmentState,
    due_merges,
    inputs_of,
)
from services.licensing.domain.manifests import manifest_of
from services.licensing.domain.released import Contents, KeyKind, Released, Unresolved, released_of
from tests.support.indexed import Post, Release, batch_of

IDS = st.sampled_from([1, 2, 3, 5, 2**63 - 1, 2**63, 2**64 - 1])
POSTS = st.builds(
    Post,
    st.integers(1, 50) | st.just(2**64 - 1),
    IDS,
    st.lists(st.tuples(st.integers(1, 60), IDS), max_size=3).map(tuple),
    st.booleans(),
)
RELEASES = st.builds(
    Release,
    st.lists(POSTS, min_size=1, max_size=6, unique_by=lambda post: post.id).map(tuple),
    st.booleans(),
)


def contents(release: Release) -> Contents:
    """As a decision of this release, or of one before, keeps it."""
    batch, mask = batch_of(release.posts), np.array([post.released for post in release.posts])
    if release.resolved:
        return released_of(batch, mask)
    manifest = manifest_of(batch, mask, bytes(32))
    return Unresolved(manifest.contributors, manifest.post_offsets, manifest.post_ids)


def plain(pairs: Pairs) -> list[tuple[int, int]]:
    return list(zip(pairs.keys.tolist(), pairs.numbers.tolist(), strict=True))


def some_pairs(plainly: Sequence[tuple[int, int]]) -> Pairs:
    keys = np.array([key for key, _ in plainly], np.uint64)
    return Pairs(keys, np.array([number for _, number in plainly], np.int64))


@given(RELEASES)
def test_keys_and_posts_are_those_of_released_posts_and_their_embeds(release: Release) -> None:
    held = contents(release)

    for kind in KeyKind:
        assert held.keys(kind).tolist() == sorted(release.keys(kind))
        for key in [*release.keys(kind), 77]:
            found = held.ids[held.posts_with(kind, key)].tolist()
            assert sorted(found) == sorted(posts_with(release, kind, key))


def posts_with(release: Release, kind: KeyKind, key: int) -> list[int]:
    """Every post looked at."""
    if kind is KeyKind.UNRESOLVED:
        return [] if release.resolved else [post.id for post in release.released]
    if kind is KeyKind.CONTRIBUTOR:
        return [
            post.id
            for post in release.released
            if key == post.author or key in {author for _, author in post.embeds}
        ]
    return [
        post.id
        for post in release.released
        if key == post.id or (release.resolved and key in {id for id, _ in post.embeds})
    ]


@given(RELEASES)
def test_released_posts_stay_in_the_order_of_the_request_with_their_embeds(release: Release) -> None:
    held = contents(Release(release.posts))

    assert isinstance(held, Released)
    posts = release.released
    assert (held.ids.tolist(), held.author_ids.tolist()) == (
        [post.id for post in posts],
        [post.author for post in posts],
    )
    starts = held.embed_offsets.tolist()
    embeds = list(zip(held.embed_ids.tolist(), held.embed_author_ids.tolist(), strict=True))
    parts = [tuple(embeds[start:end]) for start, end in itertools.pairwise(starts)]
    assert parts == [post.embeds for post in posts]


@given(st.lists(RELEASES, max_size=8))
def test_pairs_of_decisions_are_each_key_with_each_number_once_in_order(releases: list[Release]) -> None:
    numbered = list(enumerate(releases, 7))

    for kind in KeyKind:
        found = pairs_of([(number, contents(release)) for number, release in numbered], kind)
        assert plain(found) == sorted(
            (key, number) for number, release in numbered for key in release.keys(kind)
        )


SEGMENTS = st.lists(st.lists(IDS, max_size=40), min_size=1, max_size=5)


@given(SEGMENTS, st.integers(1, 4), st.integers(2, 5))
def test_merged_piece_by_piece_is_all_pairs_sorted_in_full_blocks(
    segments: list[list[int]], block: int, read: int
) -> None:
    inputs = [
        sorted({(key, place * 10 + at % 10) for at, key in enumerate(keys)})
        for place, keys in enumerate(segments)
    ]
    made, blocks, place, done = list[tuple[int, int]](), list[int](), (0, -1), False

    with patch.object(module, "BLOCK_PAIRS", block):
        while not done:
            runs = [run_after(pairs, place, read * block, block) for pairs in inputs]
            pairs, done = merged(runs, *place)
            assert done or len(pairs.keys)
            made += plain(pairs)
            blocks += [len(some.keys) for some in blocks_of(pairs)]
            place = made[-1] if made else place

    assert made == sorted(pair for pairs in inputs for pair in pairs)
    assert all(size == block for size in blocks[:-1])


def run_after(pairs: list[tuple[int, int]], place: tuple[int, int], limit: int, block: int) -> Run:
    """As it is read: from the beginning of the block in which the place lies."""
    behind = sum(pair <= place for pair in pairs)
    start = max(0, behind - 1) // block * block
    return Run(some_pairs(pairs[start : start + limit]), start + limit < len(pairs))


@given(st.lists(st.tuples(IDS, st.integers(1, 9)), max_size=30), st.lists(IDS, max_size=4))
def test_parts_together_are_a_set_and_are_looked_up_key_by_key(
    plainly: list[tuple[int, int]], keys: list[int]
) -> None:
    asked = np.array(keys, np.uint64)
    parts = [some_pairs([pair]) for pair in plainly]

    found = numbers_by_key(together([only_with(part, np.unique(asked)) for part in parts]), asked)

    assert [numbers.tolist() for numbers in found] == [
        sorted({number for key, number in plainly if key == wanted}) for wanted in keys
    ]


def a_segment(level: int, after: int, last: int, state: SegmentState = SegmentState.LIVE) -> Segment:
    return Segment(after * 100 + level, level, after, last, state)


def test_the_oldest_of_a_level_are_merged_once_there_are_enough_and_none_is_being_built_there() -> None:
    live = [a_segment(0, number, number + 1) for number in range(FAN_OUT + 2)]
    building = a_segment(1, 0, FAN_OUT, SegmentState.BUILDING)

    assert due_merges(live[: FAN_OUT - 1]) == []
    assert due_merges(reversed(live)) == [Merge(1, 0, FAN_OUT)]
    assert due_merges([*live, building]) == []
    assert inputs_of(building, reversed([*live, building])) == live[:FAN_OUT]


def test_what_was_dropped_is_neither_merged_nor_counted() -> None:
    dropped = [a_segment(0, number, number + 1, SegmentState.DROPPED) for number in range(FAN_OUT)]

    assert due_merges(dropped) == []
    assert inputs_of(a_segment(1, 0, FAN_OUT, SegmentState.BUILDING), dropped) == []


@pytest.mark.parametrize(("last", "is_due"), [(LONGEST_SPAN, True), (LONGEST_SPAN + 1, False)])
def test_no_segment_spans_more_numbers_than_32_bits_can_count(last: int, is_due: bool) -> None:
    live = [a_segment(4, number, number + 1) for number in range(FAN_OUT - 1)]

    assert bool(due_merges([*live, a_segment(4, FAN_OUT - 1, last)])) is is_due
