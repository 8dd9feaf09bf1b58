"""Builders for metering, books that are kept in memory, and the slow truth to compare both with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from services.chassis.database import Database
from services.metering.domain.allowances import Allowance, AllowanceKey, Entry, Posts, Scope, Tally
from services.metering.domain.reservations import (
    Claim,
    ContentCount,
    Counts,
    Place,
    Reservation,
    Revision,
    State,
    Wanted,
)
from services.metering.domain.windows import Window
from services.metering.locking import lock_claims
from services.metering.meter import Page

T = TypeVar("T")

SCHEMA = Path(__file__).resolve().parents[2] / "services" / "metering" / "schema"

POST, REPLY, QUOTE, REPOST = 1, 2, 3, 4
IMAGE, VIDEO = 1, 2


def an_id(n: int = 1) -> str:
    """The n-th reservation id."""
    return str(UUID(int=0x7000_8000_0000_0000_0000 + n))


def a_count(posts: int, kind: int = POST, media_flags: int = 0) -> ContentCount:
    """So many posts, plain unless said."""
    return ContentCount(kind, media_flags, posts)


def an_allowance(
    limit: int = 10,
    window: Window = Window.SECOND,
    id: str = "license-1",
    scope: Scope = Scope.LICENSE,
) -> Allowance:
    """Ten posts a second for one license unless said."""
    return Allowance(AllowanceKey(scope, id, window), limit)


def a_wanted(
    n: int = 1,
    posts: int = 1,
    *allowances: Allowance,
    counts: Counts | None = None,
    request_key: str | None = None,
    party_id: str = "licensee-1",
) -> Wanted:
    """Wants room for plain posts in one second's allowance unless said; each id has a request of its own."""
    return Wanted(
        reservation_id=an_id(n),
        request_key=f"request-{n}" if request_key is None else request_key,
        party_id=party_id,
        counts=(a_count(posts),) if counts is None else counts,
        allowances=tuple(sorted(allowances)) if allowances else (an_allowance(),),
    )


def metering_database(folder: Path) -> Database:
    """The database in `folder`; made there the first time."""
    return metering_database_at(f"sqlite:///{folder}/metering.db")


def metering_database_at(url: str) -> Database:
    """The database at a URL, opened as the service does."""
    return Database.open(url, schema_dir=SCHEMA, name="metering", lock=lock_claims)


@dataclass
class MemoryPage:
    """A page of books in memory, and the books themselves: a copy is a transaction."""

    reservations: dict[str, Reservation] = field(default_factory=dict)
    sums: dict[AllowanceKey, Tally] = field(default_factory=dict)
    written: dict[tuple[AllowanceKey, int], Entry] = field(default_factory=dict)
    number: int = 0

    def copy(self) -> "MemoryPage":
        """What a unit of work may spoil."""
        return MemoryPage(dict(self.reservations), dict(self.sums), dict(self.written), self.number)

    def reservation(self, reservation_id: str) -> Reservation | None:
        return self.reservations.get(reservation_id)

    def tallies(self, keys: Sequence[AllowanceKey]) -> dict[AllowanceKey, Tally]:
        return {key: self.sums.setdefault(key, Tally()) for key in keys}

    def gone(self, key: AllowanceKey, after_us: int, until_us: int) -> Posts:
        left = [entry for entry in self.entries(key, after_us) if entry.counted_at_us <= until_us]
        return Posts(used=sum(entry.used for entry in left), held=sum(entry.held for entry in left))

    def entries(self, key: AllowanceKey, after_us: int) -> Iterator[Entry]:
        ours = [entry for (of_key, _), entry in self.written.items() if of_key == key]
        later = [entry for entry in ours if entry.counted_at_us > after_us]
        return iter(sorted(later, key=lambda entry: entry.counted_at_us))

    def rivals(self, request_key: str) -> tuple[str, ...]:
        held = [each for each in self.reservations.values() if each.state is State.HELD]
        return tuple(each.wanted.reservation_id for each in held if each.wanted.request_key == request_key)

    def revision(self) -> Revision:
        return Revision(epoch=1, number=self.number)

    def next_revision(self) -> Revision:
        self.number += 1
        return self.revision()

    def write_tallies(self, tallies: Mapping[AllowanceKey, Tally]) -> None:
        self.sums.update(tallies)

    def hold(self, reservation: Reservation) -> None:
        self.keep(reservation)
        self._write_entries(reservation, used=0, held=reservation.posts_reserved)

    def keep(self, reservation: Reservation) -> None:
        self.reservations[reservation.wanted.reservation_id] = reservation

    def resolve(self, reservation: Reservation) -> None:
        self.keep(reservation)
        self._write_entries(reservation, used=reservation.posts_settled, held=0)

    def _write_entries(self, reservation: Reservation, used: int, held: int) -> None:
        assert reservation.counted_at_us is not None
        for allowance in reservation.wanted.allowances:
            entry = Entry(reservation.counted_at_us, used, held)
            self.written[allowance.key, reservation.number] = entry


