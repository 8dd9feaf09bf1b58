"""`sluice invoice`: what periods of licenses come to, drafted, finalised and credited (B2, B3)."""

import enum
import re
import sys
from pathlib import Path
from typing import Annotated

import typer
from google.type.money_pb2 import Money

from services.chassis.refusals import Refusal
from services.console import bill_calls as calls
from services.console import cells, money, options
from services.console.bill_files import bill_csv, write_whole
from services.console.bill_fonts import need_reportlab
from services.console.bill_pages import bill_pdf
from services.console.bill_papers import COLUMNS, Bill, paper_of, title_of
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.money import face, in_nanos
from services.console.names import complete, value_name
from services.console.output import give_json, note, say, show, table
from sluice.licensing.v1 import billing_service_pb2 as pb
from sluice.licensing.v1.invoice_pb2 import CreditNote, Invoice, InvoiceState

CREDIT_NOTE = "CN-"
_LABEL = re.compile(r"[0-9]{4}(-Q[1-4]|-[0-9]{2}(-[0-9]{2})?)?")

app = typer.Typer(help="Invoices: what periods of licenses come to.", no_args_is_help=True)

InvoiceName = Annotated[str, typer.Argument(metavar="ID|NUMBER", help="The invoice.")]


class Form(enum.StrEnum):
    """The forms of a bill."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    PDF = "pdf"


class Stage(enum.StrEnum):
    """How far invoices are."""

    DRAFT = "draft"
    FINAL = "final"


@app.command("draft")
def draft(
    license_id: Annotated[str, typer.Argument(metavar="LICENSE", help="The license.")],
    period: Annotated[
        str,
        typer.Argument(
            metavar="PERIOD", help="Its label (2026, 2026-Q4, 2026-11 or 2026-11-26), or when it begins."
        ),
    ] = "",
    *,
    due: Annotated[
        bool, typer.Option("--due", help="The next one that is over and not invoiced, instead of PERIOD.")
    ] = False,
    cut_off: Annotated[
        str,
        typer.Option(metavar="TIME", help="Bill what was on record before this time (2026-12-01T12:00:00Z)."),
    ] = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Draft the invoice of the next period of a license, with the corrections of all earlier ones.

    A draft that is there already is replaced. The same cut-off gives the same invoice.

    Example: `sluice invoice draft acme-training 2026-11`
    """
    if due == bool(period):
        raise typer.BadParameter("one of both is expected", param_hint="PERIOD, --due")
    request = pb.DraftInvoiceRequest(license_id=license_id)
    if _LABEL.fullmatch(period):
        request.period = period
    elif (begin := options.moment(period, "PERIOD")) is not None:
        request.period_from.CopyFrom(begin)
    if (time := options.moment(cut_off, "--cut-off")) is not None:
        request.cut_off.CopyFrom(time)
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})

    async def write(connections: Connections) -> Invoice:
        if due:
            request.period_from.CopyFrom((await calls.next_due(connections, license_id)).period_from)
        return await calls.draft_invoice(connections, request)

    invoice = connections.run(write)
    if as_json:
        give_json(complete(invoice))
        return
    tell(invoice)
    say(f"Drafted as {invoice.invoice_id}. To make it final: sluice invoice finalize {invoice.invoice_id}")


