"""What an agent fills in to choose for many, read into a choice for each and what of it could not be read."""

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.chassis.refusals import Refusal, invalid
from services.chassis.validation import check_message
from services.console.settings_page.bulk import Bulk
from services.console.settings_page.subject_ids import Named, cells_of_csv, cells_of_text, named
from services.console.settings_page.switches import TRAINING
from sluice.consent.v1.choice_pb2 import Stance

LARGEST_LIST = 200_000
"""Bytes or characters; the ids of all that one agent acts for take some 5,000."""
_DENY, _ALLOW = Stance.STANCE_DENY, Stance.STANCE_ALLOW
WISHES: Mapping[str, tuple[int, tuple[int, ...]]] = {
    "no-training": (_DENY, TRAINING),
    "no-everything": (_DENY, ()),
    "yes-training": (_ALLOW, TRAINING),
}
"""Stance and purposes, by what the form calls them. No purposes are all of them, which are denied alone."""


@dataclass(frozen=True)
class Filled:
    """A form as it came."""

    whom: str
    """"all" or "listed"."""
    listed: str
    file: bytes
    wish: str
    """A name of WISHES."""
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
    """A choice for those that the form names and the agent represents; of a yes still without its notice.

    Raises Refusal (invalid): LIST_AND_ALL, LIST_TOO_LONG, CSV_MALFORMED, FORM_UNREADABLE, NOBODY_NAMED;
    LICENSEE_ID_MALFORMED for an id of a licensee that is none.
    """
    if filled.wish not in WISHES or filled.whom not in {"all", "listed"}:
        raise invalid("FORM_UNREADABLE", "the form has other answers than it offers")
    listed = _all_of(filled, represented) if filled.whom == "all" else _listed(filled)
    known = frozenset(represented)
    stance, purposes = WISHES[filled.wish]
    subjects = tuple(id for id in listed.ids if id in known)
    bulk = Bulk(subjects, stance, purposes, filled.licensee_id.strip())
    _check_licensee(bulk)
    return Understood(bulk, listed.faults, tuple(id for id in listed.ids if id not in known))


def _check_licensee(bulk: Bulk) -> None:
    """Said once, before anything is sent, and not of each subject afterwards: all else is the form's own."""
    try:
        for choice in bulk.choices(1):
            check_message(choice)
    except Refusal as refusal:
        raise invalid("LICENSEE_ID_MALFORMED", "this is no id of a licensee") from refusal


def _all_of(filled: Filled, represented: Collection[int]) -> Named:
    """All whom they act for, where the form names nobody besides: else one of the two was not meant."""
    if filled.listed.strip() or filled.file:
        raise invalid("LIST_AND_ALL", "a choice for all came with a list")
    return Named(tuple(represented), ())


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
