"""The log of actions between its rows and the messages of `sluice.type.v1`, which each service serves."""

import base64
import binascii
from typing import Any, Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.action_pages import ActionPage, Wanted
from services.chassis.actions import Begun, Caller, Ended, Entry, Outcome
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import invalid
from services.chassis.timestamps import time_us

A_PAGE = 100
"""Entries on a page when the caller does not say."""
_LARGEST = 2**63 - 1


class Asked(Protocol):
    """The fields of a service's ListActionsRequest."""

    page_size: int
    page_token: str
    operator: str
    method: str
    oldest_first: bool

    @property
    def since(self) -> Timestamp:
        """From when on."""
        ...

    def HasField(self, field_name: Any) -> bool:  # noqa: N802
        """Whether it is set."""
        ...


def wanted(request: Asked) -> Wanted:
    """What is asked for; raises Refusal PAGE_TOKEN_INVALID, INVALID_REQUEST."""
    return Wanted(
        limit=request.page_size or A_PAGE,
        beyond=_number_of(request.page_token) if request.page_token else None,
        operator=request.operator,
        method=request.method,
        since_us=time_us(request.since, "since") if request.HasField("since") else None,
        oldest_first=request.oldest_first,
    )


def page_fields(page: ActionPage, reader: PrincipalKind) -> dict[str, Any]:
    """A page as the fields of a service's ListActionsResponse; an auditor is not told what requests said."""
    shows_requests = reader is not PrincipalKind.AUDITOR
    return {
        "entries": [_entry_fields(entry, shows_requests=shows_requests) for entry in page.entries],
        "next_page_token": _token_of(page.entries[-1].number) if page.has_more else "",
        "head": {"number": page.head.number, "digest": page.head.digest},
    }


def entry_of(message: Any) -> Entry:
    """Back from an `ActionEntry`, for whoever checks it."""
    caller = Caller(message.operator, tuple(message.roles), message.method, message.trace_id)
    what: Begun | Ended
    if message.HasField("ended"):
        ended = message.ended
        what = Ended(Outcome(ended.outcome), ended.refusal, ended.requests, ended.answers)
    else:
        begun = message.begun
        what = Begun(
            begun.request_id,
            begun.request,
            begun.nonce,
            begun.request_digest,
            begun.request_bytes,
            begun.reason,
        )
    at_us = time_us(message.at, "at")
    return Entry(message.number, at_us, message.action, caller, message.previous_digest, what)


def _entry_fields(entry: Entry, *, shows_requests: bool) -> dict[str, Any]:
    at = Timestamp()
    at.FromMicroseconds(entry.at_us)
    caller, what = entry.caller, entry.what
    # With the nonce alone whoever guesses what was said could try it.
    if isinstance(what, Begun) and not shows_requests:
        what = what.forgotten()
    kind = "begun" if isinstance(what, Begun) else "ended"
    return {
        "number": entry.number,
        "at": at,
        "action": entry.action,
        "operator": caller.operator,
        "roles": caller.roles,
        "method": caller.method,
        "trace_id": caller.trace_id,
        "previous_digest": entry.previous,
        kind: {name: getattr(what, name) for name in what.__slots__ if name != "subject_id"},
    }


def _token_of(number: int) -> str:
    return base64.urlsafe_b64encode(str(number).encode()).decode()


def _number_of(token: str) -> int:
    refusal = invalid("PAGE_TOKEN_INVALID", "no answer gave this page token", field="page_token")
    try:
        number = int(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise refusal from error
    # A number can be written in many ways, of which answers use one; and the database knows none so large.
    if not 0 < number <= _LARGEST or _token_of(number) != token:
        raise refusal
    return number