@app.command("finalize")
def finalize(
    invoice_id: Annotated[str, typer.Argument(metavar="ID", help="The draft.")],
    *,
    digest: Annotated[
        str, typer.Option(metavar="HEX", help="Only if the draft has this SHA-256, as it was shown.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Give a draft its number; it is never changed after. Says what it comes to and asks.

    Example: `sluice invoice finalize 019a0000-0000-7000-8000-000000000000`
    """
    read = _digest(digest)
    given = {"licensing": address}
    looking = Connections.open(state, token_file, OPERATOR, given)
    found = looking.run(lambda connections: calls.get_invoice(connections, invoice_id))
    if not yes and not found.number:
        told = f"{_sentence(found)}\nMake it final? It cannot be changed after."
        typer.confirm(told, abort=True, err=True)
    connections = Connections.open(state, token_file, OPERATOR, given)
    final = connections.run(
        lambda connections: calls.finalize_invoice(connections, found.invoice_id, read or found.digest)
    )
    if as_json:
        give_json(complete(final))
    else:
        say(f"Final as {final.number}: {_sentence(final)}")


@app.command("show")
def show_one(
    name: Annotated[str, typer.Argument(metavar="ID|NUMBER", help="An invoice or a credit note.")],
    *,
    format: Annotated[
        Form, typer.Option(help="In which form; json is the document that was digested, byte for byte.")
    ] = Form.TEXT,
    out: Annotated[
        Path | None, typer.Option(help="Write to this file. Else to stdout; not for pdf.", dir_okay=False)
    ] = None,
    issuer: Annotated[
        str,
        typer.Option(
            metavar="TEXT", envvar="SLUICE_ISSUER", help=r"Who bills, for pdf; \n begins another line."
        ),
    ] = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show an invoice or a credit note, or write it to a file.

    Pages (pdf) take reportlab: pip install 'sluice[pdf]'.

    Example: `sluice invoice show INV-000001 --format pdf --out INV-000001.pdf`
    """
    if format is Form.PDF:
        need_reportlab()
    if (format is Form.PDF and out is None) or (format is Form.TEXT and out is not None):
        raise typer.BadParameter("pdf goes to a file, and text to the terminal", param_hint="--out")
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    bill = connections.run(lambda connections: find_bill(connections, name))
    if out is not None:
        write_whole(_content(bill, format, issuer), out)
        if as_json:
            give_json({"out": str(out), "number": bill.number, "digest": bill.digest.hex()})
        else:
            say(f"Wrote {title_of(bill)} to {out}.")
    elif as_json:
        give_json(complete(bill))
    elif format is Form.TEXT:
        tell(bill)
    else:
        sys.stdout.write(_content(bill, format, issuer).decode().rstrip("\n") + "\n")


@app.command("list")
def list_(
    *,
    licensee: Annotated[str, typer.Option(metavar="ID", help="Of this licensee. Else of all.")] = "",
    license: Annotated[str, typer.Option(metavar="ID", help="Of this license. Else of all.")] = "",
    stage: Annotated[
        Stage | None, typer.Option("--only", help="Only drafts or only final ones. Else all.")
    ] = None,
    credit_notes: Annotated[
        bool, typer.Option("--credit-notes", help="Credit notes instead of invoices.")
    ] = False,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List invoices, or credit notes, in the order in which they came up.

    Example: `sluice invoice list --licensee acme`
    """
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    if credit_notes:
        asked = pb.ListCreditNotesRequest(licensee_id=licensee, license_id=license)
        _list_notes(connections.run(lambda it: calls.all_credit_notes(it, asked)), as_json=as_json)
        return
    wanted = value_name(InvoiceState.DESCRIPTOR, stage.value) if stage else None
    request = pb.ListInvoicesRequest(licensee_id=licensee, license_id=license, state=wanted)
    _list_invoices(connections.run(lambda it: calls.all_invoices(it, request)), as_json=as_json)


@app.command("discard")
def discard(
    name: Annotated[str, typer.Argument(metavar="ID", help="The draft.")],
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Remove a draft; the period can be drafted again. What has a number is final, and stays.

    Example: `sluice invoice discard 019a0000-0000-7000-8000-000000000000`
    """
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})

    async def remove(connections: Connections) -> str:
        invoice_id = (await calls.get_invoice(connections, name)).invoice_id
        await calls.discard_draft(connections, invoice_id)
        return invoice_id

    invoice_id = connections.run(remove)
    if as_json:
        give_json({"discarded": invoice_id})
    else:
        say(f"Discarded the draft {invoice_id}.")


@app.command("credit")
def credit(
    name: InvoiceName,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it stands on the credit note.")],
    goodwill: Annotated[
        str, typer.Option(metavar="AMOUNT", help="Let off this amount, such as '250.00 USD'.")
    ] = "",
    correction: Annotated[
        bool, typer.Option("--correction", help="Take back what its periods come to less by now.")
    ] = False,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Issue a credit note about a final invoice: --goodwill or --correction. It is final at once.

    A correction is for when no next invoice will come, as after the term: else the next one brings it.

    Example: `sluice invoice credit INV-000001 --goodwill '250.00 USD' --reason 'Outage of 3 November'`
    """
    if bool(goodwill) == correction:
        raise typer.BadParameter("one of both is expected", param_hint="--goodwill, --correction")
    request = pb.IssueCreditNoteRequest(reason=reason)
    if correction:
        request.correction.CopyFrom(pb.CreditCorrection())
    else:
        request.goodwill.amount.CopyFrom(_amount(goodwill))
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})

    async def issue(connections: Connections) -> CreditNote:
        request.invoice_id = (await calls.get_invoice(connections, name)).invoice_id
        return await calls.issue_credit_note(connections, request)

    issued = connections.run(issue)
    if as_json:
        give_json(complete(issued))
    else:
        tell(issued)
        say(f"Issued {issued.number} about {issued.invoice_number}.")


async def find_bill(connections: Connections, name: str) -> Bill:
    """An invoice or a credit note by its number, or by its id; raises Refusal."""
    if name.startswith(CREDIT_NOTE):
        return await calls.get_credit_note(connections, name)
    try:
        return await calls.get_invoice(connections, name)
    except Refusal as refusal:
        if refusal.reason != "INVOICE_UNKNOWN" or name.startswith("INV-"):
            raise
        unknown = refusal
    try:
        return await calls.get_credit_note(connections, name)
    except Refusal as refusal:
        raise unknown if refusal.reason == "CREDIT_NOTE_UNKNOWN" else refusal from None


def _content(bill: Bill, form: Form, issuer: str) -> bytes:
    """What is written to a file."""
    if form is Form.CSV:
        return bill_csv(bill).encode()
    if form is not Form.PDF:
        # As it was digested, so that anyone can check it.
        return bytes(bill.document)
    pages, missing = bill_pdf(paper_of(bill), issuer.replace("\\n", "\n"))
    if missing:
        numbers = ", ".join(f"U+{ord(letter):04X}" for letter in missing)
        note(f"The font has no letter for {numbers}: the page shows these numbers instead.")
    return pages


def tell(bill: Bill) -> None:
    """Shows a bill on the terminal."""
    paper = paper_of(bill)
    say(paper.title)
    show(table(("field", "value"), paper.facts))
    names = (*COLUMNS[:2], ">Posts", ">Unit price", f">Amount ({paper.currency})")
    show(table(names, [*paper.rows, ("", "Total", "", "", paper.total)]))
    for sentence in paper.notes:
        say(sentence)
    if isinstance(bill, Invoice) and in_nanos(bill.credited):
        say(f"Credited since: {face(bill.credited, bill.decimals)}.")


def _sentence(invoice: Invoice) -> str:
    what = f"{invoice.period} of {invoice.license_id}, for {invoice.licensee_name}"
    return f"{what}: {face(invoice.total, invoice.decimals)}."


def _list_invoices(found: list[Invoice], *, as_json: bool) -> None:
    if as_json:
        give_json([complete(invoice) for invoice in found])
        return
    if not found:
        say("There is no invoice.")
        return
    rows = [
        (
            *(each.number or "draft", each.period, each.license_id, each.licensee_id, each.invoice_id),
            *(face(each.total, each.decimals), face(each.credited, each.decimals)),
        )
        for each in found
    ]
    columns = ("=invoice", "=period", "license", "licensee", "=id", ">total", ">credited")
    show(table(columns, rows))


def _list_notes(found: list[CreditNote], *, as_json: bool) -> None:
    if as_json:
        give_json([complete(each) for each in found])
        return
    if not found:
        say("There is no credit note.")
        return
    rows = [
        (
            *(each.number, each.invoice_number, each.license_id, each.licensee_id, each.reason),
            face(each.total, each.decimals),
        )
        for each in found
    ]
    show(table(("=credit note", "=invoice", "license", "licensee", "reason", ">total"), rows))


def _amount(text: str) -> Money:
    try:
        return money.read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--goodwill") from None


def _digest(text: str) -> bytes:
    try:
        return cells.digest("--digest", text) if text else b""
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--digest") from None
