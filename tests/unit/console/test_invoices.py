"""`sluice invoice`, against a billing that answers as it is told (B2, B3)."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from services.chassis.refusals import not_found, precondition
from services.console.bill_papers import paper_of
from sluice.licensing.v1 import billing_service_pb2 as pb
from sluice.licensing.v1.invoice_pb2 import INVOICE_STATE_FINAL
from tests.support.bills import INVOICE_ID, NOTE_ID, a_credit_note, a_draft, a_line, an_invoice
from tests.support.command_line import Cli
from tests.support.scripted import Script

LICENSE, PERIOD = "acme-training", "2026-11"
NO_INVOICE = not_found("INVOICE_UNKNOWN", "there is no such invoice")


def answer_with(script: Script, invoice: object) -> None:
    script.answer("GetInvoice", pb.GetInvoiceResponse(invoice=invoice))  # type: ignore[arg-type]


def test_a_draft_is_shown_with_what_to_do_next(script: Script, cli: Cli) -> None:
    draft = a_draft(a_line(), a_line(-250, period="2026-10", posts=-200))
    script.answer("DraftInvoice", pb.DraftInvoiceResponse(invoice=draft))

    said = cli("invoice", "draft", LICENSE, PERIOD, "--cut-off", "2026-12-02T09:00:00Z")

    (asked,) = script.asked["DraftInvoice"]
    assert (asked.license_id, asked.period) == (LICENSE, PERIOD)
    assert asked.cut_off == draft.cut_off
    for words in (
        "Draft invoice for 2026-11",
        "2026-11: from 2026-11-01 00:00:00-04:00 until 2026-12-01 00:00:00-05:00, America/New_York",
        "Acme, Inc. (acme)",
        "Amount (USD)",
        "10,000",
        "Correction: Training, after 1,000 included",
        "-2.50",
        "122.50",
        "This is a draft: it has no number and is no demand for payment.",
        f"sluice invoice finalize {INVOICE_ID}",
    ):
        assert words in said


@pytest.mark.parametrize("label", ["2026", "2026-Q4", "2026-11", "2026-11-26"])
def test_a_period_is_named_by_its_label(script: Script, cli: Cli, label: str) -> None:
    script.answer("DraftInvoice", pb.DraftInvoiceResponse(invoice=a_draft()))

    cli("invoice", "draft", LICENSE, label)

    assert script.asked["DraftInvoice"][0].period == label


def test_a_period_is_named_by_when_it_begins(script: Script, cli: Cli) -> None:
    script.answer("DraftInvoice", pb.DraftInvoiceResponse(invoice=a_draft()))

    cli("invoice", "draft", LICENSE, "2026-11-01T04:00:00Z")

    (asked,) = script.asked["DraftInvoice"]
    assert asked.period_from == a_draft().period_from
    assert "a time like" in cli.wrong("invoice", "draft", LICENSE, "november")


def test_why_nothing_was_drafted_is_said(script: Script, cli: Cli) -> None:
    script.answer("DraftInvoice", precondition("PERIOD_NOT_OVER", "the period is not over at the cut-off"))

    assert cli.refusal("invoice", "draft", LICENSE, PERIOD)["reason"] == "PERIOD_NOT_OVER"


def test_what_is_finalised_is_what_was_shown(script: Script, cli: Cli) -> None:
    answer_with(script, a_draft(a_line()))
    script.answer("FinalizeInvoice", pb.FinalizeInvoiceResponse(invoice=an_invoice(a_line())))

    said = cli("invoice", "finalize", INVOICE_ID, "--yes")
    cli("invoice", "finalize", INVOICE_ID, "--yes", "--digest", "ab" * 32)

    first, second = script.asked["FinalizeInvoice"]
    assert (first.digest, second.digest) == (b"d" * 32, b"\xab" * 32)
    assert said == "Final as INV-000001: 2026-11 of acme-training, for Acme, Inc.: USD 125.00.\n"


def test_without_a_yes_nothing_is_finalised(script: Script, cli: Cli) -> None:
    answer_with(script, a_draft(a_line()))
    script.answer("FinalizeInvoice", pb.FinalizeInvoiceResponse(invoice=an_invoice()))

    cli("invoice", "finalize", INVOICE_ID, status=1)

    assert "USD 125.00.\nMake it final? It cannot be changed after." in cli.err
    assert script.asked["FinalizeInvoice"] == []
    assert "64 hex digits" in cli.wrong("invoice", "finalize", INVOICE_ID, "--digest", "abc")


def test_a_bill_is_found_by_number_and_by_id_whichever_it_is(script: Script, cli: Cli) -> None:
    script.answer("GetInvoice", NO_INVOICE)
    script.answer("GetCreditNote", pb.GetCreditNoteResponse(credit_note=a_credit_note()))

    by_number, by_id = cli("invoice", "show", "CN-000001"), cli("invoice", "show", NOTE_ID)

    assert by_number == by_id
    for words in ("Credit note CN-000001", "INV-000001", "Outage", "Goodwill", "-25.00"):
        assert words in by_id
    assert cli.refusal("invoice", "show", "INV-000009")["reason"] == "INVOICE_UNKNOWN"
    script.answer("GetCreditNote", not_found("CREDIT_NOTE_UNKNOWN", "there is no such credit note"))
    assert cli.refusal("invoice", "show", NOTE_ID)["reason"] == "INVOICE_UNKNOWN"


def test_json_is_the_document_byte_for_byte_or_all_that_is_known(
    script: Script, cli: Cli, tmp_path: Path
) -> None:
    answer_with(script, an_invoice(a_line()))

    printed = cli("invoice", "show", "INV-000001", "--format", "json")
    told = cli.json("invoice", "show", "INV-000001", "--format", "json", "--out", tmp_path / "a.json")
    known = cli.json("invoice", "show", "INV-000001")

    assert (tmp_path / "a.json").read_bytes() == b'{"kind":"invoice"}'
    assert json.loads(printed) == {"kind": "invoice"}
    assert told == {"out": str(tmp_path / "a.json"), "number": "INV-000001", "digest": "64" * 32}
    assert (known["number"], known["total_minor"], known["state"]) == ("INV-000001", 12_500, "final")


def test_csv_has_a_row_a_line_and_no_cell_that_is_computed(script: Script, cli: Cli) -> None:
    line = a_line(-50, description='=HYPERLINK("http://x")', posts=-40)
    invoice = an_invoice(a_line(unit_price="1.5", per=1_000), line, licensee_name="+Acme, Inc.")
    answer_with(script, invoice)

    rows = list(csv.DictReader(io.StringIO(cli("invoice", "show", "INV-000001", "--format", "csv"))))

    assert [row["amount"] for row in rows] == ["125.00", "-0.50"]
    assert [row["posts"] for row in rows] == ["10000", "-40"]
    assert (rows[0]["unit_price"], rows[0]["per"], rows[0]["kind"]) == ("1.5", "1000", "usage")
    assert rows[0]["licensee_name"] == "'+Acme, Inc."
    assert rows[1]["description"] == '\'=HYPERLINK("http://x")'
    assert {row["number"] for row in rows} == {"INV-000001"}


def test_what_was_credited_since_is_told_and_stands_on_no_page(script: Script, cli: Cli) -> None:
    credited = an_invoice(a_line())
    credited.credited.CopyFrom(a_line(2_500).amount)
    answer_with(script, credited)

    assert "Credited since: USD 25.00." in cli("invoice", "show", "INV-000001")
    assert paper_of(credited) == paper_of(an_invoice(a_line()))


def test_pages_go_to_a_file(script: Script, cli: Cli, tmp_path: Path) -> None:
    answer_with(script, an_invoice(a_line()))
    arguments = ("invoice", "show", "INV-000001", "--format", "pdf")

    said = cli(*arguments, "--out", tmp_path / "a.pdf", "--issuer", r"Platform, Inc.\n1 Main Street")

    words = PdfReader(tmp_path / "a.pdf").pages[0].extract_text()
    assert said == f"Wrote Invoice INV-000001 to {tmp_path / 'a.pdf'}.\n"
    assert "Platform, Inc.\n1 Main Street" in words
    assert "pdf goes to a file" in cli.wrong(*arguments)
    assert "text to the terminal" in cli.wrong("invoice", "show", "INV-000001", "--out", tmp_path / "a")
    assert [path.name for path in tmp_path.glob("a*")] == ["a.pdf"]


def test_letters_that_no_font_has_are_named(script: Script, cli: Cli, tmp_path: Path) -> None:
    answer_with(script, an_invoice(a_line(), licensee_name="会社"))

    cli("invoice", "show", "INV-000001", "--format", "pdf", "--out", tmp_path / "a.pdf")

    assert "no letter for U+4F1A, U+793E" in cli.err


def test_without_reportlab_it_is_said_how_to_get_it(
    script: Script, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "reportlab.platypus", None)

    refusal = cli.refusal("invoice", "show", "INV-000001", "--format", "pdf", "--out", tmp_path / "a.pdf")

    assert refusal["reason"] == "PDF_MISSING"
    assert "pip install sluice[pdf]" in refusal["message"]


def test_invoices_and_credit_notes_are_listed_page_by_page(script: Script, cli: Cli) -> None:
    first = pb.ListInvoicesResponse(invoices=[an_invoice(a_line())], next_page_token="x")
    script.answer("ListInvoices", first, pb.ListInvoicesResponse(invoices=[a_draft()]))
    notes = pb.ListCreditNotesResponse(credit_notes=[a_credit_note()])
    script.answer("ListCreditNotes", notes, pb.ListCreditNotesResponse())

    said = cli("invoice", "list", "--licensee", "acme", "--only", "final")
    listed = cli("invoice", "list", "--credit-notes", "--license", LICENSE)

    asked, following = script.asked["ListInvoices"]
    assert (asked.licensee_id, asked.state) == ("acme", INVOICE_STATE_FINAL)
    assert following.page_token == "x"
    assert "USD 125.00" in said
    assert "draft" in said
    assert "CN-000001" in listed
    assert script.asked["ListCreditNotes"][0].license_id == LICENSE
    assert cli("invoice", "list", "--credit-notes") == "There is no credit note.\n"


def test_where_there_is_none_it_is_said(script: Script, cli: Cli) -> None:
    script.answer("ListInvoices", pb.ListInvoicesResponse())

    assert cli("invoice", "list") == "There is no invoice.\n"
    assert cli.json("invoice", "list") == []


def test_a_draft_is_discarded(script: Script, cli: Cli) -> None:
    answer_with(script, a_draft())
    script.answer("DiscardDraft", pb.DiscardDraftResponse())

    assert cli("invoice", "discard", INVOICE_ID) == f"Discarded the draft {INVOICE_ID}.\n"
    assert cli.json("invoice", "discard", INVOICE_ID) == {"discarded": INVOICE_ID}


def test_what_has_a_number_is_not_discarded_and_it_is_said_why(script: Script, cli: Cli) -> None:
    answer_with(script, an_invoice())
    script.answer("DiscardDraft", precondition("INVOICE_FINAL", "INV-000001 is final"))

    assert cli.refusal("invoice", "discard", "INV-000001")["reason"] == "INVOICE_FINAL"
    assert script.asked["GetInvoice"][0].invoice == "INV-000001"
    assert script.asked["DiscardDraft"][0].invoice_id == INVOICE_ID


def test_an_invoice_of_nothing_says_so(script: Script, cli: Cli) -> None:
    answer_with(script, an_invoice())

    assert "It bills nothing: there is no line." in cli("invoice", "show", "INV-000001")


def test_csv_says_on_each_row_of_when_it_is_and_what_its_amounts_are(script: Script, cli: Cli) -> None:
    answer_with(script, an_invoice(a_line(), a_line(-50, period="2026-10")))
    script.answer("GetCreditNote", pb.GetCreditNoteResponse(credit_note=a_credit_note()))

    told = [cli("invoice", "show", name, "--format", "csv") for name in ("INV-000001", "CN-000001")]
    rows = [row for text in told for row in csv.DictReader(io.StringIO(text))]

    assert [row["period"] for row in rows] == ["2026-11", "2026-10", "2026-11"]
    names = ("invoice_period", "invoice_from", "invoice_until", "cut_off", "currency", "decimals")
    assert {tuple(row[name] for name in names) for row in rows} == {
        (
            *("2026-11", "2026-11-01T00:00:00-04:00", "2026-12-01T00:00:00-05:00"),
            *("2026-12-02T09:00:00Z", "USD", "2"),
        )
    }


def test_a_credit_note_is_for_an_amount_or_for_what_is_too_much(script: Script, cli: Cli) -> None:
    answer_with(script, an_invoice())
    script.answer("IssueCreditNote", pb.IssueCreditNoteResponse(credit_note=a_credit_note()))
    arguments = ("invoice", "credit", "INV-000001", "--reason", "Outage")

    said = cli(*arguments, "--goodwill", "25.00 USD")
    cli(*arguments, "--correction")

    goodwill, correction = script.asked["IssueCreditNote"]
    assert (goodwill.invoice_id, goodwill.reason) == (INVOICE_ID, "Outage")
    assert (goodwill.goodwill.amount.units, goodwill.goodwill.amount.currency_code) == (25, "USD")
    assert correction.WhichOneof("what") == "correction"
    assert said.endswith("Issued CN-000001 about INV-000001.\n")
    assert "one of both" in cli.wrong(*arguments)
    assert "one of both" in cli.wrong(*arguments, "--correction", "--goodwill", "1 USD")
    assert "an amount like" in cli.wrong(*arguments, "--goodwill", "much")
