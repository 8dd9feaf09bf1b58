"""Holds room before a release and counts what was delivered after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.metering.domain.postings import Answer, Cancel, Hold, Posting, Reduce, Settle
from services.metering.domain.reservations import Counts, Place, Reservation, Revision, Wanted, found
from services.metering.domain.rooms import Rooms


class Books(Protocol):
    """The durable store: whoever gets an answer finds what it says there after any crash."""

    async def post(self, posting: Posting) -> Answer:
        """Enters a change as `postings.post` says, after all that were entered before."""
        ...

    async def find(self, reservation_id: str) -> Reservation | None:
        """One reservation as committed."""
        ...

    async def find_all(self, reservation_ids: Sequence[str]) -> tuple[list[Reservation], Revision]:
        """Those of the reservations that there are, in the order of the ids, each once; as of one moment."""
        ...

    async def page(self, after: int, before_us: int | None, limit: int) -> tuple[list[Reservation], Revision]:
        """Reservations with higher numbers than `after`, in order, at most `limit`; as of one moment.

        With `before_us` only those counted before that time, and those that never held.
        """
        ...

    async def rooms(self, wanted: Wanted) -> Rooms:
        """What a hold would come to on what is committed; nothing is entered."""
        ...

    async def holds(self, before_us: int | None, after: Place | None, limit: int) -> list[Reservation]:
        """Holds counted before a time, from the place after `after`, oldest first, at most `limit`."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """Reservations in the order in which they were first heard of."""

    reservations: list[Reservation]
    following: int | None
    """More follow after this number; None where none do."""
    revision: Revision


class Meter:
    """Counts posts exactly, in the windows that each request names."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def reserve(self, wanted: Wanted) -> Answer:
        """Counts posts in all the allowances or in none, or as many as fit (M3), once for each id (M4).

        Raises Refusal: RESERVATION_ID_REUSED.
        """
        return await self._books.post(Hold(wanted))

    async def rooms(self, wanted: Wanted) -> Rooms:
        """What `reserve` would answer now, by the same rules, and how each allowance stands."""
        return await self._books.rooms(wanted)

    async def reduce(self, reservation_id: str, keep: Counts) -> Reservation:
        """Frees what is not kept of a hold, once however often it is asked for.

        Raises Refusal: RESERVATION_UNKNOWN, KEEPS_MORE_THAN_HELD.
        """
        return (await self._books.post(Reduce(reservation_id, keep))).reservation

    async def settle(self, reservation_id: str, delivered: Counts) -> Reservation:
        """Counts what was delivered for good and frees the rest.

        Raises Refusal: RESERVATION_UNKNOWN, RESERVATION_CANCELLED, SETTLED_OTHERWISE, SETTLES_MORE_THAN_HELD.
        """
        return (await self._books.post(Settle(reservation_id, delivered))).reservation

    async def cancel(self, reservation_id: str) -> Reservation:
        """Frees a hold; an unknown id is stored as cancelled (M2). Raises Refusal: RESERVATION_SETTLED."""
        return (await self._books.post(Cancel(reservation_id))).reservation

    async def reservation(self, reservation_id: str) -> Reservation:
        """Raises Refusal: RESERVATION_UNKNOWN."""
        return found(await self._books.find(reservation_id))

    async def reservations(self, reservation_ids: Sequence[str]) -> tuple[list[Reservation], Revision]:
        """Those of the reservations that there are, in the order of the ids, each once."""
        return await self._books.find_all(reservation_ids)

    async def page(self, after: int, before_us: int | None, limit: int) -> Page:
        """Up to `limit` reservations in the order of their numbers, from behind `after` on.

        With `before_us` only those counted before that time, and those that never held.
        """
        found, revision = await self._books.page(after, before_us, limit + 1)
        following = found[limit - 1].number if len(found) > limit else None
        return Page(found[:limit], following, revision)

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
