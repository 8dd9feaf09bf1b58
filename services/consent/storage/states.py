"""The state of each subject, derived from their records and written with them; the index is made from it.

A profile lasts as long as a subject has it: one person who chooses again and again leaves no trail of them.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update

from services.consent.domain.subjects import Profile, Subject
from services.consent.storage.codec import (
    decode_choices,
    decode_profile,
    decode_times,
    encode_choices,
    encode_profile,
    encode_times,
    signed,
    unsigned,
)
from services.consent.storage.head import Taken
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
        _STATES.c.seen_us,
        _STATES.c.times,
        _STATES.c.erased,
        _PROFILES.c.content,
    )
    .join(_PROFILES, _PROFILES.c.profile_id == _STATES.c.profile_id)
    .where(_STATES.c.subject_id.in_(bindparam("ids", expanding=True)))
)
_BY_CONTENT = select(_PROFILES.c.content, _PROFILES.c.profile_id).where(
    _PROFILES.c.content.in_(bindparam("contents", expanding=True))
)
_DROP = delete(_PROFILES).where(
    _PROFILES.c.profile_id.in_(bindparam("left", expanding=True)),
    ~exists().where(_STATES.c.profile_id == _PROFILES.c.profile_id),
)
_WRITTEN = ("profile_id", "choices", "last_stated_us", "seen_us", "times", "erased", "revision")
_ADD = insert(_STATES)
_CHANGE = (
    update(_STATES)
    # A bound name of its own: that of the column means a new value to SQLAlchemy.
    .where(_STATES.c.subject_id == bindparam("changed_id"))
    .values({name: bindparam(name) for name in _WRITTEN})
)


@dataclass(frozen=True)
class Stored:
    """The states that some subjects have, by id of the subject."""

    subjects: dict[int, Subject]
    profile_ids: dict[int, int]


def read_subjects(connection: Connection, subject_ids: Collection[int]) -> Stored:
    """Those of the subjects that have a state."""
    found = Stored({}, {})
    profiles: dict[str, Profile] = {}
    for some in chunks(sorted({signed(subject_id) for subject_id in subject_ids})):
        rows = connection.execute(_BY_ID, {"ids": some})
        for subject_id, profile_id, choices, last_stated_us, seen_us, times, erased, content in rows:
            if content not in profiles:
                profiles[content] = decode_profile(content)
            found.profile_ids[unsigned(subject_id)] = profile_id
            found.subjects[unsigned(subject_id)] = Subject(
                profiles[content].facts,
                decode_choices(choices),
                last_stated_us,
                seen_us,
                decode_times(times),
                erased,
            )
    return found


def write_subjects(
    connection: Connection, subjects: Mapping[int, Subject], stored: Stored, taken: Taken, records: int
) -> None:
    """Writes the states of `subjects`; `stored` is what those of them had that had one.

    `taken` are the revisions of their records, at least one for each subject.
    """
    order = sorted(subjects, key=signed)
    profiles = [subjects[subject_id].profile() for subject_id in order]
    ids = _intern(connection, set(profiles), taken.before.number + 1)
    profile_ids = [ids[profile] for profile in profiles]
    had = {stored.profile_ids[subject_id] for subject_id in order if subject_id in stored.profile_ids}
    revision = taken.last(records).number
    added, changed = [], []
    for subject_id, profile_id in zip(order, profile_ids, strict=True):
        row = _row(profile_id, subjects[subject_id], revision)
        if subject_id in stored.profile_ids:
            changed.append(row | {"changed_id": signed(subject_id)})
        else:
            added.append(row | {"subject_id": signed(subject_id)})
    if added:
        connection.execute(_ADD, added)
    if changed:
        connection.execute(_CHANGE, changed)
    for some in chunks(sorted(had - set(profile_ids))):
        connection.execute(_DROP, {"left": some})


def chunks(ids: list[int]) -> Iterator[list[int]]:
    """At most so many as one statement takes."""
    rest = iter(ids)
    while some := list(islice(rest, IDS_A_STATEMENT)):
        yield some


def _row(profile_id: int, subject: Subject, revision: int) -> dict[str, Any]:
    return {
        "profile_id": profile_id,
        "choices": encode_choices(subject.choices),
        "last_stated_us": subject.last_stated_us,
        "seen_us": subject.seen_us,
        "times": encode_times(subject.times_us),
        "erased": subject.erased,
        "revision": revision,
    }


def _intern(connection: Connection, profiles: Collection[Profile], free: int) -> dict[Profile, int]:
    """Ids of profiles; those that have none get one from `free` on, of which there are enough."""
    by_content = {encode_profile(profile): profile for profile in profiles}
    contents = sorted(by_content)
    ids = _ids_of(connection, contents)
    missing = [content for content in contents if content not in ids]
    new = {content: profile_id for profile_id, content in enumerate(missing, start=free)}
    if new:
        rows = [{"profile_id": profile_id, "content": content} for content, profile_id in new.items()]
        connection.execute(insert(_PROFILES), rows)
    return {by_content[content]: profile_id for content, profile_id in (ids | new).items()}


def _ids_of(connection: Connection, contents: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at in range(0, len(contents), IDS_A_STATEMENT):
        some = contents[at : at + IDS_A_STATEMENT]
        rows = connection.execute(_BY_CONTENT, {"contents": some})
        found |= {row.content: row.profile_id for row in rows}
    return found
