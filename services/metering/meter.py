"""Holds room before a release and counts what was delivered after it.

Every call is one unit of work on one page of the books, in the one order of locking: the reservation, the
tallies by key, then the head that gives the number. The clock is read after the locks (M1).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.metering.domain.allowances import (
    Allowance,
    AllowanceKey,
    Entry,
    NoRoom,
    Posts,
    Tally,
    shortfall,
    stamp_us,
    worst,
)
from services.metering.domain.reservations import (
    Claim,
    Counts,
    Place,
    Reservation,
    Revision,
    State,
    Wanted,
    cancel,
    cancelled_unseen,
    check_same_content,
    found,
    settle,
)
from services.metering.domain.windows import tail_us

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a Reserve, and as of when."""

    reservation: Reservation
    revision: Revision


class Page(Protocol):
    """What one unit of work sees and writes. All of it is committed together, or none."""

    def reservation(self, reservation_id: str) -> Reservation | None:
        """The reservation, locked until the unit ends."""
        ...

    def tallies(self, keys: Sequence[AllowanceKey]) -> dict[AllowanceKey, Tally]:
        """The tallies of the keys, which come in order, made where missing and locked in that order."""
        ...

    def gone(self, key: AllowanceKey, after_us: int, until_us: int) -> Posts:
        """The sum of the entries counted in (after_us, until_us]."""
        ...

    def entries(self, key: AllowanceKey, after_us: int) -> Iterator[Entry]:
        """The entries counted after a time, oldest first, read as they are asked for."""
        ...

    def rivals(self, request_key: str) -> tuple[str, ...]:
        """The ids of what is held for the request, in order of their numbers."""
        ...

    def revision(self) -> Revision:
        """The head as it stands."""
        ...

    def next_revision(self) -> Revision:
        """Takes the next number from the head, which stays locked until the unit ends."""
        ...

    def write_tallies(self, tallies: Mapping[AllowanceKey, Tally]) -> None:
        """Stores tallies that `tallies` gave."""
        ...

    def hold(self, reservation: Reservation) -> None:
        """Stores a new reservation that holds, with an entry in the tally of each allowance."""
        ...

    def keep(self, reservation: Reservation) -> None:
        """Stores a new reservation that holds nothing."""
        ...

    def resolve(self, reservation: Reservation) -> None:
        """Stores how a hold ended, in the reservation and in its entries."""
        ...


class Books(Protocol):
    """The durable store: whoever gets an answer from `write` finds it there after any crash."""

    async def write(self, claim: Claim, unit: Callable[[Page], T]) -> T:
        """Runs the unit and commits it; it works on nothing but what it claims."""
        ...

    async def find(self, reservation_id: str) -> Reservation | None:
        """One reservation as committed."""
        ...

    async def holds(self, before_us: int | None, after: Place | None, limit: int) -> list[Reservation]:
        """Holds counted before a time, from the place after `after`, oldest first, at most `limit`."""
        ...


class Meter:
    """Counts posts exactly, in the windows that each request names."""

    def __init__(self, books: Books, now_us: Callable[[], int]) -> None:
        """`now_us` tells the present in microseconds UTC; it is asked inside each unit of work."""
        self._books = books
        self._now_us = now_us

    async def reserve(self, wanted: Wanted) -> Answer:
        """Holds room in all the allowances or in none (M3), once for each id (M4).

        Raises Refusal: RESERVATION_ID_REUSED.
        """
        claim = Claim(wanted.reservation_id, tuple(allowance.key for allowance in wanted.allowances))
        return await self._books.write(claim, lambda page: _reserve(page, wanted, self._now_us))

    async def settle(self, reservation_id: str, delivered: Counts) -> Reservation:
        """Counts what was delivered for good and frees the rest.

        Raises Refusal: RESERVATION_UNKNOWN, RESERVATION_CANCELLED, SETTLED_OTHERWISE, SETTLES_MORE_THAN_HELD.
        """
        return await self._books.write(
            Claim(reservation_id), lambda page: _settle(page, reservation_id, delivered)
        )

    async def cancel(self, reservation_id: str) -> Reservation:
        """Frees a hold; an unknown id is stored as cancelled (M2). Raises Refusal: RESERVATION_SETTLED."""
        return await self._books.write(Claim(reservation_id), lambda page: _cancel(page, reservation_id))

    async def reservation(self, reservation_id: str) -> Reservation:
        """Raises Refusal: RESERVATION_UNKNOWN."""
        return found(await self._books.find(reservation_id))

    async def holds(
        self, before_us: int | None, after: Place | None, limit: int
    ) -> tuple[list[Reservation], Place | None]:
        """Up to `limit` holds, oldest first, and the place from which more follow, if any do."""
        page = await self._books.holds(before_us, after, limit + 1)
        if len(page) <= limit:
            return page, None
        last = page[limit - 1]
        assert last.counted_at_us is not None, "what is held was counted"
        return page[:limit], Place(last.counted_at_us, last.number)


