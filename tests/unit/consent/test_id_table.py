"""The hash table against a dict."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.consent.id_table import MISSING, IdTable

# Few ids, so that they meet again; and both ends of the range.
ids = st.one_of(st.integers(1, 40), st.integers(2**64 - 40, 2**64 - 1))
writes = st.lists(st.dictionaries(ids, st.integers(1, 2**32 - 1), max_size=30), max_size=6)


def put(table: IdTable, places: dict[int, int]) -> None:
    table.put(np.array(list(places), np.uint64), np.array(list(places.values()), np.uint32))


def find(table: IdTable, wanted: list[int]) -> list[int]:
    return [int(place) for place in table.find(np.array(wanted, np.uint64))]


@settings(deadline=None)
@given(writes, st.lists(ids, max_size=50), st.integers(0, 2**64 - 1))
def test_the_table_answers_as_a_dict_does(rounds: list[dict[int, int]], asked: list[int], seed: int) -> None:
    table, expected = IdTable(0, seed), dict[int, int]()
    for written in rounds:
        put(table, written)
        expected |= written

    found = find(table, asked)

    assert found == [expected.get(subject_id, MISSING) for subject_id in asked]
    assert table.count == len(expected)


def test_ids_that_crowd_into_a_nearly_full_table_are_all_found() -> None:
    table = IdTable(0, seed=1)
    crowd = {subject_id: subject_id + 1 for subject_id in range(1, table.slots)}

    put(table, crowd)

    assert find(table, list(crowd)) == list(crowd.values())
    assert find(table, [table.slots + 5]) == [MISSING]


def test_a_table_that_grew_holds_what_the_smaller_one_held_and_leaves_that_alone() -> None:
    table = IdTable(0, seed=1)
    put(table, {5: 50, 6: 60})

    grown = table.with_room(100_000)
    put(grown, {5: 51})

    assert find(grown, [5, 6]) == [51, 60]
    assert find(table, [5, 6]) == [50, 60]
    assert grown.room >= 100_000


def test_a_table_with_room_enough_does_not_grow() -> None:
    table = IdTable(0, seed=1)

    assert table.with_room(table.room) is table
    assert table.with_room(table.room + 1) is not table


def test_a_renumbered_table_has_a_new_place_for_each_old_one_and_leaves_the_old_table_alone() -> None:
    table = IdTable(0, seed=1)
    put(table, {5: 1, 6: 3})

    renumbered = table.renumbered(np.array([0, 2, 0, 1], np.uint32))
    put(renumbered, {7: 9})

    assert find(renumbered, [5, 6, 7]) == [2, 1, 9]
    assert find(table, [5, 6, 7]) == [1, 3, MISSING]
    assert renumbered.count == 3


def test_a_place_is_in_use_as_long_as_an_id_has_it() -> None:
    table = IdTable(0, seed=1)
    put(table, {5: 1, 6: 3})
    put(table, {5: 2})

    assert table.used(5).tolist() == [True, False, True, True, False]


def test_the_id_0_is_in_no_table() -> None:
    table = IdTable(0, seed=1)
    put(table, dict.fromkeys(range(1, table.room), 1))

    assert find(table, [0]) == [MISSING]


def test_an_id_costs_at_most_28_bytes_in_a_table_of_any_load() -> None:
    table = IdTable(100_000, seed=1)

    assert table.bytes / 100_000 <= 28
    assert table.bytes / table.room < 22
