"""How people come into the pages of a local installation: by links that sign them in once."""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence

from services.chassis.clock import SystemClock
from services.chassis.ids import MINUTE_US
from services.chassis.refusals import precondition
from services.console.answering import answers
from services.console.credentials import OPERATOR, Local, minter
from services.console.installation import StateFolder
from services.console.local_pages import CONSOLE, PREFIXES, SETTINGS_PAGE
from services.console.options import DEFAULT_STATE
from services.console.web.links import Links

LONGEST_US = 12 * 60 * MINUTE_US
"""A working day, so long at most is somebody signed in by a link."""


def sign_in_link(
    state: StateFolder,
    page: str,
    who: Local,
    lifetime_us: int = LONGEST_US,
    subjects: frozenset[int] = frozenset(),
) -> str:
    """The address that signs somebody in once, within the hour, for `lifetime_us`.

    Raises Refusal (precondition): STATE_MISSING, KEY_UNREADABLE, and PAGE_NOT_RUNNING where the page of this
    installation does not answer.
    """
    token = minter(state, lifetime_us).mint(who.kind, who.party, who.roles, subjects=subjects)
    address = state.address(page)
    if address is None or not answers(address):
        message = f"the {page} of {state.root} is not running; `sluice up --console` starts it"
        raise precondition("PAGE_NOT_RUNNING", message)
    code = Links(state.links(page), SystemClock()).make(token)
    # In a container it listens at an address that no browser knows; there the command has its settings, too.
    origin = os.environ.get(f"{PREFIXES[page]}PUBLIC_URL") or f"http://{address}"
    return f"{origin}/sign-in/link?code={code}"


def first_links(state: StateFolder, pages: Sequence[str]) -> dict[str, str]:
    """A link for the operator of the command line, where the console runs; raises as `sign_in_link`.

    Which subjects there are, nobody knows here.
    """
    return {CONSOLE: sign_in_link(state, CONSOLE, OPERATOR)} if CONSOLE in pages else {}


def how_to_come_in(
    state: StateFolder, addresses: Mapping[str, str], links: Mapping[str, str]
) -> Iterator[str]:
    """Sentences about the pages that run; `addresses` are host:port and `links` first links, by name."""
    if address := addresses.get(SETTINGS_PAGE):
        yield f"Users' settings page: http://{address}"
        if link := links.get(SETTINGS_PAGE):
            yield f"Signs one of them in, once and within the hour: {link}"
        yield f"Makes one for any of them: sluice settings-page link --subject ID{_of(state)}"
    if address := addresses.get(CONSOLE):
        yield f"Operators' console: http://{address}"
        yield f"Signs you in, once and within the hour: {links[CONSOLE]}"
        yield f"Makes one for a second operator: sluice console link --party NAME --role ROLE{_of(state)}"


def _of(state: StateFolder) -> str:
    """How a command is told which installation is meant."""
    return "" if state.root == DEFAULT_STATE else f" --state {shlex.quote(str(state.root))}"
