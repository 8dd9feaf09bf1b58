"""Lengths of time, as people write and read them."""

import pytest

from services.console.durations import LONGEST_US, patience, read, words


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1us", 1),
        ("250ms", 250_000),
        ("90s", 90_000_000),
        ("15m", 900_000_000),
        ("24h", 86_400_000_000),
        ("7d", 604_800_000_000),
        ("315576000s", LONGEST_US),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, us: int) -> None:
    assert read(text) == us


@pytest.mark.parametrize(
    "text", ["", "24", "h", "1.5h", "-1h", "1h30m", "1 h", "1H", "0s", "315576001s", "9" * 18 + "d", "٣h"]
)
def test_what_is_no_duration_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match="a duration"):
        read(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1s", "1 second"),
        ("60s", "1 minute"),
        ("90s", "90 seconds"),
        ("1d", "24 hours"),
        ("36h", "36 hours"),
        ("48h", "2 days"),
        ("1001us", "1,001 microseconds"),
    ],
)
def test_m1_a_day_is_24_hours(text: str, said: str) -> None:
    assert words(read(text)) == said


@pytest.mark.parametrize(
    ("us", "told"),
    [
        (0, "0 s"),
        (50_000, "0.1 s"),
        (2_000_000, "2 s"),
        (119_900_000, "119.9 s"),
        (120_000_000, "2 minutes"),
        (7_199_000_000, "120 minutes"),
        (7_200_000_001, "3 hours"),
        (86_395_600_000, "24 hours"),
        (31 * 86_400_000_000, "31 days"),
    ],
)
def test_a_time_to_wait_is_told_roughly_and_never_too_short(us: int, told: str) -> None:
    assert patience(us) == told
