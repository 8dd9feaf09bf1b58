"""What recalls ask to delete, and the gaps on record, read from the parts of their entries.

How much a page holds is found out before any of it is read: a part can be large.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Column, Connection, Row, Select, and_, func, select, tuple_

from services.licensing.domain.recalls.reading import (
    POSTS_A_PAGE,
    RELEASES_A_PAGE,
    Entry,
    EntryKey,
    GapKey,
    RecalledRelease,
    ReleaseGap,
)
from services.licensing.domain.recalls.recalls import Gap
from services.licensing.storage.ledger_tables import DecisionRow
from services.licensing.storage.recall_tables import WITH_GAPS, RecallEntryRow, RecallRow

_TABLES = RecallRow.metadata.tables
_RECALLS = _TABLES[RecallRow.__tablename__]
_ENTRIES = _TABLES[RecallEntryRow.__tablename__]
_DECISIONS = _TABLES[DecisionRow.__tablename__]

_KEY: tuple[Column[Any], ...] = (_ENTRIES.c.withdrawal_id, _ENTRIES.c.part)
_PLACE: tuple[Column[Any], ...] = (
    _ENTRIES.c.consent_epoch,
    _ENTRIES.c.revision,
    _ENTRIES.c.licensee_id,
    _ENTRIES.c.part,
)
_NEWEST_FIRST = tuple(column.desc() for column in _PLACE)
_NUMBER_BYTES = 8
NUMBERS_AT_ONCE = 500
"""Decisions that are looked up in one statement."""


class EntryRows:
    """Entries of recalls inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def entries(self, recall_id: str, after: EntryKey, limit: int) -> tuple[Sequence[Entry], bool]:
        """At most `limit` entries of a recall after one, by their keys, and whether there are more.

        Fewer where they have `POSTS_A_PAGE` posts or `RELEASES_A_PAGE` releases; one where there is one.
        """
        theirs = and_(_ENTRIES.c.recall_id == recall_id, tuple_(*_KEY) > tuple_(*after))
        sizes: Select[Any] = select(
            *_KEY, _ENTRIES.c.posts, func.length(_ENTRIES.c.decisions).label("decision_bytes")
        )
        found = self._connection.execute(sizes.where(theirs).order_by(*_KEY).limit(limit + 1)).all()
        shown = _that_fit(found[:limit])
        if not shown:
            return (), False
        last = tuple_(shown[-1].withdrawal_id, shown[-1].part)
        columns = (*_KEY, _ENTRIES.c.decisions, _ENTRIES.c.post_offsets, _ENTRIES.c.post_ids)
        page = select(*columns).where(theirs, tuple_(*_KEY) <= last).order_by(*_KEY)
        rows = self._connection.execute(page).all()
        decisions = self._decisions({number for row in rows for number in _numbers(row)})
        return [_entry(row, decisions) for row in rows], len(shown) < len(found)

    def gaps(
        self, licensee_id: str | None, after: GapKey | None, limit: int
    ) -> Sequence[tuple[GapKey, ReleaseGap]]:
        """At most `limit` gaps after a place, newest withdrawal first; of one licensee, or of all (None)."""
        wanted: list[Any] = [WITH_GAPS]
        if licensee_id is not None:
            # Computed, so that the few gaps are walked, and not all that the licensee was ever told.
            wanted.append(_ENTRIES.c.licensee_id.concat("") == licensee_id)
        if after is not None:
            # The part that the page before ended in may have more.
            wanted.append(tuple_(*_PLACE) <= tuple_(*after[:-1]))
        counts: Select[Any] = select(*_PLACE, _ENTRIES.c.gaps_found).where(*wanted).order_by(*_NEWEST_FIRST)
        # One part more, for of the first all may have been shown.
        parts = _that_suffice(self._connection.execute(counts.limit(limit + 1)).all(), limit)
        if not parts:
            return ()
        last = tuple_(*parts[-1][: len(_PLACE)])
        rows = self._connection.execute(_with_recall(*wanted, tuple_(*_PLACE) >= last)).all()
        numbers = {number for row in rows for number in _numbers(row)}
        decisions = self._decisions(numbers)
        found = (each for row in rows for each in _gaps_of(row, decisions))
        return [each for each in found if after is None or _is_later(each[0], after)][:limit]

    def _decisions(self, numbers: set[int]) -> Mapping[int, Row[Any]]:
        columns: tuple[Column[Any], ...] = (
            *(_DECISIONS.c.number, _DECISIONS.c.decision_id, _DECISIONS.c.license_id),
            *(_DECISIONS.c.decided_at_us, _DECISIONS.c.not_after_us),
        )
        in_order, found = sorted(numbers), {}
        for start in range(0, len(in_order), NUMBERS_AT_ONCE):
            some = in_order[start : start + NUMBERS_AT_ONCE]
            rows = self._connection.execute(select(*columns).where(_DECISIONS.c.number.in_(some)))
            found.update({row.number: row for row in rows})
        return found


