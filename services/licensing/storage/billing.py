"""Bills in SQL, and what they rest on: licenses, decisions and confirmations."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    update,
)

from services.chassis.database import Database
from services.chassis.long_reads import GoOn
from services.chassis.replays import ReplayKey, earlier, once
from services.licensing.domain.licenses import LicenseState
from services.licensing.domain.pricing.bills import BillKind, BillRecord, read_bill
from services.licensing.domain.pricing.calendars import Licensed, PricedVersion
from services.licensing.domain.pricing.invoices import Books
from services.licensing.domain.pricing.periods import month_of
from services.licensing.domain.pricing.revenue import BillFilter, DueFilter, Month, RevenueFilter
from services.licensing.storage.billing_tables import BillAmountRow, BillRow
from services.licensing.storage.contract_tables import REPLAYS, LicenseChangeRow, LicenseeRow, LicenseRow
from services.licensing.storage.contracts import license_row
from services.licensing.storage.head import (
    lock_head,
    raise_cut_off,
    take_credit_note_number,
    take_invoice_number,
)
from services.licensing.storage.ledger_tables import ConfirmationRow, DecisionRow
from services.licensing.storage.uncounted import count_uncounted
from services.licensing.storage.versions import VersionRows

T = TypeVar("T")

_TABLES = BillRow.metadata.tables
_BILLS = _TABLES[BillRow.__tablename__]
_AMOUNTS = _TABLES[BillAmountRow.__tablename__]
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_CONFIRMATIONS = _TABLES[ConfirmationRow.__tablename__]
_LICENSEES = _TABLES[LicenseeRow.__tablename__]
_LICENSES = _TABLES[LicenseRow.__tablename__]
_HISTORY = _TABLES[LicenseChangeRow.__tablename__]

ServerClock = Callable[[Connection], int | None]
"""Tells the time by the clock of a database server."""

_SERVER_NOW_US = text("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)")
_MILLION = 1_000_000
_ALL = 2**31 - 1
"""More versions than a license can have."""

_NOTES = _BILLS.alias("notes")
_CREDITED = (
    select(func.coalesce(func.sum(-_NOTES.c.total_minor), 0))
    .where(_NOTES.c.invoice_id == _BILLS.c.bill_id)
    .scalar_subquery()
)
_IS_INVOICE = _BILLS.c.kind == BillKind.INVOICE.value


def server_now_us(connection: Connection) -> int | None:
    """The `ServerClock` of a real server; None for a file, which has one process and its clock alone."""
    if connection.dialect.name != "postgresql":
        return None
    return int(connection.execute(_SERVER_NOW_US).scalar_one())


class BillingRows:
    """Bills inside one transaction."""

    def __init__(self, connection: Connection, server_clock: ServerClock, go_on: GoOn = lambda: None) -> None:
        self._connection = connection
        self._server_clock = server_clock
        self._go_on = go_on

    def go_on(self) -> None:
        """Ends the transaction where nobody waits for it any more; between what computes long."""
        self._go_on()

    def lock_head(self) -> int:
        """Makes this transaction the only one that writes here, until it ends.

        Returns the latest cut-off that something was drafted as of, in microseconds; 0 where nothing was.
        """
        return lock_head(self._connection).cut_off_us

    def server_now_us(self) -> int | None:
        """The time by the clock of the database server, in microseconds; None where there is no server."""
        return self._server_clock(self._connection)

    def earlier(self, key: ReplayKey) -> bytes | None:
        """The stored answer to a request; raises Refusal REQUEST_ID_REUSED."""
        return earlier(self._connection, REPLAYS, key)

    def once(self, key: ReplayKey, at_us: int, produce: Callable[[], bytes]) -> bytes:
        """The stored answer to a request, or what `produce` does and says now; raises what it raises."""
        return once(self._connection, REPLAYS, key, at_us, produce)

    def count_uncounted(self, limit: int) -> bool:
        """Counts what the release before billing wrote, at most so many rows; whether none is left."""
        return count_uncounted(self._connection, limit)

    def raise_cut_off(self, cut_off_us: int) -> None:
        """Has all that is put on record from now on count as of this instant or later."""
        raise_cut_off(self._connection, cut_off_us)

    def take_invoice_number(self) -> int:
        """The next number; used up with this transaction."""
        return take_invoice_number(self._connection)

    def take_credit_note_number(self) -> int:
        """The next number; used up with this transaction."""
        return take_credit_note_number(self._connection)

    def licensed(self, license_id: str, cut_off_us: int) -> Licensed | None:
        """A license as billing sees it at a cut-off; None where there is none."""
        license = license_row(self._connection, license_id)
        if license is None:
            return None
        licensee_id = license.terms.licensee_id
        name = select(_LICENSEES.c.display_name).where(_LICENSEES.c.licensee_id == licensee_id)
        return Licensed(
            license_id=license_id,
            licensee_id=licensee_id,
            licensee_name=self._connection.execute(name).scalar_one(),
            terminated_at_us=self._terminated_at_us(license_id, cut_off_us),
            versions=tuple(self._versions(license_id, cut_off_us)),
        )

    def _versions(self, license_id: str, cut_off_us: int) -> Iterator[PricedVersion]:
        """Versions that were in force before the cut-off, the first one first."""
        newest_first = VersionRows(self._connection).versions(license_id, _ALL, _ALL, drafts=False)
        for version in reversed(newest_first):
            from_us, terms = version.effective_from_us, version.terms
            if from_us is not None and from_us < cut_off_us:
                yield PricedVersion(
                    number=version.version,
                    effective_from_us=from_us,
                    terms_digest=version.terms_digest,
                    term_from_us=terms.term_from_us,
                    term_until_us=terms.term_until_us,
                    price=terms.price,
                )

    def _terminated_at_us(self, license_id: str, cut_off_us: int) -> int | None:
        """When a license was terminated, if that was before the cut-off."""
        changes = select(func.min(_HISTORY.c.changed_at_us)).where(
            _HISTORY.c.license_id == license_id,
            _HISTORY.c.state == int(LicenseState.TERMINATED),
            _HISTORY.c.changed_at_us < cut_off_us,
        )
        terminated_at_us: int | None = self._connection.execute(changes).scalar_one()
        return terminated_at_us

    def billed_posts(
        self, license_id: str, from_us: int | None, until_us: int | None, cut_off_us: int
    ) -> int:
        """Posts counted in [from, until) that are billed by what was on record before the cut-off (B2, M5).

        All that was released, less what confirmations say was not delivered; None is no bound. Both sums are
        read from indexes that hold all they need: no row of a decision is looked at.
        """
        sums = (
            self._sum(table, column, (license_id, from_us, until_us, cut_off_us))
            for table, column in ((_DECISIONS, "posts_released"), (_CONFIRMATIONS, "undelivered"))
        )
        released, undelivered = sums
        return released - undelivered

    def _sum(self, table: Any, column: str, bounds: tuple[str, int | None, int | None, int]) -> int:
        license_id, from_us, until_us, cut_off_us = bounds
        counted = table.c.counted_at_us
        # Written out, as the condition of the index is: a parameter would not be known to imply it.
        some = table.c[column] > literal_column("0")
        wanted = [table.c.license_id == license_id, some, table.c.recorded_at_us < cut_off_us]
        wanted += [] if from_us is None else [counted >= from_us]
        wanted += [] if until_us is None else [counted < until_us]
        statement = select(func.coalesce(func.sum(table.c[column]), 0)).where(*wanted)
        return int(self._connection.execute(statement).scalar_one())

    def books(self, license_id: str) -> Books:
        """All final bills of a license."""
        mine = [_BILLS.c.license_id == license_id, _BILLS.c.number.is_not(None)]
        return Books([each.bill for each in self._bills(*mine, order=_BILLS.c.books)])

    def drafts(self, license_id: str) -> dict[int, str]:
        """Ids of the drafts of a license by the first instant of their periods."""
        mine = (_BILLS.c.license_id == license_id, _BILLS.c.number.is_(None), _IS_INVOICE)
        rows = self._connection.execute(select(_BILLS.c.period_from_us, _BILLS.c.bill_id).where(*mine))
        return {row.period_from_us: row.bill_id for row in rows}

    def license_ids(self, wanted: DueFilter, from_id: str, limit: int) -> Sequence[str]:
        """Ids of licenses, from one on, in their order."""
        conditions = [_LICENSES.c.license_id >= from_id]
        asked = {name: getattr(wanted, name) for name in ("licensee_id", "license_id")}
        conditions += [_LICENSES.c[name] == value for name, value in asked.items() if value]
        page = select(_LICENSES.c.license_id).where(*conditions).order_by(_LICENSES.c.license_id)
        return self._connection.execute(page.limit(limit)).scalars().all()

    def final_bills(self, license_id: str) -> int:
        """How many final bills a license has."""
        mine = select(func.count()).where(_BILLS.c.license_id == license_id, _BILLS.c.number.is_not(None))
        return int(self._connection.execute(mine).scalar_one())

    def bill(self, id_or_number: str, final_of: str | None = None) -> BillRecord | None:
        """A bill by its id or number; of one licensee, and then final ones alone, or of all (None)."""
        conditions = [or_(_BILLS.c.bill_id == id_or_number, _BILLS.c.number == id_or_number)]
        if final_of is not None:
            # Before it is read: that another's document is damaged is no licensee's business.
            conditions += [_BILLS.c.licensee_id == final_of, _BILLS.c.number.is_not(None)]
        return next(iter(self._bills(*conditions)), None)

    def invoice_of(self, license_id: str, period_from_us: int) -> BillRecord | None:
        """The invoice of a period, drafted or final."""
        mine = (_BILLS.c.license_id == license_id, _BILLS.c.period_from_us == period_from_us)
        return next(iter(self._bills(*mine, _IS_INVOICE)), None)

    def put(self, record: BillRecord) -> None:
        """Writes a bill in place of the draft that it is, and of a final one what it comes to by period."""
        mine = and_(_BILLS.c.bill_id == record.bill_id, _BILLS.c.number.is_(None))
        values = _values(record)
        if not self._connection.execute(update(_BILLS).where(mine).values(values)).rowcount:
            self._connection.execute(insert(_BILLS), values)
        if record.number is not None and (amounts := _amounts(record)):
            self._connection.execute(insert(_AMOUNTS), amounts)

    def remove(self, bill_id: str) -> None:
        """Removes a draft."""
        self._connection.execute(delete(_BILLS).where(_BILLS.c.bill_id == bill_id, _BILLS.c.number.is_(None)))

    def page(self, wanted: BillFilter, after: str, limit: int) -> Sequence[BillRecord]:
        """Bills with ids above `after`, by id."""
        conditions = [_BILLS.c.bill_id > after, _IS_INVOICE if wanted.invoices else ~_IS_INVOICE]
        asked = {name: getattr(wanted, name) for name in ("licensee_id", "license_id", "invoice_id")}
        conditions += [_BILLS.c[name] == value for name, value in asked.items() if value]
        if wanted.final is not None:
            conditions.append(_BILLS.c.number.is_not(None) if wanted.final else _BILLS.c.number.is_(None))
        return self._bills(*conditions, limit=limit)

    def revenue(self, wanted: RevenueFilter, after: Sequence[str], limit: int) -> Sequence[Month]:
        """Sums of final bills by (month, licensee, currency), after the one given."""
        by = (_AMOUNTS.c.month, _AMOUNTS.c.licensee_id, _AMOUNTS.c.currency)
        decimals, invoiced, credited = (
            func.max(_AMOUNTS.c.decimals),
            _sums(_AMOUNTS.c.invoiced),
            _sums(_AMOUNTS.c.credited),
        )
        conditions = [_after(by, after)] if after else []
        if wanted.from_month:
            conditions.append(_AMOUNTS.c.month >= wanted.from_month)
        if wanted.to_month:
            conditions.append(_AMOUNTS.c.month <= wanted.to_month)
        if wanted.licensee_id:
            conditions.append(_AMOUNTS.c.licensee_id == wanted.licensee_id)
        statement = select(*by, decimals, *invoiced, *credited).where(*conditions).group_by(*by)
        rows = self._connection.execute(statement.order_by(*by).limit(limit))
        return [
            Month(row.month, row.licensee_id, row.currency, row[3], _whole(*row[4:6]), _whole(*row[6:]))
            for row in rows
        ]

    def _bills(
        self, *conditions: ColumnElement[bool], order: Any = _BILLS.c.bill_id, limit: int | None = None
    ) -> Sequence[BillRecord]:
        statement = select(_BILLS, _CREDITED.label("credited")).where(*conditions)
        rows = self._connection.execute(statement.order_by(order).limit(limit))
        return list(map(self._record, rows))

    def _record(self, row: Row[Any]) -> BillRecord:
        self._go_on()
        return _record(row)


class BillingStore:
    """Bills in licensing's own database."""

    def __init__(self, database: Database, server_clock: ServerClock) -> None:
        self._database = database
        self._server_clock = server_clock

    async def write(self, unit: Callable[[BillingRows], T]) -> T:
        """Runs `unit` in a transaction; what `Database.write` raises."""
        return await self._database.write(lambda connection: unit(self._rows(connection)))

    async def read(self, query: Callable[[BillingRows], T]) -> T:
        """Runs `query` on one snapshot; what `Database.read` raises.

        Confirmed, for the number of an invoice that was shown is not given to another one.
        """
        return await self._database.read(lambda connection: query(self._rows(connection)), confirmed=True)

    async def read_long(self, query: Callable[[BillingRows], T]) -> T:
        """The same for what takes seconds, while other reads go on; what `Database.read_each` raises."""
        reading = self._database.read_each(lambda connection, go_on: [query(self._rows(connection, go_on))])
        async with contextlib.aclosing(reading) as results:
            return await anext(results)

    def _rows(self, connection: Connection, go_on: GoOn = lambda: None) -> BillingRows:
        return BillingRows(connection, self._server_clock, go_on)


