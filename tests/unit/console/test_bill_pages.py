"""The pages of a bill, as a reader of PDF finds them."""

import importlib.util
import io
from pathlib import Path

import pytest
from pypdf import PdfReader

from services.console import bill_fonts
from services.console.bill_fonts import font_files
from services.console.bill_pages import bill_pdf
from services.console.bill_papers import paper_of
from sluice.licensing.v1.invoice_pb2 import INVOICE_LINE_KIND_GOODWILL_LIMIT, Invoice
from tests.support.bills import a_credit_note, a_draft, a_line, an_invoice


def pages_of(invoice: Invoice, issuer: str = "Platform, Inc.") -> list[str]:
    pages, _ = bill_pdf(paper_of(invoice), issuer)
    return [page.extract_text() for page in PdfReader(io.BytesIO(pages)).pages]


def test_a_page_says_all_that_a_finance_department_asks_for() -> None:
    (page,) = pages_of(an_invoice(a_line(), a_line(-1_250, description="Training, tier 2")))

    for words in (
        "Invoice INV-000001",
        "Platform, Inc.",
        "2026-12-03 10:00:00.000 UTC",
        "Acme, Inc. (acme)",
        "acme-training, version 2",
        "74" * 32,
        "64" * 32,
        "2026-11: from 2026-11-01 00:00:00-04:00 until 2026-12-01 00:00:00-05:00",
        "America/New_York",
        "Training, after 1,000 included",
        "10,000",
        "0.0125",
        "Amount (USD)",
        "-12.50",
        "112.50",
        "Amounts are without tax.",
        "Page 1 of 1",
    ):
        assert words in page
    assert "DRAFT" not in page


def test_many_lines_take_many_pages_and_each_is_numbered_and_headed() -> None:
    pages = pages_of(an_invoice(*(a_line() for _ in range(200))))

    assert len(pages) >= 4
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Description" in page
    # A total never stands alone.
    assert "2026-11" in pages[-1]
    assert "25,000.00" in pages[-1]


def test_a_draft_is_marked_on_every_page() -> None:
    pages = pages_of(a_draft(*(a_line() for _ in range(80))))

    assert len(pages) > 1
    assert all("DRAFT" in page for page in pages)
    assert "no demand for payment" in pages[-1]


def test_names_of_other_scripts_are_there_to_be_read_and_embedded() -> None:
    content, missing = bill_pdf(paper_of(an_invoice(licensee_name="Łódź & Сыновья <Ελλάς>")), "")
    reader = PdfReader(io.BytesIO(content))

    assert missing == []
    assert "Łódź & Сыновья <Ελλάς> (acme)" in reader.pages[0].extract_text()
    fonts = reader.pages[0]["/Resources"]["/Font"].values()  # type: ignore[index]
    descriptors = [font.get_object().get("/FontDescriptor") for font in fonts]
    embedded = [each.get_object() for each in descriptors if each is not None]
    assert embedded
    assert all("/FontFile2" in each for each in embedded)


@pytest.mark.parametrize(("name", "number"), [("株", "U+682A"), ("ש", "U+05E9"), ("م", "U+0645")])
def test_a_letter_that_cannot_be_shown_is_never_a_box(name: str, number: str) -> None:
    content, missing = bill_pdf(paper_of(an_invoice(licensee_name=name)), "")
    page = PdfReader(io.BytesIO(content)).pages[0].extract_text()

    assert missing == [name]
    assert f"[{number}] (acme)" in page
    assert "shown by their number in Unicode" in page


def test_long_names_are_wrapped_and_none_is_cut() -> None:
    name = "".join(chr(ord("A") + place % 26) for place in range(100))

    (page,) = pages_of(an_invoice(a_line(description=name), licensee_name=name * 2))

    joined = page.replace("\n", "")
    assert name * 2 in joined
    assert joined.count(name) >= 3


def test_the_same_bill_gives_the_same_bytes() -> None:
    paper = paper_of(an_invoice(a_line()))

    assert bill_pdf(paper, "")[0] == bill_pdf(paper, "")[0]


def test_a_credit_note_has_pages_too() -> None:
    content, _ = bill_pdf(paper_of(a_credit_note()), "")
    page = PdfReader(io.BytesIO(content)).pages[0].extract_text()

    for words in ("Credit note CN-000001", "INV-000001", "Outage", "Goodwill", "-25.00"):
        assert words in page


def test_what_is_charged_for_nothing_is_said(tmp_path: Path) -> None:
    (page,) = pages_of(an_invoice())

    assert "Nothing is charged." in page
    assert "0.00" in page


def test_a_limit_by_goodwill_is_explained() -> None:
    (page,) = pages_of(an_invoice(a_line(kind=INVOICE_LINE_KIND_GOODWILL_LIMIT)))

    assert "no period comes to less than nothing" in page


def test_where_dejavu_is_not_there_is_a_font_that_comes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bill_fonts, "_SYSTEM", tmp_path)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find(name)
    )

    assert [path.name for path in font_files()] == ["Vera.ttf", "VeraBd.ttf"]
    _, missing = bill_pdf(paper_of(an_invoice(licensee_name="Œuvre Ж")), "")
    assert missing == ["Ж"]
