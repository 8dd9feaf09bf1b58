"""Licenses and licensees as messages, and terms as they come in."""

from typing import Literal

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.refusals import invalid
from services.chassis.timestamps import time_us
from services.licensing.business_days import knows_calendar
from services.licensing.domain.history import Line
from services.licensing.domain.licenses import License, Licensee, NextVersion
from services.licensing.domain.obligations import Obligations
from services.licensing.domain.recipients import Recipient
from services.licensing.domain.terms import (
    Allowance,
    AllowanceSubject,
    ContentKind,
    Purpose,
    Template,
    Terms,
    Window,
)
from services.licensing.domain.versions import Activation, Version
from services.licensing.rpc.price_messages import price_message, price_of
from sluice.licensing.v1 import contract_service_pb2 as contract_pb
from sluice.licensing.v1 import license_pb2 as pb

_SUBJECTS = {
    pb.ALLOWANCE_SUBJECT_LICENSE: AllowanceSubject.LICENSE,
    pb.ALLOWANCE_SUBJECT_LICENSEE: AllowanceSubject.LICENSEE,
    pb.ALLOWANCE_SUBJECT_GROUP: AllowanceSubject.GROUP,
}
_NUMBERS = {subject: number for number, subject in _SUBJECTS.items()}


def terms_of(message: pb.LicenseTerms) -> Terms:
    """Terms whose message has passed the rules of the contract; times are rounded down to microseconds.

    Raises Refusal INVALID_REQUEST for what is no time, RECALL_CALENDAR_UNKNOWN, and what `price_of` raises.
    """
    return Terms(
        licensee_id=message.licensee_id,
        template=Template(message.template),
        purposes=frozenset(map(Purpose, message.purposes)),
        kinds=frozenset(map(ContentKind, message.kinds)),
        languages=frozenset(message.languages),
        author_jurisdictions=frozenset(message.author_jurisdictions),
        territory=frozenset(message.territory),
        posted_from_us=_optional_us(message, "posted_from"),
        posted_before_us=_optional_us(message, "posted_before"),
        term_from_us=time_us(message.term_from, "terms.term_from"),
        term_until_us=time_us(message.term_until, "terms.term_until"),
        allowances=tuple(
            Allowance(_SUBJECTS[each.per], Window(each.window), each.limit) for each in message.allowances
        ),
        obligations=_obligations_of(message.obligations),
        price=price_of(message.price) if message.HasField("price") else None,
        contract_digest=message.contract_digest,
    )


def activation_of(request: contract_pb.ActivateLicenseRequest) -> Activation:
    """Which version is to be in force, and from when; a time is rounded down to microseconds.

    Raises Refusal INVALID_REQUEST for what is no time.
    """
    at_us = time_us(request.effective_at, "effective_at") if request.HasField("effective_at") else None
    return Activation(request.version, request.terms_digest, at_us)


def licensee_message(licensee: Licensee) -> pb.Licensee:
    """A licensee as it is told."""
    return pb.Licensee(
        licensee_id=licensee.licensee_id,
        display_name=licensee.display_name,
        created_at=_timestamp(licensee.created_at_us),
    )


def recipient_message(recipient: Recipient) -> contract_pb.Recipient:
    """Who may receive posts, as everybody is told."""
    return contract_pb.Recipient(
        licensee_id=recipient.licensee_id,
        display_name=recipient.display_name,
        purposes=[f"PURPOSE_{purpose.name}" for purpose in recipient.purposes],
        is_active=recipient.is_active,
    )


def license_message(
    license: License, now_us: int, *, drafts: bool = True, reasons: bool = True
) -> pb.License:
    """A license as it stands at `now_us`.

    `drafts`: also with an amendment that has no time yet; `reasons`: also with why an operator changed it.
    Terms that are not understood are told with their licensee only.
    """
    current = license.as_of(now_us)
    following = current.next
    if following is not None and following.effective_from_us is None and not drafts:
        following = None
    return pb.License(
        license_id=current.license_id,
        version=current.version,
        state=f"LICENSE_STATE_{current.effective_state(now_us).name}",
        terms=_terms_message(current.terms),
        terms_digest=current.terms_digest,
        created_at=_timestamp(current.created_at_us),
        state_changed_at=_timestamp(current.state_changed_at_us),
        state_reason=current.state_reason if reasons else "",
        next=None if following is None else _next_message(following),
    )


