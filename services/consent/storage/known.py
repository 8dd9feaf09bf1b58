"""What was known of a contributor at a time, or is known now, from the records (C11).

Records carry the time at which they were recorded, which never goes back along the revisions: so what was
known at a time is what was recorded until then. That time is read when the write has the head, whatever it
had waited for before: only while it is written and committed may a check still have said otherwise.
"""

from typing import Any

from sqlalchemy import Connection, select

from services.chassis.refusals import precondition
from services.consent.domain.explanations import Known
from services.consent.domain.halts import Halt
from services.consent.domain.policies import Policy
from services.consent.domain.posts import UNMARKED, PostMark, PostState
from services.consent.domain.subjects import Subject
from services.consent.storage.codec import decode_countries, signed
from services.consent.storage.dossiers import (
    read_choices_at,
    read_choices_until,
    read_erased_us,
    read_facts_at,
)
from services.consent.storage.halts import read_page
from services.consent.storage.policies import read_book, read_in_force
from services.consent.storage.states import read_subjects
from services.consent.storage.tables import TABLES

_POSTS = TABLES["posts"]


def read_known(connection: Connection, subject_id: int, post_id: int, as_of_us: int) -> Known:
    """Everything that decides about a contributor and a post (0: none); raises Refusal SUBJECT_ERASED."""
    if read_erased_us(connection, subject_id) is not None:
        raise precondition("SUBJECT_ERASED", "what was known of the subject was erased")
    state, revision = _post(connection, post_id, as_of_us)
    return Known(
        facts=read_facts_at(connection, subject_id, as_of_us),
        choices=read_choices_until(connection, subject_id, as_of_us),
        policy=_policy(connection, as_of_us),
        halts=_halts(connection, as_of_us),
        post=state,
        post_revision=revision,
    )


def read_known_now(connection: Connection, subject_id: int) -> Known:
    """Everything that decides about a contributor and any post of theirs; nothing of whoever was erased.

    By what still matters: a subject who has chosen ever so often costs no more than one who chose once.
    """
    subject = read_subjects(connection, [subject_id]).subjects.get(subject_id, Subject())
    return Known(
        facts=read_facts_at(connection, subject_id, None),
        choices=read_choices_at(connection, {choice.revision for choice in subject.choices}),
        policy=read_in_force(connection),
        halts=read_page(connection, None, None, in_force_only=True),
    )


def _policy(connection: Connection, as_of_us: int) -> Policy | None:
    activated = [
        policy
        for policy in read_book(connection).policies
        if policy.activation is not None and policy.activation.activated_us <= as_of_us
    ]
    return activated[-1] if activated else None


def _halts(connection: Connection, as_of_us: int) -> tuple[Halt, ...]:
    return tuple(
        halt
        for halt in read_page(connection, None, None, in_force_only=False)
        if halt.ordered_us <= as_of_us and (halt.lifted_us is None or halt.lifted_us > as_of_us)
    )


def _post(connection: Connection, post_id: int, as_of_us: int) -> tuple[PostState, int]:
    latest = (
        select(_POSTS.c.marks, _POSTS.c.withheld, _POSTS.c.revision)
        .where(_POSTS.c.post_id == signed(post_id), _POSTS.c.recorded_us <= as_of_us)
        .order_by(_POSTS.c.revision.desc())
        .limit(1)
    )
    row: Any = connection.execute(latest).one_or_none()
    if row is None:
        return UNMARKED, 0
    return PostState(PostMark(row.marks), decode_countries(row.withheld)), row.revision
