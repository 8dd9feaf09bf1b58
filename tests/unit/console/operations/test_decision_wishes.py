"""Which decisions an address asks for."""

from urllib.parse import parse_qsl

from hypothesis import given, settings
from hypothesis import strategies as st

from services.console import moments
from services.console.operations import decision_wishes as wishes
from services.console.operations.decision_wishes import Sought, read_wish, sought
from services.console.stats import By

NOW_US = moments.read("2026-01-31T12:00:00Z").ToMicroseconds()
HOUR_US = 3_600_000_000
ID = "0199ca42-80a0-7000-90d3-3ede63c7f66a"


def us_of(text: str) -> int:
    return moments.read(text).ToMicroseconds()


def test_an_address_that_says_nothing_asks_for_the_last_day_by_hour() -> None:
    wish, faults = read_wish({}, NOW_US)

    assert not faults
    assert wish.by is By.HOUR
    assert wish.until_us == NOW_US + HOUR_US
    assert wish.until_us - wish.since_us == 24 * HOUR_US


def test_time_is_in_whole_stretches_as_counts_are() -> None:
    said = {"since": "2026-01-30T09:59:59", "until": "2026-01-30T10:00:01"}

    by_hour, _ = read_wish({**said, "by": "hour"}, NOW_US)
    by_minute, _ = read_wish({**said, "by": "minute"}, NOW_US)

    assert (by_hour.since_us, by_hour.until_us) == (us_of("2026-01-30T09:00"), us_of("2026-01-30T11:00"))
    assert (by_minute.since_us, by_minute.until_us) == (
        us_of("2026-01-30T09:59"),
        us_of("2026-01-30T10:01"),
    )


def test_a_time_in_the_last_hour_that_has_a_name_is_refused() -> None:
    _, faults = read_wish({"until": "9999-12-31T23:30"}, NOW_US)

    assert faults == [wishes.NO_TIME]


def test_an_address_says_time_licensee_license_and_outcome() -> None:
    said = {
        "by": "day",
        "since": "2026-01-01",
        "until": "2026-01-31T12:00",
        "licensee": " acme ",
        "outcome": "3",
    }

    wish, faults = read_wish({**said, "license": "acme-training"}, NOW_US)

    assert not faults
    assert wish.since_us == moments.read("2026-01-01").ToMicroseconds()
    assert wish.until_us == us_of("2026-02-01")
    assert (wish.licensee_id, wish.license_id, wish.outcome) == ("acme", "acme-training", 3)


def test_each_thing_that_says_nothing_is_told_once() -> None:
    said = {
        "by": "year",
        "since": "yesterday",
        "until": "x",
        "licensee": "A B",
        "license": "?",
        "outcome": "9",
    }

    _, faults = read_wish(said, NOW_US)

    assert faults == [wishes.NO_STRETCH, wishes.NO_TIME, wishes.NO_ID, wishes.NO_OUTCOME]


def test_a_time_that_ends_before_it_begins_is_told() -> None:
    _, faults = read_wish({"since": "2026-01-31", "until": "2026-01-30"}, NOW_US)

    assert faults == [wishes.NO_ORDER]


def test_a_time_that_ends_before_it_begins_is_told_within_a_stretch_too() -> None:
    _, faults = read_wish({"since": "2026-01-30T10:30", "until": "2026-01-30T10:20"}, NOW_US)

    assert faults == [wishes.NO_ORDER]


def test_more_bars_than_a_chart_shows_are_refused_and_not_left_out_in_silence() -> None:
    _, faults = read_wish({"by": "minute", "since": "2026-01-30", "until": "2026-01-31"}, NOW_US)

    assert faults == [wishes.TOO_LONG]


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(["by", "since", "until", "licensee", "license", "outcome"]),
        st.one_of(st.text(max_size=20), st.sampled_from(["day", "2026-01-31", "acme", "1", "9999-12-31"])),
    )
)
def test_a_wish_without_fault_says_the_same_by_its_own_address(said: dict[str, str]) -> None:
    wish, faults = read_wish(said, NOW_US)

    if not faults:
        assert read_wish(dict(parse_qsl(wish.query())), NOW_US + HOUR_US) == (wish, [])


def test_an_id_and_a_number_are_told_apart_from_what_is_neither() -> None:
    assert sought(f" {ID.upper()} ") == Sought(id=ID)
    assert sought("17") == Sought(receipt_number=17)
    for neither in ("", "0", "-1", "1.5", "acme", "<script>", "9" * 19, "9" * 30, ID[:-1], "{" + ID + "}"):
        assert sought(neither) is None, neither
