"""Builders for metering, books that are kept in memory, and the slow truth to compare both with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.replays import ReplayKey
from services.metering.domain.allowances import Account, Allowance, Moment, Posts, Scope, Tally
from services.metering.domain.parties import FOREVER_US, Membership, Timeline
from services.metering.domain.postings import Answer, Posting, post
from services.metering.domain.reservations import (
    Access,
    ContentCount,
    Counts,
    Place,
    Reservation,
    Revision,
    State,
    Wanted,
)
from services.metering.domain.rooms import Rooms, rooms_for
from services.metering.domain.sheets import Entry, Sheet, Standing
from services.metering.domain.windows import SECOND_US
from services.metering.storage.head import lock_head

SCHEMA = Path(__file__).resolve().parents[2] / "services" / "metering" / "schema"

POST, REPLY, QUOTE, REPOST = 1, 2, 3, 4
IMAGE, VIDEO = 1, 2


def an_id(n: int = 1) -> str:
    """The n-th reservation id."""
    return str(UUID(int=0x7000_8000_0000_0000_0000 + n))


def a_key(request_id: str) -> ReplayKey:
    """A request of an operator's."""
    return ReplayKey("operator:olga", "Change", request_id, bytes(32))


def a_count(posts: int, kind: int = POST, media_flags: int = 0) -> ContentCount:
    """So many posts, plain unless said."""
    return ContentCount(kind, media_flags, posts)


def an_allowance(
    limit: int = 10,
    window_us: int = SECOND_US,
    id: str = "license-1",
    scope: Scope = Scope.LICENSE,
) -> Allowance:
    """Ten posts a second for one license unless said."""
    return Allowance(Account(scope, id), window_us, limit)


def of_group(limit: int, window_us: int) -> Allowance:
    """A limit on the group of whoever asks."""
    return an_allowance(limit, window_us, "", Scope.GROUP)


def a_wanted(
    n: int = 1,
    posts: int = 1,
    *allowances: Allowance,
    counts: Counts | None = None,
    request_key: str | None = None,
    party_id: str | None = None,
    as_many_as_fit: bool = False,
    delivered: bool = False,
) -> Wanted:
    """Wants room for plain posts in one second's allowance unless said; each id has a request of its own.

    License and party are those of the allowances, or the first ones.
    """
    limits = tuple(sorted(allowances)) if allowances else (an_allowance(),)
    owners = {limit.account.scope: limit.account.id for limit in limits}
    return Wanted(
        reservation_id=an_id(n),
        request_key=f"request-{n}" if request_key is None else request_key,
        party_id=party_id or owners.get(Scope.LICENSEE, "licensee-1"),
        license_id=owners.get(Scope.LICENSE, "license-1"),
        access=Access.ACCESS,
        counts=(a_count(posts),) if counts is None else counts,
        allowances=limits,
        as_many_as_fit=as_many_as_fit,
        delivered=delivered,
    )


def metering_database(folder: Path) -> Database:
    """The database in `folder`; made there the first time."""
    return metering_database_at(f"sqlite:///{folder}/metering.db")


def metering_database_at(url: str) -> Database:
    """The database at a URL, opened as the service does."""
    return Database.open(url, schema_dir=SCHEMA, name="metering", lock=lock_head)


@dataclass
class MemorySource:
    """All that was ever written, and looked at anew for each question."""

    reservations: dict[str, Reservation] = field(default_factory=dict)
    standings: dict[Account, Standing] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    memberships: dict[str, list[Membership]] = field(default_factory=dict)

    def reservation(self, reservation_id: str) -> Reservation | None:
        return self.reservations.get(reservation_id)

    def standing(self, account: Account) -> Standing:
        known = self.standings.get(account, Standing())
        return Standing(known.last_us, dict(known.tallies))

    def timeline(self, party_id: str) -> Timeline:
        return Timeline.of(self.memberships.get(party_id, []))

    def tally(self, account: Account, window_us: int, tail_us: int) -> Tally:
        inside = self._sum(account, tail_us, FOREVER_US)
        return Tally(inside.used, inside.held, tail_us)

    def moments(self, account: Account, after_us: int) -> Iterator[Moment]:
        ours = [entry for entry in self.entries if entry.account == account and entry.at_us > after_us]
        for at_us in sorted({entry.at_us for entry in ours}):
            yield Moment(at_us, self._sum(account, at_us - 1, at_us))

    def rivals(self, request_key: str) -> dict[str, int]:
        return {
            id: each.number
            for id, each in self.reservations.items()
            if each.state is State.HELD and each.wanted.request_key == request_key
        }

    def _sum(self, account: Account, after_us: int, until_us: int) -> Posts:
        inside = [
            entry.posts
            for entry in self.entries
            if entry.account == account and after_us < entry.at_us <= until_us
        ]
        return Posts(sum(posts.used for posts in inside), sum(posts.held for posts in inside))


