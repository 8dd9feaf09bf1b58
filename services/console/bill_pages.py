"""A bill as a PDF: pages for a finance department, numbered, with DRAFT across those of a draft.

The same bill gives the same bytes.
"""

import io
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from services.console.bill_fonts import BOLD, REGULAR, Letters, register_fonts
from services.console.bill_papers import COLUMNS, Paper

if TYPE_CHECKING:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Flowable

MM = 72 / 25.4
"""Points in a millimetre."""
MARGIN, FOOT, FRAME = 20 * MM, 12 * MM, 6
PAGE_WIDTH, PAGE_HEIGHT = 210 * MM, 297 * MM
"""A4."""
NAME_WIDTH = 44 * MM
WIDTHS = (24 * MM, 62 * MM, 26 * MM, 30 * MM, 28 * MM)
"""Of the columns of lines; together as wide as the page between its margins."""
SIZE, SMALL, TITLE = 9, 7.5, 18
DIGEST_DIGITS = 64
_GREY, _LINE, _MARK = "#555555", "#bbbbbb", "#e6e6e6"


def bill_pdf(paper: Paper, issuer: str) -> tuple[bytes, list[str]]:
    """The pages, and the letters that their font does not have, each of which is shown by its number.

    `issuer` is who bills, with line breaks. Raises Refusal (precondition, PDF_MISSING).
    """
    from reportlab.platypus import SimpleDocTemplate  # noqa: PLC0415

    sheet = _Sheet(paper, issuer, register_fonts())
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=(PAGE_WIDTH, PAGE_HEIGHT),
        # The library leaves some room inside of its margins.
        leftMargin=MARGIN - FRAME,
        rightMargin=MARGIN - FRAME,
        topMargin=MARGIN,
        bottomMargin=MARGIN + FOOT,
        title=paper.title,
        author=issuer.partition("\n")[0],
        lang="en",
        invariant=1,
    )
    content = sheet.content()
    document.build(
        content, onFirstPage=sheet.mark, onLaterPages=sheet.mark, canvasmaker=_numbering(sheet.foot)
    )
    return out.getvalue(), sorted(sheet.letters.missing)


class _Sheet:
    """What stands on the pages."""

    def __init__(self, paper: Paper, issuer: str, letters: Letters) -> None:
        self._paper = paper
        self._issuer = issuer
        self.letters = letters

    def content(self) -> "list[Flowable]":
        """From top to bottom."""
        from reportlab.platypus import Spacer  # noqa: PLC0415

        paper = self._paper
        parts: list[Flowable] = [self._words(paper.title, TITLE, bold=True), Spacer(1, 6 * MM)]
        if self._issuer:
            parts += [self._words(self._issuer, SIZE), Spacer(1, 5 * MM)]
        parts += [self._facts(), Spacer(1, 7 * MM), self._lines(), Spacer(1, 7 * MM)]
        parts += [self._words(note, SMALL, colour=_GREY) for note in paper.notes]
        if self.letters.missing:
            # Last, when all else has been set.
            words = "Letters that the font of this page does not have are shown by their number in Unicode."
            parts.append(self._words(words, SMALL, colour=_GREY))
        return parts

    def mark(self, canvas: "Canvas", _document: Any) -> None:
        """Writes DRAFT across the page of a draft, under everything else."""
        if not self._paper.is_draft:
            return
        canvas.saveState()
        canvas.setFont(BOLD, 130)
        canvas.setFillColor(_MARK)
        canvas.translate(PAGE_WIDTH / 2, PAGE_HEIGHT / 2)
        canvas.rotate(52)
        canvas.drawCentredString(0, -40, "DRAFT")
        canvas.restoreState()

    def foot(self, canvas: "Canvas", page: int, pages: int) -> None:
        """Writes what it is and which page of how many."""
        canvas.setFont(REGULAR, SMALL)
        canvas.setFillColor(_GREY)
        canvas.drawString(MARGIN, FOOT, self.letters.shown(self._paper.title))
        canvas.drawRightString(PAGE_WIDTH - MARGIN, FOOT, f"Page {page} of {pages}")

    def _facts(self) -> "Flowable":
        from reportlab.platypus import Table, TableStyle  # noqa: PLC0415

        rows = [
            # A digest stands on one line.
            (self._words(name, SIZE, colour=_GREY), self._words(value, SMALL if _is_digest(value) else SIZE))
            for name, value in self._paper.facts
        ]
        widths = (NAME_WIDTH, sum(WIDTHS) - NAME_WIDTH)
        close = TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0)])
        close.add("BOTTOMPADDING", (0, 0), (-1, -1), 1.5)
        close.add("TOPPADDING", (0, 0), (-1, -1), 1.5)
        return Table(rows, colWidths=widths, style=close)

    def _lines(self) -> "Flowable":
        from reportlab.platypus import LongTable, TableStyle  # noqa: PLC0415

        paper = self._paper
        names = (*COLUMNS[:-1], f"{COLUMNS[-1]} ({paper.currency})")
        rows = [self._row(names, bold=True)]
        rows += [self._row(row) for row in paper.rows or [("", "Nothing is charged.", "", "", "")]]
        rows.append(self._row(("", "", "", "Total", paper.total), bold=True))
        style = TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0)])
        style.add("RIGHTPADDING", (-1, 0), (-1, -1), 0)
        style.add("LINEBELOW", (0, 0), (-1, 0), 0.8, _GREY)
        style.add("LINEBELOW", (0, 1), (-1, -3), 0.3, _LINE)
        style.add("LINEABOVE", (0, -1), (-1, -1), 0.8, _GREY)
        # A total never stands alone on a page.
        style.add("NOSPLIT", (0, -2), (-1, -1))
        return LongTable(rows, colWidths=WIDTHS, repeatRows=1, style=style)

    def _row(self, cells: tuple[str, ...], *, bold: bool = False) -> "list[Flowable]":
        return [self._words(text, SIZE, bold=bold, right=place >= 2) for place, text in enumerate(cells)]

    def _words(
        self, text: str, size: float, *, bold: bool = False, right: bool = False, colour: str = "#000000"
    ) -> "Flowable":
        from reportlab.platypus import Paragraph  # noqa: PLC0415

        shown = "<br/>".join(escape(self.letters.shown(line)) for line in text.split("\n"))
        return Paragraph(shown, _style(size, bold=bold, right=right, colour=colour))


def _is_digest(value: str) -> bool:
    return len(value) == DIGEST_DIGITS and " " not in value


def _style(size: float, *, bold: bool, right: bool, colour: str) -> "ParagraphStyle":
    from reportlab.lib.enums import TA_LEFT, TA_RIGHT  # noqa: PLC0415
    from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415

    return ParagraphStyle(
        "words",
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size * 1.3,
        textColor=colour,
        alignment=TA_RIGHT if right else TA_LEFT,
        # A name without spaces is broken where the column ends.
        splitLongWords=1,
    )


def _numbering(foot: Any) -> Any:
    """A kind of canvas that keeps its pages until it is known how many there are."""
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    class Numbering(Canvas):  # type: ignore[misc]
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._kept: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - the library's name
            self._kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for page, kept in enumerate(self._kept, 1):
                self.__dict__.update(kept)
                foot(self, page, len(self._kept))
                super().showPage()
            super().save()

    return Numbering
