"""The font of a page, and what it can show: nothing is shown as an empty box without a word.

DejaVu Sans may be embedded by anyone; it comes with matplotlib and with many systems. Where it is not, the
font that comes with reportlab is used, which has Latin letters alone.
"""

import importlib.util
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.chassis.refusals import precondition

REGULAR, BOLD = "Page", "Page-Bold"
_SYSTEM = Path("/usr/share/fonts/truetype/dejavu")
_DEJAVU = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
_VERA = ("Vera.ttf", "VeraBd.ttf")
_RIGHT_TO_LEFT = {"R", "AL", "AN", "RLE", "RLO", "RLI"}
"""Directions (UAX 9) that a page would show in the wrong order."""


def need_reportlab() -> None:
    """Raises Refusal (precondition, PDF_MISSING) where the library is not installed."""
    # Inside: few installations need it.
    try:
        import reportlab.platypus  # noqa: F401, PLC0415
    except ImportError as error:
        raise precondition("PDF_MISSING", "pages are made with reportlab: pip install sluice[pdf]") from error


@dataclass
class Letters:
    """The letters of the fonts that are registered, and those that were asked for and are not there."""

    known: frozenset[int]
    missing: set[str] = field(default_factory=set)

    def shown(self, text: str) -> str:
        """The text as the page can show it: U+ and its number for each letter that it cannot."""
        return "".join(map(self._letter, text))

    def _letter(self, letter: str) -> str:
        if ord(letter) in self.known and unicodedata.bidirectional(letter) not in _RIGHT_TO_LEFT:
            return letter
        self.missing.add(letter)
        return f"[U+{ord(letter):04X}]"


def register_fonts() -> Letters:
    """Makes REGULAR and BOLD known to reportlab."""
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415

    known = set[int]()
    for name, path in zip((REGULAR, BOLD), font_files(), strict=True):
        font: Any = TTFont(name, str(path))
        pdfmetrics.registerFont(font)
        letters = set(font.face.charToGlyph)
        known = known & letters if known else letters
    return Letters(frozenset(known))


def font_files() -> tuple[Path, Path]:
    """The regular and the bold font, from the first place that has both."""
    places = [(_SYSTEM, _DEJAVU)]
    for module, inside, names in (
        ("matplotlib", "mpl-data/fonts/ttf", _DEJAVU),
        ("reportlab", "fonts", _VERA),
    ):
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.origin is not None:
            places.append((Path(spec.origin).parent / inside, names))
    for folder, (regular, bold) in places:
        if (folder / regular).is_file() and (folder / bold).is_file():
            return folder / regular, folder / bold
    raise precondition("PDF_MISSING", "no font was found to make pages with")
