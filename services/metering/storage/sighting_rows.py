"""Accesses seen elsewhere as rows of their table, and as entries of the account that they count in."""

from services.chassis.bulk import Row
from services.metering.domain.allowances import Posts
from services.metering.domain.reservations import Access, ContentCount
from services.metering.domain.seen import AccessKey, Kept, Seen
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
