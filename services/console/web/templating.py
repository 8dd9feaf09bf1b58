"""Templates of pages: whatever is put in is text, and every sentence is in the reader's language."""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from services.console.web.reading import LANGUAGES, Reader, instant, reader_of
from services.console.web.words_failures import WHY

ASSETS = "/assets"


class Templates:
    """Those of some packages, each with a folder `templates`; the first that has a name gives it."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._environments = _environments((*packages, "services.console.web"))

    def render(self, reader: Reader, name: str, values: Mapping[str, Any]) -> str:
        """A page as HTML; raises jinja2.UndefinedError where a value is missing."""
        template = self._environments[reader.language].get_template(name)
        return template.render(reader=reader, languages=LANGUAGES, asset=asset, instant=instant, **values)


@functools.cache
def asset(name: str) -> str:
    """The address of a file of ours, another one for each content: browsers keep it for good."""
    content = (files("services.console.web") / "assets" / name).read_bytes()
    return f"{ASSETS}/{name}?{digest_of(content)}"


def digest_of(content: bytes) -> str:
    """What the address of a file of this content ends with."""
    return hashlib.sha256(content).hexdigest()[:12]


@functools.cache
def _environments(packages: tuple[str, ...]) -> Mapping[str, Environment]:
    """By language; all that show pages of the same packages compile them once."""
    loader = ChoiceLoader([PackageLoader(package) for package in packages])
    return {language: _environment(loader, language) for language in LANGUAGES}


def _environment(loader: ChoiceLoader, language: str) -> Environment:
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # It is the extension that has this.
    environment.install_gettext_translations(  # type: ignore[attr-defined]
        reader_of("", language).translations, newstyle=True
    )
    environment.globals["failures"] = WHY
    return environment
