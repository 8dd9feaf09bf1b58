"""Usage as it stands in metering's own database: each answer from one snapshot."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, bindparam, func, literal_column, select

from services.chassis.database import Database
from services.metering.domain.allowances import Account, Posts, Scope
from services.metering.domain.fullest import fullest, reach_us
from services.metering.domain.peaks import Ints, Peak
from services.metering.domain.projections import Content, Piece, pieces
from services.metering.domain.reservations import Revision, Wanted
from services.metering.domain.rooms import RoomsNow
from services.metering.domain.usage import Absence, Stretch, Usage, UsageKey, of_member, of_party
from services.metering.schema.tables import MeteringTable
from services.metering.storage.absences import is_unknown, last_us
from services.metering.storage.accounts import find_accounts
from services.metering.storage.head import read_head
from services.metering.storage.projecting import read_position
from services.metering.storage.rooms import read_rooms_now
from services.metering.storage.rows import counts_of
from services.metering.storage.shelf import read_members, read_timelines
from services.metering.storage.sums import FURTHEST_BEHIND, SqlCounted
from services.metering.storage.waiting import read_while_awaited

T = TypeVar("T")

_tables = MeteringTable.metadata.tables
_entries, _projections = _tables["entries"], _tables["projections"]
_reservations = _tables["reservations"]

_SUMS = (
    select(
        _projections.c.access,
        _projections.c.kind,
        _projections.c.media_flags,
        func.sum(_projections.c.posts),
    )
    .where(
        _projections.c.account_id == bindparam("account"),
        _projections.c.span_us == bindparam("span_us"),
        _projections.c.since_us >= bindparam("since_us"),
        _projections.c.since_us < bindparam("until_us"),
    )
    .group_by(_projections.c.access, _projections.c.kind, _projections.c.media_flags)
)
_ENTRIES = select(_entries.c.access, _entries.c.counts).where(
    _entries.c.account_id == bindparam("account"),
    _entries.c.counted_at_us >= bindparam("since_us"),
    _entries.c.counted_at_us < bindparam("until_us"),
)
_BEHIND = select(_entries.c.account_id, _entries.c.counted_at_us, _entries.c.access, _entries.c.counts).where(
    _entries.c.number > bindparam("after")
)
_STILL_HELD = func.coalesce(_reservations.c.kept, _reservations.c.held)
_HELD = select(_reservations.c.access, _STILL_HELD).where(
    # A literal, not a parameter: only so does the planner see that the partial index fits.
    _reservations.c.state == literal_column("1"),
    _reservations.c.counted_at_us > bindparam("since_us"),
    _reservations.c.counted_at_us <= bindparam("until_us"),
)
_FIRST = select(func.min(_entries.c.counted_at_us)).where(
    _entries.c.account_id == bindparam("account"),
    _entries.c.counted_at_us > bindparam("since_us"),
    _entries.c.counted_at_us <= bindparam("until_us"),
)


class SqlUsage:
    """Satisfies `usage.Records`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def usage(self, whose: Account, since_us: int, until_us: int) -> tuple[Usage, Revision]:
        """What was counted in (since, until]."""

        def query(connection: Connection) -> Usage:
            return _usage(connection, _stretches(connection, whose, since_us, until_us))

        return await self._snapshot(query)

    async def absence(self, whose: Account, until_us: int) -> Absence:
        """What is on record up to a time, though nothing was counted after it."""

        def query(connection: Connection) -> Absence:
            stretches = _stretches(connection, whose, -1, until_us)
            return Absence(is_unknown(connection, whose), last_us(connection, stretches))

        return (await self._snapshot(query))[0]

    async def fullest(
        self, whose: Account, accesses: Sequence[int], window_us: int, bounds_us: Ints
    ) -> tuple[list[Peak], Revision]:
        """The fullest windows that end in each part (bounds[i], bounds[i + 1]]."""
        since_us, until_us = reach_us(window_us, bounds_us)

        def query(connection: Connection, go_on: Callable[[], object]) -> tuple[list[Peak], Revision]:
            stretches = _stretches(connection, whose, since_us, until_us)
            counted = SqlCounted(connection, stretches, accesses, go_on)
            return fullest(counted, window_us, bounds_us), read_head(connection)

        return await read_while_awaited(self._database, query)

    async def rooms(self, asked: Sequence[Wanted], now_us: int) -> tuple[list[RoomsNow], Revision]:
        """How the allowances of each stand, in their order."""
        return await self._database.read(
            lambda connection: read_rooms_now(connection, asked, now_us), confirmed=True
        )

    async def first_us(self, whose: Account, until_us: int) -> int | None:
        """When the first entry counts that does so up to a time; None where there is none."""

        def query(connection: Connection) -> int | None:
            return _first_us(connection, _stretches(connection, whose, -1, until_us))

        return (await self._snapshot(query))[0]

    async def _snapshot(self, query: Callable[[Connection], T]) -> tuple[T, Revision]:
        return await self._database.read(
            lambda connection: (query(connection), read_head(connection)), confirmed=True
        )


