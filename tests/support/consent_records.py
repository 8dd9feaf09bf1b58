"""Everything on record in a database of consent, read row by row, and the states that are kept beside it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from services.consent.domain.choices import Choice, Scope, Stance
from services.consent.domain.halts import HaltKind, HaltScope
from services.consent.domain.policies import Policy
from services.consent.domain.posts import PostMark, PostState
from services.consent.domain.subjects import Facts, Profile, State, Subject
from services.consent.storage.codec import decode_countries, decode_notices, decode_profile, unsigned
from services.consent.storage.policies import read_book
from services.consent.storage.posts import read_posts
from services.consent.storage.states import read_subjects
from services.consent.storage.tables import TABLES


class Records(NamedTuple):
    """What the append-only tables come to."""

    choices: Mapping[int, Sequence[Choice]]
    """Of each subject, by revision."""
    facts: Mapping[int, Facts]
    """The latest of each subject."""
    posts: Mapping[int, PostState]
    """The latest of each post."""
    erased: frozenset[int]
    halts: frozenset[HaltScope]
    policy: Policy | None
    """The one in force."""


class States(NamedTuple):
    """What is kept beside the records."""

    subjects: Mapping[int, Subject]
    posts: Mapping[int, PostState]
    profiles: frozenset[Profile]


def read_records(connection: Connection) -> Records:
    """The slow way: all of it."""
    choices: defaultdict[int, list[Choice]] = defaultdict(list)
    for row in _rows(connection, "choices", "revision"):
        scope = Scope(row["licensee"], row["purpose"])
        choice = Choice(Stance(row["stance"]), scope, row["stated_us"], row["revision"])
        choices[unsigned(row["subject_id"])].append(choice)
    facts = {
        unsigned(row["subject_id"]): Facts(
            row["jurisdiction"],
            State(row["states"]),
            decode_notices(row["notices"]),
            decode_countries(row["withheld"]),
        )
        for row in _rows(connection, "subjects", "revision")
    }
    posts = {
        unsigned(row["post_id"]): PostState(PostMark(row["marks"]), decode_countries(row["withheld"]))
        for row in _rows(connection, "posts", "revision")
    }
    ended = {row["halt_id"] for row in _rows(connection, "halt_ends", "halt_id")}
    halts = {
        HaltScope(HaltKind(row["kind"]), row["value"])
        for row in _rows(connection, "halts", "halt_id")
        if row["halt_id"] not in ended
    }
    erased = {unsigned(row["subject_id"]) for row in _rows(connection, "erasures", "revision")}
    policy = read_book(connection).in_force()
    return Records(dict(choices), facts, posts, frozenset(erased), frozenset(halts), policy)


def read_states(connection: Connection) -> States:
    """Of everyone."""
    subject_ids = [unsigned(row["subject_id"]) for row in _rows(connection, "states", "subject_id")]
    post_ids = [unsigned(row["post_id"]) for row in _rows(connection, "post_states", "post_id")]
    posts = {post_id: post.state for post_id, post in read_posts(connection, post_ids).items()}
    profiles = [decode_profile(row["content"]) for row in _rows(connection, "profiles", "profile_id")]
    return States(read_subjects(connection, subject_ids).subjects, posts, frozenset(profiles))


def _rows(connection: Connection, table: str, order: str) -> list[dict[str, Any]]:
    rows = connection.execute(select(TABLES[table]).order_by(TABLES[table].c[order]))
    return [dict(row) for row in rows.mappings()]
