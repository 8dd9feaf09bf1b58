"""A subject's records as messages of the contract."""

from collections.abc import Sequence
from typing import cast

from services.consent.acknowledging import Acknowledged
from services.consent.custodian import Explained
from services.consent.domain.changes import Revision
from services.consent.domain.choices import ALL_PURPOSES, EVERYONE
from services.consent.domain.dossiers import ChoiceRecord
from services.consent.domain.outcomes import Erased, Objected
from services.consent.domain.subjects import Facts, State, Subject
from services.consent.rpc.answers import revision_message, timestamp
from services.consent.rpc.requests import page_token_of
from sluice.consent.v1 import choice_pb2, explanation_pb2, reason_pb2, subject_pb2
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import subject_service_pb2 as subject_pb
from sluice.type.v1 import purpose_pb2


def objected(
    subject_id: int, acknowledged: Acknowledged[Objected], choices: Sequence[ChoiceRecord]
) -> pb.RecordSignalsResponse:
    """The denies that were recorded; newest first in `choices`."""
    recorded = set(acknowledged.outcome.recorded)
    return pb.RecordSignalsResponse(
        recorded=[_choice(subject_id, choice) for choice in reversed(choices) if choice.revision in recorded],
        revision=revision_message(acknowledged.outcome.revision),
        in_force_after=timestamp(acknowledged.in_force_after_us),
    )


def standing(
    subject_id: int, subject: Subject, choices: Sequence[ChoiceRecord], revision: Revision
) -> pb.GetChoicesResponse:
    """A subject as of now."""
    facts = subject.facts
    return pb.GetChoicesResponse(
        subject=None if facts is None or not subject.known else _subject(subject_id, facts),
        choices=[_choice(subject_id, choice) for choice in choices],
        revision=revision_message(revision),
        erased=subject.erased,
    )


def history(
    subject_id: int, page: Sequence[ChoiceRecord], size: int, revision: Revision
) -> pb.ListChoiceHistoryResponse:
    """The first `size` of them; a token where there are more."""
    shown = page[:size]
    return pb.ListChoiceHistoryResponse(
        choices=[_choice(subject_id, choice) for choice in shown],
        next_page_token=page_token_of(shown[-1].revision) if len(page) > size else "",
        revision=revision_message(revision),
    )


def explained(explained: Explained) -> explanation_pb2.ExplainConsentResponse:
    """What was looked at; the last step decided."""
    steps = [
        explanation_pb2.ExplanationStep(
            rule=step.rule,
            reason=reason_pb2.ConsentReason.Name(step.reason),
            message=step.message,
            purpose=purpose_pb2.Purpose.Name(step.purpose)
            if step.purpose in purpose_pb2.Purpose.values()
            else None,
            record_revision=step.revision,
        )
        for step in explained.steps
    ]
    return explanation_pb2.ExplainConsentResponse(
        reason=steps[-1].reason,
        steps=steps,
        policy_version=explained.policy_version,
        revision=revision_message(explained.revision),
        as_of=timestamp(explained.as_of_us),
    )


def erased(acknowledged: Acknowledged[Erased]) -> subject_pb.EraseSubjectResponse:
    """An erasure."""
    return subject_pb.EraseSubjectResponse(
        revision=revision_message(acknowledged.outcome.revision),
        erased_at=timestamp(acknowledged.outcome.erased_us),
        in_force_after=timestamp(acknowledged.in_force_after_us),
    )


def _choice(subject_id: int, record: ChoiceRecord) -> choice_pb2.RecordedChoice:
    choice = choice_pb2.Choice(
        subject_id=subject_id,
        stance=choice_pb2.Stance.Name(record.stance),
        method=choice_pb2.ChoiceMethod.Name(record.method),
        notice_digest=record.notice_digest,
        stated_at=timestamp(record.stated_us),
    )
    if record.licensee == EVERYONE:
        choice.everyone = True
    else:
        choice.licensee_id = record.licensee
    if record.purpose == ALL_PURPOSES:
        choice.all_purposes = True
    else:
        choice.purpose = cast("purpose_pb2.Purpose", record.purpose)
    return choice_pb2.RecordedChoice(
        choice=choice,
        revision=record.revision,
        recorded_at=timestamp(record.recorded_us),
        recorded_by=record.recorded_by,
    )


def _subject(subject_id: int, facts: Facts) -> subject_pb2.Subject:
    numbers = [n for n in subject_pb2.SubjectState.values() if n and facts.states & State(1 << n - 1)]
    return subject_pb2.Subject(
        subject_id=subject_id,
        jurisdiction=facts.jurisdiction,
        states=[subject_pb2.SubjectState.Name(number) for number in numbers],
        notice_digests=sorted(facts.notices),
        withheld_countries=sorted(facts.withheld),
    )
