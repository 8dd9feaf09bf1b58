"""Calls are told once each, whatever is answered when, and in bounded memory."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.licensing.domain.doors.networks import OTHER
from services.licensing.domain.doors.tallies import Tally

STEPS = st.lists(
    st.one_of(st.sampled_from(["a", "b", "c", "d", "e"]), st.sampled_from(["close", "told", "lost"])),
    max_size=60,
)


@given(STEPS, st.integers(2, 4), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_m7_every_call_is_told_once_whatever_was_answered(
    steps: list[str], most: int, largest: int, limit: int, named: int
) -> None:
    tally, told, calls = Tally(most, largest, named), dict[int, tuple[str, int]](), Counter[str]()

    for now_us, step in enumerate([*steps, "close", *["told"] * 200]):
        if step == "close":
            tally.close()
        elif step in {"told", "lost"}:
            rows = tally.page(limit)
            assert len(rows) <= limit
            for row in rows:
                # Whoever hears of an id twice hears the same, and counts it once.
                said = row.tallied.network, row.tallied.calls
                assert told.setdefault(row.id, said) == said
                assert 1 <= row.tallied.calls <= largest
            if step == "told":
                tally.told()
        else:
            calls[step] += 1
            tally.count(step, now_us)

    heard = Counter[str]()
    for network, count in told.values():
        heard[network] += count
    assert heard.total() == calls.total()
    assert heard[OTHER] == tally.merged
    assert all(heard[network] <= calls[network] for network in calls)
    assert sorted(told) == list(range(1, len(told) + 1))


def test_beyond_its_room_the_oldest_are_counted_as_other() -> None:
    tally = Tally(most=2, largest=100, named=9)
    for now_us, network in enumerate(["a", "b", "b", "c"]):
        tally.count(network, now_us)
        tally.close()

    rows = tally.page(10)

    assert [(row.tallied.network, row.tallied.calls) for row in rows] == [(OTHER, 3), ("c", 1)]
    assert tally.merged == 3


def test_what_was_sent_is_never_merged_for_it_may_have_been_counted() -> None:
    tally = Tally(most=2, largest=100, named=9)
    tally.count("a", 0)
    tally.close()
    sent = tally.page(10)
    for now_us, network in enumerate(["b", "c", "d"]):
        tally.count(network, now_us)
        tally.close()

    assert tally.page(10) == sent
    tally.told()
    assert [row.tallied.network for row in tally.page(10)] == [OTHER, "d"]


def test_the_busiest_networks_of_an_interval_are_named_and_the_rest_is_counted_together() -> None:
    tally = Tally(most=10, largest=100, named=2)
    for now_us, network in enumerate("abbcccdc"):
        tally.count(network, now_us)
    tally.close()

    rows = tally.page(100)

    assert [(row.tallied.network, row.tallied.calls) for row in rows] == [("c", 4), ("b", 2), (OTHER, 2)]
    assert tally.merged == 2


def test_however_many_networks_call_an_interval_has_a_bounded_number_of_rows() -> None:
    tally = Tally(most=20, largest=10_000, named=3)
    for now_us in range(1_000):
        tally.count("scraper", now_us)
        tally.count(f"network-{now_us}", now_us)
    tally.close()

    rows = tally.page(100)

    assert len(rows) == 4
    assert rows[0].tallied.network == "scraper"
    assert rows[0].tallied.calls == 1_000
    assert sum(row.tallied.calls for row in rows) == 2_000


def test_the_time_of_a_count_is_that_of_the_first_call_of_its_interval() -> None:
    tally = Tally(most=10, largest=100, named=9)
    for now_us, network in enumerate(["a", "b"]):
        tally.count(network, 5 + now_us)
    tally.close()
    tally.count("a", 9)
    tally.close()

    rows = tally.page(10)

    assert [(row.tallied.network, row.tallied.since_us) for row in rows] == [("a", 5), ("b", 5), ("a", 9)]
