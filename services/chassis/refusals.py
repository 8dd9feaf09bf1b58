"""The one error type of all services: why a call was not carried out, in words that any caller may read.

A refusal is raised once, where the fault is noticed, and becomes a gRPC status once (`statuses.to_status`).
A denial is not a refusal: it is an answer.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class Kind(enum.Enum):
    """What a caller can do about a refusal."""

    INVALID = "invalid"  # the request itself is wrong; repeating it cannot help
    NOT_FOUND = "not_found"  # it is not there, or it is not the caller's
    ALREADY_EXISTS = "already_exists"  # the name or id is taken by something else
    PRECONDITION = "precondition"  # the state of things forbids it; change that first
    FORBIDDEN = "forbidden"  # known, but not admitted
    UNAUTHENTICATED = "unauthenticated"  # not known
    EXHAUSTED = "exhausted"  # too much at once; come back later
    UNAVAILABLE = "unavailable"  # it could not be done now; the same request may be repeated
    ABORTED = "aborted"  # it lost a race; start again from a fresh read
    INTERNAL = "internal"  # a defect on our side


@dataclass(frozen=True)
class FieldViolation:
    """One fault of one request field."""

    field: str
    """Path of the field as written in the contract, such as `posts[3].id`."""
    description: str


class Refusal(Exception):  # noqa: N818 - it is the word of the glossary, and not every refusal is an error
    """A call was not carried out, and nothing of it was stored."""

    def __init__(
        self,
        kind: Kind,
        reason: str,
        message: str,
        *,
        violations: Sequence[FieldViolation] = (),
        retry_after_us: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """`reason` is a stable UPPER_SNAKE word for programs; `message` is for people, the caller included.

        `retry_after_us` is a duration in microseconds, None when waiting does not help.
        """
        super().__init__(f"{reason}: {message}")
        self.kind = kind
        self.reason = reason
        self.message = message
        self.violations = tuple(violations)
        self.retry_after_us = retry_after_us
        self.metadata = dict(metadata or {})


class Behind(Refusal):
    """The database has lost what it had shown before (R5)."""

    def __init__(self) -> None:
        message = "the database has lost what it had shown before; this process is to be started again"
        super().__init__(Kind.UNAVAILABLE, "DATABASE_BEHIND", message)


def invalid(reason: str, message: str, *, field: str | None = None) -> Refusal:
    """The request is wrong; `field` names the part of it that is at fault."""
    violations = (FieldViolation(field, message),) if field else ()
    return Refusal(Kind.INVALID, reason, message, violations=violations)


def not_found(reason: str, message: str) -> Refusal:
    """There is no such thing for this caller; what is not yours looks like what is not there."""
    return Refusal(Kind.NOT_FOUND, reason, message)


def already_exists(reason: str, message: str) -> Refusal:
    """The name or id is taken by something with other content."""
    return Refusal(Kind.ALREADY_EXISTS, reason, message)


def precondition(reason: str, message: str) -> Refusal:
    """The present state does not allow it; repeating the call alone does not help."""
    return Refusal(Kind.PRECONDITION, reason, message)


def forbidden(reason: str, message: str) -> Refusal:
    """The caller is known and not admitted."""
    return Refusal(Kind.FORBIDDEN, reason, message)


def unauthenticated(reason: str, message: str) -> Refusal:
    """The caller did not prove who they are."""
    return Refusal(Kind.UNAUTHENTICATED, reason, message)


def exhausted(reason: str, message: str, *, retry_after_us: int) -> Refusal:
    """Too much at once; the same call may be tried again after `retry_after_us` microseconds."""
    return Refusal(Kind.EXHAUSTED, reason, message, retry_after_us=retry_after_us)


def unavailable(reason: str, message: str, *, retry_after_us: int | None = None) -> Refusal:
    """It could not be done now; the same request may be sent again as it is."""
    return Refusal(Kind.UNAVAILABLE, reason, message, retry_after_us=retry_after_us)


def request_id_reused() -> Refusal:
    """The request id stands for another request of the same caller already."""
    message = "this request_id was used before with other content"
    violation = FieldViolation("request_id", message)
    return Refusal(Kind.ALREADY_EXISTS, "REQUEST_ID_REUSED", message, violations=[violation])


def address_in_use(listen: str) -> Refusal:
    """A server cannot be bound to `listen` ("host:port")."""
    return precondition("ADDRESS_IN_USE", f"cannot listen on {listen}: it is in use or not ours")
