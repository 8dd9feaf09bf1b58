"""What an agent fills in to choose for many, read into a choice for each and what of it could not be read."""

import csv
from collections.abc import Collection
from dataclasses import dataclass, replace

from services.chassis.refusals import invalid
from services.chassis.validation import check_message
from services.console.settings_page.bulk import Bulk
from services.console.settings_page.subject_ids import Named, cells_of_csv, cells_of_text, named
from sluice.consent.v1.choice_pb2 import Stance
from sluice.type.v1.purpose_pb2 import Purpose

LARGEST_LIST = 1_000_000
"""Bytes or characters; the ids of all that one agent acts for are a few thousand."""
TRAINING = (Purpose.PURPOSE_AI_TRAINING_GENERATIVE, Purpose.PURPOSE_AI_TRAINING_OTHER)
"""What the page calls AI training."""
PURPOSES = {"training": TRAINING, "everything": ()}
"""By what the form calls them."""


@dataclass(frozen=True)
class Filled:
    """A form as it came."""

    whom: str
    """"all" or "listed"."""
    listed: str
    file: bytes
    about: str
    """A name of PURPOSES."""
    licensee_id: str


@dataclass(frozen=True)
class Understood:
    """What was read of it."""

    bulk: Bulk
    faults: tuple[str, ...]
    """What stands in a list and is no id."""
    others: tuple[int, ...]
    """Ids of those whom the agent does not act for, who look like those who are not there."""


def understood(filled: Filled, represented: Collection[int]) -> Understood:
    """A deny for those that the form names and the agent represents.

    Raises Refusal (invalid): LIST_TOO_LONG, CSV_MALFORMED, FORM_UNREADABLE, NOBODY_NAMED; INVALID_REQUEST for
    an id of a licensee that is none.
    """
    if filled.about not in PURPOSES or filled.whom not in {"all", "listed"}:
        raise invalid("FORM_UNREADABLE", "the form has other answers than it offers")
    listed = Named(tuple(represented), ()) if filled.whom == "all" else _listed(filled)
    known = frozenset(represented)
    bulk = Bulk(
        subjects=tuple(id for id in listed.ids if id in known),
        stance=Stance.STANCE_DENY,
        purposes=PURPOSES[filled.about],
        licensee_id=filled.licensee_id.strip(),
        notice_digest="",
    )
    for choice in replace(bulk, subjects=()).choices(1):
        # Said once, before anything is sent, and not of each subject afterwards.
        check_message(choice)
    return Understood(bulk, listed.faults, tuple(id for id in listed.ids if id not in known))


def _listed(filled: Filled) -> Named:
    if max(len(filled.listed), len(filled.file)) > LARGEST_LIST:
        raise invalid("LIST_TOO_LONG", f"a list has at most {LARGEST_LIST:,} characters")
    try:
        found = named([*cells_of_text(filled.listed), *cells_of_csv(filled.file)])
    except csv.Error as error:
        raise invalid("CSV_MALFORMED", "the file is no CSV") from error
    if not found.ids and not found.faults:
        raise invalid("NOBODY_NAMED", "the list names nobody")
    return found