def _that_fit(sizes: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    posts = releases = 0
    for index, size in enumerate(sizes):
        posts += size.posts
        releases += size.decision_bytes // _NUMBER_BYTES
        if index and (posts > POSTS_A_PAGE or releases > RELEASES_A_PAGE):
            return sizes[:index]
    return sizes


def _that_suffice(counts: Sequence[Row[Any]], limit: int) -> Sequence[Row[Any]]:
    """The first parts, with `limit` gaps beside those of the very first."""
    gaps = 0
    for index, count in enumerate(counts[1:], 2):
        gaps += count.gaps_found
        if gaps >= limit:
            return counts[:index]
    return counts


def _with_recall(*wanted: Any) -> Any:
    """Parts without their posts, with the recall that they are in once that is issued."""
    issued = and_(_RECALLS.c.recall_id == _ENTRIES.c.recall_id, _RECALLS.c.number.is_not(None))
    columns = (
        *(*_PLACE, _ENTRIES.c.withdrawal_id, _ENTRIES.c.recorded_at_us),
        *(_ENTRIES.c.decisions, _ENTRIES.c.post_offsets, _ENTRIES.c.gaps),
        _RECALLS.c.recall_id.label("issued_recall_id"),
    )
    joined = select(*columns).select_from(_ENTRIES.outerjoin(_RECALLS, issued))
    return joined.where(*wanted).order_by(*_NEWEST_FIRST)


def _entry(row: Row[Any], decisions: Mapping[int, Row[Any]]) -> Entry:
    offsets, ids = _offsets(row), np.frombuffer(row.post_ids, "<u8")
    releases = (
        RecalledRelease(decisions[number].decision_id, decisions[number].license_id, ids[start:end])
        for number, start, end in zip(_numbers(row), offsets[:-1], offsets[1:], strict=True)
    )
    return Entry(EntryKey(row.withdrawal_id, row.part), tuple(releases))


def _gaps_of(row: Row[Any], decisions: Mapping[int, Row[Any]]) -> list[tuple[GapKey, ReleaseGap]]:
    numbers, offsets, kinds = _numbers(row), _offsets(row), np.frombuffer(row.gaps, np.uint8)
    found = []
    for index in np.flatnonzero(kinds).tolist():
        decision = decisions[numbers[index]]
        gap = ReleaseGap(
            recall_id=row.issued_recall_id or "",
            withdrawal_id=row.withdrawal_id,
            licensee_id=row.licensee_id,
            decision_id=decision.decision_id,
            kind=Gap(kinds[index]),
            posts=offsets[index + 1] - offsets[index],
            withdrawn_at_us=row.recorded_at_us,
            decided_at_us=decision.decided_at_us,
            not_after_us=decision.not_after_us,
        )
        found.append((GapKey(row.consent_epoch, row.revision, row.licensee_id, row.part, index), gap))
    return found


def _is_later(key: GapKey, after: GapKey) -> bool:
    """Whether a gap comes after another: a part from its first release on, and the newest parts first."""
    return key[:-1] != after[:-1] or key.place > after.place


def _numbers(row: Row[Any]) -> list[int]:
    numbers: list[int] = np.frombuffer(row.decisions, "<u8").tolist()
    return numbers


def _offsets(row: Row[Any]) -> list[int]:
    offsets: list[int] = np.frombuffer(row.post_offsets, "<u4").tolist()
    return offsets
