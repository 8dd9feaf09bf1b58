"""What operators did, a page at a time: two entries of a log are one action.

Entries come newest first, so how an action ended may lie on the page before: it is looked for from the
beginning of the oldest open one on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from services.chassis.action_messages import entry_of
from services.chassis.actions import ActionHead, Begun, Entry
from services.chassis.dialing import Peer
from services.console.action_log import Action, Filter, page_of_actions
from services.console.moments import from_us

ENTRIES = 50
FOLLOWED, MOST_PAGES = 200, 5
"""Later entries that are looked through for ends, so many at a time."""


@dataclass(frozen=True)
class ActionPage:
    """Some actions of one service, newest first."""

    actions: Sequence[Action]
    next_page_token: str
    head: ActionHead
    is_followed: bool
    """Whether all later entries were looked through for the ends of actions that have none here."""


async def action_page(peer: Peer, service: str, wanted: Filter, token: str) -> ActionPage:
    """A page of the log of a service; raises Refusal."""
    entries, next_token, head = await _read(peer, service, wanted, token)
    actions, is_followed = paired(service, entries), True
    if token and (open_ones := [each for each in actions if each.end is None]):
        ends, is_followed = await _ends(peer, service, wanted, open_ones)
        actions = [replace(each, end=each.end or ends.get(each.entry.number)) for each in actions]
    return ActionPage(actions, next_token, head, is_followed)


def paired(service: str, entries: Iterable[Entry]) -> list[Action]:
    """The actions that began among entries, newest first, each with its end where that is among them too."""
    actions, ends = list[Action](), dict[int, Entry]()
    for entry in entries:
        if isinstance(entry.what, Begun):
            actions.append(Action(service, entry, entry.what, ends.get(entry.number)))
        else:
            ends[entry.action] = entry
    return actions


async def _ends(
    peer: Peer, service: str, wanted: Filter, open_ones: Sequence[Action]
) -> tuple[Mapping[int, Entry], bool]:
    """How actions ended, by their numbers, and whether the log was read to its end where one is missing."""
    missing = {each.entry.number for each in open_ones}
    since = from_us(min(each.entry.at_us for each in open_ones))
    later, token, ends = replace(wanted, since=since), "", dict[int, Entry]()
    for _ in range(MOST_PAGES):
        entries, token, _head = await _read(peer, service, later, token, oldest_first=True)
        ends.update(
            {each.action: each for each in entries if each.action in missing and each.number != each.action}
        )
        if len(ends) == len(missing) or not token:
            return ends, True
    return ends, False


async def _read(
    peer: Peer, service: str, wanted: Filter, token: str, *, oldest_first: bool = False
) -> tuple[list[Entry], str, ActionHead]:
    size = FOLLOWED if oldest_first else ENTRIES
    page = await page_of_actions(peer, service, wanted, size, token, oldest_first=oldest_first)
    head = ActionHead(page.head.number, page.head.digest)
    return list(map(entry_of, page.entries)), page.next_page_token, head
