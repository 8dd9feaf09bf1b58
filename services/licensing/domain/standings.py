"""How affiliates stand: what was asked for here beside what metering says, which is what counts (M6)."""

import enum
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.licensing.domain.affiliates import Change, Stretch, by_pair, stretches_of


class Standing(enum.IntEnum):
    """The numbers of `sluice.licensing.v1.AffiliateStanding`."""

    COUNTED = 1
    ANNOUNCED = 2
    ENDED = 3
    CHANGING = 4
    DIFFERS = 5


@dataclass(frozen=True, slots=True)
class Affiliate:
    """A party that is, was or will be an affiliate of a licensee."""

    affiliate_id: str
    display_name: str
    """As it was last added; "" where metering alone has it in the group."""
    standing: Standing
    recorded: tuple[Stretch, ...]
    """By what was asked for here."""
    counted: tuple[Stretch, ...]
    """By what metering says."""
    removal_reason: str


@dataclass(frozen=True, slots=True)
class Affiliates:
    """Those of one licensee at a time."""

    affiliates: Sequence[Affiliate]
    """By id."""
    licensee_in_group: bool
    """Metering has the licensee itself in its group."""
    as_of_us: int


def affiliates_of(
    licensee_id: str,
    changes: Sequence[Change],
    finished_before: Collection[int],
    members: Mapping[str, Sequence[Stretch]],
    now_us: int,
) -> Affiliates:
    """What the record says and what metering said, side by side.

    `changes` are all those of the licensee, in order, read after metering was asked; `finished_before` are
    the numbers of those that were finished before it was: what it said of others may be older or newer than
    they are. `members` are the stretches of all parties in the licensee's group.
    """
    theirs = {affiliate_id: found for (_, affiliate_id), found in by_pair(changes).items()}
    ids = sorted((theirs.keys() | members.keys()) - {licensee_id})
    found = [_affiliate(id, theirs.get(id, ()), finished_before, members.get(id, ()), now_us) for id in ids]
    return Affiliates(found, _holds(members.get(licensee_id, ()), now_us), now_us)


def _affiliate(
    affiliate_id: str,
    changes: Sequence[Change],
    finished_before: Collection[int],
    members: Sequence[Stretch],
    now_us: int,
) -> Affiliate:
    recorded, counted = joined(stretches_of(changes)), joined(members)
    names = [change.display_name for change in changes if change.adds]
    reasons = [change.reason for change in changes if not change.adds]
    if any(change.number not in finished_before for change in changes):
        standing = Standing.CHANGING
    elif recorded != counted:
        standing = Standing.DIFFERS
    elif _holds(counted, now_us):
        standing = Standing.COUNTED
    else:
        is_ahead = any(stretch.since_us > now_us for stretch in counted)
        standing = Standing.ANNOUNCED if is_ahead else Standing.ENDED
    return Affiliate(
        affiliate_id=affiliate_id,
        display_name=names[-1] if names else "",
        standing=standing,
        recorded=recorded,
        counted=counted,
        removal_reason=reasons[-1] if reasons else "",
    )


def joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """The same times in as few stretches as there can be, in order; without the empty ones."""
    found: list[Stretch] = []
    for each in sorted(stretches):
        if each.since_us >= each.until_us:
            continue
        if found and each.since_us <= found[-1].until_us:
            found[-1] = Stretch(found[-1].since_us, max(found[-1].until_us, each.until_us))
        else:
            found.append(each)
    return tuple(found)


def _holds(stretches: Iterable[Stretch], at_us: int) -> bool:
    return any(each.since_us <= at_us < each.until_us for each in stretches)
