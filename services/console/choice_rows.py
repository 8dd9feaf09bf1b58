"""Choices on record, as tables show them."""

from collections.abc import Iterable
from typing import Any

from services.console.moments import clock_face
from services.console.names import word_of
from services.console.output import show, table
from sluice.consent.v1.choice_pb2 import ChoiceMethod, RecordedChoice, Stance
from sluice.type.v1.purpose_pb2 import Purpose

HEADINGS = (">revision", "stance", "for", "purpose", "stated at", "method", "notice", "recorded by")


def show_choices(choices: Iterable[RecordedChoice]) -> None:
    """A table of them."""
    show(table(HEADINGS, (choice_row(recorded) for recorded in choices)))


def choice_row(recorded: RecordedChoice) -> tuple[Any, ...]:
    """One row of the table."""
    choice = recorded.choice
    return (
        recorded.revision,
        word_of(Stance.DESCRIPTOR, choice.stance),
        choice.licensee_id or "everyone",
        "all" if choice.all_purposes else word_of(Purpose.DESCRIPTOR, choice.purpose),
        clock_face(choice.stated_at),
        word_of(ChoiceMethod.DESCRIPTOR, choice.method) if choice.method else "not said",
        choice.notice_digest.hex()[:12],
        recorded.recorded_by,
    )
