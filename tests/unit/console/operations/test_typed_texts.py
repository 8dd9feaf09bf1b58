"""Texts that operators type: what a contract takes of them, and what is said of the rest."""

import pytest

from services.console.operations.typed_texts import TOO_LONG, UNPRINTABLE, fault_in, one_line_ends


def test_ends_of_lines_are_those_that_contracts_take() -> None:
    assert one_line_ends(" A leak.\r\n\tOf posts. \r\n") == "A leak.\n\tOf posts."


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("A leak.\n\tOf posts.", ""),
        ("\N{POLICE CARS REVOLVING LIGHT}" * 20, ""),
        ("x" * 21, TOO_LONG),
        ("A\fleak", UNPRINTABLE),
        ("A\rleak", UNPRINTABLE),
        ("A leak\x7f", UNPRINTABLE),
        ("", "Say why."),
    ],
)
def test_what_cannot_be_kept_is_told(text: str, fault: str) -> None:
    assert fault_in(text, 20, "Say why.") == fault
