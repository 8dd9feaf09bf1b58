"""The document of an assessment: all that it says, in one form to digest (docs/evidence-format.md)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.metering.domain.allowances import Scope
from services.metering.domain.damages.amounts import Rate
from services.metering.domain.damages.assessments import Assessed, ClaimedPeriod, Liable, Outcome
from services.metering.domain.damages.evidence import CHUNK_ROWS, Evidence
from services.metering.domain.damages.members import AssessmentScope, PartyStretch
from services.metering.domain.damages.policies import DamagesPolicy, Selection, Unenforceable, Version
from services.metering.domain.damages.readings import Clause, Overlap, Reading
from services.metering.domain.damages.tariffs import Rounding
from services.metering.domain.reservations import Access, Revision

FORMAT = "sluice-assessment-1"
LONG = ("exempt", "liable", "members", "periods", "readings")
"""What of a document is not told in short."""

Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunningImport:
    """A source that had reported shortly before: more may follow."""

    source: str
    last_page_us: int


@dataclass(frozen=True, slots=True)
class Finding:
    """An assessment that was worked out."""

    scope: AssessmentScope
    version: Version
    as_of: Revision
    members: Sequence[PartyStretch]
    exempt: Sequence[PartyStretch]
    imports_running: Sequence[RunningImport]
    assessed: Assessed
    evidence: Evidence | None
    """None in a preview."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """When and by whom an assessment was put on record."""

    assessment_id: str
    at_us: int
    by: str


def document(finding: Finding, recorded: Recorded | None) -> Document:
    """What a finding says; a preview has no words about a record and its evidence."""
    scope, assessed = finding.scope, finding.assessed
    said: Document = {
        "format": FORMAT,
        "as_of": {"epoch": finding.as_of.epoch, "number": finding.as_of.number},
        "of": {"group" if scope.of.scope is Scope.GROUP else "party": scope.of.id},
        "since_us": scope.since_us,
        "until_us": scope.until_us,
        "policy": {"version": finding.version.number} | policy_document(finding.version.policy),
        "jurisdiction": scope.jurisdiction,
        "enforceable": finding.version.policy.is_enforceable(scope.jurisdiction),
        "members": [_stretch(each) for each in finding.members],
        "exempt": [_stretch(each) for each in finding.exempt],
        "assisted": [{"party": each.party_id, "how": each.how} for each in scope.assisted],
        "periods": [_period(each) for each in assessed.periods],
        "posts": assessed.posts,
        "amount": assessed.amount,
        "liable": [_liable(each) for each in assessed.liable()],
        "readings": sorted(map(_outcome, assessed.outcomes), key=_reading_order),
        "imports_running": [
            {"source": each.source, "last_page_us": each.last_page_us} for each in finding.imports_running
        ],
    }
    if recorded and finding.evidence:
        said |= {
            "assessment_id": recorded.assessment_id,
            "recorded_at_us": recorded.at_us,
            "recorded_by": recorded.by,
            "evidence": {
                "rows": finding.evidence.rows,
                "chunk_rows": CHUNK_ROWS,
                "root": finding.evidence.root.hex(),
            },
        }
    return said


def in_short(said: Document) -> Document:
    """A document without what may be long in it."""
    return {name: value for name, value in said.items() if name not in LONG}


def named(said: Document) -> list[str]:
    """The parties that a document holds liable, or says to have assisted; sorted."""
    return sorted({each["party"] for each in (*said["liable"], *said["assisted"])})


@dataclass(frozen=True, slots=True)
class Proof:
    """What an assessment on record rests on."""

    members: Sequence[PartyStretch]
    as_of: Revision
    evidence: Evidence


def proof(said: Document) -> Proof:
    """That of a document on record."""
    members = [PartyStretch(each["party"], each["since_us"], each["until_us"]) for each in said["members"]]
    evidence = Evidence(said["evidence"]["rows"], bytes.fromhex(said["evidence"]["root"]))
    return Proof(members, Revision(said["as_of"]["epoch"], said["as_of"]["number"]), evidence)


def encoded(document: Document) -> bytes:
    """The one form of it."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def policy_document(policy: DamagesPolicy) -> Document:
    """What a policy says, without its version."""
    return {
        "title": policy.title,
        "terms_digest": policy.terms_digest.hex(),
        "threshold": policy.clause.threshold,
        "window_us": policy.clause.window_us,
        "unit": policy.clause.unit,
        "currency": policy.rate.currency,
        "rate_nanos": policy.rate.nanos,
        "decimals": policy.rate.digits,
        "rounding": policy.reading.rounding.name,
        "overlap": policy.reading.overlap.name,
        "not_enforceable": [
            {"jurisdiction": each.jurisdiction, "reason": each.reason} for each in policy.not_enforceable
        ],
    } | _selection(policy.selection)


def policy_of(said: Document) -> DamagesPolicy:
    """The policy that `policy_document` says."""
    return DamagesPolicy(
        said["title"],
        bytes.fromhex(said["terms_digest"]),
        Clause(said["threshold"], said["unit"], said["window_us"]),
        Rate(said["currency"], said["rate_nanos"], said["decimals"]),
        Reading(Overlap[said["overlap"]], Rounding[said["rounding"]]),
        Selection(tuple(sorted(Access[each] for each in said["accesses"])), said["licensed_volume_counts"]),
        tuple(Unenforceable(each["jurisdiction"], each["reason"]) for each in said["not_enforceable"]),
    )


def _selection(selection: Selection) -> Document:
    return {
        "accesses": sorted(each.name for each in selection.accesses),
        "licensed_volume_counts": selection.licensed,
    }


def _stretch(stretch: PartyStretch) -> Document:
    return {"party": stretch.party_id, "since_us": stretch.since_us, "until_us": stretch.until_us}


def _period(claimed: ClaimedPeriod) -> Document:
    return {
        "since_us": claimed.period.since_us,
        "until_us": claimed.period.until_us,
        "posts": claimed.period.posts,
        "amount": claimed.amount,
        "members": [
            {"party": each.party_id, "posts": each.posts, "share": each.amount} for each in claimed.shares
        ],
    }


def _liable(liable: Liable) -> Document:
    share = liable.share
    return {
        "party": share.party_id,
        "posts": share.posts,
        "share": share.amount,
        "liable_for": liable.liable_for,
    }


def _reading_order(said: Document) -> tuple[Any, ...]:
    return said["accesses"], said["licensed_volume_counts"], said["overlap"], said["rounding"]


def _outcome(outcome: Outcome) -> Document:
    return _selection(outcome.selection) | {
        "overlap": outcome.reading.overlap.name,
        "rounding": outcome.reading.rounding.name,
        "periods": outcome.periods,
        "posts": outcome.posts,
        "amount": outcome.amount,
    }