def _sums(column: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Sums of the millions and of the rest: a sum of whole amounts may need more than 64 bits."""
    rest = column % _MILLION
    return func.sum((column - rest) // _MILLION), func.sum(rest)


def _whole(millions: int, rest: int) -> int:
    return int(millions) * _MILLION + int(rest)


def _after(by: Sequence[ColumnElement[str]], after: Sequence[str]) -> ColumnElement[bool]:
    """Whether a row comes after the one given, in the order of these columns."""
    column, *others = by
    value, *rest = after
    if not others:
        return column > value
    return or_(column > value, and_(column == value, _after(others, rest)))


def _values(record: BillRecord) -> dict[str, object]:
    bill = record.bill
    return {
        "bill_id": record.bill_id,
        "kind": bill.kind.value,
        "number": record.number,
        "licensee_id": bill.licensee_id,
        "license_id": bill.license_id,
        "period_from_us": bill.period.start_us,
        "invoice_id": record.invoice_id,
        "document": record.document.decode(),
        "digest": record.digest,
        "total_minor": bill.total,
        "books": record.books,
        "drafted_at_us": record.drafted_at_us,
        "drafted_by": record.drafted_by,
        "final_at_us": record.final_at_us,
        "final_by": record.final_by,
    }


def _amounts(record: BillRecord) -> list[dict[str, object]]:
    bill = record.bill
    return [
        {
            "bill_id": record.bill_id,
            "period_from_us": period.start_us,
            "month": month_of(period, bill.time_zone),
            "licensee_id": bill.licensee_id,
            "currency": bill.currency,
            "decimals": bill.decimals,
            "invoiced": minor if record.is_invoice else 0,
            "credited": 0 if record.is_invoice else -minor,
        }
        for period, minor in bill.amounts().items()
    ]


def _record(row: Row[Any]) -> BillRecord:
    document, digest = row.document.encode(), bytes(row.digest)
    return BillRecord(
        bill_id=row.bill_id,
        bill=read_bill(document, digest),
        document=document,
        digest=digest,
        books=row.books,
        drafted_at_us=row.drafted_at_us,
        drafted_by=row.drafted_by,
        number=row.number,
        invoice_id=row.invoice_id,
        final_at_us=row.final_at_us,
        final_by=row.final_by,
        credited=int(row.credited),
    )
