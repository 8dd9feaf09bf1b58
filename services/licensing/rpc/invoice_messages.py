"""Bills as messages. Amounts are whole minor units made into decimals, never a binary fraction (B1)."""

from decimal import Decimal

from google.type.money_pb2 import Money

from services.chassis.refusals import invalid, precondition
from services.licensing.domain.pricing.bills import Bill, BillKind, BillLine, BillRecord
from services.licensing.domain.pricing.documents import decimal_text
from services.licensing.domain.pricing.exact import exact_text
from services.licensing.domain.pricing.revenue import Month
from services.licensing.outlook import Due
from services.licensing.rpc.price_messages import NANO_DIGITS, money
from sluice.licensing.v1 import invoice_pb2 as pb

_NOTE_KINDS = {
    BillKind.CORRECTION: pb.CREDIT_NOTE_KIND_CORRECTION,
    BillKind.GOODWILL: pb.CREDIT_NOTE_KIND_GOODWILL,
}


def invoice_message(record: BillRecord, *, whole: bool = True, by_whom: bool = True) -> pb.Invoice:
    """An invoice as it is told; without lines and document where it is one of a list.

    Which of the operator's people it went through (`by_whom`) is no licensee's business.
    """
    message = bill_message(record.bill, whole=whole)
    message.invoice_id = record.bill_id
    message.number = record.number or ""
    message.state = pb.INVOICE_STATE_DRAFT if record.number is None else pb.INVOICE_STATE_FINAL
    message.credited.CopyFrom(_amount(record.credited, record.bill))
    message.digest = record.digest
    message.document = record.document if whole else b""
    message.drafted_by = record.drafted_by if by_whom else ""
    message.finalized_by = (by_whom and record.final_by) or ""
    message.drafted_at.FromMicroseconds(record.drafted_at_us)
    if record.final_at_us is not None:
        message.finalized_at.FromMicroseconds(record.final_at_us)
    return message


def bill_message(bill: Bill, *, whole: bool = True) -> pb.Invoice:
    """What an invoice says, whether it is stored or not."""
    message = pb.Invoice(
        licensee_id=bill.licensee_id,
        licensee_name=bill.licensee_name,
        license_id=bill.license_id,
        license_version=bill.license_version,
        terms_digest=bill.terms_digest,
        period=bill.period.label,
        time_zone=bill.time_zone,
        period_from_local=bill.from_local,
        period_until_local=bill.until_local,
        posts=bill.posts,
        currency=bill.currency,
        decimals=bill.decimals,
        lines=[_line_message(each, bill) for each in bill.lines] if whole else (),
        total_minor=bill.total,
        total=_amount(bill.total, bill),
    )
    message.period_from.FromMicroseconds(bill.period.start_us)
    message.period_until.FromMicroseconds(bill.period.end_us)
    message.cut_off.FromMicroseconds(bill.cut_off_us)
    return message


def due_message(due: Due) -> pb.DuePeriod:
    """A period that is over and not invoiced."""
    message = pb.DuePeriod(
        license_id=due.licensed.license_id,
        licensee_id=due.licensed.licensee_id,
        licensee_name=due.licensed.licensee_name,
        invoice_id=due.draft_id,
        reason=due.reason,
    )
    if due.each is not None:
        message.period = due.each.period.label
        message.time_zone = due.each.price.time_zone
        message.period_from.FromMicroseconds(due.each.period.start_us)
        message.period_until.FromMicroseconds(due.each.period.end_us)
    return message


def credit_note_message(record: BillRecord, *, whole: bool = True, by_whom: bool = True) -> pb.CreditNote:
    """A credit note as it is told, likewise."""
    bill = record.bill
    message = pb.CreditNote(
        credit_note_id=record.bill_id,
        number=record.number or "",
        kind=_NOTE_KINDS[bill.kind],
        invoice_id=record.invoice_id or "",
        invoice_number=bill.invoice_number,
        licensee_id=bill.licensee_id,
        licensee_name=bill.licensee_name,
        license_id=bill.license_id,
        reason=bill.reason,
        currency=bill.currency,
        decimals=bill.decimals,
        lines=[_line_message(each, bill) for each in bill.lines] if whole else (),
        total_minor=bill.total,
        total=_amount(bill.total, bill),
        digest=record.digest,
        document=record.document if whole else b"",
        issued_by=(by_whom and record.final_by) or "",
        period=bill.period.label,
        period_from_local=bill.from_local,
        period_until_local=bill.until_local,
    )
    message.cut_off.FromMicroseconds(bill.cut_off_us)
    message.issued_at.FromMicroseconds(record.drafted_at_us)
    return message


def revenue_message(month: Month) -> pb.Revenue:
    """The sums of one month, licensee and currency."""

    def amount(minor: int) -> Money:
        return _money(minor, month.currency, month.decimals)

    return pb.Revenue(
        licensee_id=month.licensee_id,
        month=month.month,
        invoiced=amount(month.invoiced),
        credited=amount(month.credited),
        net=amount(month.invoiced - month.credited),
        decimals=month.decimals,
    )


def goodwill_minor(amount: Money, invoice: Bill) -> int:
    """An amount to let off of an invoice, in minor units.

    Raises Refusal: CREDIT_CURRENCY_DIFFERS, CREDIT_AMOUNT_INVALID.
    """
    if amount.currency_code != invoice.currency:
        raise precondition("CREDIT_CURRENCY_DIFFERS", f"the invoice is in {invoice.currency}")
    nanos_each: int = 10 ** (NANO_DIGITS - invoice.decimals)
    minor, rest = divmod(amount.units * 10**NANO_DIGITS + amount.nanos, nanos_each)
    if rest or minor <= 0 or not 0 <= amount.nanos < 10**NANO_DIGITS:
        words = f"an amount above nothing with at most {invoice.decimals} decimals is expected"
        raise invalid("CREDIT_AMOUNT_INVALID", words, field="goodwill.amount")
    return int(minor)


def _line_message(each: BillLine, bill: Bill) -> pb.InvoiceLine:
    line = each.line
    message = pb.InvoiceLine(
        period=each.period.label,
        kind=f"INVOICE_LINE_KIND_{line.kind.name}",
        key=line.key,
        description=line.description,
        posts=line.posts,
        unit_price="" if line.unit_price is None else decimal_text(line.unit_price),
        per=line.per,
        precise=exact_text(line.precise),
        minor=line.minor,
        amount=_amount(line.minor, bill),
    )
    message.period_from.FromMicroseconds(each.period.start_us)
    return message


def _amount(minor: int, bill: Bill) -> Money:
    return _money(minor, bill.currency, bill.decimals)


def _money(minor: int, currency: str, decimals: int) -> Money:
    return money(Decimal(minor).scaleb(-decimals), currency)
