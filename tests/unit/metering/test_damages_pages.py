"""A page ends by the number of its rows or by their size, and never before its first row."""

import pytest

from services.metering.storage.pages import MOST_CHARACTERS, fitting

SMALL, HALF, HUGE = "x", "x" * (MOST_CHARACTERS // 2), "x" * (MOST_CHARACTERS + 1)


@pytest.mark.parametrize(
    ("texts", "fit"),
    [
        ([], 0),
        ([SMALL] * 3, 3),
        ([SMALL] * 4, 3),
        ([HALF] * 2, 2),
        ([HALF] * 3, 2),
        ([HALF, HUGE], 1),
        ([HUGE, SMALL], 1),
        ([HUGE], 1),
    ],
)
def test_a_page_ends_before_it_is_too_large(texts: list[str], fit: int) -> None:
    rows = [(number, text, b"digest") for number, text in enumerate(texts)]

    assert fitting(rows, 3) == (rows[:fit], fit < len(rows))
