"""Everything on record about one subject: read as a whole, by page, and erased (C11)."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import CompoundSelect, Connection, delete, func, insert, select, union_all

from services.chassis.action_rows import forget_subject
from services.chassis.identity import PrincipalKind
from services.consent.domain.choices import Stance
from services.consent.domain.dossiers import ChoiceRecord, Dossier, FactsRecord, SignalRecord
from services.consent.domain.erasures import erased_subject
from services.consent.domain.outcomes import Erased
from services.consent.domain.purposes import Signal
from services.consent.domain.subjects import State
from services.consent.domain.withdrawals import Cause, Withdrawal
from services.consent.storage.codec import NO_TIME, decode_countries, decode_notices, signed
from services.consent.storage.head import Part, advance, read_head
from services.consent.storage.policies import read_book
from services.consent.storage.states import chunks, read_subjects, write_subjects
from services.consent.storage.tables import ACTIONS, REPLAYS, TABLES
from services.consent.storage.withdrawals import read_withdrawals_at, record_withdrawals

_CHOICES = TABLES["choices"]
_SUBJECTS = TABLES["subjects"]
_ERASURES = TABLES["erasures"]
_SIGNALS = TABLES["signals"]
_WITHDRAWALS = TABLES["withdrawals"]


def read_dossier(connection: Connection, subject_id: int, now_us: int) -> Dossier | None:
    """All records of a subject; None where there is none."""
    subject = read_subjects(connection, [subject_id]).subjects.get(subject_id)
    if subject is None:
        return None
    head = read_head(connection)
    facts = connection.execute(
        select(_SUBJECTS).where(_SUBJECTS.c.subject_id == signed(subject_id)).order_by(_SUBJECTS.c.revision)
    )
    return Dossier(
        subject_id=subject_id,
        epoch=head.epoch,
        revision=head.number,
        taken_us=now_us,
        choices=tuple(reversed(read_choices(connection, subject_id, None, None))),
        facts=tuple(map(_facts, facts)),
        standing=tuple(choice.revision for choice in subject.choices),
        policies=read_book(connection).policies,
        erased_us=read_erased_us(connection, subject_id),
        signals=_read_signals(connection, subject_id),
        withdrawals=read_withdrawals_at(connection, _revisions_of(subject_id)),
    )


def read_choices(
    connection: Connection, subject_id: int, below: int | None, limit: int | None
) -> tuple[ChoiceRecord, ...]:
    """At most `limit` of a subject's choices with a revision below one, newest first."""
    page = select(_CHOICES).where(_CHOICES.c.subject_id == signed(subject_id))
    if below is not None:
        page = page.where(_CHOICES.c.revision < below)
    rows = connection.execute(page.order_by(_CHOICES.c.revision.desc()).limit(limit))
    return tuple(map(_choice, rows))


def read_choices_at(connection: Connection, revisions: Collection[int]) -> tuple[ChoiceRecord, ...]:
    """The choices that have these revisions, oldest first; however long the history is that they are of."""
    found: list[ChoiceRecord] = []
    for some in chunks(sorted(revisions)):
        rows = connection.execute(select(_CHOICES).where(_CHOICES.c.revision.in_(some)))
        found.extend(map(_choice, rows))
    return tuple(sorted(found, key=lambda record: record.revision))


def read_choices_until(connection: Connection, subject_id: int, as_of_us: int) -> tuple[ChoiceRecord, ...]:
    """The choices of a subject that could matter among those recorded until a time, oldest first (C2).

    Without those of which a later one of the same scope was stated later: that one replaces or lifts them,
    see `domain.choices.still_standing`. The database leaves them out, for whoever changes their mind every
    minute has many.
    """
    rivals = func.max(_CHOICES.c.stated_us).over(
        partition_by=(_CHOICES.c.licensee, _CHOICES.c.purpose),
        order_by=_CHOICES.c.revision.desc(),
        # The rows before this one in that order: those with a later revision.
        rows=(None, -1),
    )
    known = (
        select(_CHOICES, rivals.label("rival_us"))
        .where(_CHOICES.c.subject_id == signed(subject_id), _CHOICES.c.recorded_us <= as_of_us)
        .subquery()
    )
    lasting = (known.c.rival_us.is_(None)) | (known.c.rival_us <= known.c.stated_us)
    rows = connection.execute(select(known).where(lasting).order_by(known.c.revision))
    return tuple(map(_choice, rows))


