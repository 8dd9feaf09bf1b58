"""The head row: every writer of what decisions rest on holds it, so numbers are in the order of commits.

Every transaction that writes decisions, tombstones, settlements or license state locks it first and reads
what it checks in a later statement (L4). The lock raises the number of changes, which is what the head that
is kept outside is compared by (R5).
"""

from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    or_,
    select,
    update,
)
from sqlmodel import Field

from services.chassis.heads import Head as Change
from services.licensing.domain.answers import BEGINNING, Revision
from services.licensing.storage.base import LicensingTable
from services.licensing.storage.known import known_to

RECALLS_AN_EPOCH = 10**12
"""Numbers of recalls that one epoch has: more than are ever issued, and 2^53 is 9,000 times as many."""
_ONLY_ROW = 1


class HeadRow(LicensingTable, table=True):
    """The one row of its table."""

    __tablename__ = "head"

    id: int = Field(default=_ONLY_ROW, primary_key=True)
    epoch: int = Field(sa_type=BigInteger)
    """Counts the accepted restores of this database, from 1 (R5)."""
    number: int = Field(sa_type=BigInteger)
    """Of the latest change: raised by every transaction that locks the row, at least once (R5)."""
    is_log_shown: bool
    """Whether the folder of the log has ever had a checkpoint of this database."""
    next_number: int = Field(sa_type=BigInteger)
    """Number of the next receipt, from 1."""
    next_invoice: int = Field(sa_type=BigInteger)
    """Number of the next invoice that is finalised, from 1."""
    next_credit_note: int = Field(sa_type=BigInteger)
    next_recall: int = Field(sa_type=BigInteger)
    """Number of the next recall that is issued, from 1."""
    next_wall_change: int = Field(sa_type=BigInteger)
    """Number of the next change of the wall, from 1."""
    cut_off_us: int = Field(sa_type=BigInteger)
    """The latest cut-off that something was drafted as of: what is put on record from then on is not before
    it, whatever the clock of its process says."""
    fence_epoch: int = Field(sa_type=BigInteger)
    """Of consent, like the next five: no release concludes on an answer below the fence (W5)."""
    fence_revision: int = Field(sa_type=BigInteger)
    scanned_epoch: int = Field(sa_type=BigInteger)
    """Withdrawals up to here have led to their recalls; never past the fence."""
    scanned_revision: int = Field(sa_type=BigInteger)
    consent_epoch: int = Field(sa_type=BigInteger)
    """The highest answer of consent that a decision rests on (R5)."""
    consent_revision: int = Field(sa_type=BigInteger)
    metering_epoch: int = Field(sa_type=BigInteger)
    """The same of metering."""
    metering_revision: int = Field(sa_type=BigInteger)


class Head(NamedTuple):
    """The head row as it stands while it is locked."""

    epoch: int
    next_number: int
    cut_off_us: int
    fence: Revision


class Positions(NamedTuple):
    """How far licensing has come in consent's stream of withdrawals (W5). 0, 0 is its beginning."""

    fence: Revision
    """No release concludes on an answer below it."""
    scanned: Revision
    """The withdrawals up to it have led to their recalls; never past the fence."""


class Seen(NamedTuple):
    """The highest answers of the peers that a decision rests on (R5). 0, 0 before the first."""

    consent: Revision
    metering: Revision


class Taken(NamedTuple):
    """A number, and what all processes have seen when it was taken."""

    number: int
    seen: Seen


_HEAD = HeadRow.metadata.tables["head"]
_SEEN = (
    *(_HEAD.c.consent_epoch, _HEAD.c.consent_revision),
    *(_HEAD.c.metering_epoch, _HEAD.c.metering_revision),
)
_STANDING = (
    *(_HEAD.c.epoch, _HEAD.c.next_number, _HEAD.c.cut_off_us),
    *(_HEAD.c.fence_epoch, _HEAD.c.fence_revision),
)
_LOCK = select(*_STANDING).where(_HEAD.c.id == _ONLY_ROW).with_for_update()
_RAISE = update(_HEAD).where(_HEAD.c.id == _ONLY_ROW).values(number=_HEAD.c.number + 1)
_RAISE_AND_LOCK = _RAISE.returning(*_STANDING)
_RAISE_GROUP = _RAISE.returning(_HEAD.c.epoch, _HEAD.c.number)
_CONSENT = bindparam("on_consent_epoch", type_=BigInteger), bindparam("on_consent", type_=BigInteger)
_METERING = bindparam("on_metering_epoch", type_=BigInteger), bindparam("on_metering", type_=BigInteger)


