"""What addresses of the pages about recalls ask for."""

import pytest

from services.console.operations.own_ids import NO_ID
from services.console.operations.recall_wishes import NO_STATE, WORDS, Which, read_recalls


def test_without_anything_said_it_is_what_is_not_resolved() -> None:
    wish = read_recalls({})

    assert wish.which is Which.OPEN
    assert list(wish.request().states) == [1, 2, 6]


@pytest.mark.parametrize("which", list(Which))
def test_each_kind_has_words_and_comes_back_from_its_own_address(which: Which) -> None:
    wish = read_recalls({"which": which, "licensee": " acme "})

    assert wish.which is which
    assert wish.licensee_id == "acme"
    assert not wish.faults
    assert WORDS[which]
    assert wish.query(page="a=") == f"which={which.value}&licensee=acme&page=a%3D"


@pytest.mark.parametrize(
    ("given", "fault"), [({"which": "odd"}, NO_STATE), ({"licensee": "<script>"}, NO_ID)]
)
def test_what_says_nothing_is_a_fault_and_is_not_asked_for(given: dict[str, str], fault: str) -> None:
    wish = read_recalls(given)

    assert wish.faults == (fault,)
    assert wish.licensee_id == ""
