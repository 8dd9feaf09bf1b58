"""The hash table against a dict."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.consent.subject_table import MISSING, SubjectTable

# Few ids, so that they meet again; and both ends of the range.
ids = st.one_of(st.integers(1, 40), st.integers(2**64 - 40, 2**64 - 1))
writes = st.lists(st.dictionaries(ids, st.integers(1, 2**32 - 1), max_size=30), max_size=6)


def put(table: SubjectTable, profiles: dict[int, int]) -> None:
    table.put(np.array(list(profiles), np.uint64), np.array(list(profiles.values()), np.uint32))


def find(table: SubjectTable, wanted: list[int]) -> list[int]:
    return [int(profile) for profile in table.find(np.array(wanted, np.uint64))]


@settings(deadline=None)
@given(writes, st.lists(ids, max_size=50), st.integers(0, 2**64 - 1))
def test_the_table_answers_as_a_dict_does(rounds: list[dict[int, int]], asked: list[int], seed: int) -> None:
    table, expected = SubjectTable(0, seed), dict[int, int]()
    for written in rounds:
        put(table, written)
        expected |= written

    found = find(table, asked)

    assert found == [expected.get(subject_id, MISSING) for subject_id in asked]
    assert table.count == len(expected)


def test_ids_that_crowd_into_a_nearly_full_table_are_all_found() -> None:
    table = SubjectTable(0, seed=1)
    crowd = {subject_id: subject_id + 1 for subject_id in range(1, table.slots)}

    put(table, crowd)

    assert find(table, list(crowd)) == list(crowd.values())
    assert find(table, [table.slots + 5]) == [MISSING]


def test_a_grown_table_holds_what_the_smaller_one_held_and_leaves_that_alone() -> None:
    table = SubjectTable(0, seed=1)
    put(table, {5: 50, 6: 60})

    grown = table.grown(100_000)
    put(grown, {5: 51})

    assert find(grown, [5, 6]) == [51, 60]
    assert find(table, [5, 6]) == [50, 60]
    assert grown.room >= 100_000


def test_a_subject_costs_at_most_28_bytes_in_a_table_of_any_load() -> None:
    table = SubjectTable(100_000, seed=1)

    assert table.bytes / 100_000 <= 28
    assert table.bytes / table.room < 22
