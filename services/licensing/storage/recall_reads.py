"""What recalls read of the ledger: releases, what was in them, and what was deleted since.

Rows of decisions never change, so that what several snapshots say of them fits together.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import Connection, and_, select, tuple_

from services.licensing.domain.answers import Revision
from services.licensing.domain.deliveries import Confirmation
from services.licensing.domain.documents import read_terms
from services.licensing.domain.posts import Ids
from services.licensing.domain.reasons import COARSE, Verdict
from services.licensing.domain.recalls.deleted import Deleted
from services.licensing.domain.recalls.recalls import COPIES_DELETED
from services.licensing.domain.recalls.releases import Cargo, Release, cargo_of
from services.licensing.domain.terms import Terms
from services.licensing.storage.contract_tables import LicenseVersionRow
from services.licensing.storage.ledger_tables import ConfirmationRow, DecisionRow
from services.licensing.storage.recall_tables import RecallEntryRow, RecallRow
from services.licensing.storage.released import contents_of

AT_ONCE = 500
"""Keys of one statement."""
ENTRIES_AT_ONCE = 50
"""That are in memory together; of 20,000 posts each they are some 10 MB."""
MOST_DELETED = 1_000_000
"""Posts that are told at once; in memory they take some 16 MB, and twice that while they are looked for."""

_TABLES = DecisionRow.metadata.tables
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_CONFIRMATIONS = _TABLES[ConfirmationRow.__tablename__]
_VERSIONS = _TABLES[LicenseVersionRow.__tablename__]
_RECALLS = _TABLES[RecallRow.__tablename__]
_ENTRIES = _TABLES[RecallEntryRow.__tablename__]

Version = tuple[str, int]
"""The id of a license, and the number of one of its versions."""

_RELEASE = select(
    *(_DECISIONS.c.number, _DECISIONS.c.licensee_id, _DECISIONS.c.license_id, _DECISIONS.c.license_version),
    *(_DECISIONS.c.purpose, _DECISIONS.c.consent_epoch, _DECISIONS.c.consent_revision),
    *(_DECISIONS.c.decided_at_us, _DECISIONS.c.not_after_us),
).where(_DECISIONS.c.not_after_us.is_not(None))
_DELIVERY = select(
    *(_DECISIONS.c.number, _DECISIONS.c.reasons),
    *(_CONFIRMATIONS.c.delivered, _CONFIRMATIONS.c.posts, _CONFIRMATIONS.c.confirmed_at_us),
).outerjoin(_CONFIRMATIONS, _CONFIRMATIONS.c.decision_id == _DECISIONS.c.decision_id)


def releases_of(connection: Connection, numbers: Sequence[int]) -> dict[int, Release]:
    """The decisions with these receipt numbers that released something."""
    return _releases(connection, connection.execute(_RELEASE.where(_DECISIONS.c.number.in_(numbers))).all())


def releases_to(
    connection: Connection, licensee_id: str, after: int, until: int, limit: int
) -> dict[int, Release]:
    """The next releases to a licensee, by receipt number, in the order of those."""
    mine = and_(_DECISIONS.c.licensee_id == licensee_id, _DECISIONS.c.number > after)
    page = _RELEASE.where(mine, _DECISIONS.c.number <= until).order_by(_DECISIONS.c.number).limit(limit)
    return _releases(connection, connection.execute(page).all())


def cargoes_of(connection: Connection, numbers: Sequence[int]) -> dict[int, Cargo]:
    """What these decisions released, and what is known of the delivery as of this snapshot."""
    contents = contents_of(connection, numbers)
    rows = connection.execute(_DELIVERY.where(_DECISIONS.c.number.in_(numbers)))
    return {
        row.number: cargo_of(
            contents[row.number],
            COARSE[np.frombuffer(row.reasons, np.uint8)] == Verdict.RELEASED,
            _confirmation(row),
        )
        for row in rows
    }


def deleted_of(connection: Connection, licensee_id: str, after: int, until: int) -> Deleted:
    """What the licensee attested to have deleted of the releases with numbers in (after, until].

    Up to an earlier number where that is more than `MOST_DELETED` posts; one release is never cut in two.
    """
    overlaps = and_(_ENTRIES.c.first_number <= until, _ENTRIES.c.last_number > after)
    rows = connection.execute(
        select(_ENTRIES.c.decisions, _ENTRIES.c.post_offsets, _ENTRIES.c.post_ids)
        .join(_RECALLS, _RECALLS.c.recall_id == _ENTRIES.c.recall_id)
        .where(_ENTRIES.c.licensee_id == licensee_id, overlaps, _RECALLS.c.outcome.in_(COPIES_DELETED))
        .execution_options(yield_per=ENTRIES_AT_ONCE)
    )
    releases, posts, held = list[Ids](), list[Ids](), 0
    for row in rows:
        numbers, ids = _each_with_its_release(row)
        within = (numbers > after) & (numbers <= until)
        releases.append(numbers[within])
        posts.append(ids[within])
        held += len(releases[-1])
        if held > 2 * MOST_DELETED:
            kept = Deleted.of(releases, posts, until, MOST_DELETED)
            until, releases, posts, held = kept.until, [kept.numbers], [kept.post_ids], len(kept.numbers)
    return Deleted.of(releases, posts, until, MOST_DELETED)


def _each_with_its_release(row: Any) -> tuple[Ids, Ids]:
    """(receipt number, post) of an entry, as columns."""
    lengths = np.diff(np.frombuffer(row.post_offsets, "<u4"))
    return np.repeat(np.frombuffer(row.decisions, "<u8"), lengths), np.frombuffer(row.post_ids, "<u8")


def terms_of(connection: Connection, versions: Iterable[Version]) -> dict[Version, Terms]:
    """The terms of versions of licenses, as far as they are there."""
    found: dict[Version, Terms] = {}
    rest = iter(sorted(set(versions)))
    key = tuple_(_VERSIONS.c.license_id, _VERSIONS.c.version)
    while some := list(islice(rest, AT_ONCE)):
        for row in connection.execute(select(_VERSIONS).where(key.in_(some))):
            terms = read_terms(row.terms.encode(), bytes(row.terms_digest), row.licensee_id or "")
            found[row.license_id, row.version] = terms
    return found


def licenses_of(connection: Connection, numbers: Sequence[int]) -> set[Version]:
    """The versions of licenses under which these decisions were made."""
    found: set[Version] = set()
    columns = select(_DECISIONS.c.license_id, _DECISIONS.c.license_version).distinct()
    rest = iter(numbers)
    while some := list(islice(rest, AT_ONCE)):
        rows = connection.execute(columns.where(_DECISIONS.c.number.in_(some)))
        found.update((row.license_id, row.license_version) for row in rows)
    return found


def _releases(connection: Connection, rows: Sequence[Any]) -> dict[int, Release]:
    terms = terms_of(connection, {(row.license_id, row.license_version) for row in rows})
    return {row.number: _release(row, terms) for row in rows}


def _release(row: Any, terms: Mapping[Version, Terms]) -> Release:
    made_under = terms.get((row.license_id, row.license_version))
    return Release(
        number=row.number,
        licensee_id=row.licensee_id,
        license_id=row.license_id,
        license_version=row.license_version,
        purpose=row.purpose,
        # Terms that are not there, or not understood, name no countries: which is everywhere (C5).
        territory=made_under.territory if made_under is not None else frozenset(),
        rests_on=Revision(row.consent_epoch, row.consent_revision),
        decided_at_us=row.decided_at_us,
        not_after_us=row.not_after_us,
    )


def _confirmation(row: Any) -> Confirmation | None:
    if row.confirmed_at_us is None:
        return None
    return Confirmation(row.delivered, row.posts, row.confirmed_at_us)
