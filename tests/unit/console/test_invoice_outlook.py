"""`sluice invoice due`, `preview` and `draft --due`, against a billing that answers as it is told."""

from services.console.moments import read
from sluice.licensing.v1 import billing_service_pb2 as pb
from sluice.licensing.v1.invoice_pb2 import DuePeriod
from tests.support.bills import INVOICE_ID, a_draft, a_line, an_invoice
from tests.support.command_line import Cli
from tests.support.scripted import Script

LICENSE = "acme-training"


def a_due(period: str = "2026-11", **fields: str) -> DuePeriod:
    return DuePeriod(
        license_id=LICENSE,
        licensee_id="acme",
        period=period,
        period_from=read(f"{period}-01T04:00:00Z"),
        period_until=read("2026-12-01T05:00:00Z"),
        **fields,
    )


def test_what_is_due_is_listed_page_by_page(script: Script, cli: Cli) -> None:
    damaged = DuePeriod(license_id="other", licensee_id="acme", reason="DOCUMENT_DAMAGED")
    script.answer(
        "ListDuePeriods",
        pb.ListDuePeriodsResponse(due=[a_due("2026-10", invoice_id=INVOICE_ID)], next_page_token="more"),
        pb.ListDuePeriodsResponse(due=[a_due(), damaged]),
    )

    said = cli("invoice", "due", "--licensee", "acme")

    for words in (
        LICENSE,
        "2026-10",
        "2026-11",
        INVOICE_ID,
        "2026-12-01 05:00:00.000 UTC",
        "DOCUMENT_DAMAGED",
    ):
        assert words in said
    assert [asked.page_token for asked in script.asked["ListDuePeriods"]] == ["", "more"]
    assert script.asked["ListDuePeriods"][0].licensee_id == "acme"
    assert [each["period"] for each in cli.json("invoice", "due")] == ["2026-11", ""]
    script.answer("ListDuePeriods", pb.ListDuePeriodsResponse())
    assert cli("invoice", "due") == "Nothing is due: every period that is over is invoiced.\n"


def test_the_next_one_that_is_due_is_drafted(script: Script, cli: Cli) -> None:
    script.answer("ListDuePeriods", pb.ListDuePeriodsResponse(due=[a_due()], next_page_token="more"))
    script.answer("DraftInvoice", pb.DraftInvoiceResponse(invoice=a_draft(a_line())))

    assert "Draft invoice for 2026-11" in cli("invoice", "draft", LICENSE, "--due")

    (asked,) = script.asked["ListDuePeriods"]
    assert (asked.license_id, asked.page_size) == (LICENSE, 1)
    assert script.asked["DraftInvoice"][0].period_from == a_due().period_from
    script.answer("ListDuePeriods", pb.ListDuePeriodsResponse())
    assert cli.refusal("invoice", "draft", LICENSE, "--due")["reason"] == "NOTHING_DUE"
    told = DuePeriod(license_id=LICENSE, reason="CALENDAR_CHANGED")
    script.answer("ListDuePeriods", pb.ListDuePeriodsResponse(due=[told]))
    assert cli.refusal("invoice", "draft", LICENSE, "--due")["reason"] == "CALENDAR_CHANGED"
    assert len(script.asked["DraftInvoice"]) == 1


def test_a_draft_is_of_a_period_or_of_the_one_that_is_due(script: Script, cli: Cli) -> None:
    for given in ((), ("2026-11", "--due")):
        assert "one of both" in cli.wrong("invoice", "draft", LICENSE, *given)


def test_a_preview_says_that_it_is_one(script: Script, cli: Cli) -> None:
    so_far = an_invoice(a_line(), invoice_id="", number="", digest=b"", state="INVOICE_STATE_UNSPECIFIED")
    script.answer("PreviewInvoice", pb.PreviewInvoiceResponse(invoice=so_far))

    said = cli("invoice", "preview", LICENSE)

    for words in ("Preview of the invoice for 2026-11", "125.00", "a period that is not over"):
        assert words in said
    for words in ("Number", "SHA-256 of this document", "draft"):
        assert words not in said
    assert cli.json("invoice", "preview", LICENSE)["total_minor"] == 12_500