def _stretches(connection: Connection, whose: Account, since_us: int, until_us: int) -> list[Stretch]:
    if whose.scope is Scope.LICENSEE:
        return of_party(whose.id, since_us, until_us)
    if whose.scope is Scope.LICENSE:
        return [Stretch(Account(Scope.LICENSE, whose.id), since_us, until_us)]
    timelines = read_timelines(connection, read_members(connection, whose.id))
    return [
        stretch
        for party_id, timeline in timelines.items()
        for span in timeline.spans()
        if span.group_id == whose.id
        for stretch in of_member(party_id, span, since_us, until_us)
    ]


def _usage(connection: Connection, stretches: Sequence[Stretch]) -> Usage:
    ids = _ids(connection, stretches)
    totals: defaultdict[bool, Counter[Content]] = defaultdict(Counter)
    held: Counter[Content] = Counter()
    after = read_position(connection)
    use_sums = read_head(connection).number - after <= FURTHEST_BEHIND
    behind = _behind(connection, after) if use_sums else {}
    for stretch in stretches:
        if (id := ids.get(stretch.account)) is None:
            continue
        total = totals[stretch.account.scope is Scope.SEEN]
        whole = [Piece(0, stretch.since_us + 1, stretch.until_us + 1)]
        cut = pieces(stretch.since_us, stretch.until_us) if use_sums else whole
        for piece in cut:
            total.update(_counted(connection, id, piece))
        for at_us, content, posts in behind.get(id, []):
            if any(piece.span_us and piece.since_us <= at_us < piece.until_us for piece in cut):
                total[content] += posts
        if stretch.account.scope is not Scope.SEEN:
            held.update(_held(connection, stretch))
    usage = {
        UsageKey(seen, content): Posts(posts, 0)
        for seen, total in totals.items()
        for content, posts in total.items()
    }
    for content, posts in held.items():
        key = UsageKey(seen=False, content=content)
        usage[key] = Posts(usage[key].used - posts, posts)
    return {key: usage[key] for key in sorted(usage) if usage[key] != Posts(0, 0)}


def _counted(connection: Connection, account_id: int, piece: Piece) -> Counter[Content]:
    given = {"account": account_id, "since_us": piece.since_us, "until_us": piece.until_us}
    counted: Counter[Content] = Counter()
    if piece.span_us:
        for *content, posts in connection.execute(_SUMS, given | {"span_us": piece.span_us}):
            counted[Content(*content)] += int(posts)
        return counted
    for access, counts in connection.execute(_ENTRIES, given):
        _add(counted, access, counts)
    return counted


def _behind(connection: Connection, after: int) -> dict[int, list[tuple[int, Content, int]]]:
    """What is not yet in the sums, by account: times with changes."""
    behind: dict[int, list[tuple[int, Content, int]]] = {}
    for account_id, at_us, access, counts in connection.execute(_BEHIND, {"after": after}):
        changes: Counter[Content] = Counter()
        _add(changes, access, counts)
        theirs = behind.setdefault(account_id, [])
        theirs += [(at_us, content, posts) for content, posts in changes.items()]
    return behind


def _held(connection: Connection, stretch: Stretch) -> Counter[Content]:
    of_party = stretch.account.scope is Scope.LICENSEE
    owner = _reservations.c.party_id if of_party else _reservations.c.license_id
    query = _HELD.where(owner == stretch.account.id)
    held: Counter[Content] = Counter()
    for access, counts in connection.execute(
        query, {"since_us": stretch.since_us, "until_us": stretch.until_us}
    ):
        _add(held, access, counts)
    return held


def _add(counter: Counter[Content], access: int, counts: str) -> None:
    for count in counts_of(counts):
        counter[Content(access, count.kind, count.media_flags)] += count.posts


def _first_us(connection: Connection, stretches: Sequence[Stretch]) -> int | None:
    ids = _ids(connection, stretches)
    firsts: list[int] = []
    for stretch in stretches:
        if (id := ids.get(stretch.account)) is not None:
            given = {"account": id, "since_us": stretch.since_us, "until_us": stretch.until_us}
            first = connection.execute(_FIRST, given).scalar()
            firsts += [] if first is None else [first]
    return min(firsts, default=None)


def _ids(connection: Connection, stretches: Sequence[Stretch]) -> dict[Account, int]:
    found = find_accounts(connection, {stretch.account for stretch in stretches})
    return {account: id for account, (id, _) in found.items()}
