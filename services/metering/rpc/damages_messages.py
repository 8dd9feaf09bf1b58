"""Claims between the contract and the domain; amounts go from minor units to Money without a fraction."""

import hashlib
import json
from typing import Any, cast

from google.type.money_pb2 import Money

from services.metering.assessor import OnRecord, Progress, ShortRecord
from services.metering.domain.damages import policies
from services.metering.domain.damages.amounts import NANO_DIGITS, Rate
from services.metering.domain.damages.disputes import Standing
from services.metering.domain.damages.documents import LONG, Document, Finding, document, policy_document
from services.metering.domain.damages.members import AssessmentScope, Assistant
from services.metering.domain.damages.policies import DamagesPolicy, Version
from services.metering.domain.reservations import Revision
from services.metering.rpc.answers import revision_message, timestamp
from services.metering.rpc.assessment_parts import in_parts
from services.metering.rpc.requests import time_us
from services.metering.rpc.usage_messages import whose
from sluice.metering.v1 import damages_pb2, usage_pb2
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1.access_pb2 import AccessKind


def policy_of(given: damages_pb2.DamagesPolicy) -> DamagesPolicy:
    """Raises Refusal WINDOW_INVALID, RATE_INVALID, JURISDICTION_TWICE."""
    rate = given.rate
    places = [policies.Unenforceable(each.jurisdiction, each.reason) for each in given.not_enforceable]
    return DamagesPolicy(
        given.title,
        given.terms_digest,
        policies.checked_clause(given.threshold, given.unit, given.window.ToMicroseconds()),
        policies.checked_rate(rate.currency_code, rate.units, rate.nanos, given.decimals),
        policies.reading_of(given.overlap, given.rounding),
        policies.checked_selection(list(given.accesses), given.licensed_volume_counts),
        policies.checked_places(places),
    )


def scope_of(given: damages_pb2.AssessmentScope) -> AssessmentScope:
    """Raises Refusal INVALID_REQUEST."""
    return AssessmentScope(
        of=whose(given.of),
        since_us=time_us(given.since, "scope.since"),
        until_us=time_us(given.until, "scope.until"),
        policy_version=given.policy_version,
        jurisdiction=given.jurisdiction,
        assisted=tuple(sorted(Assistant(each.party_id, each.how) for each in given.assisted)),
    )


def version_message(version: Version) -> damages_pb2.DamagesPolicy:
    """A policy on record."""
    said = {"version": version.number} | policy_document(version.policy)
    message = _policy(said)
    message.recorded_at.FromMicroseconds(version.recorded_us)
    message.recorded_by = version.recorded_by
    return message


def put_response(version: Version, revision: Revision) -> pb.PutDamagesPolicyResponse:
    """What is on record."""
    return pb.PutDamagesPolicyResponse(policy=version_message(version), revision=revision_message(revision))


def preview_messages(step: Progress | Finding) -> list[pb.PreviewAssessmentResponse]:
    """How far it is, or what was found, in parts."""
    if isinstance(step, Progress):
        return [pb.PreviewAssessmentResponse(progress=_progress(step))]
    message = _assessment(document(step, None))
    message.state = damages_pb2.ASSESSMENT_STATE_PREVIEW
    return [pb.PreviewAssessmentResponse(assessment=part) for part in in_parts(message)]


def record_messages(step: Progress | OnRecord) -> list[pb.RecordAssessmentResponse]:
    """How far it is, or what is on record, in parts."""
    if isinstance(step, Progress):
        return [pb.RecordAssessmentResponse(progress=_progress(step))]
    return [pb.RecordAssessmentResponse(assessment=part) for part in in_parts(recorded_message(step))]


def get_messages(found: OnRecord) -> list[pb.GetAssessmentResponse]:
    """What is on record, in parts."""
    return [pb.GetAssessmentResponse(assessment=part) for part in in_parts(recorded_message(found))]


def recorded_message(found: OnRecord) -> damages_pb2.Assessment:
    """An assessment on record."""
    return _on_record(json.loads(found.document), found.standing, hashlib.sha256(found.document).digest())


def listed_message(found: ShortRecord) -> damages_pb2.Assessment:
    """The same in short."""
    return _on_record(found.said | dict.fromkeys(LONG, ()), found.standing, found.digest)


def _on_record(said: Document, standing: Standing, digest: bytes) -> damages_pb2.Assessment:
    message = _assessment(said)
    message.state = state_message(standing)
    message.amount_in_force.CopyFrom(money(standing.in_force, said["policy"]))
    message.assessment_id = said["assessment_id"]
    message.recorded_at.FromMicroseconds(said["recorded_at_us"])
    message.recorded_by = said["recorded_by"]
    evidence = said["evidence"]
    message.evidence.rows, message.evidence.chunk_rows = evidence["rows"], evidence["chunk_rows"]
    message.evidence.root = bytes.fromhex(evidence["root"])
    message.digest = digest
    return message


