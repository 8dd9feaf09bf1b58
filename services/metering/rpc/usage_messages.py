"""Usage between the contract and the domain."""

import re
from collections.abc import Sequence
from typing import cast

from services.chassis.identity import PrincipalKind, current_principal
from services.chassis.refusals import Refusal, invalid, not_found
from services.metering.audit import Step
from services.metering.domain.allowances import Account, Scope
from services.metering.domain.audits import Started
from services.metering.domain.gauges import Gauge
from services.metering.domain.peaks import Peak
from services.metering.domain.reservations import Access, Revision
from services.metering.domain.rooms import RoomsNow
from services.metering.domain.seen import (
    AccessKey,
    Displaced,
    Outcome,
    Remark,
    Report,
    Reporter,
    Row,
    Seen,
)
from services.metering.domain.windows import ROLLING_DAY_US
from services.metering.rpc.answers import revision_message, room_message, timestamp
from services.metering.rpc.requests import time_us
from services.metering.usage import Found
from sluice.metering.v1 import access_pb2, usage_pb2
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.type.v1 import content_pb2

_PARTY = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_SOURCE = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
_ID = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
_RESERVATION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DIGEST_BYTES = 32
BY_ID, BY_DIGEST = "id", "sha256"
"""What an id on record begins with: whether it is the source's own, or that of a line."""
MOST_POSTS = 2**31 - 1
EARLIEST_US = 0
_SCOPES = {"party_id": Scope.LICENSEE, "group_id": Scope.GROUP, "license_id": Scope.LICENSE}


def whose(given: usage_pb2.UsageOf) -> Account:
    """A license, a party or a group; a licensee sees themselves alone. Raises Refusal PARTY_UNKNOWN."""
    field = given.WhichOneof("whose")
    assert field is not None, "the contract requires one"
    asked = Account(_SCOPES[field], getattr(given, field))
    caller = current_principal()
    if caller.kind is PrincipalKind.LICENSEE and asked != Account(Scope.LICENSEE, caller.party):
        # What is not theirs looks like what is not there.
        raise not_found("PARTY_UNKNOWN", "there is no party with this id")
    return asked


def window_us(request: pb.MaxWindowRequest) -> int:
    """A day where it is not said; raises Refusal INVALID_REQUEST."""
    if not request.HasField("window"):
        return ROLLING_DAY_US
    length_us = request.window.ToMicroseconds()
    if length_us < 1:
        raise invalid("INVALID_REQUEST", "a window has at least a microsecond", field="window")
    return length_us


def reporter(name: str) -> Reporter:
    """Who is calling, by the name under which sources are kept."""
    caller = current_principal()
    return Reporter(name, caller.kind is PrincipalKind.OPERATOR and "admin" in caller.roles)


def lines(rows: Sequence[pb.ReportAccessesRequest.Row]) -> list[Row | Remark]:
    """Each line as an access, or what is wrong with it."""
    return [_line(row) for row in rows]


def _line(row: pb.ReportAccessesRequest.Row) -> Row | Remark:
    try:
        return Row(row.line, _seen(row.access))
    except Refusal as refusal:
        return Remark(row.line, Outcome.REJECTED, refusal.reason, refusal.message)


def _seen(given: access_pb2.SeenAccess) -> Seen:
    if not _SOURCE.fullmatch(given.source):
        raise invalid("SOURCE_INVALID", "a source has a name of up to 128 characters")
    if not _PARTY.fullmatch(given.party_id):
        raise invalid("PARTY_ID_INVALID", "a party has an id of lower-case letters, digits, dots and dashes")
    if given.access not in {
        access_pb2.ACCESS_KIND_REQUEST,
        access_pb2.ACCESS_KIND_VIEW,
        access_pb2.ACCESS_KIND_ACCESS,
    }:
        raise invalid("ACCESS_KIND_UNKNOWN", "an access is a request, a view or an access")
    if given.kind not in content_pb2.ContentKind.values() or not given.kind:
        raise invalid("CONTENT_KIND_UNKNOWN", "the kind of content is not one of the contract")
    if given.media_flags > 7:
        raise invalid("MEDIA_UNKNOWN", "the media are not those of the contract")
    if not 1 <= given.posts <= MOST_POSTS:
        raise invalid("POSTS_OUT_OF_RANGE", f"an access is to 1 to {MOST_POSTS:,} posts")
    if given.reservation_id and not _RESERVATION.fullmatch(given.reservation_id):
        raise invalid("RESERVATION_ID_INVALID", "a reservation has a UUID in lower case")
    return Seen(
        key=_key(given),
        party_id=given.party_id,
        at_us=_at_us(given),
        access=Access(given.access),
        kind=given.kind,
        media_flags=given.media_flags,
        posts=given.posts,
        reservation_id=given.reservation_id,
    )


