"""A webhook: where the recalls of a licensee are announced, how it is signed, and how that goes.

An announcement is tried until it arrives or is 3 days old. Tries are the webhook's: while it takes nothing,
the oldest announcement alone is sent, each time after a longer pause, and one that it takes frees the others.
So a dead webhook costs the same however much waits for it. Pauses are by chance a little shorter, so that
those that failed together do not come back together.
"""

import enum
from dataclasses import dataclass, replace

from services.licensing.domain.canonical import canonical_json, rfc3339
from services.licensing.domain.webhooks.signatures import Announcement

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
OVERLAP_US = 24 * HOUR_US
"""For so long the secret before signs as well."""
FIRST_PAUSE_US = 5 * SECOND_US
LONGEST_PAUSE_US = HOUR_US
TRIED_FOR_US = 72 * HOUR_US
LEASE_US = 30 * SECOND_US
"""A try takes 5 s at most: who has not said by then what became of it never will."""


class Fault(enum.IntEnum):
    """Why an announcement did not arrive; the numbers of `sluice.licensing.v1.WebhookFault`."""

    NAME_UNRESOLVED = 1
    ADDRESS_NOT_PUBLIC = 2
    UNREACHABLE = 3
    TLS = 4
    TIMED_OUT = 5
    ANSWER_MALFORMED = 6
    STATUS = 7


@dataclass(frozen=True)
class Failure:
    """What became of a try that was in vain."""

    fault: Fault
    status: int = 0
    """Of the answer, where that is the fault."""


@dataclass(frozen=True)
class Webhook:
    """A webhook as it stands. Times are microseconds since the epoch, UTC."""

    licensee_id: str
    url: str
    enabled: bool
    told_number: int
    """Up to this recall all of the licensee's were announced, wait for it, or were before it."""
    secret: bytes
    secret_made_at_us: int
    put_by: str
    put_at_us: int
    old_secret: bytes | None = None
    old_until_us: int | None = None
    last_delivered_at_us: int | None = None
    last_failure: Failure | None = None
    last_failed_at_us: int | None = None
    given_up: int = 0
    last_given_up_at_us: int | None = None
    tries: int = 0
    """In vain, since the last that was not."""
    next_try_us: int = 0
    """Nothing is sent before. Whoever sends moves this first: from then on it is theirs until that time."""

    def rotated(self, secret: bytes, now_us: int) -> "Webhook":
        """With a new secret; the one that it had signs on for `OVERLAP_US`.

        While an older one signs that stays, and until when: it is the one that the licensee is known to have,
        and the one that is replaced may never have reached them.
        """
        old = self._old_secret(now_us)
        return replace(
            self,
            secret=secret,
            secret_made_at_us=now_us,
            old_secret=self.secret if old is None else old,
            old_until_us=now_us + OVERLAP_US if old is None else self.old_until_us,
        )

    def signs_with(self, now_us: int) -> tuple[bytes, ...]:
        """The secrets that sign at a time, the newest first."""
        old = self._old_secret(now_us)
        return (self.secret,) if old is None else (self.secret, old)

    def _old_secret(self, now_us: int) -> bytes | None:
        is_over = self.old_until_us is None or now_us >= self.old_until_us
        return None if is_over else self.old_secret


@dataclass(frozen=True)
class Wish:
    """How somebody wants a webhook to be."""

    licensee_id: str
    url: str
    enabled: bool
    by: str
    """Kind and party of the principal."""


def put(before: Webhook | None, wish: Wish, newest_number: int, secret: bytes, now_us: int) -> Webhook:
    """A webhook as it is wanted; `secret` is that of a new one, and `newest_number` of the newest recall.

    One that is new, or was off, announces only what is issued from now on.
    """
    if before is None:
        return Webhook(
            licensee_id=wish.licensee_id,
            url=wish.url,
            enabled=wish.enabled,
            told_number=newest_number,
            secret=secret,
            secret_made_at_us=now_us,
            put_by=wish.by,
            put_at_us=now_us,
            next_try_us=now_us,
        )
    goes_on = before.enabled and wish.enabled
    # What another address did not take says nothing about this one.
    is_same = goes_on and wish.url == before.url
    return replace(
        before,
        url=wish.url,
        enabled=wish.enabled,
        told_number=before.told_number if goes_on else newest_number,
        put_by=wish.by,
        put_at_us=now_us,
        tries=before.tries if is_same else 0,
        next_try_us=before.next_try_us if is_same else now_us,
    )


@dataclass(frozen=True)
class Queue:
    """What waits to be announced at a webhook."""

    waiting: int = 0
    next_try_us: int | None = None


@dataclass(frozen=True)
class Waiting:
    """A recall that waits to be announced."""

    licensee_id: str
    number: int
    """Of the recall."""
    since_us: int


@dataclass(frozen=True)
class Announced:
    """What is told of a recall: which it is. Nothing about anyone (W2)."""

    recall_id: str
    number: int
    licensee_id: str
    issued_at_us: int
    due_at_us: int
    posts: int


@dataclass(frozen=True)
class Leased:
    """A recall that is ours to announce, until the webhook's next try."""

    waiting: Waiting
    webhook: Webhook
    recall: Announced


@dataclass(frozen=True)
class Outcome:
    """What became of a try."""

    leased: Leased
    at_us: int
    failure: Failure | None
    """None where it arrived."""
    next_try_us: int
    """Of the webhook: at once where it arrived."""

    @property
    def gives_up(self) -> bool:
        """Whether this was the last try."""
        return self.failure is not None and self.at_us >= self.leased.waiting.since_us + TRIED_FOR_US

    @property
    def word(self) -> str:
        """How it ended: delivered, failed, or given_up for good."""
        if self.failure is None:
            return "delivered"
        return "given_up" if self.gives_up else "failed"


def announcement_of(recall: Announced) -> Announcement:
    """The message about a recall: its id is the recall's, for there is one message for each."""
    fields = {
        "type": "recall.issued",
        "timestamp": rfc3339(recall.issued_at_us),
        "data": {
            "recall_id": recall.recall_id,
            "number": recall.number,
            "licensee_id": recall.licensee_id,
            "due_at": rfc3339(recall.due_at_us),
            "posts": recall.posts,
        },
    }
    return Announcement(recall.recall_id, canonical_json(fields))


def next_try_us(tries: int, now_us: int, chance: float) -> int:
    """When to try again after one more try that was in vain, and `tries` before it.

    The pause doubles from `FIRST_PAUSE_US` to `LONGEST_PAUSE_US`; `chance`, in [0, 1), takes up to half of
    it away.
    """
    # Capped before it is computed: a count of tries is no size of a number.
    pause_us = min(FIRST_PAUSE_US << min(tries, 20), LONGEST_PAUSE_US)
    return now_us + pause_us - int(pause_us / 2 * chance)