def read_facts_at(connection: Connection, subject_id: int, as_of_us: int | None) -> FactsRecord | None:
    """What was known of a subject at a time, or is (None); None where nothing was."""
    revisions = select(_SUBJECTS.c.revision).where(_SUBJECTS.c.subject_id == signed(subject_id))
    if as_of_us is not None:
        revisions = revisions.where(_SUBJECTS.c.recorded_us <= as_of_us)
    # Materialized, for with bad statistics PostgreSQL looks for the last one through everybody's records.
    own = revisions.cte("own").prefix_with("MATERIALIZED", dialect="postgresql")
    latest = select(func.max(own.c.revision)).scalar_subquery()
    row = connection.execute(select(_SUBJECTS).where(_SUBJECTS.c.revision == latest)).one_or_none()
    return None if row is None else _facts(row)


def read_erased_us(connection: Connection, subject_id: int) -> int | None:
    """When a subject was erased; None for most."""
    return connection.scalar(
        select(_ERASURES.c.erased_us).where(_ERASURES.c.subject_id == signed(subject_id))
    )


def is_erased(connection: Connection, subject_id: int) -> bool:
    """Whether nothing may be put on record any more that names the subject."""
    return read_erased_us(connection, subject_id) is not None


def erase(connection: Connection, subject_id: int, now_us: int, by: str) -> Erased:
    """Takes the records away, and leaves a deny, a tombstone and a withdrawal; once for each subject."""
    forget_subject(connection, ACTIONS, subject_id)
    earlier = read_erased_us(connection, subject_id)
    if earlier is not None:
        return Erased(earlier, read_head(connection))
    stored = read_subjects(connection, [subject_id])
    taken = advance(connection, 1, now_us, Part.SUBJECTS)
    revision = taken.last(1)
    # Before the records by which they are found. This erasure takes back all that they took back.
    connection.execute(delete(_WITHDRAWALS).where(_WITHDRAWALS.c.revision.in_(_revisions_of(subject_id))))
    for name in ("choices", "subjects", "signals"):
        table = TABLES[name]
        connection.execute(delete(table).where(table.c.subject_id == signed(subject_id)))
    # What they asked themselves: that, and when.
    connection.execute(delete(REPLAYS).where(REPLAYS.c.principal == f"{PrincipalKind.SUBJECT}:{subject_id}"))
    tombstone = {
        "revision": revision.number,
        "subject_id": signed(subject_id),
        "erased_us": taken.at_us,
        "erased_by": by,
    }
    connection.execute(insert(_ERASURES), [tombstone])
    withdrawal = Withdrawal(Cause.SUBJECT_ERASED, subject_id)
    record_withdrawals(connection, {revision.number: withdrawal}, taken.at_us)
    left = {subject_id: erased_subject(taken.at_us, revision.number)}
    write_subjects(connection, left, stored, taken, 1)
    return Erased(taken.at_us, revision)


def _revisions_of(subject_id: int) -> CompoundSelect[tuple[int]]:
    """Of all records of a subject: a withdrawal has that of what withdraws."""
    tables = (TABLES[name] for name in ("choices", "subjects", "erasures"))
    return union_all(
        *(select(table.c.revision).where(table.c.subject_id == signed(subject_id)) for table in tables)
    )


def _read_signals(connection: Connection, subject_id: int) -> tuple[SignalRecord, ...]:
    known = select(_SIGNALS).where(_SIGNALS.c.subject_id == signed(subject_id))
    rows = connection.execute(known.order_by(_SIGNALS.c.revision, _SIGNALS.c.source))
    return tuple(SignalRecord(row.revision, row.source, Signal(row.signal)) for row in rows)


def _choice(row: Any) -> ChoiceRecord:
    return ChoiceRecord(
        revision=row.revision,
        stance=Stance(row.stance),
        licensee=row.licensee,
        purpose=row.purpose,
        method=row.method,
        notice_digest=row.notice_digest,
        claimed_us=None if row.claimed_us == NO_TIME else row.claimed_us,
        stated_us=row.stated_us,
        recorded_us=row.recorded_us,
        recorded_by=row.recorded_by,
    )


def _facts(row: Any) -> FactsRecord:
    return FactsRecord(
        revision=row.revision,
        jurisdiction=row.jurisdiction,
        states=State(row.states),
        notices=decode_notices(row.notices),
        withheld=decode_countries(row.withheld),
        occurred_us=row.occurred_us,
        recorded_us=row.recorded_us,
        recorded_by=row.recorded_by,
        kind=row.kind,
    )
