"""The state of each subject, derived from their records and written with them; the index is made from it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import BindParameter, Connection, bindparam, insert, select, update

from services.consent.domain.changes import Placement
from services.consent.domain.subjects import Profile, Subject
from services.consent.storage.codec import (
    decode_choices,
    decode_profile,
    encode_choices,
    encode_profile,
    signed,
    unsigned,
)
from services.consent.storage.tables import TABLES

IDS_A_STATEMENT = 5_000
"""SQLite takes 32,766 variables in a statement, PostgreSQL 65,535."""

_STATES = TABLES["states"]
_PROFILES = TABLES["profiles"]


@dataclass(frozen=True)
class Written:
    """What writing states means for the index."""

    placement: Placement
    profiles: Mapping[int, Profile]
    """Those that are new."""


def read_subjects(connection: Connection, subject_ids: Collection[int]) -> dict[int, Subject]:
    """The subjects that have a state, by id."""
    found: dict[int, Subject] = {}
    profiles: dict[str, Profile] = {}
    for some in chunks(sorted({signed(subject_id) for subject_id in subject_ids})):
        rows = connection.execute(
            select(_STATES.c.subject_id, _PROFILES.c.content, _STATES.c.choices, _STATES.c.last_stated_us)
            .join(_PROFILES, _PROFILES.c.profile_id == _STATES.c.profile_id)
            .where(_STATES.c.subject_id.in_(some))
        )
        for subject_id, content, choices, last_stated_us in rows:
            if content not in profiles:
                profiles[content] = decode_profile(content)
            facts = profiles[content].facts
            found[unsigned(subject_id)] = Subject(facts, decode_choices(choices), last_stated_us)
    return found


def write_subjects(
    connection: Connection, subjects: Mapping[int, Subject], stored: Collection[int]
) -> Written:
    """Writes the states of `subjects`; those in `stored` have one already."""
    profiles = {subject_id: subject.profile() for subject_id, subject in subjects.items()}
    ids, new = _intern(connection, set(profiles.values()))
    rows: list[dict[str, Any]] = [
        {
            "b_subject_id": signed(subject_id),
            "b_profile_id": ids[profiles[subject_id]],
            "b_choices": encode_choices(subject.choices),
            "b_last_stated_us": subject.last_stated_us,
        }
        # In one order whoever writes, so that two writers never wait for each other.
        for subject_id, subject in sorted(subjects.items())
    ]
    _insert_or_update(connection, rows, {signed(subject_id) for subject_id in stored})
    return Written(
        Placement(
            np.fromiter(profiles, np.uint64, len(profiles)),
            np.fromiter((ids[profile] for profile in profiles.values()), np.uint32, len(profiles)),
        ),
        new,
    )


def chunks(ids: list[int]) -> Iterator[list[int]]:
    """At most so many as one statement takes."""
    rest = iter(ids)
    while some := list(islice(rest, IDS_A_STATEMENT)):
        yield some


def _insert_or_update(connection: Connection, rows: list[dict[str, Any]], stored: set[int]) -> None:
    values: dict[str, BindParameter[Any]] = {
        name: bindparam(f"b_{name}") for name in ("profile_id", "choices", "last_stated_us")
    }
    subject_id: BindParameter[int] = bindparam("b_subject_id")
    added = [row for row in rows if row["b_subject_id"] not in stored]
    changed = [row for row in rows if row["b_subject_id"] in stored]
    if added:
        connection.execute(insert(_STATES).values(subject_id=subject_id, **values), added)
    if changed:
        connection.execute(update(_STATES).where(_STATES.c.subject_id == subject_id).values(values), changed)


def _intern(
    connection: Connection, profiles: Collection[Profile]
) -> tuple[dict[Profile, int], dict[int, Profile]]:
    """Ids of profiles, and those that were given one just now."""
    by_content = {encode_profile(profile): profile for profile in profiles}
    contents = sorted(by_content)
    ids = _ids_of(connection, contents)
    missing = [content for content in contents if content not in ids]
    if missing:
        connection.execute(insert(_PROFILES), [{"content": content} for content in missing])
        ids |= _ids_of(connection, missing)
    return (
        {by_content[content]: profile_id for content, profile_id in ids.items()},
        {ids[content]: by_content[content] for content in missing},
    )


def _ids_of(connection: Connection, contents: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at in range(0, len(contents), IDS_A_STATEMENT):
        some = contents[at : at + IDS_A_STATEMENT]
        rows = connection.execute(
            select(_PROFILES.c.content, _PROFILES.c.profile_id).where(_PROFILES.c.content.in_(some))
        )
        found |= {row.content: row.profile_id for row in rows}
    return found
