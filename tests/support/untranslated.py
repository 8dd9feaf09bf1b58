"""What of a page is still in the language of the sources."""

import functools
import re
from collections.abc import Sequence
from html.parser import HTMLParser

from services.console.web import catalogues
from tests.support.pages import Seen

_READ = ("alt", "aria-label", "placeholder", "title")
"""Attributes that people read or hear."""
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "source", "rect"})
_QUOTING = frozenset({"blockquote", "code", "pre", "script", "style", "textarea", "time"})
"""Elements whose text is somebody's own, a program's or a date."""
_NAMED = re.compile(r"%\\\((\w+)\\\)s")


class Texts(HTMLParser):
    """The texts of a page, each as it stands between two tags or in an attribute."""

    def __init__(self, page: Seen) -> None:
        super().__init__()
        self.language = ""
        """Of the page, as it says."""
        self.found: list[str] = []
        self._open: list[bool] = []
        self.feed(page.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = given.get("lang", "")
        self.found += [given[name] for name in _READ if given.get(name)]
        if tag not in _VOID:
            # The policy's own texts say their language.
            self._open.append(tag in _QUOTING or (tag != "html" and "lang" in given))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(self._open):
            self.found.append(" ".join(data.split()))


def forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """A text of a catalogue as all of its forms: one, or one for each kind of number."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def untranslated(page: Seen, language: str) -> list[str]:
    """English texts of the catalogue of `language` that the page shows as they are."""
    whole, within = _english(language)
    return [text for text in Texts(page).found if whole.fullmatch(text) or within.search(text)]


@functools.cache
def _english(language: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Those of one word, which are looked for as the whole of a text, and those of several."""
    said: list[str] = []
    for each in catalogues.read(language):
        # Some words are the same in both languages.
        said += [text for text in forms(each.id) if text and text not in forms(each.string)]
    patterns = {text: _NAMED.sub(".+", re.escape(text).replace("%%", "%")) for text in said}
    single = [
        pattern for text, pattern in patterns.items() if len(re.sub(r"%\(\w+\)s", "", text).split()) < 2
    ]
    several = [pattern for text, pattern in patterns.items() if pattern not in single]
    return re.compile("|".join(single)), re.compile(r"(?<!\w)(?:" + "|".join(several) + r")(?!\w)")
