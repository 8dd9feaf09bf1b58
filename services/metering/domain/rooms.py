"""Whether there is room: what a hold would come to, worked out on a sheet that is thrown away."""

from dataclasses import dataclass

from services.metering.domain.allowances import Allowance, NoRoom, Tally
from services.metering.domain.parties import NO_GROUP
from services.metering.domain.postings import Hold, post
from services.metering.domain.reservations import Revision, Wanted, accounts, resolved
from services.metering.domain.sheets import Sheet


@dataclass(frozen=True, slots=True)
class Room:
    """How one allowance stands, without what is asked about."""

    allowance: Allowance
    tally: Tally


@dataclass(frozen=True, slots=True)
class Rooms:
    """What a hold would come to at one moment."""

    posts_that_fit: int
    no_room: NoRoom | None
    """Set where fewer posts fit than are wanted."""
    rooms: tuple[Room, ...]
    """Of each allowance, in the order of `Wanted.allowances`."""
    at_us: int
    """The time that the hold would be counted at."""
    revision: Revision


def rooms_for(sheet: Sheet, wanted: Wanted) -> Rooms:
    """What `post` would make of a hold of `wanted`, whose id nobody has used; the sheet is spoilt by it."""
    revision = sheet.head
    group_id, at_us = sheet.group_and_time(wanted.party_id, accounts(wanted, NO_GROUP))
    limits = [resolved(allowance, wanted, group_id) for allowance in wanted.allowances]
    # Before the hold, which counts in them.
    rooms = tuple(Room(limit, sheet.tally(limit.account, limit.window_us, at_us)) for limit in limits)
    held = post(sheet, Hold(wanted))
    return Rooms(held.posts_reserved, held.no_room, rooms, at_us, revision)
