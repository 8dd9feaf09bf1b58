"""Which of the accesses seen elsewhere are those of a release, as it stands in the database (M7)."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from services.chassis.bulk import Change, Question, Row
from services.metering.domain.allowances import Posts
from services.metering.domain.reservations import Access, ContentCount, Reservation
from services.metering.domain.seen import AccessKey, Kept, Seen, absorption
from services.metering.domain.sheets import Entry

COLUMNS = {
    "number": "bigint",
    "source": "text",
    "id": "text",
    "party_id": "text",
    "accessed_us": "bigint",
    "access": "smallint",
    "kind": "smallint",
    "media_flags": "smallint",
    "posts": "bigint",
    "reservation_id": "text",
    "absorbed": "bigint",
}
"""All columns of an access, in the order of `to_row`."""
SELECTED = "SELECT s." + ", s.".join(COLUMNS)

_SHOWN = Question(
    # Its last words are for the planner to see that the partial index fits.
    SELECTED
    + " FROM {given} CROSS JOIN sightings s WHERE s.reservation_id = given.id AND s.reservation_id <> ''",
    id="text",
)
_ABSORBED = Change("sightings", {"number": "bigint"}, {"absorbed": "bigint"})


def absorb(
    connection: Connection, reservations: Sequence[Reservation], next_number: Callable[[], int]
) -> list[Entry]:
    """Brings what was absorbed up to date with what was settled.

    Gives the entries that say so, still to be written, each with a number of its own.
    """
    shown: dict[str, list[Kept]] = {}
    for row in _SHOWN.ask(connection, [(each.wanted.reservation_id,) for each in reservations]):
        kept = from_row(row)
        shown.setdefault(kept.seen.reservation_id, []).append(kept)
    changed: list[tuple[int, int]] = []
    entries: list[Entry] = []
    for reservation in reservations:
        theirs = shown.get(reservation.wanted.reservation_id, [])
        absorbed = absorption(reservation, theirs)
        for kept in theirs:
            if (now := absorbed[kept.seen.key]) != kept.absorbed:
                changed.append((kept.number, now))
                entries.append(entry(kept.seen, next_number(), kept.absorbed - now))
    _ABSORBED.run(connection, changed)
    return entries


def entry(seen: Seen, number: int, posts: int) -> Entry:
    """Counts so many posts of an access, or fewer than before."""
    counts = (ContentCount(seen.kind, seen.media_flags, posts),)
    return Entry(seen.account, seen.at_us, number, Posts(posts, 0), seen.access, counts)


def to_row(kept: Kept) -> Row:
    """All columns of a new row."""
    seen = kept.seen
    return (
        kept.number,
        seen.key.source,
        seen.key.id,
        seen.party_id,
        seen.at_us,
        int(seen.access),
        seen.kind,
        seen.media_flags,
        seen.posts,
        seen.reservation_id,
        kept.absorbed,
    )


def from_row(row: Row) -> Kept:
    """The access that `to_row` made the row of."""
    number, source, id, party_id, at_us, access, kind, media_flags, posts, reservation_id, absorbed = row
    key = AccessKey(source, id)
    seen = Seen(key, party_id, at_us, Access(access), kind, media_flags, posts, reservation_id)
    return Kept(seen, number, absorbed)