def _reserve(page: Page, wanted: Wanted, now_us: Callable[[], int]) -> Answer:
    if earlier := page.reservation(wanted.reservation_id):
        check_same_content(earlier, wanted)
        return Answer(earlier, page.revision())
    tallies = page.tallies([allowance.key for allowance in wanted.allowances])
    at_us = stamp_us(now_us(), tallies.values())
    tallies = {key: _moved(page, key, tally, at_us) for key, tally in tallies.items()}
    revision = page.next_revision()
    if obstacles := _obstacles(page, wanted, tallies):
        answer = _no_room(page, wanted, revision.number, worst(obstacles))
        page.keep(answer)
    else:
        tallies = {key: tally.holding(wanted.posts) for key, tally in tallies.items()}
        answer = Reservation(revision.number, wanted, State.HELD, counted_at_us=at_us)
        page.hold(answer)
    # Without room too: what has left the sums must not be asked for at an earlier time.
    page.write_tallies(tallies)
    return Answer(answer, revision)


def _moved(page: Page, key: AllowanceKey, tally: Tally, at_us: int) -> Tally:
    length_us = key.window.length_us
    until_us = tail_us(at_us, length_us)
    gone = page.gone(key, tally.tail_us, until_us) if until_us > tally.tail_us else Posts(used=0, held=0)
    return tally.moved_to(at_us, length_us, gone)


def _obstacles(page: Page, wanted: Wanted, tallies: Mapping[AllowanceKey, Tally]) -> list[NoRoom]:
    obstacles = (
        _obstacle(page, allowance, tallies[allowance.key], wanted.posts) for allowance in wanted.allowances
    )
    return [obstacle for obstacle in obstacles if obstacle]


def _obstacle(page: Page, allowance: Allowance, tally: Tally, posts: int) -> NoRoom | None:
    key = allowance.key
    entries = page.entries(key, tally.tail_us)
    wait = shortfall(allowance.limit, key.window.length_us, tally, posts, entries)
    return None if wait is None else NoRoom(allowance, tally.used, tally.held, wait)


def _no_room(page: Page, wanted: Wanted, number: int, obstacle: NoRoom) -> Reservation:
    rivals = page.rivals(wanted.request_key)
    return Reservation(number, wanted, State.NO_ROOM, no_room=obstacle, rivals=rivals)


def _settle(page: Page, reservation_id: str, delivered: Counts) -> Reservation:
    before = found(page.reservation(reservation_id))
    return _resolve(page, before, settle(before, delivered))


def _cancel(page: Page, reservation_id: str) -> Reservation:
    before = page.reservation(reservation_id)
    if before is None:
        unseen = cancelled_unseen(reservation_id, page.next_revision().number)
        page.keep(unseen)
        return unseen
    return _resolve(page, before, cancel(before))


def _resolve(page: Page, before: Reservation, after: Reservation) -> Reservation:
    """Stores the end of a hold and takes it out of the sums; nothing to do where it had already ended."""
    if after is before:
        return before
    assert after.counted_at_us is not None, "only a hold can be resolved"
    tallies = page.tallies([allowance.key for allowance in before.wanted.allowances])
    page.next_revision()
    page.write_tallies(
        {
            key: tally.resolved(after.counted_at_us, before.posts_reserved, after.posts_settled)
            for key, tally in tallies.items()
        }
    )
    page.resolve(after)
    return after