def lock_head(connection: Connection) -> Head:
    """Locks the head row until the transaction ends, and tells how it stands.

    Where the engine has no row locks (SQLite), the transaction is expected to have begun as the only writer.
    Raises Behind where the database has lost what this process knows to be committed (R5).
    """
    # A file has no rivals, so that nothing has locked a group: each of its units raises the number instead.
    is_group_locked = connection.dialect.name != "sqlite"
    row = connection.execute(_LOCK if is_group_locked else _RAISE_AND_LOCK).one()
    head = Head(row.epoch, row.next_number, row.cut_off_us, Revision(row.fence_epoch, row.fence_revision))
    if known := known_to(connection):
        known.check(head.epoch, head.next_number)
    return head


def lock_group(connection: Connection) -> Change:
    """Locks the head before the first unit of a group, whatever that one does, so that all wait in one line.

    A unit that touched other rows first could wait in a circle with a unit of another process. The number is
    raised once, for all of them, and told to whoever remembers how far this database had come (R5).
    """
    return Change(*connection.execute(_RAISE_GROUP).one())


def take_number(
    connection: Connection, consent: Revision | None = None, metering: Revision | None = None
) -> int:
    """The number that `take` gives."""
    return take(connection, consent, metering).number


def take(connection: Connection, consent: Revision | None = None, metering: Revision | None = None) -> Taken:
    """The next receipt number, used up with this transaction; the head must be locked.

    It is for a decision that rests on these answers of the peers, None where one was not asked: they are
    what was seen from then on, if they are higher (R5). What others have seen comes with it.
    """
    consent, metering = consent or BEGINNING, metering or BEGINNING
    on = {
        "on_consent_epoch": consent.epoch,
        "on_consent": consent.number,
        "on_metering_epoch": metering.epoch,
        "on_metering": metering.number,
    }
    next_number, *seen = connection.execute(_TAKE, on).one()
    return Taken(next_number - 1, _seen(*seen))


def leave_out(connection: Connection, epoch: int, least_number: int) -> None:
    """Leaves out the numbers that were given out before a restore, and are not known here (R5).

    No receipt of the epoch that begins has one below `least_number`. Of recalls nobody knows how many were
    issued, so those of each epoch have a range of their own. The head must be locked.
    """
    number = case((_HEAD.c.next_number < least_number, least_number), else_=_HEAD.c.next_number)
    least_recall = (epoch - 1) * RECALLS_AN_EPOCH + 1
    recall = case((_HEAD.c.next_recall < least_recall, least_recall), else_=_HEAD.c.next_recall)
    connection.execute(
        update(_HEAD).where(_HEAD.c.id == _ONLY_ROW).values(next_number=number, next_recall=recall)
    )


def note_log_shown(connection: Connection) -> None:
    """Says, for good, that the folder of the log has had a checkpoint; the head must be locked."""
    connection.execute(update(_HEAD).where(_HEAD.c.id == _ONLY_ROW).values(is_log_shown=True))


def was_log_shown(connection: Connection) -> bool:
    """Whether the folder of the log has ever had a checkpoint of this database."""
    return bool(connection.execute(select(_HEAD.c.is_log_shown).where(_HEAD.c.id == _ONLY_ROW)).scalar_one())


def positions(connection: Connection) -> Positions:
    """How far the withdrawals have been read. To be moved, they are read again while the head is locked."""
    columns = (_HEAD.c.fence_epoch, _HEAD.c.fence_revision, _HEAD.c.scanned_epoch, _HEAD.c.scanned_revision)
    row = connection.execute(select(*columns).where(_HEAD.c.id == _ONLY_ROW)).one()
    fence_epoch, fence_revision, scanned_epoch, scanned_revision = row
    return Positions(Revision(fence_epoch, fence_revision), Revision(scanned_epoch, scanned_revision))


