"""Assessments as metering answers with them, for tests of what people read."""

from itertools import product
from typing import Any

from google.type.money_pb2 import Money

from services.console.moments import read
from sluice.metering.v1 import damages_pb2 as pb
from sluice.metering.v1.access_pb2 import ACCESS_KIND_ACCESS, ACCESS_KIND_REQUEST, ACCESS_KIND_VIEW
from sluice.metering.v1.usage_pb2 import UsageOf
from sluice.type.v1.revision_pb2 import Revision

ASSESSMENT_ID = "019a0000-0000-7000-8000-00000000000a"
PROPOSAL_ID = "019a0000-0000-7000-8000-00000000000b"
SINCE, UNTIL = read("2026-01-01"), read("2026-01-31")
GAVE_CONTENT = (ACCESS_KIND_VIEW, ACCESS_KIND_ACCESS)
ALL_KINDS = (ACCESS_KIND_REQUEST, *GAVE_CONTENT)


def usd(units: int, nanos: int = 0) -> Money:
    return Money(currency_code="USD", units=units, nanos=nanos)


def a_policy(**more: Any) -> pb.DamagesPolicy:
    """As metering gives it back."""
    given: dict[str, Any] = {
        "version": 1,
        "title": "Terms",
        "terms_digest": b"\7" * 32,
        "threshold": 1_000_000,
        "unit": 1_000_000,
        "rate": usd(15_000),
        "decimals": 2,
        "rounding": pb.DAMAGES_ROUNDING_WHOLE_UNITS,
        "overlap": pb.DAMAGES_OVERLAP_DISJOINT,
        "accesses": GAVE_CONTENT,
        "recorded_at": SINCE,
        "recorded_by": "operator:lena",
    }
    policy = pb.DamagesPolicy(**(given | more))
    policy.window.FromSeconds(86_400)
    return policy


def a_period(day: int, posts: int, amount: Money, *members: pb.DamagesShare) -> pb.DamagesPeriod:
    """From half past midnight of a day of January on."""
    since, until = (read(f"2026-01-{each:02}T00:30:00.000001Z") for each in (day, day + 1))
    return pb.DamagesPeriod(since=since, until=until, posts=posts, amount=amount, members=members)


def a_share(party_id: str, posts: int, share: Money, liable_for: Money | None = None) -> pb.DamagesShare:
    return pb.DamagesShare(party_id=party_id, posts=posts, share=share, liable_for=liable_for)


def every_reading(own_amount: Money) -> list[pb.DamagesReading]:
    """All 64: the policy's comes to `own_amount`, and each other to as many thousands as its place."""
    ways = product((GAVE_CONTENT, ALL_KINDS), (False, True), range(1, 5), range(1, 5))
    readings = [
        pb.DamagesReading(
            accesses=accesses,
            licensed_volume_counts=licensed,
            overlap=overlap,  # type: ignore[arg-type]
            rounding=rounding,  # type: ignore[arg-type]
            periods=1,
            posts=1_000_000 + place,
            amount=usd(place * 1_000),
        )
        for place, (accesses, licensed, overlap, rounding) in enumerate(ways)
    ]
    readings[0].amount.CopyFrom(own_amount)
    return readings


def an_assessment(**more: Any) -> pb.Assessment:
    """Of party acme in January, of one period: a preview."""
    scope = pb.AssessmentScope(of=UsageOf(party_id="acme"), since=SINCE, until=UNTIL, policy_version=1)
    given: dict[str, Any] = {
        "state": pb.ASSESSMENT_STATE_PREVIEW,
        "scope": scope,
        "policy": a_policy(),
        "periods": [a_period(1, 1_200_000, usd(15_000), a_share("acme", 1_200_000, usd(15_000)))],
        "posts": 3_200_000,
        "amount": usd(15_000),
        "amount_in_force": usd(15_000),
        "liable": [a_share("acme", 1_200_000, usd(15_000), usd(15_000))],
        "members": [pb.PartyStretch(party_id="acme", since=SINCE, until=UNTIL)],
        "enforceable": True,
        "readings": every_reading(usd(15_000)),
        "as_of": Revision(epoch=1, number=7),
    }
    return pb.Assessment(**(given | more))


def on_record(**more: Any) -> pb.Assessment:
    """The same on record."""
    given: dict[str, Any] = {
        "assessment_id": ASSESSMENT_ID,
        "state": pb.ASSESSMENT_STATE_RECORDED,
        "evidence": pb.Evidence(rows=2, chunk_rows=65_536, root=b"\1" * 32),
        "digest": b"\2" * 32,
        "recorded_at": UNTIL,
        "recorded_by": "operator:lena",
    }
    return an_assessment(**(given | more))