def _progress(step: Progress) -> pb.AssessmentProgress:
    stage = pb.ASSESSMENT_STAGE_EVIDENCE if step.rows else pb.ASSESSMENT_STAGE_READINGS
    return pb.AssessmentProgress(stage=stage, done=step.done, of=step.of)


def _assessment(said: Document) -> damages_pb2.Assessment:
    policy = said["policy"]
    running = [
        damages_pb2.RunningImport(source=each["source"], last_page_at=timestamp(each["last_page_us"]))
        for each in said["imports_running"]
    ]
    return damages_pb2.Assessment(
        scope=_scope(said),
        policy=_policy(policy),
        periods=[_period(each, policy) for each in said["periods"]],
        posts=said["posts"],
        amount=money(said["amount"], policy),
        amount_in_force=money(said["amount"], policy),
        liable=[_share(each, policy) for each in said["liable"]],
        members=[_stretch(each) for each in said["members"]],
        exempt=[_stretch(each) for each in said["exempt"]],
        enforceable=said["enforceable"],
        readings=[_reading(each, policy) for each in said["readings"]],
        imports_running=running,
        as_of=revision_message(Revision(said["as_of"]["epoch"], said["as_of"]["number"])),
    )


def _scope(said: Document) -> damages_pb2.AssessmentScope:
    of = usage_pb2.UsageOf(**{f"{kind}_id": id for kind, id in said["of"].items()})
    return damages_pb2.AssessmentScope(
        of=of,
        since=timestamp(said["since_us"]),
        until=timestamp(said["until_us"]),
        policy_version=said["policy"]["version"],
        jurisdiction=said["jurisdiction"],
        assisted=[
            damages_pb2.Assistant(party_id=each["party"], how=each["how"]) for each in said["assisted"]
        ],
    )


def _policy(said: Document) -> damages_pb2.DamagesPolicy:
    message = damages_pb2.DamagesPolicy(
        version=said["version"],
        title=said["title"],
        terms_digest=bytes.fromhex(said["terms_digest"]),
        threshold=said["threshold"],
        unit=said["unit"],
        rate=_rate(said),
        decimals=said["decimals"],
        rounding=f"DAMAGES_ROUNDING_{said['rounding']}",
        overlap=f"DAMAGES_OVERLAP_{said['overlap']}",
        accesses=_accesses(said),
        licensed_volume_counts=said["licensed_volume_counts"],
        not_enforceable=[damages_pb2.Unenforceable(**each) for each in said["not_enforceable"]],
    )
    message.window.FromMicroseconds(said["window_us"])
    return message


def _period(said: Document, policy: Document) -> damages_pb2.DamagesPeriod:
    return damages_pb2.DamagesPeriod(
        since=timestamp(said["since_us"]),
        until=timestamp(said["until_us"]),
        posts=said["posts"],
        amount=money(said["amount"], policy),
        members=[_share(each, policy) for each in said["members"]],
    )


def _share(said: Document, policy: Document) -> damages_pb2.DamagesShare:
    whole = said.get("liable_for")
    return damages_pb2.DamagesShare(
        party_id=said["party"],
        posts=said["posts"],
        share=money(said["share"], policy),
        liable_for=None if whole is None else money(whole, policy),
    )


def _stretch(said: Document) -> damages_pb2.PartyStretch:
    return damages_pb2.PartyStretch(
        party_id=said["party"], since=timestamp(said["since_us"]), until=timestamp(said["until_us"])
    )


def _reading(said: Document, policy: Document) -> damages_pb2.DamagesReading:
    return damages_pb2.DamagesReading(
        accesses=_accesses(said),
        licensed_volume_counts=said["licensed_volume_counts"],
        overlap=f"DAMAGES_OVERLAP_{said['overlap']}",
        rounding=f"DAMAGES_ROUNDING_{said['rounding']}",
        periods=said["periods"],
        posts=said["posts"],
        amount=money(said["amount"], policy),
    )


def _accesses(said: Document) -> list[Any]:
    return sorted(AccessKind.Value(f"ACCESS_KIND_{each}") for each in said["accesses"])


def _rate(policy: Document) -> Money:
    units, nanos = divmod(policy["rate_nanos"], 10**NANO_DIGITS)
    return Money(currency_code=policy["currency"], units=units, nanos=nanos)


def state_message(standing: Standing) -> damages_pb2.AssessmentState:
    """Where an assessment stands."""
    return cast(damages_pb2.AssessmentState, int(standing.state))


def money_of(amount: int, rate: Rate) -> Money:
    """An amount in minor units of a rate's currency."""
    return money(amount, {"currency": rate.currency, "decimals": rate.digits})


def money(amount: int, policy: Document) -> Money:
    """An amount in minor units of the policy's currency."""
    units, minor = divmod(amount, 10 ** policy["decimals"])
    nanos = minor * 10 ** (NANO_DIGITS - policy["decimals"])
    return Money(currency_code=policy["currency"], units=units, nanos=nanos)
