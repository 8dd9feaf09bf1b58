"""Times of other programs: exact, with a zone, or refused."""

from datetime import UTC

import pytest

from services.console.exact_times import read_exact, zone_of


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31 12:00:00z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.5+01:00", "2026-01-31T11:00:00.500Z"),
        ("2026-01-31T12:00:00.000001Z", "2026-01-31T12:00:00.000001Z"),
        ("2026-01-31T12:00:00.123456999Z", "2026-01-31T12:00:00.123456Z"),
        ("2024-02-29T00:00:00+0530", "2024-02-28T18:30:00Z"),
        ("2025-12-31T23:30:00-01:00", "2026-01-01T00:30:00Z"),
    ],
)
def test_a_time_with_a_zone_is_exact(written: str, utc: str) -> None:
    assert read_exact(written, None).ToJsonString() == utc


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-01-31",
        "2026-W05-6T12:00:00Z",
        "20260131T120000Z",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00+25:61",
        "2026-01-31T12:00:00+14:01",
        "2026-02-29T12:00:00Z",
        "2026-01-31T24:00:01Z",
        "2026-01-31T12:00:60Z",
        "0000-01-31T12:00:00Z",
        "9999-12-31T23:00:00-05:00",
        "1769860800",
    ],
)
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|no such time|no zone|out of range"):
        read_exact(text, UTC)


def test_a_time_without_a_zone_is_refused_unless_one_is_given() -> None:
    with pytest.raises(ValueError, match="has no zone; --zone"):
        read_exact("2026-07-01T12:00:00", None)

    assert (
        read_exact("2026-07-01T12:00:00", zone_of("Europe/Berlin")).ToJsonString() == "2026-07-01T10:00:00Z"
    )
    assert (
        read_exact("2026-07-01T12:00:00Z", zone_of("Europe/Berlin")).ToJsonString() == "2026-07-01T12:00:00Z"
    )


@pytest.mark.parametrize("clock", ["2026-03-29T02:30:00", "2026-10-25T02:30:00"])
def test_a_time_that_clocks_never_showed_or_showed_twice_is_refused(clock: str) -> None:
    with pytest.raises(ValueError, match="twice, or never"):
        read_exact(clock, zone_of("Europe/Berlin"))


@pytest.mark.parametrize("text", ["Z", "+00:00", "-0000", "UTC"])
def test_utc_has_several_names(text: str) -> None:
    assert read_exact("2026-01-31T12:00:00", zone_of(text)).ToJsonString() == "2026-01-31T12:00:00Z"


@pytest.mark.parametrize("text", ["Nowhere/City", "+2561", "+1", "../etc/passwd", "Europe", "", "-13:00"])
def test_a_zone_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        zone_of(text)
