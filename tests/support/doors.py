"""The door at the gateway for tests: calls, walls and licenses in memory, tokens that name their holders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.chassis.identity import Principal, PrincipalKind
from services.chassis.refusals import unauthenticated, unavailable
from services.licensing.admitting import API, CONTENT, Call, Door
from services.licensing.domain.doors.walls import Tier, WallChange
from services.licensing.domain.licenses import License
from services.licensing.rpc.admissions import BEHIND_THE_GATEWAY
from services.licensing.wall_watching import WallWatch
from tests.support.clock import NOON_US, ManualClock

SECOND_US = 1_000_000
LIST_LICENSES = "/sluice.licensing.v1.ContractService/ListLicenses"
GET_TOKEN = "/sluice.licensing.v1.TokenService/GetToken"

T = TypeVar("T")


def a_call(path: str = LIST_LICENSES, holder: str = "", surface: str = API, **changes: Any) -> Call:
    """A call with a token of `holder`, such as "licensee:acme"; without any of nobody."""
    given = {"authorization": f"Bearer {holder}" if holder else "", "address": "203.0.113.9", **changes}
    return Call(path=path, surface=surface, **given)


def a_read(holder: str = "", **changes: Any) -> Call:
    """A call to the platform's content."""
    return a_call("/posts/1?lang=en", holder, CONTENT, **changes)


def a_change(number: int = 1, *, raised: bool = True, **changes: Any) -> WallChange:
    """A wall that is up until it is lowered and that nobody passes but who has signed in."""
    given = {
        "tiers": frozenset[Tier](),
        "reason": "scraping",
        "until_us": None,
        "changed_by": "operator:ada",
        "changed_at_us": NOON_US,
        **changes,
    }
    return WallChange(number=number, raised=raised, **given)


class NamingTokens:
    """Believes whoever says who they are: "kind:party", "operator:ada:trust,legal", "sandbox+pipeline:x"."""

    def verify(self, token: str) -> Principal:
        if not token:
            raise unauthenticated("TOKEN_MISSING", "the call carries no bearer token")
        kind, _, rest = token.removeprefix("sandbox+").partition(":")
        party, _, roles = rest.partition(":")
        if kind not in set(PrincipalKind):
            raise unauthenticated("TOKEN_INVALID", "the token is not valid here")
        sandbox = token.startswith("sandbox+")
        return Principal(PrincipalKind(kind), party, frozenset(filter(None, roles.split(","))), sandbox)


@dataclass
class Books:
    """The wall and licenses, in memory; `is_down`: nothing can be read."""

    changes: list[WallChange] = field(default_factory=list)
    kept: list[License] = field(default_factory=list)
    is_down: bool = False
    reads: int = 0

    async def read(self, query: Callable[["Books"], T]) -> T:
        self.reads += 1
        if self.is_down:
            raise unavailable("DATABASE_UNAVAILABLE", "the database cannot be read now")
        return query(self)

    def last_wall_change(self) -> WallChange | None:
        return self.changes[-1] if self.changes else None

    def licenses(self, licensee_id: str | None, after: str, limit: int, *, drafts: bool) -> Sequence[License]:
        later = sorted(
            (each for each in self.kept if each.license_id > after), key=lambda each: each.license_id
        )
        return [each for each in later if each.terms.licensee_id == licensee_id][:limit]


class Gate:
    """A door, and all that it stands on."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.books = Books()
        self.watch = WallWatch(self.books, self.clock, lambda: self.clock.now_us() / SECOND_US)
        self.counted: list[str] = []
        self.door = Door(
            NamingTokens(),
            BEHIND_THE_GATEWAY,
            self.watch,
            self.books,
            clock=self.clock,
            count=self.counted.append,
        )

    async def wall(self, *changes: WallChange) -> None:
        """The wall stands by the last of these, and the process knows it."""
        self.books.changes += changes
        await self.watch.refresh()
