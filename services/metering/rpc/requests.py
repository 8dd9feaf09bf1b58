"""Requests as values of the domain."""

import base64
import binascii
import struct
from collections.abc import Iterable
from typing import Any, Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.refusals import Refusal, invalid
from services.metering.domain import allowances, reservations
from services.metering.domain.allowances import OWN_GROUP, Account, Allowance, Scope
from services.metering.domain.reservations import MOST_POSTS, Access, ContentCount, Counts, Place, Wanted
from services.metering.domain.rooms import nothing_of
from services.metering.domain.windows import MINUTE_US, ROLLING_DAY_US, SECOND_US, TERM
from sluice.metering.v1 import access_pb2, allowance_pb2, metering_service_pb2, usage_service_pb2
from sluice.type.v1 import window_pb2

WINDOWS_US = {
    window_pb2.WINDOW_SECOND: SECOND_US,
    window_pb2.WINDOW_MINUTE: MINUTE_US,
    window_pb2.WINDOW_ROLLING_DAY: ROLLING_DAY_US,
    window_pb2.WINDOW_TERM: TERM,
}
_PLACE = struct.Struct(">qq")
_NUMBER = struct.Struct(">q")
MOST_NUMBER = 2**62
"""Higher than any number that the head gives."""


class _Owner(Protocol):
    """A message that says whose allowances are meant."""

    @property
    def party_id(self) -> str: ...
    @property
    def license_id(self) -> str: ...


def wanted(reservation_id: str, claim: metering_service_pb2.Claim, *, delivered: bool) -> Wanted:
    """What is to be counted.

    Raises Refusal: INVALID_REQUEST, ALLOWANCE_TWICE, ALLOWANCE_ID_INVALID, TOO_MANY_POSTS.
    """
    given = tuple(_count(count) for count in claim.counts)
    if sum(count.posts for count in given) > MOST_POSTS:
        raise invalid("TOO_MANY_POSTS", f"at most {MOST_POSTS:,} posts at once", field="claim.counts")
    return Wanted(
        reservation_id=canonical(reservation_id),
        request_key=claim.request_key,
        party_id=claim.party_id,
        license_id=claim.license_id,
        access=Access(claim.access),
        # The order says which posts are held first where not all of them fit.
        counts=given if claim.as_many_as_fit else reservations.in_order(given, "claim.counts"),
        allowances=allowances.in_order(
            _allowance(each, claim, f"claim.allowances[{index}].id")
            for index, each in enumerate(claim.allowances)
        ),
        as_many_as_fit=claim.as_many_as_fit,
        delivered=delivered,
    )


def allowed(given: usage_service_pb2.Allowed, field: str) -> Wanted:
    """What is asked about, in its order; raises Refusal: ALLOWANCE_TWICE, ALLOWANCE_ID_INVALID."""
    limits = tuple(
        _allowance(each, given, f"{field}.allowances[{index}].id")
        for index, each in enumerate(given.allowances)
    )
    allowances.in_order(limits, f"{field}.allowances")
    return nothing_of(given.party_id, given.license_id, limits)


def canonical(reservation_id: str, field: str = "reservation_id") -> str:
    """Two spellings of one id would be two reservations, so there is only one spelling."""
    if reservation_id != reservation_id.lower():
        raise invalid("INVALID_REQUEST", "a UUID is written in lower case", field=field)
    return reservation_id


def counts(given: Iterable[access_pb2.ContentCount], field: str) -> Counts:
    """Posts by kind, each kind once; raises Refusal INVALID_REQUEST."""
    return reservations.in_order((_count(count) for count in given), field)


def time_us(timestamp: Timestamp, field: str) -> int:
    """A time in microseconds UTC; raises Refusal INVALID_REQUEST."""
    try:
        return timestamp.ToMicroseconds()
    except (ValueError, OverflowError) as error:
        raise invalid("INVALID_REQUEST", "this is no time", field=field) from error


def optional_us(request: Any, field: str) -> int | None:
    """The time in a field, None where it is unset; raises Refusal INVALID_REQUEST."""
    return time_us(getattr(request, field), field) if request.HasField(field) else None


def id_token(id: str) -> str:
    """The token of a page that begins after an id; "" for none."""
    return base64.urlsafe_b64encode(id.encode()).decode()


def id_of(token: str) -> str:
    """The id that `id_token` made the token of; raises Refusal PAGE_TOKEN_INVALID."""
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise _token_invalid() from error


def number_token(before: int | None) -> str:
    """The token of a page that begins before a number, or after it; "" for None."""
    return "" if before is None else base64.urlsafe_b64encode(_NUMBER.pack(before)).decode()


def number_of(token: str) -> int:
    """The number of a token, the highest for ""; raises Refusal PAGE_TOKEN_INVALID."""
    if not token:
        return MOST_NUMBER
    try:
        return int(_NUMBER.unpack(base64.b64decode(token, altchars=b"-_", validate=True))[0])
    except (binascii.Error, ValueError, struct.error) as error:
        raise _token_invalid() from error


def page_token(place: Place) -> str:
    """The token of a page that begins after a place."""
    return base64.urlsafe_b64encode(_PLACE.pack(place.counted_at_us, place.number)).decode()


def place(token: str) -> Place:
    """The place that `page_token` made the token of; raises Refusal PAGE_TOKEN_INVALID."""
    try:
        return Place(*_PLACE.unpack(base64.b64decode(token, altchars=b"-_", validate=True)))
    except (binascii.Error, ValueError, struct.error) as error:
        raise _token_invalid() from error


def epoch_token(epoch: int) -> str:
    """The token of a page of restores that begins below an epoch."""
    return base64.urlsafe_b64encode(str(epoch).encode()).decode()


def epoch_below(token: str) -> int | None:
    """The epoch that `epoch_token` made the token of, None for none; raises Refusal PAGE_TOKEN_INVALID."""
    if not token:
        return None
    try:
        epoch = int(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise _token_invalid() from error
    # A number can be written in many ways, of which answers use one; and the database knows none so large.
    if not 0 < epoch < 2**63 or epoch_token(epoch) != token:
        raise _token_invalid()
    return epoch


def _token_invalid() -> Refusal:
    return invalid("PAGE_TOKEN_INVALID", "no answer gave this page token", field="page_token")


def _count(count: access_pb2.ContentCount) -> ContentCount:
    return ContentCount(count.kind, count.media_flags, count.posts)


def _allowance(given: allowance_pb2.Allowance, owner: _Owner, field: str) -> Allowance:
    """An allowance that what the owner claims counts in: a limit on anything else would never be reached."""
    scope = Scope(given.scope)
    account = OWN_GROUP if scope is Scope.GROUP else Account(scope, given.id)
    ids = {Scope.LICENSE: owner.license_id, Scope.LICENSEE: owner.party_id, Scope.GROUP: ""}
    if given.id != ids[scope] or (scope is Scope.LICENSE and not given.id):
        raise invalid(
            "ALLOWANCE_ID_INVALID", "it is not the license or the party that this is counted for", field=field
        )
    return Allowance(account, WINDOWS_US[given.window], given.limit)
