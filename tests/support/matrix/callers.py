"""Everybody who may come to the gateway, and what the contracts say of each; nothing else is asked here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.chassis.clock import SystemClock
from services.chassis.identity import OUTSIDE, PrincipalKind
from services.chassis.keys import Keys
from tests.support.clock import ManualClock
from tests.support.forging import Workshop
from tests.support.keys import a_minter
from tests.support.matrix.methods import Rpc
from tests.support.oidc import claims_elsewhere

HOUR_US = 3_600_000_000
ROLES = ("trust", "legal", "finance", "admin")
ACME, UMBRELLA = "acme", "umbrella"
ANN, BEN, EVE = 1_001, 1_002, 2_001
"""Subjects: one who calls, one for whom an agent calls, and one whom neither is."""


class Refused(NamedTuple):
    """How a call ends before anything is looked up."""

    code: int
    reason: str


NOT_ROUTED = Refused(12, "GATEWAY_NOT_ROUTED")
NOT_ADMITTED = Refused(7, "NOT_ADMITTED")
TOKEN_MISSING = Refused(16, "TOKEN_MISSING")
TOKEN_EXPIRED = Refused(16, "TOKEN_EXPIRED")
TOKEN_INVALID = Refused(16, "TOKEN_INVALID")


@dataclass(frozen=True)
class Caller:
    """Somebody with a token, or without one."""

    name: str
    authorization: str = ""
    """The header; "" sends none."""
    kind: PrincipalKind | None = None
    party: str = ""
    roles: frozenset[str] = frozenset()
    sandbox: bool = False
    fault: Refused | None = None
    """Why nobody believes who this is."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What is sent with a call."""
        return {"authorization": self.authorization} if self.authorization else {}


def refusal_of(rpc: Rpc, caller: Caller) -> Refused | None:
    """What the contract says that the caller is told; None of one who is let in."""
    if not rpc.is_open_to_outside:
        return NOT_ROUTED
    if rpc.admission.anyone:
        return None
    if caller.fault is not None:
        return caller.fault
    admitted = rpc.kinds & rpc.sandbox if caller.sandbox else rpc.kinds
    if caller.kind not in OUTSIDE or caller.kind not in admitted:
        return NOT_ADMITTED
    if caller.kind is PrincipalKind.OPERATOR and rpc.roles and rpc.roles.isdisjoint(caller.roles):
        return NOT_ADMITTED
    return None


def callers(keys: Keys, elsewhere: Workshop) -> list[Caller]:
    """All of them; `elsewhere` signs as the issuer that users have their accounts with."""
    minter, now_us = a_minter(keys), SystemClock().now_us()
    past = a_minter(keys, ManualClock(now_us - HOUR_US))
    good = minter.mint(PrincipalKind.LICENSEE, ACME)
    claims = claims_elsewhere(elsewhere, sub=str(ANN), exp=(now_us + HOUR_US) // 1_000_000)

    def known(name: str, kind: PrincipalKind, party: str, *roles: str, **said: object) -> Caller:
        mint: Callable[..., str] = minter.mint
        shown = f"Bearer {mint(kind, party, roles, **said)}"
        return Caller(name, shown, kind, party, frozenset(roles), bool(said.get("sandbox")))

    return [
        known("a licensee", PrincipalKind.LICENSEE, ACME),
        known("a licensee of the sandbox", PrincipalKind.LICENSEE, ACME, sandbox=True),
        known("a subject", PrincipalKind.SUBJECT, str(ANN)),
        Caller("a subject of elsewhere", f"Bearer {elsewhere.token(claims=claims)}",
               PrincipalKind.SUBJECT, str(ANN)),
        known("an agent", PrincipalKind.AGENT, "helper", subjects=(BEN,)),
        known("an auditor", PrincipalKind.AUDITOR, "grace"),
        known("a pipeline", PrincipalKind.PIPELINE, "firehose"),
        known("licensing", PrincipalKind.SERVICE, "licensing"),
        known("the gateway", PrincipalKind.SERVICE, "gateway"),
        *(known(f"an operator for {role}", PrincipalKind.OPERATOR, role, role) for role in ROLES),
        known("an operator without a role", PrincipalKind.OPERATOR, "ada"),
        known("a subject who says they have roles", PrincipalKind.SUBJECT, str(ANN), *ROLES),
        Caller("nobody", fault=TOKEN_MISSING),
        Caller("one whose token is over", f"Bearer {past.mint(PrincipalKind.OPERATOR, 'ada', ROLES)}",
               fault=TOKEN_EXPIRED),
        Caller("one whose token is forged", f"Bearer {_forged(good)}", fault=TOKEN_INVALID),
    ]  # fmt: skip


def _forged(token: str) -> str:
    """With another signature of the same length."""
    said, _, signature = token.rpartition(".")
    return f"{said}.{signature[::-1]}"
