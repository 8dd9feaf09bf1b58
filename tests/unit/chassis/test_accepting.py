"""R5: the other mode of a service's program, and what it says."""

import pytest

from services.chassis.accepting import acceptance_of, words
from services.chassis.heads import Head
from services.chassis.restores import Acceptance, Restore


def test_a_program_without_arguments_serves() -> None:
    assert acceptance_of([]) is None


def test_r5_an_acceptance_says_why_and_who() -> None:
    said = acceptance_of(["--accept-restore", "--reason", " the disk died ", "--by", "olga"])

    assert said == Acceptance("the disk died", "olga")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--accept-restore"],
        ["--accept-restore", "--reason", "the disk died"],
        ["--accept-restore", "--reason", " ", "--by", "olga"],
        ["--accept-restore", "--reason", "x" * 501, "--by", "olga"],
        ["--accept-restore", "--reason", "the disk died", "--by", "x" * 161],
        ["--reason", "the disk died", "--by", "olga"],
        ["--accept"],
        ["serve"],
    ],
)
def test_r5_nothing_else_is_an_acceptance_and_nothing_is_served_by_mistake(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        acceptance_of(arguments)

    assert ended.value.code == 2


def test_r5_a_reason_may_begin_like_an_option_and_a_service_has_options_of_its_own() -> None:
    arguments = ["--accept-restore", "--reason=-rf", "--by=olga", "--vault-lost"]

    assert acceptance_of(arguments, {"vault-lost": "it is"}) == Acceptance(
        "-rf", "olga", frozenset({"vault-lost"})
    )
    with pytest.raises(SystemExit):
        acceptance_of(["--vault-lost"], {"vault-lost": "it is"})
    with pytest.raises(SystemExit):
        acceptance_of(arguments)


def test_r5_what_is_lost_is_said_or_that_nobody_knows() -> None:
    known = Restore(2, 80, Head(1, 80), Head(1, 120), 0, "olga", "the disk died")
    unknown = Restore(2, 0, Head(1, 80), None, 0, "olga", "the disk died")

    assert "It had come to number 120 of epoch 1" in words("consent", known)
    assert "Nothing shows how far it had come" in words("consent", unknown)
