"""A billing desk over a ledger, with licenses, decisions and confirmations put on record as a test says."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.replays import ReplayKey
from services.licensing.billing import BillingDesk, Render
from services.licensing.contracts import Amendment, ContractDesk
from services.licensing.domain.answers import Hold, Revision
from services.licensing.domain.decisions import Asker, Decision
from services.licensing.domain.deliveries import Delivery
from services.licensing.domain.licenses import Step
from services.licensing.domain.manifests import manifest_of
from services.licensing.domain.pricing.bills import BillRecord
from services.licensing.domain.pricing.prices import BillingPeriod, Price
from services.licensing.domain.reasons import Reason
from services.licensing.domain.released import released_of
from services.licensing.domain.terms import Terms, digest_of
from services.licensing.domain.versions import Activation
from services.licensing.ledger import Ledger
from services.licensing.outlook import Outlook
from services.licensing.rpc.contracts import stored_license
from services.licensing.storage.billing import BillingStore
from services.licensing.storage.contracts import ContractStore
from services.licensing.storage.ledger import LedgerRows, LedgerStore
from tests.support.clock import ManualClock
from tests.support.licensing import a_batch, some_terms
from tests.support.prices import a_price

PERMIT_US = 30_000_000
MARGIN_US = 1_000_000
ASKER = ("pipeline", "firehose")
NOTHING = manifest_of(a_batch(), np.zeros(1, np.bool_), bytes(32))


PARIS: dict[str, Any] = {"period": BillingPeriod.MONTH, "time_zone": "Europe/Paris"}


def lines(record: BillRecord) -> list[tuple[str, str, int, int]]:
    """Of each line its period, key, posts and minor units."""
    return [
        (each.period.label, each.line.key, each.line.posts, each.line.minor) for each in record.bill.lines
    ]


def instant(time: str) -> int:
    """A time such as 2025-11-30T12:00, UTC, in microseconds since the epoch."""
    return int(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()) * 1_000_000


class Unsealed:
    """Seals nothing: decisions come sealed."""

    def seal(self, *_: object) -> Decision:
        raise AssertionError("nothing is concluded here")


class Accounts:
    """What a test does to the books of one database, at a time that it turns."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock
        self.server_ahead_us = 0
        """Of `clock` is the clock of the database server, where there is one."""
        store = BillingStore(database, lambda _: clock.now_us() + self.server_ahead_us)
        self.desk = BillingDesk(store, clock, lambda: uuid7(clock.now_us()), MARGIN_US)
        self.outlook = Outlook(store, clock)
        self._contracts = ContractDesk(ContractStore(database), clock)
        self._ledger = Ledger(LedgerStore(database), Unsealed(), clock, lambda: None, margin_us=0)
        self.licensees = set[str]()

    def key(self, operation: str = "Bill", request_id: str | None = None) -> ReplayKey:
        """A request of its own, of someone in finance."""
        return ReplayKey("operator:fay", operation, request_id or uuid7(self.clock.now_us()), bytes(32))

    def at(self, time: str) -> int:
        """Turns the clock to a time such as 2025-11-30T12:00 (UTC), in microseconds."""
        self.clock.advance(instant(time) - self.clock.now_us())
        return self.clock.now_us()

    async def license(
        self, license_id: str = "license-1", price: Price | None = None, *, priced: bool = True, **terms: Any
    ) -> None:
        """A license of licensee-1 unless said, in force from now on, at some price unless said."""
        price = (price or a_price()) if priced else None
        given = some_terms(price=price, **{"term_from_us": self.clock.now_us(), **terms})
        if given.licensee_id not in self.licensees:
            name = given.licensee_id.title()
            await self._contracts.create_licensee(given.licensee_id, name, self.key(), lambda _: b"")
            self.licensees.add(given.licensee_id)
        await self._contracts.create_license(license_id, given, self.key(), stored_license)
        await self._activate(license_id, 1, given)

    async def amend(self, license_id: str, terms: Terms, version: int) -> None:
        """Puts other terms into force at once."""
        before = await self._contracts.current(license_id)
        amendment = Amendment(terms, before.terms_digest, "as agreed")
        await self._contracts.amend(license_id, amendment, self.key(), stored_license)
        await self._activate(license_id, version, terms)

    async def terminate(self, license_id: str) -> None:
        """Ends a license for good, now."""
        await self._contracts.take_step(license_id, Step.TERMINATE, "", self.key(), stored_license)

    async def _activate(self, license_id: str, version: int, terms: Terms) -> None:
        activation = Activation(version, digest_of(terms.document()), None)
        await self._contracts.activate(license_id, activation, "signed", self.key(), stored_license)

    async def release(
        self, posts: int, license_id: str = "license-1", counted_at_us: int | None = None
    ) -> str:
        """A decision of now that releases so many posts, counted now unless said; its id."""
        decision = self.decision(posts, license_id, counted_at_us)

        def unit(rows: LedgerRows) -> None:
            rows.lock_head()
            number = rows.take_number(None, None)
            numbered, no_columns = (
                replace(decision, number=number),
                released_of(a_batch(), np.zeros(1, np.bool_)),
            )
            rows.record(uuid7(self.clock.now_us()), numbered, NOTHING, no_columns)

        await LedgerStore(self.database).write(unit)
        return decision.decision_id

    def decision(self, posts: int, license_id: str, counted_at_us: int | None) -> Decision:
        """With one post that is not released beside those that are."""
        now_us, fresh = self.clock.now_us(), uuid7(self.clock.now_us())
        reasons = np.full(posts + 1, Reason.RELEASED, np.uint8)
        reasons[-1] = Reason.CHOICE_DENIES
        counted = now_us if counted_at_us is None else counted_at_us
        return Decision(
            decision_id=fresh,
            number=0,
            asker=Asker(ASKER[1], ASKER[0], fresh),
            fingerprint=bytes(32),
            licensee_id="licensee-1",
            license_id=license_id,
            license_version=1,
            terms_digest=bytes(32),
            purpose=2,
            reasons=reasons,
            kinds=np.ones(posts + 1, np.uint8),
            media_flags=np.zeros(posts + 1, np.uint8),
            salt=bytes(32),
            policy_version=1,
            consent_revision=Revision(1, 1),
            hold=Hold(fresh, counted) if posts else None,
            no_room=None,
            decided_at_us=now_us,
            not_after_us=now_us + PERMIT_US if posts else None,
            trace_id="",
            receipt="",
        )

    async def confirm(self, decision_id: str, released: int, delivered: int) -> Delivery:
        """The confirmation of a decision that released so many, of which the first so many were delivered."""
        bits = np.arange(released + 1) < delivered
        bitmap = np.packbits(bits, bitorder="little").tobytes()
        return await self._ledger.confirm(decision_id, *ASKER, bitmap)

    async def draft(
        self, period: str | int, license_id: str = "license-1", cut_off_us: int | None = None
    ) -> BillRecord:
        """The draft of a period, as of now unless said."""
        return await self._told(
            lambda key, render: self.desk.draft(license_id, period, cut_off_us, key, render)
        )

    async def finalize(self, draft: BillRecord) -> BillRecord:
        """The invoice that a draft becomes."""
        return await self._told(
            lambda key, render: self.desk.finalize(draft.bill_id, draft.digest, key, render)
        )

    async def invoice(
        self, period: str | int, license_id: str = "license-1", cut_off_us: int | None = None
    ) -> BillRecord:
        """The final invoice of a period, as of now unless said."""
        return await self.finalize(await self.draft(period, license_id, cut_off_us))

    async def correct(self, invoice: BillRecord) -> BillRecord:
        """A credit note for what its periods come to less by now."""
        return await self._told(
            lambda key, render: self.desk.credit(invoice.bill_id, "as found", None, key, render)
        )

    async def let_off(self, invoice: BillRecord, minor: int) -> BillRecord:
        """A credit note for an amount."""
        return await self._told(
            lambda key, render: self.desk.credit(invoice.bill_id, "as agreed", lambda _: minor, key, render)
        )

    async def _told(self, ask: Callable[[ReplayKey, Render], Awaitable[bytes]]) -> BillRecord:
        bill_id = (await ask(self.key(), lambda record: record.bill_id.encode())).decode()
        found = await self.desk.find(bill_id)
        assert found is not None
        return found
