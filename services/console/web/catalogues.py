"""Keeps the catalogues of translations as the sources are: `make words`.

A catalogue has every text that pages say and no other, sorted, without places in the sources: it changes when
words do. A text that is new in it is empty, and a test fails until somebody has translated it.
"""

import io
from importlib.resources import files
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from services.console.web.reading import LANGUAGES

PACKAGES = ("web", "settings_page", "operations")
"""Those of the console whose texts people read on pages."""
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "say": None, "msgid": None}
"""The functions that texts are given to."""
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}}
HEAD = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals={catalogue.num_plurals}; plural={catalogue.plural_expr};\\n"

"""


def extracted() -> Catalog:
    """What the sources say; raises jinja2.TemplateSyntaxError."""
    found = Catalog()
    for package in PACKAGES:
        folder = str(files("services.console") / package)
        for _file, _line, text, _comments, context in extract_from_dir(folder, METHODS, OPTIONS, KEYWORDS):
            found.add(text, context=context)
    return found


def catalogue_file(language: str) -> Path:
    """Where the catalogue of one of LANGUAGES is; the first has none."""
    return Path(str(files("services.console.web") / "wording" / f"{language}.po"))


def read(language: str) -> Catalog:
    """The catalogue of a language as it is; empty where there is none yet."""
    file = catalogue_file(language)
    content = file.read_bytes() if file.exists() else b""
    return read_po(io.BytesIO(content), locale=language)


def updated(language: str, sources: Catalog) -> Catalog:
    """What the sources say, with what the catalogue has for it; nothing is guessed from what is alike."""
    catalogue = read(language)
    catalogue.update(sources, no_fuzzy_matching=True)
    return catalogue


def written(language: str, catalogue: Catalog) -> bytes:
    """The file of a catalogue."""
    content = io.BytesIO()
    write_po(content, catalogue, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)
    return HEAD.format(language=language, catalogue=catalogue).encode() + content.getvalue()


def main() -> None:
    """Brings all catalogues to what the sources say."""
    sources = extracted()
    for language in LANGUAGES[1:]:
        catalogue_file(language).write_bytes(written(language, updated(language, sources)))


if __name__ == "__main__":
    main()
