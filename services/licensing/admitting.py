"""The door: who a call from outside comes from, and whether it may go on.

It is asked before the services, and decides nothing that they do not decide again by the same tables. What it
alone decides is who reads the platform's content: whoever has signed in, licensees by the wall's tiers, and
anonymous callers while there is no wall.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.identity import (
    OUTSIDE,
    AdmissionTable,
    Principal,
    PrincipalKind,
    bearer_of,
    check_admission,
    not_admitted,
)
from services.chassis.refusals import Kind, Refusal, forbidden, not_found
from services.licensing.domain.doors.networks import network_of
from services.licensing.domain.doors.walls import Tier, WallChange, is_up, tier_of
from services.licensing.domain.licenses import License

SIGNED_IN = frozenset({PrincipalKind.SUBJECT, PrincipalKind.OPERATOR})
"""Whom no wall stops."""
CONTENT = "content"
API = "api"
STRANGER, KNOWN, SANDBOX = "stranger", "known", "sandbox"
"""Tiers of callers, beside those of licenses: without a token, with one, with one of the sandbox."""
LICENSES_AT_ONCE = 100

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """What the gateway says of a call."""

    path: str
    """Of an API call that of its RPC, whichever form it came in."""
    authorization: str
    """The header; "" where there is none."""
    address: str
    """Of the caller, as the gateway saw it."""
    surface: str
    """`API`, or `CONTENT`: the routes of the platform's own content."""


@dataclass(frozen=True)
class Admitted:
    """A call that may go on. All of it is printable."""

    kind: str
    """Of the principal; `STRANGER` of whom nothing is known."""
    party: str
    """"" of a stranger."""
    method: str
    """Full name of the RPC with its slash, or `CONTENT`."""
    tier: str
    network: str = ""
    """Of a stranger: where they come from."""


class Tokens(Protocol):
    """Who knows whose a token is."""

    def verify(self, token: str) -> Principal: ...


class Wall(Protocol):
    """How the wall stands, as this process knows it."""

    def last(self) -> WallChange | None: ...


class Rows(Protocol):
    """The wall and licenses inside one transaction."""

    def last_wall_change(self) -> WallChange | None: ...
    def licenses(
        self, licensee_id: str | None, after: str, limit: int, *, drafts: bool
    ) -> Sequence[License]: ...


class Store(Protocol):
    """Where they are."""

    async def read(self, query: Callable[[Rows], T]) -> T: ...


class Door:
    """Lets calls in."""

    def __init__(
        self,
        tokens: Tokens,
        table: AdmissionTable,
        wall: Wall,
        store: Store,
        *,
        clock: Clock,
        count: Callable[[str], None],
    ) -> None:
        """`table` has the RPCs of every service behind the gateway that asks here; `count` is told the
        network of each anonymous call that is let in to content.
        """
        self._tokens = tokens
        self._table = open_to_outside(table)
        self._wall = wall
        self._store = store
        self._clock = clock
        self._count = count

    async def admit(self, call: Call) -> Admitted:
        """Who it is that calls.

        Raises Refusal: TOKEN_MISSING, TOKEN_EXPIRED, TOKEN_INVALID, KEYS_UNAVAILABLE, NOT_ADMITTED,
        ROUTE_UNKNOWN; of content LOGIN_REQUIRED, TIER_CLOSED, WALL_UNKNOWN, and what the database raises.
        """
        if call.surface == CONTENT:
            return await self._admit_to_content(call)
        if call.surface != API:
            raise _route_unknown()
        return self._admit_to_api(call)

    def _admit_to_api(self, call: Call) -> Admitted:
        admission = self._table.get(call.path)
        if admission is None:
            raise _route_unknown()
        if admission.anyone:
            return _stranger(call.path, network_of(call.address))
        principal = self._tokens.verify(bearer_of(call.authorization))
        check_admission(self._table, call.path, principal, from_outside=True)
        return _known(principal, call.path, SANDBOX if principal.sandbox else KNOWN)

    async def _admit_to_content(self, call: Call) -> Admitted:
        if not call.authorization:
            return self._admit_anonymous(call)
        principal = self._tokens.verify(bearer_of(call.authorization))
        # What a sandbox is for is not what people have written.
        if principal.kind not in OUTSIDE or principal.sandbox:
            raise not_admitted()
        tier = KNOWN if principal.kind in SIGNED_IN else await self._tier_of(principal)
        return _known(principal, CONTENT, tier)

    def _admit_anonymous(self, call: Call) -> Admitted:
        last, now_us = self._wall.last(), self._clock.now_us()
        if last is not None and last.is_up(now_us):
            raise _login_required(last, now_us)
        network = network_of(call.address)
        self._count(network)
        return _stranger(CONTENT, network)

    async def _tier_of(self, principal: Principal) -> str:
        """Of whom a wall would stop; it is looked up now, so that a suspension is seen at once (L4)."""
        return await self._store.read(lambda rows: self._tier_among(rows, principal))

    def _tier_among(self, rows: Rows, principal: Principal) -> str:
        last, now_us = rows.last_wall_change(), self._clock.now_us()
        if last is None or not is_up(last, now_us) or Tier.KNOWN in last.tiers:
            return KNOWN
        tier = None
        if principal.kind is PrincipalKind.LICENSEE:
            tier = _licensed_tier(rows, principal.party, last.tiers, now_us)
        if tier is None:
            raise forbidden("TIER_CLOSED", "the platform is closed to all but those who have signed in")
        return _WORDS[tier]


_WORDS = {Tier.API: "api_tier", Tier.RESEARCH: "research"}


def open_to_outside(table: AdmissionTable) -> AdmissionTable:
    """The lines that let anybody in who comes from outside."""
    return {
        method: admission
        for method, admission in table.items()
        if admission.anyone or admission.kinds & OUTSIDE
    }


def _licensed_tier(rows: Rows, licensee_id: str, opened: frozenset[Tier], now_us: int) -> Tier | None:
    after = ""
    while licenses := rows.licenses(licensee_id, after, LICENSES_AT_ONCE, drafts=False):
        if (tier := tier_of(licenses, opened, now_us)) is not None:
            return tier
        after = licenses[-1].license_id
    return None


def _known(principal: Principal, method: str, tier: str) -> Admitted:
    return Admitted(principal.kind.value, principal.party, method, tier)


def _stranger(method: str, network: str) -> Admitted:
    return Admitted(STRANGER, "", method, STRANGER, network)


def _route_unknown() -> Refusal:
    return not_found("ROUTE_UNKNOWN", "there is no such call here")


def _login_required(last: WallChange, now_us: int) -> Refusal:
    ends_after_us = None if last.until_us is None else last.until_us - now_us
    message = "the platform is closed to callers who have not signed in"
    return Refusal(Kind.UNAUTHENTICATED, "LOGIN_REQUIRED", message, retry_after_us=ends_after_us)
