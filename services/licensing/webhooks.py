"""The webhook desk: where the recalls of a licensee are announced.

A secret passes through here once, on its way to whoever made it; no stored answer has it. Every write locks
the head first, so that none overtakes another, or the issue of a recall.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.ids import check_request_id
from services.chassis.public_addresses import Target, target_of
from services.chassis.refusals import invalid, not_found, precondition
from services.chassis.replays import ReplayKey
from services.licensing.domain.licenses import Licensee
from services.licensing.domain.webhooks.webhooks import Queue, Webhook, Wish, put

T = TypeVar("T")

Render = Callable[[Webhook, Queue], bytes]
"""The answer that is stored and given again."""


class Rows(Protocol):
    """Webhooks inside one transaction."""

    def lock_head(self) -> int: ...
    def once(self, key: ReplayKey, at_us: int, produce: Callable[[], bytes]) -> bytes: ...
    def licensee(self, licensee_id: str) -> Licensee | None: ...
    def webhook(self, licensee_id: str) -> Webhook | None: ...
    def webhooks(
        self, licensee_id: str | None, after: str, limit: int
    ) -> Sequence[tuple[Webhook, Queue]]: ...
    def queue(self, licensee_id: str) -> Queue: ...
    def put_webhook(self, webhook: Webhook) -> None: ...
    def forget_waiting(self, licensee_id: str) -> None: ...
    def remove_webhook(self, licensee_id: str) -> None: ...
    def newest_number(self) -> int: ...


class Store(Protocol):
    """Where the rows are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...


class WebhookDesk:
    """Keeps webhooks.

    Each write takes a `replay`, whose request and principal it is. All raise Refusal REQUEST_ID_MALFORMED,
    REQUEST_ID_TOO_OLD, REQUEST_ID_IN_FUTURE and REQUEST_ID_REUSED.
    """

    def __init__(
        self, store: Store, clock: Clock, new_secret: Callable[[], bytes], *, allow_private: bool
    ) -> None:
        """`new_secret` is 32 bytes of chance; `allow_private`: names that only we can reach are taken."""
        self._store = store
        self._clock = clock
        self._new_secret = new_secret
        self._allow_private = allow_private

    async def put(self, wish: Wish, replay: ReplayKey, render: Render) -> tuple[bytes, bytes]:
        """The webhook as it is wanted, and its secret where this made it; else none (b"").

        Raises Refusal LICENSEE_UNKNOWN, WEBHOOK_URL_REFUSED.
        """
        webhook_target(wish.url, allow_private=self._allow_private)
        secret = self._new_secret()

        def change(rows: Rows, now_us: int) -> tuple[Webhook, bool]:
            if rows.licensee(wish.licensee_id) is None:
                raise precondition("LICENSEE_UNKNOWN", f"there is no licensee {wish.licensee_id}")
            before = rows.webhook(wish.licensee_id)
            if not wish.enabled:
                rows.forget_waiting(wish.licensee_id)
            return put(before, wish, rows.newest_number(), secret, now_us), before is None

        answer, is_new = await self._once(replay, change, render)
        return answer, secret if is_new else b""

    async def rotate(self, licensee_id: str, replay: ReplayKey, render: Render) -> tuple[bytes, bytes]:
        """The webhook with a new secret, and that. Raises Refusal WEBHOOK_UNKNOWN."""
        secret = self._new_secret()

        def change(rows: Rows, now_us: int) -> tuple[Webhook, bool]:
            return _found(rows, licensee_id).rotated(secret, now_us), True

        answer, is_new = await self._once(replay, change, render)
        return answer, secret if is_new else b""

    async def remove(self, licensee_id: str, replay: ReplayKey) -> None:
        """Forgets it, and what waits for it. Raises Refusal WEBHOOK_UNKNOWN."""
        check_request_id(replay.request_id, self._clock.now_us())

        def unit(rows: Rows) -> None:
            rows.lock_head()

            def produce() -> bytes:
                _found(rows, licensee_id)
                rows.forget_waiting(licensee_id)
                rows.remove_webhook(licensee_id)
                return b""

            rows.once(replay, self._clock.now_us(), produce)

        await self._store.write(unit)

    async def page(self, licensee_id: str | None, after: str, limit: int) -> Sequence[tuple[Webhook, Queue]]:
        """At most `limit` webhooks of licensees above `after`, by licensee; of one, or of all (None)."""
        return await self._store.read(lambda rows: rows.webhooks(licensee_id, after, limit))

    async def _once(
        self, replay: ReplayKey, change: Callable[[Rows, int], tuple[Webhook, bool]], render: Render
    ) -> tuple[bytes, bool]:
        """The answer, and whether the secret was made by this call and not by an earlier one."""
        check_request_id(replay.request_id, self._clock.now_us())

        def unit(rows: Rows) -> tuple[bytes, bool]:
            rows.lock_head()
            now_us = self._clock.now_us()
            made: list[bool] = []

            def produce() -> bytes:
                webhook, has_new_secret = change(rows, now_us)
                rows.put_webhook(webhook)
                made.append(has_new_secret)
                return render(webhook, rows.queue(webhook.licensee_id))

            return rows.once(replay, now_us, produce), any(made)

        return await self._store.write(unit)


def _found(rows: Rows, licensee_id: str) -> Webhook:
    webhook = rows.webhook(licensee_id)
    if webhook is None:
        raise not_found("WEBHOOK_UNKNOWN", f"{licensee_id} has no webhook")
    return webhook


def webhook_target(url: str, *, allow_private: bool) -> Target:
    """Where messages to a webhook go; `allow_private`: names that only we can reach are taken.

    Raises Refusal (invalid, WEBHOOK_URL_REFUSED).
    """
    try:
        return target_of(url, allow_private=allow_private)
    except ValueError as error:
        raise invalid("WEBHOOK_URL_REFUSED", str(error), field="url") from error
