"""Policies as announced, and when they took effect or were retracted (C3)."""

from typing import Any

from sqlalchemy import Connection, insert, select

from services.consent.domain.outcomes import Published, Retracted
from services.consent.domain.policies import (
    Activation,
    Policy,
    PolicyBook,
    PolicyDraft,
    Retraction,
    check_policy,
)
from services.consent.domain.withdrawals import Cause, Withdrawal
from services.consent.storage.codec import decode_notices, decode_rules, encode_notices, encode_rules
from services.consent.storage.head import Part, advance
from services.consent.storage.tables import TABLES
from services.consent.storage.withdrawals import record_withdrawals

_POLICIES = TABLES["policies"]
_ACTIVATIONS = TABLES["policy_activations"]
_RETRACTIONS = TABLES["policy_retractions"]

_WHOLE = (
    select(
        _POLICIES.c.version,
        _POLICIES.c.effective_us,
        _POLICIES.c.text_digest,
        _POLICIES.c.rules,
        _POLICIES.c.notices,
        _ACTIVATIONS.c.activated_us,
        _ACTIVATIONS.c.revision,
        _RETRACTIONS.c.retracted_us,
        _RETRACTIONS.c.revision,
    )
    .join(_ACTIVATIONS, _ACTIVATIONS.c.version == _POLICIES.c.version, isouter=True)
    .join(_RETRACTIONS, _RETRACTIONS.c.version == _POLICIES.c.version, isouter=True)
)


def read_book(connection: Connection) -> PolicyBook:
    """Every version."""
    rows = connection.execute(_WHOLE.order_by(_POLICIES.c.version))
    return PolicyBook(tuple(_policy(tuple(row)) for row in rows))


def read_in_force(connection: Connection) -> Policy | None:
    """The version activated last; None before the first. Versions take effect in their order."""
    activated = _WHOLE.where(_ACTIVATIONS.c.version.is_not(None))
    row = connection.execute(activated.order_by(_POLICIES.c.version.desc()).limit(1)).one_or_none()
    return None if row is None else _policy(tuple(row))


def read_page(connection: Connection, below: int | None, limit: int) -> tuple[Policy, ...]:
    """At most `limit` versions below one, newest first."""
    page = _WHOLE.order_by(_POLICIES.c.version.desc()).limit(limit)
    if below is not None:
        page = page.where(_POLICIES.c.version < below)
    return tuple(_policy(tuple(row)) for row in connection.execute(page))


def publish(connection: Connection, draft: PolicyDraft, now_us: int, by: str) -> Published:
    """Announces a version; raises Refusal as `check_policy` does."""
    book = read_book(connection)
    check_policy(draft, book.latest_effective_us(), now_us)
    taken = advance(connection, 1, now_us, Part.POLICIES)
    revision = taken.last(1)
    version = len(book.policies) + 1
    announced = {
        "version": version,
        "revision": revision.number,
        "effective_us": draft.effective_us,
        "text_digest": draft.text_digest,
        "rules": encode_rules(draft.rules),
        "notices": encode_notices(draft.notices),
        "announced_us": taken.at_us,
        "announced_by": by,
    }
    connection.execute(insert(_POLICIES), [announced])
    return Published(version, revision)


def retract(connection: Connection, version: int, now_us: int, by: str) -> Retracted:
    """Retracts a version; raises Refusal as `PolicyBook.check_retract` does."""
    read_book(connection).check_retract(version, now_us)
    taken = advance(connection, 1, now_us, Part.POLICIES)
    revision = taken.last(1)
    row = {
        "version": version,
        "revision": revision.number,
        "retracted_us": taken.at_us,
        "retracted_by": by,
    }
    connection.execute(insert(_RETRACTIONS), [row])
    return Retracted(version, revision)


def activate_due(connection: Connection, now_us: int) -> None:
    """Writes the activation of each version whose time has come, where no other process was faster."""
    due = read_book(connection).due(now_us)
    if not due:
        return
    taken = advance(connection, len(due), now_us, Part.POLICIES)
    numbered = list(enumerate(due, start=taken.before.number + 1))
    activations = [
        {"version": policy.version, "revision": number, "activated_us": taken.at_us}
        for number, policy in numbered
    ]
    connection.execute(insert(_ACTIVATIONS), activations)
    withdrawals = {
        number: Withdrawal(Cause.POLICY, policy_version=policy.version) for number, policy in numbered
    }
    record_withdrawals(connection, withdrawals, taken.at_us)


def _policy(row: tuple[Any, ...]) -> Policy:
    version, effective_us, text_digest, rules, notices, activated_us, activated_at, *retracted = row
    retracted_us, retracted_at = retracted
    return Policy(
        version,
        PolicyDraft(effective_us, text_digest, decode_rules(rules), decode_notices(notices)),
        None if activated_us is None else Activation(activated_us, activated_at),
        None if retracted_us is None else Retraction(retracted_us, retracted_at),
    )
