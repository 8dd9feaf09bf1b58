"""What each change does on a sheet: hold, reduce, settle, cancel (M2, M3, M4)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.metering.domain.allowances import (
    OWN_GROUP,
    Allowance,
    NoRoom,
    Posts,
    Shortfall,
    shortfall,
    worst,
)
from services.metering.domain.parties import FOREVER_US, NO_GROUP, Timeline
from services.metering.domain.reservations import (
    ContentCount,
    Counts,
    Reservation,
    Revision,
    State,
    Wanted,
    accounts,
    cancel,
    cancelled_unseen,
    check_same_content,
    first,
    found,
    reduce,
    resolved,
    settle,
)
from services.metering.domain.sheets import Entry, Sheet


@dataclass(frozen=True, slots=True)
class Hold:
    """Counts posts if there is room, held or at once for good."""

    wanted: Wanted

    @property
    def reservation_id(self) -> str:
        """Of the reservation that it makes."""
        return self.wanted.reservation_id


@dataclass(frozen=True, slots=True)
class Reduce:
    """Says what is to be kept of a hold."""

    reservation_id: str
    keep: Counts


@dataclass(frozen=True, slots=True)
class Settle:
    """Says what was delivered of a hold."""

    reservation_id: str
    delivered: Counts


@dataclass(frozen=True, slots=True)
class Cancel:
    """Frees a hold."""

    reservation_id: str


Posting = Hold | Reduce | Settle | Cancel


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a posting, and as of when."""

    reservation: Reservation
    revision: Revision


def post(sheet: Sheet, posting: Posting) -> Reservation:
    """The reservation after the change; what was done before is not done again.

    Raises Refusal: RESERVATION_ID_REUSED, RESERVATION_UNKNOWN, KEEPS_MORE_THAN_HELD, RESERVATION_CANCELLED,
    SETTLED_OTHERWISE, SETTLES_MORE_THAN_HELD, RESERVATION_SETTLED; nothing has changed then.
    """
    before = sheet.reservation(posting.reservation_id)
    match posting:
        case Hold(wanted):
            if before is None:
                return _hold(sheet, wanted)
            check_same_content(before, wanted)
            return before
        case Reduce(_, keep):
            before = found(before)
            return _free(sheet, before, reduce(before, keep))
        case Settle(_, delivered):
            before = found(before)
            return _free(sheet, before, settle(before, delivered))
        case Cancel(id):
            if before is not None:
                return _free(sheet, before, cancel(before))
            unseen = cancelled_unseen(id, sheet.next_number())
            sheet.keep(unseen)
            return unseen


def _hold(sheet: Sheet, wanted: Wanted) -> Reservation:
    group_id, at_us = sheet.group_and_time(wanted.party_id, accounts(wanted, NO_GROUP))
    for account in accounts(wanted, group_id):
        # Without room too: what has left the sums must not be asked for at an earlier time.
        sheet.standing(account).last_us = at_us
    limits = [resolved(allowance, wanted, group_id) for allowance in wanted.allowances]
    asked = wanted.posts
    posts = _posts_that_fit(sheet, limits, at_us, wanted, asked)
    number = sheet.next_number()
    if posts:
        reservation = _held(number, wanted, group_id, at_us, posts if posts < asked else None)
        used = posts if wanted.delivered else 0
        _enter(sheet, reservation, number, Posts(used, posts - used), reservation.reserved)
    else:
        reservation = Reservation(number, wanted, State.NO_ROOM)
    if posts < asked:
        unfit = 1 if wanted.as_many_as_fit else asked
        no_room = _obstacle(sheet, wanted, limits, at_us, unfit)
        reservation = replace(reservation, no_room=no_room, rivals=sheet.rivals(wanted.request_key))
    sheet.keep(reservation)
    return reservation


def _held(number: int, wanted: Wanted, group_id: str, at_us: int, posts: int | None) -> Reservation:
    """A reservation of so many posts; None: of all."""
    reserved = wanted.counts
    if posts is not None or wanted.as_many_as_fit:
        reserved = first(wanted.counts, wanted.posts if posts is None else posts)
    state, settled = (State.SETTLED, reserved) if wanted.delivered else (State.HELD, ())
    return Reservation(number, wanted, state, at_us, group_id, reserved, settled)


def _posts_that_fit(sheet: Sheet, limits: Sequence[Allowance], at_us: int, wanted: Wanted, asked: int) -> int:
    """All of them or none, or as many as there is room for in every allowance."""
    fit = asked
    for limit in limits:
        fit = min(fit, sheet.tally(limit.account, limit.window_us, at_us).room(limit.limit))
    return fit if wanted.as_many_as_fit or fit == asked else 0


def _obstacle(sheet: Sheet, wanted: Wanted, limits: Sequence[Allowance], at_us: int, posts: int) -> NoRoom:
    obstacles: list[NoRoom] = []
    for asked, limit in zip(wanted.allowances, limits, strict=True):
        tally = sheet.tally(limit.account, limit.window_us, at_us)
        wait = shortfall(limit, tally, posts, sheet.moments(limit.account, tally.tail_us))
        if wait is not None and asked.account == OWN_GROUP and posts <= limit.limit:
            wait = _unless_it_moves(sheet.timeline(wanted.party_id), at_us, wait)
        if wait is not None:
            obstacles.append(NoRoom(limit, tally.used, tally.held, wait))
    return worst(obstacles)


def _unless_it_moves(timeline: Timeline, at_us: int, wait: Shortfall) -> Shortfall:
    """What is full for good may be left, and a time is not exact where another group counts by then."""
    if wait.retry_at_us is None:
        return replace(wait, never=wait.never and not timeline.changes_in(at_us, FOREVER_US))
    return replace(wait, exact=wait.exact and not timeline.changes_in(at_us, wait.retry_at_us))


def _free(sheet: Sheet, before: Reservation, after: Reservation) -> Reservation:
    """Takes down what became of a hold, and what that frees; nothing to do where it is as it was."""
    if after is not before:
        number = sheet.next_number()
        change = Posts(after.posts_settled, after.posts_held - before.posts_held)
        _enter(sheet, after, number, change, _minus(after.counted, before.counted))
        sheet.change(after, number)
    return after


def _enter(sheet: Sheet, reservation: Reservation, number: int, change: Posts, counts: Counts) -> None:
    at_us, access = reservation.counted_at_us, reservation.wanted.access
    assert at_us is not None, "what never held has nothing to count"
    for account in accounts(reservation.wanted, reservation.group_id):
        sheet.enter(Entry(account, at_us, number, change, access, counts))


def _minus(counts: Counts, taken: Counts) -> Counts:
    """The difference by content, without what is the same."""
    posts = {(count.kind, count.media_flags): count.posts for count in counts}
    for count in taken:
        kind = count.kind, count.media_flags
        posts[kind] = posts.get(kind, 0) - count.posts
    return tuple(ContentCount(*kind, change) for kind, change in sorted(posts.items()) if change)
