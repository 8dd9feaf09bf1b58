"""Who got whose posts, in SQL: found by the index, told from the ledger, all of one snapshot."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from services.chassis.database import Database
from services.chassis.long_reads import GoOn
from services.chassis.refusals import Refusal, exhausted, precondition
from services.licensing.disclosing import Page
from services.licensing.domain.deliveries import Confirmation, Settlement, delivery_of
from services.licensing.domain.disclosures import (
    SubjectRelease,
    Sum,
    arrived,
    embedded_of,
    posts_of,
    sums_of,
)
from services.licensing.domain.finding.pairs import Numbers
from services.licensing.domain.reasons import Reason
from services.licensing.domain.released import Contents, KeyKind
from services.licensing.storage.contract_tables import LicenseeRow
from services.licensing.storage.ledger_tables import ConfirmationRow, DecisionRow, SettlementRow
from services.licensing.storage.release_index import find
from services.licensing.storage.released import READ_AT_ONCE, contents_of
from services.licensing.storage.side_reads import SideReads
from services.licensing.storage.subject_recalls import recalls_of

MOST_SUMMED = 10_000
"""Releases that one summary adds up; of 1,000 posts each they take a second or two."""
POSTS_A_PAGE = 100_000
"""A page ends with the release that reaches it: 0.8 MB of ids, well below what a message may have."""
MOST_WAITING = 16
RETRY_AFTER_BUSY_US = 1_000_000

_TABLES = DecisionRow.metadata.tables
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_LICENSEES = _TABLES[LicenseeRow.__tablename__]
_CONFIRMATIONS = _TABLES[ConfirmationRow.__tablename__]
_SETTLEMENTS = _TABLES[SettlementRow.__tablename__]

_RELEASES = (
    select(
        *(_DECISIONS.c.decision_id, _DECISIONS.c.number, _DECISIONS.c.licensee_id, _DECISIONS.c.license_id),
        *(_DECISIONS.c.purpose, _DECISIONS.c.decided_at_us, _DECISIONS.c.reasons, _DECISIONS.c.receipt),
        *(_LICENSEES.c.display_name, _CONFIRMATIONS.c.delivered, _CONFIRMATIONS.c.confirmed_at_us),
        _CONFIRMATIONS.c.posts.label("posts_confirmed"),
        _SETTLEMENTS.c.posts.label("posts_settled"),
        *(_SETTLEMENTS.c.by_expiry, _SETTLEMENTS.c.settled_at_us),
    )
    .outerjoin(_LICENSEES, _LICENSEES.c.licensee_id == _DECISIONS.c.licensee_id)
    .outerjoin(_CONFIRMATIONS, _CONFIRMATIONS.c.decision_id == _DECISIONS.c.decision_id)
    .outerjoin(_SETTLEMENTS, _SETTLEMENTS.c.decision_id == _DECISIONS.c.decision_id)
)


class DisclosureStore:
    """Satisfies `disclosing.Disclosures`, in licensing's own database.

    Raises what `SideReads.read` raises, and Refusal: EXHAUSTED (DISCLOSURES_BUSY), what `find` raises.
    """

    def __init__(self, database: Database) -> None:
        self._reads = SideReads(database, MOST_WAITING, _busy)

    async def page(self, subject_id: int, below: int, limit: int) -> Page:
        """The newest releases below a number that held something of a subject."""
        return await self._reads.read(
            lambda connection, go_on: _page(connection, subject_id, below, limit, go_on)
        )

    async def summary(self, subject_id: int) -> Sequence[Sum]:
        """All of them, added up; also raises Refusal: PRECONDITION (SUBJECT_RELEASES_TOO_MANY)."""
        return await self._reads.read(lambda connection, go_on: _summary(connection, subject_id, go_on))


def _busy() -> Refusal:
    message = "too many ask at once who got whose posts"
    return exhausted("DISCLOSURES_BUSY", message, retry_after_us=RETRY_AFTER_BUSY_US)


def _page(connection: Connection, subject_id: int, below: int, limit: int, go_on: GoOn) -> Page:
    numbers = _numbers(connection, subject_id)
    newest_first = numbers[numbers < below][::-1]
    releases, posts = list[SubjectRelease](), 0
    for release in _told(connection, subject_id, newest_first[:limit].tolist(), go_on):
        releases.append(release)
        posts += len(release.posts)
        if posts >= POSTS_A_PAGE:
            break
    go_on()
    found = recalls_of(connection, subject_id, releases)
    told = [replace(release, recalls=found[release.number]) for release in releases]
    return Page(told, len(newest_first) > len(told))


def _summary(connection: Connection, subject_id: int, go_on: GoOn) -> list[Sum]:
    numbers = _numbers(connection, subject_id)
    if len(numbers) > MOST_SUMMED:
        message = f"{len(numbers):,} releases held something of the subject, too many to add up; list them"
        raise precondition("SUBJECT_RELEASES_TOO_MANY", message)
    return sums_of(_told(connection, subject_id, numbers.tolist(), go_on))


def _numbers(connection: Connection, subject_id: int) -> Numbers:
    (numbers,) = find(connection, KeyKind.CONTRIBUTOR, np.array([subject_id], np.uint64))
    return numbers


def _told(
    connection: Connection, subject_id: int, numbers: Sequence[int], go_on: GoOn
) -> Iterator[SubjectRelease]:
    """The releases with these numbers, in their order."""
    for at in range(0, len(numbers), READ_AT_ONCE):
        go_on()
        some = numbers[at : at + READ_AT_ONCE]
        contents = contents_of(connection, some)
        rows = {row.number: row for row in connection.execute(_RELEASES.where(_DECISIONS.c.number.in_(some)))}
        yield from (_release(rows[number], contents[number], subject_id) for number in some)


def _release(row: Any, contents: Contents, subject_id: int) -> SubjectRelease:
    concerned = posts_of(contents, subject_id)
    released = np.frombuffer(row.reasons, np.uint8) == Reason.RELEASED
    settlement = None
    if row.posts_settled is not None:
        settlement = Settlement(row.posts_settled, row.by_expiry, row.settled_at_us)
    confirmation = None
    if row.delivered is not None:
        confirmation = Confirmation(bytes(row.delivered), row.posts_confirmed, row.confirmed_at_us)
    return SubjectRelease(
        decision_id=row.decision_id,
        number=row.number,
        licensee_id=row.licensee_id,
        licensee_name=row.display_name or row.licensee_id,
        license_id=row.license_id,
        purpose=row.purpose,
        decided_at_us=row.decided_at_us,
        state=delivery_of(len(contents), settlement, confirmation).state,
        receipt=row.receipt,
        posts=contents.ids[concerned],
        arrived=arrived(contents, concerned, released, confirmation),
        embedded=embedded_of(contents, subject_id),
    )
