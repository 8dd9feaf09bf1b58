"""The state of each subject, derived from their records and written with them; the index is made from it.

A profile lasts as long as a subject has it: one person who chooses again and again leaves no trail of them.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update

from services.consent.domain.changes import Change, Placement, Revision
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
_BY_ID = (
    select(
        _STATES.c.subject_id,
        _STATES.c.profile_id,
        _STATES.c.choices,
        _STATES.c.last_stated_us,
        _PROFILES.c.content,
    )
    .join(_PROFILES, _PROFILES.c.profile_id == _STATES.c.profile_id)
    .where(_STATES.c.subject_id.in_(bindparam("ids", expanding=True)))
)
_BY_CONTENT = select(_PROFILES.c.content, _PROFILES.c.profile_id).where(
    _PROFILES.c.content.in_(bindparam("contents", expanding=True))
)
_DROP = (
    delete(_PROFILES)
    .where(
        _PROFILES.c.profile_id.in_(bindparam("left", expanding=True)),
        ~exists().where(_STATES.c.profile_id == _PROFILES.c.profile_id),
    )
    .returning(_PROFILES.c.profile_id)
)
_ADD = insert(_STATES)
_CHANGE = (
    update(_STATES)
    # A bound name of its own: that of the column means a new value to SQLAlchemy.
    .where(_STATES.c.subject_id == bindparam("changed_id"))
    .values({name: bindparam(name) for name in ("profile_id", "choices", "last_stated_us")})
)


@dataclass(frozen=True)
class Stored:
    """The states that some subjects have, by id of the subject."""

    subjects: dict[int, Subject]
    profile_ids: dict[int, int]


@dataclass(frozen=True)
class Written:
    """What writing states means for the index."""

    placement: Placement
    profiles: Mapping[int, Profile]
    """Those that are new."""
    dropped: tuple[int, ...]
    """Ids of those that no subject has any more. The database may give such an id to another profile."""

    def change(self, before: Revision, after: Revision) -> Change:
        """What the index is told."""
        return Change(before, after, self.placement, self.profiles, dropped=self.dropped)


def read_subjects(connection: Connection, subject_ids: Collection[int]) -> Stored:
    """Those of the subjects that have a state."""
    found = Stored({}, {})
    profiles: dict[str, Profile] = {}
    for some in chunks(sorted({signed(subject_id) for subject_id in subject_ids})):
        rows = connection.execute(_BY_ID, {"ids": some})
        for subject_id, profile_id, choices, last_stated_us, content in rows:
            if content not in profiles:
                profiles[content] = decode_profile(content)
            facts = profiles[content].facts
            found.profile_ids[unsigned(subject_id)] = profile_id
            found.subjects[unsigned(subject_id)] = Subject(facts, decode_choices(choices), last_stated_us)
    return found


def write_subjects(connection: Connection, subjects: Mapping[int, Subject], stored: Stored) -> Written:
    """Writes the states of `subjects`; `stored` is what those of them had that had one."""
    # In one order whoever writes, so that two writers never wait for each other.
    order = sorted(subjects, key=signed)
    profiles = [subjects[subject_id].profile() for subject_id in order]
    ids, new = _intern(connection, set(profiles))
    profile_ids = [ids[profile] for profile in profiles]
    had = {stored.profile_ids[subject_id] for subject_id in order if subject_id in stored.profile_ids}
    added, changed = [], []
    for subject_id, profile_id in zip(order, profile_ids, strict=True):
        row = _row(profile_id, subjects[subject_id])
        if subject_id in stored.profile_ids:
            changed.append(row | {"changed_id": signed(subject_id)})
        else:
            added.append(row | {"subject_id": signed(subject_id)})
    if added:
        connection.execute(_ADD, added)
    if changed:
        connection.execute(_CHANGE, changed)
    placement = Placement(np.array(order, np.uint64), np.array(profile_ids, np.uint32))
    return Written(placement, new, _drop(connection, had - set(profile_ids)))


def chunks(ids: list[int]) -> Iterator[list[int]]:
    """At most so many as one statement takes."""
    rest = iter(ids)
    while some := list(islice(rest, IDS_A_STATEMENT)):
        yield some


def _drop(connection: Connection, left: Collection[int]) -> tuple[int, ...]:
    """Deletes those of the profiles that were left which no subject has any more."""
    dropped: list[int] = []
    for some in chunks(sorted(left)):
        dropped.extend(connection.scalars(_DROP, {"left": some}))
    return tuple(dropped)


def _row(profile_id: int, subject: Subject) -> dict[str, Any]:
    return {
        "profile_id": profile_id,
        "choices": encode_choices(subject.choices),
        "last_stated_us": subject.last_stated_us,
    }


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
        rows = connection.execute(_BY_CONTENT, {"contents": some})
        found |= {row.content: row.profile_id for row in rows}
    return found