def _next_message(following: NextVersion) -> pb.LicenseVersion:
    return pb.LicenseVersion(
        version=following.version,
        terms=_terms_message(following.terms),
        terms_digest=following.terms_digest,
        effective_from=_optional_timestamp(following.effective_from_us),
    )


def version_message(version: Version, *, reasons: bool) -> pb.LicenseVersion:
    """A version as it is kept; `reasons`: also who drafted it, and why."""
    return pb.LicenseVersion(
        version=version.version,
        terms=_terms_message(version.terms),
        terms_digest=version.terms_digest,
        created_at=_timestamp(version.created_at_us),
        created_by=version.created_by if reasons else "",
        reason=version.reason if reasons else "",
        effective_from=_optional_timestamp(version.effective_from_us),
        withdrawn_at=_optional_timestamp(version.withdrawn_at_us),
    )


def change_message(line: Line) -> pb.LicenseChange:
    """A line of a license's history."""
    change = line.change
    return pb.LicenseChange(
        number=line.number,
        step=pb.LICENSE_STEP_UNSPECIFIED if change.step is None else f"LICENSE_STEP_{change.step.name}",
        version=change.version or 0,
        effective_from=_optional_timestamp(change.effective_from_us),
        state=f"LICENSE_STATE_{line.state.name}",
        changed_by=change.by,
        changed_at=_timestamp(change.at_us),
        reason=change.reason,
    )


def _terms_message(terms: Terms) -> pb.LicenseTerms:
    if not terms.understood:
        return pb.LicenseTerms(licensee_id=terms.licensee_id)
    return pb.LicenseTerms(
        licensee_id=terms.licensee_id,
        template=f"LICENSE_TEMPLATE_{terms.template.name}",
        purposes=[f"PURPOSE_{each.name}" for each in sorted(terms.purposes)],
        kinds=[f"CONTENT_KIND_{each.name}" for each in sorted(terms.kinds)],
        languages=sorted(terms.languages),
        author_jurisdictions=sorted(terms.author_jurisdictions),
        territory=sorted(terms.territory),
        posted_from=_optional_timestamp(terms.posted_from_us),
        posted_before=_optional_timestamp(terms.posted_before_us),
        term_from=_timestamp(terms.term_from_us),
        term_until=_timestamp(terms.term_until_us),
        allowances=[
            pb.LicenseAllowance(
                per=_NUMBERS[each.per],
                window=f"WINDOW_{each.window.name}",
                limit=each.limit,
            )
            for each in terms.allowances
        ],
        obligations=_obligations_message(terms.obligations),
        price=None if terms.price is None else price_message(terms.price),
        contract_digest=terms.contract_digest,
    )


def _obligations_of(message: pb.Obligations) -> Obligations:
    calendar = message.recall_calendar
    # Asked at the edge alone: terms in force do not come to mean something else by what a library knows.
    if calendar and not knows_calendar(calendar):
        unknown = f"no public holidays are known of {calendar}"
        raise invalid("RECALL_CALENDAR_UNKNOWN", unknown, field="terms.obligations.recall_calendar")
    return Obligations(
        recall_deadline_days=message.recall_deadline_days,
        no_reidentification=message.no_reidentification,
        recall_business_days=message.recall_business_days,
        recall_calendar=message.recall_calendar,
        recall_time_zone=message.recall_time_zone,
        suspend_when_overdue=message.suspend_when_overdue,
    )


def _obligations_message(obligations: Obligations) -> pb.Obligations:
    return pb.Obligations(
        recall_deadline_days=obligations.recall_deadline_days,
        no_reidentification=obligations.no_reidentification,
        recall_business_days=obligations.recall_business_days,
        recall_calendar=obligations.recall_calendar,
        recall_time_zone=obligations.recall_time_zone,
        suspend_when_overdue=obligations.suspend_when_overdue,
    )


def _optional_us(terms: pb.LicenseTerms, name: Literal["posted_from", "posted_before"]) -> int | None:
    return time_us(getattr(terms, name), f"terms.{name}") if terms.HasField(name) else None


def _timestamp(time_us: int) -> Timestamp:
    message = Timestamp()
    message.FromMicroseconds(time_us)
    return message


def _optional_timestamp(time_us: int | None) -> Timestamp | None:
    return None if time_us is None else _timestamp(time_us)