class MemoryBooks:
    """Books that last as long as the test; they pass the same tests as those in a database."""

    def __init__(self) -> None:
        self._page = MemoryPage()

    async def write(self, _claim: Claim, unit: Callable[[Page], T]) -> T:
        page = self._page.copy()
        result = unit(page)
        self._page = page
        return result

    async def find(self, reservation_id: str) -> Reservation | None:
        return self._page.reservation(reservation_id)

    async def holds(self, before_us: int | None, after: Place | None, limit: int) -> list[Reservation]:
        held = [each for each in self._page.reservations.values() if each.state is State.HELD]
        places = {_place_of(each): each for each in held}
        wanted = sorted(
            place
            for place in places
            if (before_us is None or place.counted_at_us < before_us) and (after is None or place > after)
        )
        return [places[place] for place in wanted[:limit]]


def _place_of(reservation: Reservation) -> Place:
    assert reservation.counted_at_us is not None
    return Place(reservation.counted_at_us, reservation.number)


@dataclass(frozen=True)
class Access:
    """What the oracle remembers of one hold."""

    at_us: int
    keys: frozenset[AllowanceKey]
    reserved: int
    settled: int | None = None
    """None while it is held."""

    @property
    def counted(self) -> int:
        return self.reserved if self.settled is None else self.settled


class Oracle:
    """Remembers every access there ever was and adds up whatever is asked, slowly and obviously (M1)."""

    def __init__(self) -> None:
        self.accesses: dict[str, Access] = {}

    def end(self, id: str, settled: int) -> None:
        """What was settled counts for good; 0 for what was cancelled."""
        self.accesses[id] = replace(self.accesses[id], settled=settled)

    def inside(self, key: AllowanceKey, length_us: int | None, at_us: int) -> list[Access]:
        """The accesses in (at - length, at]."""
        return [
            access
            for access in self.accesses.values()
            if key in access.keys
            and access.at_us <= at_us
            and (length_us is None or access.at_us > at_us - length_us)
        ]

    def counted(self, key: AllowanceKey, length_us: int | None, at_us: int) -> int:
        return sum(access.counted for access in self.inside(key, length_us, at_us))

    def used(self, key: AllowanceKey, length_us: int | None, at_us: int) -> int:
        return sum(access.settled or 0 for access in self.inside(key, length_us, at_us))

    def held(self, key: AllowanceKey, length_us: int | None, at_us: int) -> int:
        return self.counted(key, length_us, at_us) - self.used(key, length_us, at_us)

    def first_fit_us(self, allowance: Allowance, length_us: int, posts: int, from_us: int) -> int:
        """The first time from `from_us` on at which the posts fit, if every hold is settled in full."""
        times = [from_us, *(access.at_us + length_us for access in self.accesses.values())]
        return min(
            time
            for time in times
            if time >= from_us and self.counted(allowance.key, length_us, time) + posts <= allowance.limit
        )