def _key(given: access_pb2.SeenAccess) -> AccessKey:
    if given.id:
        if not _ID.fullmatch(given.id):
            raise invalid("ACCESS_ID_INVALID", "an id has at most 256 characters, none of them for control")
        return AccessKey(given.source, f"{BY_ID}:{given.id}")
    if len(given.line_digest) != DIGEST_BYTES:
        raise invalid("ACCESS_ID_MISSING", "an access has an id, or the SHA-256 of its line")
    return AccessKey(given.source, f"{BY_DIGEST}:{given.line_digest.hex()}")


def _at_us(given: access_pb2.SeenAccess) -> int:
    if not given.HasField("accessed_at"):
        raise invalid("TIME_INVALID", "an access has a time")
    try:
        at_us = time_us(given.accessed_at, "accessed_at")
    except Refusal as refusal:
        raise invalid("TIME_INVALID", "this is no time") from refusal
    if at_us < EARLIEST_US:
        raise invalid("TIME_INVALID", "an access lies after 1970")
    return at_us


def reported(report: Report) -> pb.ReportAccessesResponse:
    """What became of a page."""
    return pb.ReportAccessesResponse(
        outcomes=[cast(pb.ReportOutcome, int(outcome)) for outcome in report.outcomes],
        remarks=[_remark_message(remark) for remark in report.remarks],
        absorbed=report.absorbed,
        revision=revision_message(report.revision),
        displaced_count=report.displaced,
    )


def _remark_message(remark: Remark) -> pb.ReportRemark:
    return pb.ReportRemark(
        line=remark.line,
        outcome=cast(pb.ReportOutcome, int(remark.outcome)),
        reason=remark.reason,
        message=remark.message,
        displaced=_displaced_message(remark.displaced) if remark.displaced else None,
    )


def _displaced_message(displaced: Displaced) -> pb.DisplacedAccess:
    form, _, id = displaced.key.id.partition(":")
    message = pb.DisplacedAccess(source=displaced.key.source, posts=displaced.posts)
    if form == BY_DIGEST:
        message.line_digest = bytes.fromhex(id)
    else:
        message.id = id
    return message


def usage_response(found: Found) -> pb.QueryUsageResponse:
    """What was counted."""
    rows = [
        usage_pb2.UsageRow(
            origin=usage_pb2.USAGE_ORIGIN_SEEN if key.seen else usage_pb2.USAGE_ORIGIN_GATE,
            access=cast(access_pb2.AccessKind, key.content.access),
            kind=cast(content_pb2.ContentKind, key.content.kind),
            media_flags=key.content.media_flags,
            used=posts.used,
            held=posts.held,
        )
        for key, posts in found.usage.items()
    ]
    absence = found.absence
    return pb.QueryUsageResponse(
        rows=rows,
        until=timestamp(found.until_us),
        revision=revision_message(found.revision),
        unknown=absence is not None and absence.unknown,
        last_before=timestamp(absence.last_us) if absence else None,
    )


def peak_message(peak: Peak) -> usage_pb2.Peak:
    """One part of a stretch."""
    return usage_pb2.Peak(
        since=timestamp(peak.since_us),
        until=timestamp(peak.until_us),
        posts=peak.posts,
        at=timestamp(peak.at_us),
    )


def rooms_message(rooms: RoomsNow) -> pb.Rooms:
    """How the allowances of one licensee stand."""
    return pb.Rooms(rooms=[room_message(each) for each in rooms.rooms], checked_at=timestamp(rooms.at_us))


def gauge_message(gauge: Gauge) -> pb.WatchUsageResponse:
    """How a window stands, or stood."""
    return pb.WatchUsageResponse(
        used=gauge.posts.used,
        held=gauge.posts.held,
        level=cast(pb.UsageLevel, int(gauge.level)),
        notice=gauge.notice,
        at=timestamp(gauge.at_us),
        revision=revision_message(gauge.revision),
    )


def step_message(step: Step, revision: Revision) -> pb.AuditUsageResponse:
    """One check, as it starts or with what it found."""
    if isinstance(step, Started):
        return pb.AuditUsageResponse(
            check=step.check, step=pb.AUDIT_STEP_STARTED, revision=revision_message(revision)
        )
    return pb.AuditUsageResponse(
        check=step.check,
        compared=step.compared,
        differences=[
            pb.AuditUsageResponse.Difference(subject=each.subject, expected=each.expected, found=each.found)
            for each in step.differences
        ],
        difference_count=step.difference_count,
        revision=revision_message(revision),
        step=pb.AUDIT_STEP_DONE,
    )
