"""How allowances stand, and what a hold would come to: worked out on a sheet that is thrown away."""

from dataclasses import dataclass

from services.metering.domain.allowances import Allowance, NoRoom, Tally
from services.metering.domain.parties import NO_GROUP
from services.metering.domain.postings import Hold, post
from services.metering.domain.reservations import Access, Revision, Wanted, accounts, resolved
from services.metering.domain.sheets import Sheet


@dataclass(frozen=True, slots=True)
class Room:
    """How one allowance stands, without what is asked about."""

    allowance: Allowance
    tally: Tally


@dataclass(frozen=True, slots=True)
class RoomsNow:
    """How several allowances stand at one moment."""

    rooms: tuple[Room, ...]
    """Of each allowance, in the order of `Wanted.allowances`."""
    at_us: int
    """The windows end then: the time that a hold would be counted at."""


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
    # Before the hold, which counts in them.
    before = rooms_now(sheet, wanted)
    held = post(sheet, Hold(wanted))
    return Rooms(held.posts_reserved, held.no_room, before.rooms, before.at_us, revision)


def rooms_now(sheet: Sheet, wanted: Wanted) -> RoomsNow:
    """How the allowances of `wanted` stand, without it."""
    group_id, at_us = sheet.group_and_time(wanted.party_id, accounts(wanted, NO_GROUP))
    limits = [resolved(allowance, wanted, group_id) for allowance in wanted.allowances]
    rooms = tuple(Room(limit, sheet.tally(limit.account, limit.window_us, at_us)) for limit in limits)
    return RoomsNow(rooms, at_us)


def nothing_of(party_id: str, license_id: str, allowances: tuple[Allowance, ...]) -> Wanted:
    """No posts of a party under a license: what is asked about where nothing is to be held."""
    return Wanted(
        reservation_id="",
        request_key="",
        party_id=party_id,
        license_id=license_id,
        access=Access.ACCESS,
        counts=(),
        allowances=allowances,
    )