def move_fence(connection: Connection, to: Revision) -> None:
    """Moves the fence up to `to`, never back; the head must be locked."""
    behind = _is_below(_HEAD.c.fence_epoch, _HEAD.c.fence_revision, to.epoch, to.number)
    moved = {"fence_epoch": to.epoch, "fence_revision": to.number}
    connection.execute(update(_HEAD).where(_HEAD.c.id == _ONLY_ROW, behind).values(moved))


def move_scanned(connection: Connection, start: Revision, to: Revision) -> bool:
    """Moves what is scanned from `start` to `to`; whether it stood there still. The head must be locked.

    `to` lies behind `start` and not past the fence, which is what the caller has to know.
    """
    standing = positions(connection)
    assert start < to <= standing.fence, "what is scanned moves forwards, and never past the fence"
    if standing.scanned != start:
        return False
    moved = {"scanned_epoch": to.epoch, "scanned_revision": to.number}
    connection.execute(update(_HEAD).where(_HEAD.c.id == _ONLY_ROW).values(moved))
    return True


def seen(connection: Connection) -> Seen:
    """The highest answers of the peers that a decision rests on."""
    return _seen(*connection.execute(select(*_SEEN).where(_HEAD.c.id == _ONLY_ROW)).one())


def _seen(consent_epoch: int, consent: int, metering_epoch: int, metering: int) -> Seen:
    return Seen(Revision(consent_epoch, consent), Revision(metering_epoch, metering))


def shown(connection: Connection) -> tuple[Revision, Revision]:
    """The highest that consent and metering have shown to this ledger: the fence is an answer, too."""
    highest = seen(connection)
    return max(highest.consent, positions(connection).fence), highest.metering


_Number = BindParameter[int] | int


def _is_below(
    epoch: Column[int], number: Column[int], than_epoch: _Number, than_number: _Number
) -> ColumnElement[bool]:
    """Compared as a pair, the epoch first; spelt out, so that both engines read it alike."""
    return or_(epoch < than_epoch, and_(epoch == than_epoch, number < than_number))


def _risen(
    epoch: Column[int], number: Column[int], to: tuple[BindParameter[int], BindParameter[int]]
) -> dict[str, ColumnElement[int]]:
    """What the two columns become: `to` where that is higher, as a pair."""
    is_below = _is_below(epoch, number, *to)
    pairs = zip((epoch, number), to, strict=True)
    return {column.name: case((is_below, higher), else_=column) for column, higher in pairs}


# One statement for the number and for what the decision rests on: one more would cost every decision.
_TAKE = (
    update(_HEAD)
    .where(_HEAD.c.id == _ONLY_ROW)
    .values(
        next_number=_HEAD.c.next_number + 1,
        **_risen(_HEAD.c.consent_epoch, _HEAD.c.consent_revision, _CONSENT),
        **_risen(_HEAD.c.metering_epoch, _HEAD.c.metering_revision, _METERING),
    )
    .returning(_HEAD.c.next_number, *_SEEN)
)


def raise_cut_off(connection: Connection, cut_off_us: int) -> None:
    """Has all that is put on record from now on count as of this instant or later; the head is locked."""
    earlier = _HEAD.c.cut_off_us < cut_off_us
    connection.execute(update(_HEAD).where(_HEAD.c.id == _ONLY_ROW, earlier).values(cut_off_us=cut_off_us))


def take_invoice_number(connection: Connection) -> int:
    """The next number of an invoice, used up with this transaction; the head must be locked."""
    return _take(connection, _HEAD.c.next_invoice)


def take_credit_note_number(connection: Connection) -> int:
    """The next number of a credit note, likewise."""
    return _take(connection, _HEAD.c.next_credit_note)


def take_recall_number(connection: Connection) -> int:
    """The next number of a recall, likewise."""
    return _take(connection, _HEAD.c.next_recall)


def take_wall_number(connection: Connection) -> int:
    """The next number of a change of the wall, likewise."""
    return _take(connection, _HEAD.c.next_wall_change)


def _take(connection: Connection, column: Column[int]) -> int:
    statement = update(_HEAD).where(_HEAD.c.id == _ONLY_ROW).values({column: column + 1}).returning(column)
    return int(connection.execute(statement).scalar_one()) - 1
