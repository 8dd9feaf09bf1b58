"""Pages of the list of those whom an agent acts for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.console.settings_page.represented import PAGE, part_of


@given(count=st.integers(0, 256))
def test_pages_one_after_the_other_have_everybody_once(count: int) -> None:
    subjects, seen, token = tuple(range(1, count + 1)), list[int](), ""

    while True:
        part = part_of(subjects, token)
        seen += part.subjects
        assert len(part.subjects) <= PAGE
        token = part.next
        if not token:
            break

    assert seen == list(subjects)


@pytest.mark.parametrize("token", ["x", "-1", "1.5", " 1", "²", "1" * 10])
def test_a_token_that_is_no_place_is_refused(token: str) -> None:
    with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
        part_of((1, 2, 3), token)


def test_a_place_behind_the_end_has_nobody() -> None:
    part = part_of((1, 2, 3), "100")

    assert part.subjects == ()
    assert part.next == ""