class MemoryBooks:
    """Books that last as long as the test; they pass the same tests as those in a database."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._head = Revision(epoch=1, number=0)
        self.source = MemorySource()

    async def post(self, posting: Posting) -> Answer:
        return self.post_now(posting)

    def post_now(self, posting: Posting) -> Answer:
        sheet = Sheet(self.source, self._head, self._clock.now_us())
        answer = Answer(post(sheet, posting), sheet.head)
        self._head = sheet.head
        self.source.reservations |= sheet.reservations
        self.source.standings |= sheet.standings
        self.source.entries += sheet.entries
        return answer

    async def rooms(self, wanted: Wanted) -> Rooms:
        return rooms_for(Sheet(self.source, self._head, self._clock.now_us()), wanted)

    async def find(self, reservation_id: str) -> Reservation | None:
        return self.source.reservation(reservation_id)

    async def find_all(self, reservation_ids: Sequence[str]) -> tuple[list[Reservation], Revision]:
        found = map(self.source.reservation, dict.fromkeys(reservation_ids))
        return [_in_short(each) for each in found if each is not None], self._head

    async def page(self, after: int, before_us: int | None, limit: int) -> tuple[list[Reservation], Revision]:
        wanted = [
            _in_short(each)
            for each in sorted(self.source.reservations.values(), key=lambda each: each.number)
            if each.number > after
            and (before_us is None or each.counted_at_us is None or each.counted_at_us < before_us)
        ]
        return wanted[:limit], self._head

    async def holds(self, before_us: int | None, after: Place | None, limit: int) -> list[Reservation]:
        held = [each for each in self.source.reservations.values() if each.state is State.HELD]
        places = {_place_of(each): each for each in held}
        wanted = sorted(
            place
            for place in places
            if (before_us is None or place.counted_at_us < before_us) and (after is None or place > after)
        )
        return [places[place] for place in wanted[:limit]]


def _in_short(reservation: Reservation) -> Reservation:
    """Without what no list tells."""
    return replace(reservation, wanted=replace(reservation.wanted, counts=(), allowances=()))


def _place_of(reservation: Reservation) -> Place:
    assert reservation.counted_at_us is not None
    return Place(reservation.counted_at_us, reservation.number)


@dataclass(frozen=True)
class Counted:
    """What the oracle remembers of one hold."""

    at_us: int
    accounts: frozenset[Account]
    reserved: int
    settled: int | None = None
    """None while it is held."""

    @property
    def posts(self) -> int:
        return self.reserved if self.settled is None else self.settled


class Oracle:
    """Remembers every access there ever was and adds up whatever is asked, slowly and obviously (M1)."""

    def __init__(self) -> None:
        self.accesses: dict[str, Counted] = {}

    def reduce(self, id: str, kept: int) -> None:
        """What is not kept was never held."""
        self.accesses[id] = replace(self.accesses[id], reserved=kept)

    def end(self, id: str, settled: int) -> None:
        """What was settled counts for good; 0 for what was cancelled."""
        self.accesses[id] = replace(self.accesses[id], settled=settled)

    def inside(self, account: Account, window_us: int, at_us: int) -> list[Counted]:
        """The accesses in (at - window, at]; all of them for a term."""
        return [
            access
            for access in self.accesses.values()
            if account in access.accounts
            and access.at_us <= at_us
            and (not window_us or access.at_us > at_us - window_us)
        ]

    def counted(self, account: Account, window_us: int, at_us: int) -> int:
        return sum(access.posts for access in self.inside(account, window_us, at_us))

    def used(self, account: Account, window_us: int, at_us: int) -> int:
        return sum(access.settled or 0 for access in self.inside(account, window_us, at_us))

    def held(self, account: Account, window_us: int, at_us: int) -> int:
        return self.counted(account, window_us, at_us) - self.used(account, window_us, at_us)

    def first_fit_us(self, limit: Allowance, posts: int, from_us: int) -> int:
        """The first time from `from_us` on at which the posts fit, if every hold is settled in full."""
        times = [from_us, *(access.at_us + limit.window_us for access in self.accesses.values())]
        return min(
            time
            for time in times
            if time >= from_us and self.counted(limit.account, limit.window_us, time) + posts <= limit.limit
        )
